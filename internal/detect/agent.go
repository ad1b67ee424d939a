package detect

import "bytes"

var (
	// crawlerWords are how robots that name themselves do it.
	crawlerWords = [][]byte{
		[]byte("bot"), []byte("crawl"), []byte("spider"), []byte("slurp"), []byte("+http"), []byte("facebookexternalhit"),
		[]byte("preview"), []byte("monitor"), []byte("uptime"), []byte("pingdom"), []byte("feed"), []byte("reader"),
		[]byte("kube-probe"), []byte("healthcheck"), []byte("statuscake"), []byte("lighthouse"),
	}
	// toolWords are HTTP libraries and scanners by their default user agent.
	toolWords = [][]byte{
		[]byte("curl/"), []byte("wget/"), []byte("python"), []byte("go-http-client"), []byte("java/"),
		[]byte("libwww"), []byte("axios"), []byte("node-fetch"), []byte("ruby"), []byte("php/"), []byte("apachebench"), []byte("httpclient"),
		[]byte("scan"), []byte("nikto"), []byte("sqlmap"), []byte("nmap"), []byte("masscan"), []byte("zgrab"), []byte("w3af"), []byte("acunetix"),
		[]byte("nuclei"), []byte("gobuster"), []byte("dirb"), []byte("hydra"), []byte("wpscan"), []byte("headless"), []byte("phantom"),
	}
)

func uaFlags(ua []byte) (flags uint8) {
	var buf [128]byte
	low := lower(buf[:0], ua)
	for _, w := range crawlerWords {
		if bytes.Contains(low, w) {
			flags |= flagCrawler
			break
		}
	}
	for _, w := range toolWords {
		if bytes.Contains(low, w) {
			flags |= flagTool
			break
		}
	}
	return flags
}

// agentKind hashes the products that a user agent names, without versions and
// comments: what behaves alike on a site is few kinds, whatever it runs on.
func agentKind(ua []byte) uint16 {
	const offset, prime = 2166136261, 16777619 // FNV-1a
	h, depth, name := uint32(offset), 0, true
	for _, c := range ua[:min(len(ua), 256)] {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth > 0:
		case c == ' ':
			name = true
		case c == '/' || c >= '0' && c <= '9':
			if name {
				h = (h ^ '/') * prime
			}
			name = false
		case name:
			h = (h ^ uint32(c)) * prime
		}
	}
	return uint16(h>>16^h) | 1
}
