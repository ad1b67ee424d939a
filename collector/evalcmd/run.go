package evalcmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/score"
)

type runFlags struct {
	quick, baselines bool
	resume           bool
	seeds            int
	firstSeed        uint64
	only             []string
	out, raw, data   string
	peer             string
	workers          int
}

// newRun is `vigie eval run`, what `make eval` calls.
func newRun() *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "run the detector and the baselines on every scenario and write the table",
		Long: `Runs every built-in scenario of vigie replay under many seeds and intensities
through the detector and the baselines, and recorded traffic where a data folder
is there (--data, or VIGIE_DATA). Prints the table, or writes it to --out.`,
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return f.run(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	p := cmd.Flags()
	p.BoolVar(&f.quick, "quick", false, "3 seeds and 3 intensities instead of 20 and 6 (of which 3 on 5 seeds)")
	p.IntVar(&f.seeds, "seeds", 0, "seeds of each scenario; default by --quick")
	p.Uint64Var(&f.firstSeed, "first-seed", 1, "the first of them")
	p.StringSliceVar(&f.only, "scenario", nil, "only these scenarios")
	p.BoolVar(&f.baselines, "baselines", true, "also run the baselines")
	p.StringVar(&f.out, "out", "", "file for the table (Markdown); default standard output")
	p.StringVar(&f.raw, "raw", "", "file for the outcomes (JSON lines: the build, then an array a run), written as runs end")
	p.BoolVar(&f.resume, "resume", false, "go on where the run that wrote --raw was interrupted, or add seeds to it; by the same build only")
	p.StringVar(&f.data, "data", os.Getenv("VIGIE_DATA"), "folder of recorded traffic")
	p.StringVar(&f.peer, "crowdsec-config", "", "CrowdSec's configuration (logging to stdout at info, with the parser for nginx and scenarios): also runs CrowdSec, where it is installed, on a few small cases")
	p.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "runs at a time")
	return cmd
}

func (f *runFlags) plan() score.Plan {
	p := score.Full()
	if f.quick {
		p = score.Quick()
	}
	if f.seeds > 0 {
		p.Seeds = f.seeds
	}
	p.FirstSeed, p.Only = f.firstSeed, f.only
	return p
}

func (f *runFlags) run(ctx context.Context, stdout, stderr io.Writer) error {
	plan := f.plan()
	cases, err := plan.Cases()
	if err != nil {
		return err
	}
	began := time.Now()
	rec, err := f.openRecord()
	if err != nil {
		return err
	}
	defer rec.close()
	outcomes, err := f.all(ctx, plan, cases, rec, stderr)
	if err != nil {
		return err
	}
	if err := rec.close(); err != nil {
		return err
	}
	p := score.Provenance{Command: f.command(), Machine: machine(), Date: began, Took: time.Since(began), Cases: len(cases)}
	for _, o := range outcomes {
		if o.Judge == score.VigieName {
			p.Lines += o.Lines
		}
	}
	if len(rec.had) > 0 {
		p.Took = 0
		p.Note = append(p.Note, fmt.Sprintf("in several sittings of the same build (--resume): %d of the %d runs in the last", len(cases)-rec.used, len(cases)))
	}
	if plan.Few() < plan.Seeds {
		p.Note = append(p.Note, fmt.Sprintf("%d seeds of each scenario; the first %d also run +10 %%, +300 %%, +1,000 %% and the baselines", plan.Seeds, plan.Few()))
	}
	var real []score.RealResult
	if len(f.only) == 0 {
		var notes []string
		real, notes, err = score.Recorded(ctx, f.data)
		if err != nil {
			return err
		}
		p.Note = append(p.Note, notes...)
	}
	peers, note, err := f.crowdSec(ctx)
	if err != nil {
		return err
	}
	if note != "" {
		p.Note = append(p.Note, note)
	}
	out := stdout
	if f.out != "" {
		file, err := os.Create(f.out)
		if err != nil {
			return fmt.Errorf("create report: %w", err)
		}
		defer file.Close()
		out = file
	}
	return score.Report(out, score.Summarize(outcomes), p, real, peers)
}

// all runs the cases on the workers and keeps their order.
func (f *runFlags) all(ctx context.Context, plan score.Plan, cases []score.Case, rec *record, stderr io.Writer) ([]*score.Outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make([][]*score.Outcome, len(cases))
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex // guards done
	done := 0
	for range max(1, f.workers) {
		wg.Go(func() {
			for i := range next {
				outcomes, err := f.one(ctx, cases[i], f.baselines && plan.Baselines(cases[i].Seed))
				if err == nil {
					err = rec.add(outcomes)
				}
				if err != nil {
					cancel(fmt.Errorf("%s seed %d: %w", cases[i].Scenario, cases[i].Seed, err))
					return
				}
				results[i] = outcomes
				mu.Lock()
				if done++; done%20 == 0 || done == len(cases) {
					fmt.Fprintf(stderr, "%d of %d runs\n", done, len(cases))
				}
				mu.Unlock()
			}
		})
	}
	for i, c := range cases {
		if results[i] = rec.of(c); results[i] != nil {
			mu.Lock()
			done++
			mu.Unlock()
			continue
		}
		select {
		case next <- i:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var out []*score.Outcome
	for _, r := range results {
		out = append(out, r...)
	}
	return out, nil
}

func (f *runFlags) one(ctx context.Context, c score.Case, baselines bool) ([]*score.Outcome, error) {
	service, err := c.Service()
	if err != nil {
		return nil, err
	}
	vigie, err := score.Vigie(detect.Config{Seed: c.Seed}, service)
	if err != nil {
		return nil, err
	}
	entrants := []score.Entrant{{Name: score.VigieName, Judge: vigie}}
	if baselines {
		entrants = append(entrants, score.Entrant{Name: "per-client", Judge: score.PerClient()}, score.Entrant{Name: "ewma", Judge: score.EWMA()})
	}
	return c.Run(ctx, entrants...)
}

func (f *runFlags) command() string {
	s := "vigie eval run"
	if f.quick {
		s += " --quick"
	}
	if f.seeds > 0 {
		s += fmt.Sprintf(" --seeds %d", f.seeds)
	}
	if f.firstSeed != 1 {
		s += fmt.Sprintf(" --first-seed %d", f.firstSeed)
	}
	if len(f.only) > 0 {
		s += " --scenario " + strings.Join(f.only, ",")
	}
	if f.data != "" { // where it lies is nobody's business
		s += " --data DIR"
	}
	if f.peer != "" {
		s += " --crowdsec-config FILE"
	}
	return s
}

// machine is the processor and how many of its cores there are.
func machine() string {
	name := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s", name, runtime.NumCPU(), runtime.Version())
}
