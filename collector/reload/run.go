package reload

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/configstate"
)

// Collector is what an otelcol.Collector does for a Runner.
type Collector interface {
	Run(context.Context) error
	Shutdown()
	GetState() otelcol.State
}

// Runner runs one collector after another. All fields must be set but those that
// say otherwise.
type Runner struct {
	// URIs are the configuration's sources.
	URIs []string
	// Settings are the collectors', without what says where configuration is from;
	// Providers are those of all schemes but file.
	Settings  otelcol.CollectorSettings
	Providers []confmap.ProviderFactory
	// Check tells what is wrong with a configuration, without touching what runs.
	Check func(context.Context, otelcol.CollectorSettings) error
	// New makes a collector.
	New func(otelcol.CollectorSettings) (Collector, error)
	// Keep is the file that holds the last configuration that worked; "": none is
	// kept over a restart.
	Keep string
	// State is told what runs and what does not.
	State *configstate.State
	// Stop ends what runs, and Run, when it is closed.
	Stop <-chan struct{}
	// Hangups is asked after each start for the signals that ask to read everything
	// anew; nil: there are none.
	Hangups func() <-chan os.Signal
	// Poll is how often files are read where no event tells of a change, Settle how
	// long they must not change before they are taken, and Probation for how long
	// a configuration that ends by itself gives way to the one before.
	Poll, Settle, Probation time.Duration

	// latest is what was configured when it was last looked at, whether it runs or
	// not. Like hangups it is Run's own goroutine's.
	latest  *candidate
	hangups <-chan os.Signal

	wait sync.WaitGroup // for the goroutines that watch
}

var (
	errStopped   = errors.New("asked to stop")
	errEnded     = errors.New("it ended by itself; the log above says why")
	errUnchanged = errors.New("what runs goes on")
)

// candidate is a configuration that passed its check.
type candidate struct {
	sources Sources
	nested  *nested
}

// generation is a collector that runs.
type generation struct {
	candidate
	col   Collector
	ended chan error
	began time.Time
}

// Run returns when it was stopped, or when nothing runs any more and nothing is
// left to fall back to; the error is that of the collector, or of the check.
func (r *Runner) Run(ctx context.Context) error {
	defer r.wait.Wait()
	g, err := r.first(ctx)
	if err != nil {
		if errors.Is(err, errStopped) {
			return nil
		}
		return err
	}
	var before *candidate // the one before g, for g's probation
	for g != nil {
		next, err := r.attend(ctx, g)
		switch {
		case next != nil:
			was := g.candidate
			before = nil
			if g, err = r.replace(ctx, g, next); err != nil {
				return err
			}
			if g != nil && g.nested == next.nested {
				before = &was
			}
		case err == errUnchanged: //nolint:errorlint // attend returns these as they are
		case err == errStopped: //nolint:errorlint // as above
			g.col.Shutdown()
			return <-g.ended
		case before != nil && time.Since(g.began) < r.Probation:
			if g, err = r.revert(ctx, before, errors.Join(errEnded, err)); err != nil {
				return err
			}
			before = nil
		default:
			return err
		}
	}
	return nil // stopped while it started
}

// first starts what is configured, or else what was kept.
func (r *Runner) first(ctx context.Context) (*generation, error) {
	c, err := r.checked(ctx, Read(r.URIs))
	r.latest = c
	if err == nil {
		var g *generation
		if g, err = r.begin(ctx, c); err == nil {
			r.keep(c.sources)
			r.State.Started(c.sources.Hash())
			return g, nil
		}
	}
	if errors.Is(err, errStopped) || r.Keep == "" {
		return nil, err
	}
	kept, found, loadErr := load(r.Keep)
	if loadErr != nil {
		r.State.Logger().Error("What was kept cannot be used either.", zap.Error(loadErr))
	}
	if !found || kept.Hash() == c.sources.Hash() {
		return nil, err
	}
	c, keptErr := r.checked(ctx, kept)
	if keptErr != nil {
		r.State.Logger().Error("The configuration that worked last does not any more.", problems(keptErr))
		return nil, err
	}
	r.State.Logger().Error("THE CONFIGURATION DOES NOT WORK; the last that worked is started instead. "+wayOut,
		problems(err), zap.Stringer("instead", c.sources.Hash()), zap.String("kept_in", r.Keep))
	g, keptErr := r.begin(ctx, c)
	if keptErr != nil {
		return nil, errors.Join(err, keptErr)
	}
	r.State.Kept(c.sources.Hash(), err)
	return g, nil
}

const wayOut = "Correct it: its files are read again when they change. `vigie validate` with the same --config tells the same problems."

// attend waits until g ends by itself, is to be stopped (errStopped), a
// configuration that is valid is to take its place, or another has been looked at
// that does not (errUnchanged).
func (r *Runner) attend(ctx context.Context, g *generation) (*candidate, error) {
	watchCtx, cancel := context.WithCancel(ctx)
	defer r.wait.Wait()
	defer cancel()
	changed := make(chan struct{})
	sources, others := r.latest.sources, r.latest.nested.paths()
	known := printOf(sources, r.latest.nested)
	r.wait.Go(func() { r.watch(watchCtx, known, sources, others, changed) })
	asked := false
	select {
	case err := <-g.ended:
		return nil, err
	case <-r.Stop:
		return nil, errStopped
	case <-changed:
	case <-r.hangups:
		asked = true
	}
	if next := r.look(ctx, g, asked); next != nil {
		return next, nil
	}
	return nil, errUnchanged
}

// look reads what is configured now and returns it where it should run.
func (r *Runner) look(ctx context.Context, g *generation, asked bool) *candidate {
	sources := r.latest.sources.again()
	if !asked && printOf(g.sources, g.nested) == printNow(sources, g.nested.paths()) {
		r.latest = &g.candidate
		r.State.Logger().Info("What is configured is what runs.", zap.Stringer("running", g.sources.Hash()))
		r.State.Withdrawn()
		return nil
	}
	c, err := r.checked(ctx, sources)
	r.latest = c
	if err != nil {
		r.State.Refused(err)
		r.State.Logger().Error("The new configuration is not valid; what runs goes on. "+wayOut,
			problems(err), zap.Stringer("running", g.sources.Hash()), zap.Stringer("refused", sources.Hash()))
		return nil
	}
	return c
}

// checked is a configuration and what is wrong with it, as far as can be told
// without starting it.
func (r *Runner) checked(ctx context.Context, s Sources) (*candidate, error) {
	c := &candidate{s, &nested{}}
	return c, r.Check(ctx, r.settings(c))
}

func (r *Runner) settings(c *candidate) otelcol.CollectorSettings {
	set := r.Settings
	set.ConfigProviderSettings.ResolverSettings = confmap.ResolverSettings{
		URIs:              c.sources.URIs,
		DefaultScheme:     "env",
		ProviderFactories: append([]confmap.ProviderFactory{c.sources.providerFactory(c.nested)}, r.Providers...),
	}
	return set
}

// begin starts a collector and waits until all of it has started.
func (r *Runner) begin(ctx context.Context, c *candidate) (*generation, error) {
	col, err := r.New(r.settings(c))
	if err != nil {
		return nil, err
	}
	g := &generation{candidate: *c, col: col, ended: make(chan error, 1), began: time.Now()}
	go func() { g.ended <- col.Run(ctx) }()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	stop := r.Stop
	stopped := false
	for {
		select {
		case err := <-g.ended:
			switch {
			case stopped:
				return nil, errors.Join(errStopped, err)
			case err == nil:
				return nil, errEnded
			}
			return nil, err
		case <-stop:
			stopped, stop = true, nil
			col.Shutdown()
		case <-look.C:
			if col.GetState() == otelcol.StateRunning && !stopped {
				if r.Hangups != nil {
					r.hangups = r.Hangups()
				}
				return g, nil
			}
		}
	}
}

// replace stops g and starts next, or g's again where that fails. It returns what
// runs then; nil without an error when it was stopped meanwhile.
func (r *Runner) replace(ctx context.Context, g *generation, next *candidate) (*generation, error) {
	r.State.Logger().Info("The configuration has changed and is valid; it takes the place of what runs.",
		zap.Stringer("running", g.sources.Hash()), zap.Stringer("next", next.sources.Hash()))
	g.col.Shutdown()
	if err := <-g.ended; err != nil {
		r.State.Logger().Warn("Not everything ended in order.", zap.Error(err))
	}
	started, err := r.begin(ctx, next)
	switch {
	case err == nil:
		r.keep(next.sources)
		r.State.Applied(next.sources.Hash())
		return started, nil
	case errors.Is(err, errStopped):
		return nil, nil
	}
	return r.revert(ctx, &g.candidate, err)
}

// revert starts again what ran before, since what came after it does not run.
func (r *Runner) revert(ctx context.Context, before *candidate, problem error) (*generation, error) {
	r.State.Logger().Error("The new configuration is valid and does not run; the one before is started again. "+wayOut,
		problems(problem), zap.Stringer("again", before.sources.Hash()))
	g, err := r.begin(ctx, before)
	if errors.Is(err, errStopped) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.Join(problem, err)
	}
	r.keep(before.sources)
	r.State.Reverted(before.sources.Hash(), problem)
	return g, nil
}

// keep stores what works for the next start. A full disk is no reason to stop.
func (r *Runner) keep(s Sources) {
	if r.Keep == "" {
		return
	}
	if err := save(r.Keep, s); err != nil {
		r.State.Logger().Warn("The configuration runs and could not be kept for a start with one that does not.", zap.Error(err))
	}
}

func problems(err error) zap.Field {
	return zap.Strings("problems", strings.Split(strings.TrimSpace(err.Error()), "\n"))
}
