package score

import (
	"fmt"
	"os"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
)

// TestCasesAtLength runs the cases of the evaluation's plan that the environment
// names, on Vigie alone and without trying the rules, and prints each run's
// outcome and their summary: what one looks at while working on the detector.
//
//	VIGIE_SCENARIOS=flood,mimic (or all, attacks, crowds) VIGIE_SEEDS=4 VIGIE_FIRST=1
//	VIGIE_INTENSITY=0.2,0.5 VIGIE_WORKERS=2 VIGIE_PROFILE=cpu.out
func TestCasesAtLength(t *testing.T) {
	want := os.Getenv("VIGIE_SCENARIOS")
	if want == "" {
		t.Skip("VIGIE_SCENARIOS is not set: a list of scenarios, or all")
	}
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return otherwise
	}
	plan := Plan{Seeds: number("VIGIE_SEEDS", 2), FirstSeed: uint64(number("VIGIE_FIRST", 1)), Intensities: []float64{0.2, 0.5, 1}}
	if s := os.Getenv("VIGIE_INTENSITY"); s != "" {
		plan.Intensities = nil
		for x := range strings.SplitSeq(s, ",") {
			f, err := strconv.ParseFloat(x, 64)
			require.NoError(t, err)
			plan.Intensities = append(plan.Intensities, f)
		}
	}
	if want != "all" && want != "attacks" && want != "crowds" {
		plan.Only = strings.Split(want, ",")
	}
	cases, err := plan.Cases()
	require.NoError(t, err)
	if p := os.Getenv("VIGIE_PROFILE"); p != "" {
		f, err := os.Create(p)
		require.NoError(t, err)
		require.NoError(t, pprof.StartCPUProfile(f))
		defer pprof.StopCPUProfile()
	}
	var mu sync.Mutex // guards outcomes
	var outcomes []*Outcome
	var wg sync.WaitGroup
	next := make(chan Case)
	for range number("VIGIE_WORKERS", 2) {
		wg.Go(func() {
			for c := range next {
				c.SkipRules = true
				service, err := c.Service()
				if err == nil {
					var judge Judge
					if judge, err = Vigie(detect.Config{Seed: c.Seed}, service); err == nil {
						var out []*Outcome
						told := &teller{Judge: judge}
						if out, err = c.Run(t.Context(), Entrant{Name: VigieName, Judge: told}); err == nil {
							mu.Lock()
							outcomes = append(outcomes, out...)
							if os.Getenv("VIGIE_DETAIL") != "" {
								told.detail(out[0])
							}
							mu.Unlock()
						}
					}
				}
				if err != nil {
					t.Errorf("%s seed %d: %v", c.Scenario, c.Seed, err)
				}
			}
		})
	}
	for _, c := range cases {
		g, err := c.generator()
		require.NoError(t, err)
		attacks := len(g.Truth().Attacks) > 0
		if want == "attacks" && !attacks || want == "crowds" && (attacks || c.Scenario == "quiet" || c.Scenario == "match-day") {
			continue
		}
		next <- c
	}
	close(next)
	wg.Wait()
	var lines []string
	for _, o := range outcomes {
		lines = append(lines, line(o))
	}
	slices.Sort(lines)
	fmt.Println(strings.Join(lines, "\n"))
	for _, r := range Summarize(outcomes) {
		fmt.Printf("= %-17s %-6s found %2d/%2d delay p50 %6s p95 %6s class %2d | prec p50 %6s p5 %6s rec p50 %6s p5 %6s | end %8s | findings %s | false %d in %d | crowd %.0f%%\n",
			r.Scenario, intensity(r.Intensity), r.Found, r.Attacks, seconds(&r.Delay, 0.5), seconds(&r.Delay, 0.95), r.ClassRight,
			percent(&r.Precision, 0.5), percent(&r.Precision, 0.05), percent(&r.Recall, 0.5), percent(&r.Recall, 0.05), ends(r), perFound(r), r.FalseFindings, r.FalseRuns, share(r.CrowdSeconds, r.CalmSeconds))
	}
}

// line tells of one run.
func line(o *Outcome) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%-17s %5s seed %2d %7d lines", o.Case.Scenario, intensity(o.Case.Intensity), o.Case.Seed, o.Lines)
	for i := range o.Attacks {
		a := &o.Attacks[i]
		s := a.Truth.Style
		what := fmt.Sprintf("%d cl %s/%s/%s/%s/%s", a.Truth.Clients, s.Target, s.Agents, s.Addresses, s.Timing, s.Response)
		if !a.Found {
			fmt.Fprintf(b, " | NOT FOUND %s", what)
			continue
		}
		fmt.Fprintf(b, " | %5.1fs %s prec %.4f rec %.3f end %3.0fs n %d | %s", a.Delay.Seconds(), a.Class, a.Precision(), a.Recall(), a.Close.Round(time.Second).Seconds(), a.Findings, what)
	}
	for _, f := range o.False {
		fmt.Fprintf(b, " | FALSE %s %s %d requests", f.Class, f.DetectedAt.Format("15:04:05"), f.Requests)
	}
	return b.String()
}

// teller keeps the findings of a run: as they were opened, and their final state.
type teller struct {
	Judge
	found []*told
}

type told struct{ opened, final finding.Finding }

func (l *teller) Tick(now time.Time) []finding.Finding { return l.note(l.Judge.Tick(now)) }
func (l *teller) Flush() []finding.Finding             { return l.note(l.Judge.Flush()) }

func (l *teller) note(list []finding.Finding) []finding.Finding {
	for _, f := range list {
		i := slices.IndexFunc(l.found, func(t *told) bool { return t.final.ID == f.ID })
		if i < 0 {
			l.found = append(l.found, &told{opened: f, final: f})
		} else {
			l.found[i].final = f
		}
	}
	return list
}

// detail prints each finding's life, in seconds since the first attack began.
func (l *teller) detail(o *Outcome) {
	fmt.Println(line(o))
	if len(o.Attacks) == 0 && len(l.found) == 0 {
		return
	}
	var zero time.Time
	if len(o.Attacks) > 0 {
		zero = o.Attacks[0].Truth.Start
		fmt.Printf("   attack lasts %.0f s, %d requests\n", o.Attacks[0].Truth.End.Sub(zero).Seconds(), o.Attacks[0].Truth.Requests)
	} else {
		zero = l.found[0].opened.DetectedAt
	}
	since := func(t time.Time) float64 { return t.Sub(zero).Seconds() }
	for _, t := range l.found {
		f := t.final
		fmt.Printf("   %s started %.0f found %.0f last %.0f closed %.0f conf %.2f requests %d\n", f.Class, since(f.StartedAt), since(f.DetectedAt), since(f.UpdatedAt), since(f.ClosedAt), f.Confidence, f.Requests)
		for _, f := range []finding.Finding{t.opened, t.final} {
			for _, e := range f.Evidence {
				fmt.Printf("     %s %s=%.2f/%.2f", e.Points, e.Dimension, e.Value, e.Normal)
			}
			fmt.Println()
			for i, a := range f.Actors[:min(len(f.Actors), 10)] {
				fmt.Printf("     %d %s %.50s %.2f lift %.1f\n", i, a.Kind, a.Value, a.Share, a.Lift)
			}
		}
	}
}
