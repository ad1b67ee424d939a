package replay

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// perMinute counts requests by minute since the start.
func perMinute(t *testing.T, name string, o Options, keep func(*Generator, *Event) bool) []float64 {
	t.Helper()
	g := generator(t, scenario(t, name), o)
	var out []float64
	var ev Event
	for g.Next(&ev) {
		m := int((ev.UnixNano - g.startNs) / 60e9)
		for len(out) <= m {
			out = append(out, 0)
		}
		if keep == nil || keep(g, &ev) {
			out[m]++
		}
	}
	return out
}

// steepest is the largest growth within so many minutes.
func steepest(counts []float64, minutes int) float64 {
	best := 0.0
	for i := minutes; i < len(counts); i++ {
		best = max(best, counts[i]/counts[i-minutes])
	}
	return best
}

// The figures are those of the 1998 World Cup's 33 match days: growth at the
// 99.9th percentile 1.17 in a minute and 1.37 in five; the steepest match ramp
// 2.53 in 15 minutes and 5.57 in 60.
func TestMatchDayRampsAsTheSteepestMatchOfARealTournament(t *testing.T) {
	counts := perMinute(t, "match-day", Options{Seed: 5, Scale: 0.05}, nil)
	for _, tc := range []struct {
		minutes   int
		low, high float64
	}{{1, 1.05, 1.25}, {5, 1.25, 1.55}, {15, 2.25, 2.8}, {60, 5, 6.2}} {
		if got := steepest(counts, tc.minutes); got < tc.low || got > tc.high {
			t.Errorf("in %d minutes it grows %.2f times, want %.2f to %.2f", tc.minutes, got, tc.low, tc.high)
		}
	}
}

func TestAnOrdinaryEveningIsCalmerThanATournament(t *testing.T) {
	counts := perMinute(t, "evening", Options{Seed: 5, Scale: 0.1}, nil)
	if got := steepest(counts, 1); got > 1.17 {
		t.Errorf("it grows %.2f times in a minute", got)
	}
	if got := steepest(counts, 15); got > 1.5 {
		t.Errorf("it grows %.2f times in 15 minutes", got)
	}
}

func TestSignInsAtKickOffAreSteeperThanAnyRampOfThatTournament(t *testing.T) {
	counts := perMinute(t, "kickoff", Options{Seed: 5, Scale: 0.005}, func(g *Generator, ev *Event) bool { return g.signInPath(ev.Path) })
	if got := steepest(counts, 15); got < 2.53 {
		t.Errorf("sign-ins grow %.2f times in 15 minutes", got)
	}
	if got := steepest(counts, 5); got < 2 {
		t.Errorf("sign-ins grow %.2f times in 5 minutes", got)
	}
}

func TestAQuietDayFollowsTheHours(t *testing.T) {
	counts := perMinute(t, "quiet", Options{Seed: 5, Scale: 0.1}, nil)
	hour := func(h int) (sum float64) {
		for _, n := range counts[h*60 : h*60+60] {
			sum += n
		}
		return sum
	}
	if got := hour(21) / hour(4); got < 5 || got > 14 {
		t.Errorf("the evening has %.1f times the requests of the night", got)
	}
}

func TestAGoalDoublesTheTrafficWithinAMinute(t *testing.T) {
	counts := perMinute(t, "goal", Options{Seed: 5, Scale: 0.05}, nil)
	if got := steepest(counts, 1); got < 1.8 || got > 4 {
		t.Errorf("the traffic grows %.2f times in a minute", got)
	}
}

func TestAtHalfTimeThePlayersThatAreRunningAskForAdvertising(t *testing.T) {
	g := generator(t, scenario(t, "half-time"), Options{Seed: 5, Scale: 0.02})
	watching := map[string]bool{}
	asked, here := 0, 0
	var ev Event
	for g.Next(&ev) {
		switch ev.Class {
		case ClassViewer:
			watching[ev.Client.String()+string(ev.UserAgent)] = true
		case ClassAds:
			asked++
			if watching[ev.Client.String()+string(ev.UserAgent)] {
				here++
			}
		}
	}
	// Some are in the middle of a minute between two heartbeats that began before
	// the scenario did.
	if share := float64(here) / float64(asked); share < 0.9 {
		t.Errorf("%.2f of %d requests are of devices that were seen", share, asked)
	}
}

func TestAnOutageFailsRequestsAndClientsComeBackForThem(t *testing.T) {
	g := generator(t, scenario(t, "retry-storm"), Options{Seed: 5, Scale: 0.02})
	var failed, all [3]float64 // the 40 s before, of the outage, and of minutes later
	var ev Event
	for g.Next(&ev) {
		at := time.Duration(ev.UnixNano - g.startNs)
		for i, from := range []time.Duration{320 * time.Second, 360 * time.Second, 800 * time.Second} {
			if at >= from && at < from+40*time.Second {
				all[i]++
				if ev.Status >= 502 && ev.Status <= 504 {
					failed[i]++
				}
			}
		}
	}
	if share := failed[1] / all[1]; share < 0.8 || share > 0.9 { // 85 % are declared
		t.Errorf("%.2f of the requests fail in the outage", share)
	}
	if share := (failed[0] + failed[2]) / (all[0] + all[2]); share > 0.01 {
		t.Errorf("%.2f of the requests fail outside it", share)
	}
	if got := all[1] / all[0]; got < 2 {
		t.Errorf("retries make %.2f times the requests", got)
	}
}

func TestACarriersNATPutsManyPeopleBehindFewAddresses(t *testing.T) {
	g := generator(t, scenario(t, "carrier-nat"), Options{Seed: 5, Scale: 0.05})
	addresses, people := map[string]int{}, map[string]int{}
	var ev Event
	for g.Next(&ev) {
		if ev.Class == ClassNAT {
			addresses[ev.Client.String()]++
			people[string(ev.UserAgent)]++
		}
	}
	if len(addresses) < 2 || len(addresses) > 6 || len(people) < 20 {
		t.Errorf("%d addresses, %d user agents", len(addresses), len(people))
	}
}

func TestPeopleLoadAssetsAndSignInAndWatch(t *testing.T) {
	for _, site := range []string{"evening", "news-viral", "shop-sale"} {
		g := generator(t, scenario(t, site), Options{Seed: 5, Scale: 0.05, Duration: 4 * time.Minute})
		roles := map[role]int{}
		clients := map[string]int{}
		var ev Event
		total := 0
		for g.Next(&ev) {
			total++
			clients[ev.Client.String()]++
			for i := range g.site.routes {
				if rt := &g.site.routes[i]; slices.ContainsFunc(rt.paths, func(p []byte) bool { return &p[0] == &ev.Path[0] }) {
					roles[rt.role]++
					break
				}
			}
		}
		for _, want := range []role{roleHome, rolePage, roleAsset, roleImage, roleSignIn, roleToken, roleSearch, roleHeartbeat} {
			if roles[want] == 0 {
				t.Errorf("%s: nobody asks for role %d", site, want)
			}
		}
		if share := float64(roles[roleAsset]+roles[roleImage]) / float64(total); share < 0.15 || share > 0.8 {
			t.Errorf("%s: %.2f of the requests are assets", site, share)
		}
		if mean := float64(total) / float64(len(clients)); mean < 3 || mean > 60 {
			t.Errorf("%s: %.1f requests a client", site, mean)
		}
	}
}

func TestSeedsDifferInPathsAndStyles(t *testing.T) {
	signIns, styles, hosts := map[string]bool{}, map[Style]bool{}, map[string]bool{}
	for seed := range uint64(30) {
		g := generator(t, scenario(t, "flood"), Options{Seed: seed, Scale: 0.01})
		signIns[string(g.site.routes[g.site.roles[roleSignIn][0]].paths[0])] = true
		styles[g.Truth().Attacks[0].Style] = true
		hosts[g.Host()] = true
	}
	if len(signIns) < 5 || len(styles) < 20 || len(hosts) < 20 {
		t.Errorf("30 seeds give %d sign-in paths, %d styles, %d hosts", len(signIns), len(styles), len(hosts))
	}
}

func TestIntensityIsMeasuredByTheBackground(t *testing.T) {
	for _, want := range []float64{0.1, 1, 10} {
		g := generator(t, scenario(t, "ua-rotation"), Options{Seed: 5, Scale: 0.05, Intensity: want})
		people, attack := 0.0, 0.0
		var ev Event
		for g.Next(&ev) {
			switch at := time.Duration(ev.UnixNano - g.startNs); {
			case ev.Attack >= 0:
				attack++
			case at >= 2*time.Minute && at < 3*time.Minute:
				people++
			}
		}
		if got := attack / 180 / (people / 60); got < want*0.9 || got > want*1.1 {
			t.Errorf("%.3f of the background, want %.3f", got, want)
		}
	}
}

func TestAPulseIsSilentBetweenItsBeatsAndHasItsWholeNumber(t *testing.T) {
	g := generator(t, scenario(t, "pulse"), Options{Seed: 5, Scale: 0.05, Intensity: 1})
	var ev Event
	loud, silent := 0, 0
	for g.Next(&ev) {
		if ev.Attack < 0 {
			continue
		}
		if since := time.Duration(ev.UnixNano-g.startNs) - 3*time.Minute; since%(20*time.Second) < 8*time.Second {
			loud++
		} else {
			silent++
		}
	}
	rate := g.attacks[0].rate
	if want := rate * 300; silent > 0 || float64(loud) < want*0.99 || float64(loud) > want*1.01 {
		t.Errorf("%d requests in the beats (want %.0f), %d between", loud, want, silent)
	}
}

func TestASlowRampGrowsToItsFullRate(t *testing.T) {
	counts := perMinute(t, "slow-ramp", Options{Seed: 5, Scale: 0.05, Intensity: 1}, func(_ *Generator, ev *Event) bool { return ev.Attack >= 0 })
	if counts[2] != 0 || counts[4] >= counts[8] || counts[8] >= counts[14] || counts[16] < counts[15]*0.98 || counts[16] > counts[15]*1.02 {
		t.Errorf("by minute: %v", counts)
	}
}

func TestCacheBustingNeverRepeatsAQuery(t *testing.T) {
	for seed := range uint64(8) {
		g := generator(t, scenario(t, "cache-busting"), Options{Seed: seed, Scale: 0.02})
		seen := map[string]bool{}
		n := 0
		var ev Event
		for g.Next(&ev) {
			if ev.Attack >= 0 {
				seen[string(ev.Query)] = true
				n++
			}
		}
		if float64(len(seen)) < 0.999*float64(n) || n == 0 {
			t.Errorf("seed %d: %d queries in %d requests", seed, len(seen), n)
		}
	}
}

func TestStuffingIsRefusedAlmostAlways(t *testing.T) {
	g := generator(t, scenario(t, "stuffing-fast"), Options{Seed: 5, Scale: 0.2})
	refused, n := 0, 0
	var ev Event
	for g.Next(&ev) {
		if ev.Attack < 0 {
			continue
		}
		n++
		if !bytes.Equal(ev.Method, post) || !g.signInPath(ev.Path) || len(ev.Account) == 0 {
			t.Fatalf("%s %s by %q", ev.Method, ev.Path, ev.Account)
		}
		if ev.Status >= 400 {
			refused++
		}
	}
	if share := float64(refused) / float64(n); share < 0.95 {
		t.Errorf("%.3f of %d are refused", share, n)
	}
}
