package conntrackprocessor

import (
	"cmp"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/flow"
)

// traffic is what one target gets: viewers whose handshakes take a round trip
// (mobile ones seconds, when a SYN is lost), and a flood whose never end.
type traffic struct {
	viewers func(s float64) float64 // connections a second
	slow    float64                 // share of viewers whose handshake takes 1–7 s
	lasts   float64                 // s that a connection stays in the table, with its TIME_WAIT
	flood   float64                 // SYNs a second
	from    float64                 // s, when it begins
	until   float64
	sources int // of the flood; 0: a new one each
}

// run dumps the table each interval for length, as the receiver would: at most
// 5,000 records a dump, the half-open ones and each 30 s all others. It gives
// what was told, by the second.
func (tr traffic) run(t *testing.T, interval, length float64, full bool, seed uint64) (told []finding.Finding) {
	cfg := defaultConfig().SYNFlood
	s := newFlood(&cfg, seed)
	r := rand.New(rand.NewPCG(seed, 7))
	start := time.Date(2026, 6, 30, 19, 0, 0, 0, time.UTC)
	type entry struct{ born, done float64 }
	var viewers, attack []entry
	est, floods := 0.0, 0
	phase := r.Float64() * interval // of the dumps against the flood
	next := phase
	to := func(f finding.Finding) { told = append(told, f) }
	const step = 0.1
	for now := 0.0; now < length; now += step {
		for range poisson(r, tr.viewers(now)*step) {
			rtt := 0.05 * math.Exp(0.7*r.NormFloat64())
			if r.Float64() < tr.slow {
				rtt = 1 + 6*r.Float64()
			}
			viewers = append(viewers, entry{now, now + rtt})
		}
		if now >= tr.from && now < tr.until {
			for range poisson(r, tr.flood*step) {
				attack = append(attack, entry{now, now + 60})
			}
		}
		est += (tr.viewers(now) - est/tr.lasts) * step
		at := start.Add(time.Duration(now * float64(time.Second)))
		if now >= next {
			next += interval
			gone := func(e entry) bool { return e.done <= now }
			viewers, attack = slices.DeleteFunc(viewers, gone), slices.DeleteFunc(attack, gone)
			records := 0
			half := func(src netip.Addr, age float64) {
				if records++; records > 5000 {
					return
				}
				f := flow.Flow{Proto: flow.TCP, State: flow.StateSynReceived, Status: flow.SeenReply,
					Timeout: time.Duration(60-age) * time.Second, // whole seconds, as the kernel gives it
					Orig:    flow.Tuple{Src: src, SrcPort: 9, Dst: address(7), DstPort: 443}}
				f.Reply = flow.Tuple{Src: f.Orig.Dst, SrcPort: 443, Dst: src, DstPort: 9}
				s.add(&f, at)
			}
			all := append(slices.Clone(viewers), attack...)
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for _, e := range all {
				src := address(1<<20 + r.IntN(1<<23))
				if tr.sources > 0 && e.done-e.born == 60 {
					src = address(1<<19 + r.IntN(tr.sources))
				}
				half(src, now-e.born)
			}
			s.observe("vigie.conntrack.half_open.entries", endOf(netip.AddrPortFrom(address(7), 443)), float64(len(all)), at)
			if full && floods%max(int(30/interval), 1) == 0 {
				s.observe("vigie.conntrack.owner.entries", endOf(netip.AddrPortFrom(address(7), 443)), est+float64(len(all)), at)
			}
			floods++
			s.judge(at, to)
		}
		s.expire(at, 0, to)
	}
	return told
}

func poisson(r *rand.Rand, mean float64) int {
	if mean <= 0 {
		return 0
	}
	return max(int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())), 0)
}

func steady(v float64) func(float64) float64 { return func(float64) float64 { return v } }

// goal is a crowd that grows twelvefold within a few seconds.
func goal(s float64) float64 {
	if s < 60 {
		return 200
	}
	return 200 + 2200*min((s-60)/5, 1)*math.Exp(-(s-60)/120)
}

func TestNoCrowdIsAFlood(t *testing.T) {
	for name, tr := range map[string]traffic{
		"a quiet day":                       {viewers: steady(50), slow: 0.01, lasts: 120},
		"a goal":                            {viewers: goal, slow: 0.02, lasts: 120},
		"a goal on a bad mobile network":    {viewers: goal, slow: 0.15, lasts: 120},
		"a busy service, short-lived":       {viewers: steady(3000), slow: 0.02, lasts: 120},
		"a busy service, from a cold start": {viewers: steady(3000), slow: 0.02, lasts: 600},
	} {
		for _, full := range []bool{true, false} {
			for seed := range uint64(5) {
				if told := tr.run(t, 5, 180, full, seed); len(told) > 0 {
					t.Errorf("%s, full dumps %t, seed %d: %s", name, full, seed, told[0].Sentence())
				}
			}
		}
	}
}

func TestAFloodIsNamedWithinTenSecondsAndItsEndIsTold(t *testing.T) {
	for _, tc := range []struct {
		name     string
		tr       traffic
		interval float64
		most     float64 // s
	}{
		{"100 a second on a quiet service, dumps each 5 s", traffic{viewers: steady(20), flood: 100}, 5, 10},
		{"300 a second, dumps each 5 s", traffic{viewers: steady(20), flood: 300}, 5, 8.5},
		{"3,000 a second, dumps each 5 s", traffic{viewers: steady(20), flood: 3000}, 5, 8.5},
		{"3,000 a second from 40 hosts, dumps each 5 s", traffic{viewers: steady(20), flood: 3000, sources: 40}, 5, 8.5},
		{"6,000 a second during a goal, dumps each 5 s", traffic{viewers: goal, slow: 0.02, flood: 6000}, 5, 10},
		{"300 a second, dumps each 10 s", traffic{viewers: steady(20), flood: 300}, 10, 13.5},
	} {
		var delays, ends []float64
		for seed := range uint64(6) {
			tc.tr.from, tc.tr.until = 65, 95
			tc.tr.lasts = cmp.Or(tc.tr.lasts, 120)
			told := tc.tr.run(t, tc.interval, 200, true, seed)
			require.NotEmpty(t, told, "%s, seed %d", tc.name, seed)
			begun := time.Date(2026, 6, 30, 19, 1, 5, 0, time.UTC)
			delays = append(delays, told[0].DetectedAt.Sub(begun).Seconds())
			require.InDelta(t, 0, told[0].StartedAt.Sub(begun).Seconds(), 3, "%s: the begin", tc.name)
			last := told[len(told)-1]
			require.Equal(t, finding.Closed, last.Status, "%s, seed %d", tc.name, seed)
			ends = append(ends, last.ClosedAt.Sub(begun).Seconds()-30)
			require.Len(t, told, 2, "one flood is one finding")
		}
		slices.Sort(delays)
		slices.Sort(ends)
		t.Logf("%-50s named after %4.1f s at the median, %4.1f at most; closed %4.1f s after its end at most", tc.name, delays[3], delays[5], ends[5])
		require.LessOrEqual(t, delays[5], tc.most, tc.name)
		require.LessOrEqual(t, ends[5], 60.0, tc.name)
	}
}
