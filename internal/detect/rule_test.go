package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/replay"
	"github.com/vigie-otel/vigie/internal/request"
)

// holds is what a firewall makes of a rule.
func holds(c finding.Condition, r *request.Request) bool {
	value := map[string][]byte{
		names.UserAgentOriginal: r.UserAgent, names.URLPath: r.Path, names.URLQuery: r.Query,
		names.HTTPRequestMethod: r.Method, names.HTTPRequestHeaderReferer: r.Referer,
	}[c.Field]
	if c.Field == names.ClientAddress {
		return slices.ContainsFunc(c.Values, func(v string) bool {
			p, err := netip.ParsePrefix(v)
			return v == r.Client.String() || err == nil && p.Contains(r.Client)
		})
	}
	switch c.Op {
	case finding.OpPresent:
		return len(value) > 0
	case finding.OpAbsent:
		return len(value) == 0
	}
	return slices.ContainsFunc(c.Values, func(v string) bool {
		switch c.Op {
		case finding.OpEquals:
			return string(value) == v
		case finding.OpPrefix:
			return strings.HasPrefix(string(value), v)
		case finding.OpContains:
			return strings.Contains(string(value), v)
		}
		return false
	})
}

func stops(rules []finding.Rule, r *request.Request) bool {
	return slices.ContainsFunc(rules, func(rule finding.Rule) bool {
		return rule.Action == finding.ActionBlock && !slices.ContainsFunc(rule.Match, func(c finding.Condition) bool { return !holds(c, r) })
	})
}

func TestWhatAnAtomIsSaidToHoldForIsWhatAFirewallMatches(t *testing.T) {
	requests := []request.Request{
		{Method: []byte("GET"), Path: []byte("/live/7/x"), Query: []byte("cb=1&t=2"), UserAgent: []byte("Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.1.2 Safari/537.36"), Referer: []byte("https://a.example/")},
		{Method: []byte("POST"), Path: []byte("/live/"), UserAgent: []byte("curl/8.1"), Referer: nil},
		{Method: []byte("GET"), Path: []byte("/"), Query: []byte("&cb=1"), UserAgent: []byte("Chrome/87. (x;;) / ;(")},
		{Method: []byte("GET"), Path: []byte("/live"), Query: []byte("=")},
		{Method: []byte("GET"), Path: []byte("live/7"), Query: []byte("cb"), UserAgent: []byte(strings.Repeat("a", 300))},
		{Method: []byte("GET"), Path: []byte("/live/7/" + strings.Repeat("long", 100)), UserAgent: []byte("Opera/9.80 (Windows NT 6.1; U; en) Presto/2.9.1 Version/11.0")},
	}
	l := &lesson{has: carried{referer: true, agent: true}}
	for i := range requests {
		for range 3 {
			x := &text{w: 1}
			x.request(&requests[i])
			l.att = append(l.att, x)
			l.leg = append(l.leg, x)
		}
	}
	l.gatherAtoms()
	require.Greater(t, len(l.atoms), 12)
	for _, a := range l.atoms {
		for i := range l.att {
			if got, want := a.att.has(i), holds(a.condition(), &requests[i/3]); got != want {
				t.Errorf("%+v on %.60q: the sample says %v, a firewall %v", a.condition(), l.att[i].buf, got, want)
			}
		}
	}
}

func TestTheHostTableIsBoundedAndKeepsTheBusiest(t *testing.T) {
	var h hosts
	for i := range uint64(1_000_000) {
		h.get(place(mix(i*0x9e3779b97f4a7c15)|1<<63)).marked++
		if i%100 == 0 {
			h.get(1<<63|42<<20).marked++
		}
	}
	require.LessOrEqual(t, len(h.slots), maxHosts)
	require.LessOrEqual(t, h.used, maxHosts)
	require.Equal(t, uint32(10_000), h.find(1<<63|42<<20).marked)
	var kept uint64
	for i := range h.slots {
		kept += uint64(h.slots[i].marked)
	}
	require.Equal(t, uint64(1_010_000), kept+h.lost, "what gave way is counted")
}

func TestPrefixesHoldTheAttackAndNobodyElse(t *testing.T) {
	address := func(s string) (a [16]byte) { return netip.MustParseAddr(s).As16() }
	var points []point
	add := func(s string, attack bool, fold uint8) {
		p := placeOf(address(s), !strings.Contains(s, ":")).point()
		p.attack, p.fold, p.w = attack, fold, 1
		points = append(points, p)
	}
	for i := range 200 {
		add(fmt.Sprintf("203.0.%d.%d", i, i), true, 0)
		add(fmt.Sprintf("2001:db8:0:%x::1", i), true, 0)
	}
	add("203.0.128.77", false, 0) // people of one fold,
	add("203.0.64.9", false, 1)   // and of another
	slices.SortFunc(points, func(a, b point) int {
		if a.six != b.six {
			return compareSix(a.six, b.six)
		}
		if a.at < b.at {
			return -1
		}
		return 1
	})
	six := slices.IndexFunc(points, func(p point) bool { return p.six })
	c := cutter{fold: folds, shortest: 16}
	c.cut(points[:six], 0)
	c.shortest = 32
	c.cut(points[six:], 0)
	set := c.set(&casebook{})
	require.Less(t, len(set.values), 40)
	in := func(s string) bool {
		return set.has(&text{from: placeOf(address(s), !strings.Contains(s, ":"))})
	}
	for i := range 200 {
		require.True(t, in(fmt.Sprintf("203.0.%d.%d", i, i)))
		require.True(t, in(fmt.Sprintf("2001:db8:0:%x::1", i)))
	}
	require.False(t, in("203.0.128.77"))
	require.False(t, in("203.0.64.9"))
	require.False(t, in("198.51.100.1"))
	require.False(t, in("::1"))

	// Chosen without one fold of the people, that fold tells what it would hit.
	blind := cutter{fold: 0, shortest: 16}
	blind.cut(points[:six], 0)
	require.Equal(t, float32(1), blind.hit)
}

// carrierFlood is a site whose people all come from a carrier's four addresses, and
// a flood of which a part comes from there too.
func carrierFlood(t *testing.T, agent string) (*site, *finding.Finding) {
	s := newSite(t)
	nat := func(i int) string { return fmt.Sprintf("100.70.0.%d", i%4+1) }
	person := func(i int) {
		ua := fmt.Sprintf("%s v%d", browser, i%9)
		s.get(nat(i), "GET", "/", ua, "", 200)
		for j := range 4 {
			s.get(nat(i), "GET", fmt.Sprintf("/static/a%c.css", 'a'+j), ua, "https://example.org/", 200)
		}
		s.get(nat(i), "GET", "/news/"+string(rune('a'+i%20)), ua, "https://example.org/", 200)
		s.visitor(i)
	}
	for i := range 1200 {
		person(i)
		s.wait(80 * time.Millisecond)
	}
	for i := range 700 {
		person(i)
		for j := range 12 {
			ip := fmt.Sprintf("185.%d.7.9", (i*12+j)%40)
			if j%4 == 0 {
				ip = nat(i + j/4)
			}
			s.get(ip, "GET", "/search", agent, "", 200)
		}
		s.wait(80 * time.Millisecond)
	}
	s.wait(90 * time.Second)
	for _, f := range s.found {
		if f.Class == finding.HTTPFlood || f.Class == finding.CacheBusting || f.Class == finding.DistributedFlood {
			return s, &f
		}
	}
	t.Fatalf("no flood was found: %v", s.found)
	return nil, nil
}

func TestAnAddressThatPeopleShareIsNeverBlockedByItself(t *testing.T) {
	_, f := carrierFlood(t, browser+" v1")
	for i := range 4 {
		person := request.Request{Client: netip.AddrFrom4([4]byte{100, 70, 0, byte(i + 1)}), Method: []byte("GET"), Path: []byte("/"), UserAgent: []byte(browser + " v1")}
		require.False(t, stops(f.Rules, &person), "%+v", f.Rules)
	}
	bot := request.Request{Client: netip.MustParseAddr("185.3.7.9"), Method: []byte("GET"), Path: []byte("/search"), UserAgent: []byte(browser + " v1")}
	require.True(t, stops(f.Rules, &bot), "%+v", f.Rules)
	bot.Client = netip.MustParseAddr("100.70.0.2")
	require.True(t, stops(f.Rules, &bot), "what nobody else asks for is told by the path")
	require.Greater(t, f.Mitigation.Coverage, 0.95)
	require.Less(t, f.Mitigation.LegitimateHit, 0.005)
}

func TestMemoryWithAnOpenFloodOfAMillionClientsStaysWithinAServicesBound(t *testing.T) {
	const limit = 8 << 20
	before := heap()
	d, err := New(Config{})
	require.NoError(t, err)
	base := heap() - before
	next := stream(100_000)
	var r request.Request
	const start, rate = 1_800_000_000 * int64(1e9), 20_000
	for i := range uint64(rate * 60) {
		at := start + int64(i*1_000_000_000/rate)
		if i%rate == 0 {
			d.Tick(time.Unix(0, at))
		}
		next(i, &r, at)
		if i > rate*30 && i%2 == 0 {
			x := uint32(mix(i))
			r.Client = netip.AddrFrom4([4]byte{45, byte(x >> 16 & 15), byte(x >> 8), byte(x)})
			r.Path, r.UserAgent = []byte("/search"), []byte("python-requests/2.32.3")
		}
		d.Observe(&r)
	}
	used := heap() - before
	st, _ := d.Status("")
	require.NotEmpty(t, st.Findings)
	own := used - base - d.x.size()
	t.Logf("%d KiB of one service with %d findings", own>>10, len(st.Findings))
	require.Less(t, own, int64(limit)*15/16)
	for _, f := range st.Findings {
		for _, rule := range f.Rules {
			for _, c := range rule.Match {
				require.LessOrEqual(t, len(c.Values), finding.MaxValues)
			}
		}
	}
}

func TestTheGatewayProposesTheAddressesThatItsNodesMarked(t *testing.T) {
	sc, err := replay.Builtin("low-and-many")
	require.NoError(t, err)
	g, err := replay.New(sc, replay.Options{Seed: 4, Scale: 0.04, Duration: 5 * time.Minute})
	require.NoError(t, err)
	gateway, err := New(Config{Seed: 9})
	require.NoError(t, err)
	nodes := make([]*Detector, 2)
	for i := range nodes {
		nodes[i], err = New(Config{Seed: 9})
		require.NoError(t, err)
	}
	var last finding.Finding
	var ev replay.Event
	var second int64
	var buf []byte
	var attack, people []request.Request
	for i := 0; g.Next(&ev); i++ {
		if s := ev.UnixNano / 1e9; s != second {
			for _, node := range nodes {
				node.Tick(time.Unix(s, 0))
				var ok bool
				if buf, ok = node.AppendSummary(buf[:0], ""); ok && second != 0 {
					require.NoError(t, gateway.MergeSummary(buf))
				}
			}
			for _, f := range gateway.Tick(time.Unix(s, 0)) {
				if len(f.Rules) > 0 {
					last = f
				}
			}
			second = s
		}
		ev.Service = nil
		nodes[i%2].Observe(&ev.Request)
		if second-g.Start().Unix() > 250 && i%7 == 0 {
			r := ev.Request
			for _, b := range []*[]byte{&r.Method, &r.Path, &r.Query, &r.Referer, &r.UserAgent} {
				*b = slices.Clone(*b)
			}
			if ev.Attack >= 0 {
				attack = append(attack, r)
			} else {
				people = append(people, r)
			}
		}
	}
	require.NotEmpty(t, last.ID)
	share := func(list []request.Request) float64 {
		n := 0
		for i := range list {
			if stops(last.Rules, &list[i]) {
				n++
			}
		}
		return float64(n) / float64(len(list))
	}
	t.Logf("%d attack, %d people; stops %.3f and hits %.4f, estimated %.3f and %.4f", len(attack), len(people), share(attack), share(people), last.Mitigation.Coverage, last.Mitigation.LegitimateHit)
	require.Greater(t, share(attack), 0.85)
	require.Less(t, share(people), 0.005)
	require.InDelta(t, share(attack), last.Mitigation.Coverage, 0.1)
}
