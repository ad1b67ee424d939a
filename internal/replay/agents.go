package replay

import (
	"fmt"
	"strings"
)

// deviceKind is what people hold in their hands.
type deviceKind uint8

const (
	deviceTV deviceKind = iota
	deviceIOS
	deviceAndroid
	deviceMobileWeb
	deviceDesktop
	deviceCrawler
	deviceMonitor
	deviceKinds
)

// agents are the user agents that a site sees, by device, each kind with its
// spread of versions: a few new ones that most have, and a long tail.
type agents struct {
	all    [][]byte
	kinds  [deviceKinds][]uint16 // indices into all
	tables [deviceKinds][]uint16 // draws from kinds
}

func (a *agents) add(kind deviceKind, list []string, ratio float64) {
	for _, s := range list {
		a.kinds[kind] = append(a.kinds[kind], uint16(len(a.all)))
		a.all = append(a.all, []byte(s))
	}
	a.tables[kind] = weighted(geometric(len(a.kinds[kind]), ratio))
}

// draw is the user agent of the device with hash h.
func (a *agents) draw(kind deviceKind, h uint64) uint16 {
	return a.kinds[kind][a.tables[kind][h%tableSize]]
}

var (
	tvModels      = []string{"SMART-TV; LINUX; Tizen %d.0", "Web0S; Linux/SmartTV; webOS %d", "Linux; Android %d; BRAVIA 4K", "Linux; Android %d; AFTKA", "Linux; Android %d; MiTV", "X11; Linux armv7l; Philips TV %d", "SMART-TV; LINUX; Tizen %d.5", "Linux; Android %d; SHIELD Android TV"}
	androidModels = []string{"SM-S918B", "SM-A546B", "SM-A155F", "Pixel 9", "Pixel 8a", "Redmi Note 13", "M2101K6G", "CPH2581", "moto g84", "SM-G991B", "XQ-DQ54", "2201117TY", "V2250", "RMX3771"}
	desktopOS     = []string{"Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64", "X11; CrOS x86_64 14541.0.0"}
)

// newAgents makes the user agents of one site; app is its application's name.
func newAgents(r *rng, app string) *agents {
	a := &agents{}
	chrome := r.intn(136, 147) // the newest version of this seed's moment
	var tv, ios, android, mobile, desktop []string
	for v := range r.intn(3, 6) {
		for _, m := range tvModels {
			if r.chance(0.7) {
				tv = append(tv, "Mozilla/5.0 ("+fmt.Sprintf(m, 12-v)+fmt.Sprintf(") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 TV Safari/537.36 %sTV/%d.%d.%d", chrome-20-7*v, app, 6-v/2, 9-v, r.below(9)))
			}
		}
		tv = append(tv, fmt.Sprintf("%s/%d.%d (Apple TV; tvOS %d.%d)", app, 6, 9-v, 26-v, r.below(6)), fmt.Sprintf("Roku/DVP-%d.0 (%d.0.0.%d-%d)", 14-v, 14-v, r.below(9000), r.below(100)))
	}
	appMajor, build := r.intn(3, 14), r.intn(10, 90)
	for v := range r.intn(8, 16) {
		for os := range 4 {
			ios = append(ios, fmt.Sprintf("%s/%d.%d.%d (iPhone; iOS %d.%d; Scale/3.00)", app, appMajor, max(0, build-v), r.below(4), 26-os, r.below(6)))
		}
		for range 6 {
			android = append(android, fmt.Sprintf("%s/%d.%d.%d (Linux;Android %d; %s) okhttp/4.%d.0", app, appMajor, max(0, build-v), r.below(4), 16-r.below(6), pick(r, androidModels), 12-r.below(3)))
		}
	}
	for v := range r.intn(10, 18) {
		for range 5 {
			mobile = append(mobile, fmt.Sprintf("Mozilla/5.0 (Linux; Android %d; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Mobile Safari/537.36", 10+r.below(6), chrome-v))
		}
		mobile = append(mobile, fmt.Sprintf("Mozilla/5.0 (iPhone; CPU iPhone OS %d_%d like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%d.%d Mobile/15E148 Safari/604.1", 26-v/3, r.below(7), 26-v/3, r.below(7)))
		for i, os := range desktopOS {
			desktop = append(desktop, fmt.Sprintf("Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", os, chrome-v))
			switch i {
			case 0:
				desktop = append(desktop, fmt.Sprintf("Mozilla/5.0 (%s; rv:%d.0) Gecko/20100101 Firefox/%d.0", os, chrome+2-v, chrome+2-v),
					fmt.Sprintf("Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36 Edg/%d.0.0.0", os, chrome-v, chrome-v))
			case 1:
				desktop = append(desktop, fmt.Sprintf("Mozilla/5.0 (%s) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%d.%d Safari/605.1.15", os, 19-v/3, r.below(6)))
			}
		}
	}
	a.add(deviceTV, tv, r.between(0.9, 0.96))
	a.add(deviceIOS, ios, r.between(0.88, 0.95))
	a.add(deviceAndroid, android, r.between(0.92, 0.97))
	a.add(deviceMobileWeb, mobile, r.between(0.93, 0.97))
	a.add(deviceDesktop, desktop, r.between(0.93, 0.97))
	a.add(deviceCrawler, []string{
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
		"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
		"Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
		"Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
		"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
	}, 0.7)
	a.add(deviceMonitor, []string{
		"Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", "ELB-HealthChecker/2.0", "kube-probe/1.33",
		"Blackbox Exporter/0.27.0", "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
	}, 0.8)
	return a
}

// toolAgents are what simple attack tools send; scanners send their names.
var (
	toolAgents    = []string{"python-requests/2.32.3", "Go-http-client/1.1", "Go-http-client/2.0", "curl/8.9.1", "axios/1.7.9", "Apache-HttpClient/4.5.14 (Java/17.0.9)", "okhttp/4.12.0", "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "libwww-perl/6.72", "aiohttp/3.10.5", "Java/11.0.24"}
	scannerAgents = []string{"Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)", "sqlmap/1.8.7#stable (https://sqlmap.org)", "gobuster/3.6", "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)", "Fuzz Faster U Fool v2.1.0-dev", "feroxbuster/2.10.4", "Wfuzz/3.1.0", "python-requests/2.32.3", "Mozilla/5.0 zgrab/0.x"}
)

// staleAgent is a browser string as attack kits carry them: plausible, years old,
// and of combinations that hardly exist.
func staleAgent(r *rng) []byte {
	os := pick(r, []string{"Windows NT 6.1; WOW64", "Windows NT 6.3; Win64; x64", "Windows NT 10.0; WOW64", "Macintosh; Intel Mac OS X 10_11_6", "X11; Ubuntu; Linux x86_64", "Windows NT 5.1", "Linux; Android 7.0; SM-G930V"})
	var b strings.Builder
	switch r.below(3) {
	case 0:
		fmt.Fprintf(&b, "Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.%d.%d Safari/537.36", os, r.intn(40, 100), r.intn(2000, 4900), r.below(200))
	case 1:
		fmt.Fprintf(&b, "Mozilla/5.0 (%s; rv:%d.0) Gecko/20100101 Firefox/%d.0", os, r.intn(30, 60), r.intn(30, 90))
	default:
		fmt.Fprintf(&b, "Opera/9.%d (%s; U; en) Presto/2.%d.%d Version/%d.%02d", r.below(90), os, r.intn(2, 12), r.below(400), r.intn(10, 12), r.below(80))
	}
	return []byte(b.String())
}
