package detect

import (
	"fmt"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/replay"
)

// result is how one replayed scenario was judged.
type result struct {
	scenario      string
	seed          uint64
	truth         *replay.Truth
	found         []finding.Finding // in their final state
	delay         []float64         // s from each attack's first request to the first opening after it; -1 never
	right, wrong  uint64            // marks after the opening
	missed        uint64
	verdicts      map[finding.Verdict]int // seconds of each
	mixed         bool
	closeLag      float64
	coverage, hit float64
	lines         uint64
	cpu           time.Duration
}

// play runs a scenario through a detector, with no look-ahead, and scores it.
func play(t testing.TB, name string, seed uint64, scale float64, opt func(*replay.Options)) *result {
	sc, err := replay.Builtin(name)
	require.NoError(t, err)
	o := replay.Options{Seed: seed, Scale: scale}
	if opt != nil {
		opt(&o)
	}
	g, err := replay.New(sc, o)
	require.NoError(t, err)
	d, err := New(Config{Seed: seed * 77})
	require.NoError(t, err)
	res := &result{scenario: name, seed: seed, verdicts: map[finding.Verdict]int{}}
	open := map[string]finding.Finding{}
	var opened []time.Time
	take := func(fs []finding.Finding) {
		for _, f := range fs {
			if f.Status == finding.Open {
				opened = append(opened, f.DetectedAt)
			}
			open[f.ID] = f
		}
	}
	var ev replay.Event
	var second int64
	for g.Next(&ev) {
		if s := ev.UnixNano / 1e9; s != second {
			if second != 0 {
				begin := time.Now()
				take(d.Tick(time.Unix(s, 0)))
				res.cpu += time.Since(begin)
				for _, n := range d.Services() {
					st, _ := d.Status(n)
					res.verdicts[st.Verdict]++
					if st.Verdict == finding.Mixed {
						res.mixed = true
					}
				}
			}
			second = s
		}
		ev.Service = nil
		begin := time.Now()
		m := d.Observe(&ev.Request)
		res.cpu += time.Since(begin)
		res.lines++
		attack := ev.Class.Attack()
		switch {
		case m.FindingID != "" && attack:
			res.right++
		case m.FindingID != "":
			res.wrong++
		case attack && len(opened) > 0:
			res.missed++
		}
	}
	last := time.Unix(second, 0)
	for range 100 { // silence afterwards, so that findings close by themselves
		last = last.Add(time.Second)
		take(d.Tick(last))
	}
	take(d.Flush())
	truth := g.Truth()
	res.truth = truth
	for _, f := range open {
		res.found = append(res.found, f)
	}
	slices.SortFunc(res.found, func(a, b finding.Finding) int { return a.DetectedAt.Compare(b.DetectedAt) })
	for _, a := range truth.Attacks {
		if a.Requests == 0 {
			continue
		}
		delay := -1.0
		for _, f := range res.found {
			if f.Class.Attack() && !f.ClosedAt.Before(a.FirstRequest) && f.DetectedAt.After(a.FirstRequest) {
				delay = f.DetectedAt.Sub(a.FirstRequest).Seconds()
				break
			}
		}
		res.delay = append(res.delay, delay)
		for _, f := range res.found {
			if f.DetectedAt.After(a.FirstRequest) {
				res.closeLag = max(res.closeLag, f.ClosedAt.Sub(a.LastRequest).Seconds())
				for _, r := range f.Rules {
					res.coverage, res.hit = max(res.coverage, r.Coverage), max(res.hit, r.LegitimateHit)
				}
			}
		}
	}
	return res
}

func (r *result) String() string {
	var classes []string
	for _, f := range r.found {
		cov := 0.0
		for _, x := range f.Rules {
			cov = max(cov, x.Coverage)
		}
		classes = append(classes, fmt.Sprintf("%s(%.2f,req %d,rules %d/%.2f,actors %d)", f.Class, f.Confidence, f.Requests, len(f.Rules), cov, len(f.Actors)))
	}
	var at []string
	for i, a := range r.truth.Attacks {
		if i < len(r.delay) {
			at = append(at, fmt.Sprintf("%s %d cl %.2fx: %.1fs", a.Class, a.Clients, a.Intensity, r.delay[i]))
		}
	}
	prec := float64(r.right) / float64(max(r.right+r.wrong, 1))
	rec := float64(r.right) / float64(max(r.right+r.missed, 1))
	return fmt.Sprintf("%-18s %2d lines %8d | %s | prec %.4f rec %.3f wrong %d closelag %.0f | %v | %s | %.0f ns/req",
		r.scenario, r.seed, r.lines, strings.Join(at, "; "), prec, rec, r.wrong, r.closeLag, r.verdicts, strings.Join(classes, " "),
		float64(r.cpu.Nanoseconds())/float64(max(r.lines, 1)))
}

// TestScenariosAtLength replays what VIGIE_SCENARIOS names ("all" or a list) over
// VIGIE_SEEDS seeds at VIGIE_SCALE, the attacks at VIGIE_INTENSITY times the
// background, and prints how each was judged.
func TestScenariosAtLength(t *testing.T) {
	want := os.Getenv("VIGIE_SCENARIOS")
	if want == "" {
		t.Skip("VIGIE_SCENARIOS is not set: a list of scenarios, or all")
	}
	list := strings.Split(want, ",")
	if want == "all" {
		list = replay.Names()
	}
	seeds, _ := strconv.Atoi(os.Getenv("VIGIE_SEEDS"))
	first, _ := strconv.Atoi(os.Getenv("VIGIE_FIRST"))
	scale, err := strconv.ParseFloat(os.Getenv("VIGIE_SCALE"), 64)
	if err != nil {
		scale = 0.1
	}
	intensity, _ := strconv.ParseFloat(os.Getenv("VIGIE_INTENSITY"), 64)
	for _, name := range list {
		var mu sync.Mutex
		var lines []string
		var wg sync.WaitGroup
		for i := range max(seeds, 1) {
			wg.Go(func() {
				r := play(t, name, uint64(i+max(first, 1)), scale, func(o *replay.Options) { o.Intensity = intensity })
				mu.Lock()
				if os.Getenv("VIGIE_DETAIL") != "" && len(r.delay) == 0 {
					r.detail()
				}
				lines = append(lines, r.String())
				mu.Unlock()
			})
			if i%2 == 1 {
				wg.Wait()
			}
		}
		wg.Wait()
		sort.Strings(lines)
		for _, l := range lines {
			fmt.Println(l)
		}
	}
}

// detail prints what the findings say.
func (r *result) detail() {
	for _, f := range r.found {
		fmt.Printf("  %s conf %.2f %s → %s closed %s req %d\n", f.Class, f.Confidence, f.StartedAt.Format("15:04:05"), f.DetectedAt.Format("15:04:05"), f.ClosedAt.Format("15:04:05"), f.Requests)
		for _, e := range f.Evidence {
			fmt.Printf("    %-8s %-20s %.3f (%.3f)\n", e.Points, e.Dimension, e.Value, e.Normal)
		}
		for i, a := range f.Actors {
			if i < 14 {
				fmt.Printf("    actor %-10s %-60.60s share %.3f lift %.1f\n", a.Kind, a.Value, a.Share, a.Lift)
			}
		}
		for i, a := range f.Rules {
			if i < 4 {
				fmt.Printf("    rule %s cov %.3f hit %.4f\n", a.Kind, a.Coverage, a.LegitimateHit)
			}
		}
	}
}
