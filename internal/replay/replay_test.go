package replay

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func scenario(t testing.TB, name string) *Scenario {
	t.Helper()
	s, err := Builtin(name)
	require.NoError(t, err)
	return s
}

func generator(t testing.TB, s *Scenario, o Options) *Generator {
	t.Helper()
	g, err := New(s, o)
	require.NoError(t, err)
	return g
}

func TestEveryBuiltInScenarioIsValidAndMakesTraffic(t *testing.T) {
	for _, name := range Names() {
		s := scenario(t, name)
		if s.Name != name || s.Description == "" || s.Expect == "" {
			t.Errorf("%s: name %q, description %q, expect %q", name, s.Name, s.Description, s.Expect)
		}
		g := generator(t, s, Options{Seed: 3, Scale: 0.01, Duration: 7 * time.Minute})
		var ev Event
		last := int64(0)
		for g.Next(&ev) {
			if ev.UnixNano < last {
				t.Fatalf("%s: time runs backwards", name)
			}
			last = ev.UnixNano
			if !ev.Client.IsValid() || len(ev.Method) == 0 || len(ev.Path) == 0 || ev.Path[0] != '/' || ev.Status < 100 || ev.Bytes < 0 || ev.Duration < 0 {
				t.Fatalf("%s: bad request %+v", name, ev.Request)
			}
		}
		t.Log(name, g.Truth().Lines, "lines")
	}
}

func TestTheSameSeedGivesTheSameBytesAndAnotherSeedOthers(t *testing.T) {
	sum := func(seed uint64) uint64 {
		h := fnv.New64a()
		g := generator(t, scenario(t, "kickoff-flood"), Options{Seed: seed, Scale: 0.004})
		require.NoError(t, Run(t.Context(), g, NewLines(h, Combined), nil, Pace{}))
		return h.Sum64()
	}
	first, again := sum(7), sum(7)
	if first != again {
		t.Error("the same seed gave other bytes")
	}
	if first == sum(8) {
		t.Error("another seed gave the same bytes")
	}
}

func TestAnAttackLeavesThePeopleAsTheyWere(t *testing.T) {
	people := func(o Options) map[string]int {
		out := map[string]int{}
		g := generator(t, scenario(t, "flood"), o)
		var ev Event
		for g.Next(&ev) {
			if ev.Attack < 0 {
				out[fmt.Sprintf("%s %s %s %d", ev.Client, ev.Path, ev.UserAgent, ev.UnixNano/slotNanos)]++
			}
		}
		return out
	}
	with := people(Options{Seed: 1, Scale: 0.01})
	without := people(Options{Seed: 1, Scale: 0.01, WithoutAttacks: true})
	require.Equal(t, without, with)
}

func TestTheSemiFinalHasItsThirtySixMillionRequests(t *testing.T) {
	const scale = 0.002
	g := generator(t, scenario(t, "semi-final"), Options{Seed: 7, Scale: scale})
	var ev Event
	perSecond := map[int64]int{}
	for g.Next(&ev) {
		perSecond[ev.UnixNano/1e9]++
	}
	a := g.Truth().Attacks[0]
	if want := 36e6 * scale; float64(a.Requests) < want*0.99 || float64(a.Requests) > want*1.01 {
		t.Errorf("%d attack requests, want %.0f", a.Requests, want)
	}
	if d := a.FirstRequest.Sub(g.Start()); d < 60*time.Second || d > 90*time.Second {
		t.Errorf("the attack begins after %s", d)
	}
	if d := a.LastRequest.Sub(a.FirstRequest); d < 299*time.Second || d > 300*time.Second {
		t.Errorf("the attack lasts %s", d)
	}
	sum := 0
	for at, n := range perSecond {
		if at >= a.Start.Unix() && at < a.End.Unix() {
			sum += n
		}
	}
	if mean := float64(sum) / 300 / scale; mean < 135_000 {
		t.Errorf("%.0f requests/s in all at scale 1, want over 135,000", mean)
	}
}

func TestKickOffHasItsSignIns(t *testing.T) {
	const scale = 0.004
	g := generator(t, scenario(t, "kickoff"), Options{Seed: 7, Scale: scale})
	signIns := map[int64]int{}
	total := 0
	var ev Event
	for g.Next(&ev) {
		if ev.Class == ClassKickOff && g.signInPath(ev.Path) {
			signIns[ev.UnixNano/60e9]++
			total++
		}
	}
	if want := 1.5e6 * scale; float64(total) < want*0.95 || float64(total) > want*1.15 {
		t.Errorf("%d sign-ins, want about %.0f", total, want)
	}
}

func (g *Generator) signInPath(path []byte) bool {
	for _, i := range g.site.roles[roleSignIn] {
		if bytes.Equal(path, g.site.routes[i].paths[0]) {
			return true
		}
	}
	return false
}

func TestMemoryIsFlatOverALongRun(t *testing.T) {
	g := generator(t, scenario(t, "quiet"), Options{Seed: 1, Scale: 1})
	var ev Event
	var before, after runtime.MemStats
	for i := 0; i < 100_000 && g.Next(&ev); i++ {
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := 0; i < 1_000_000 && g.Next(&ev); i++ {
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 2<<20 {
		t.Errorf("the heap grew by %d bytes over a million requests", grown)
	}
	if allocs := after.Mallocs - before.Mallocs; allocs > 1000 {
		t.Errorf("%d allocations over a million requests", allocs)
	}
}

func BenchmarkReplay(b *testing.B) {
	for _, f := range Formats {
		b.Run(string(f), func(b *testing.B) {
			g := generator(b, scenario(b, "semi-final"), Options{Seed: 7, Scale: 1})
			var ev Event
			for i := 0; i < 1_200_000; i++ { // into the attack
				g.Next(&ev)
			}
			l := LineWriter{Format: f}
			buf := make([]byte, 0, 4096)
			b.ReportAllocs()
			for b.Loop() {
				g.Next(&ev)
				buf = l.Append(buf[:0], &ev)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
