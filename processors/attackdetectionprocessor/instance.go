package attackdetectionprocessor

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/ledger"
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor/internal/metadata"
)

// look is how often the calendar file is looked at: one stat each time.
const look = 5 * time.Second

// instance is what the pipelines of one component ID share.
type instance struct {
	eng *engine
	out *outlet
	tel *telemetry
	log *zap.Logger
	led *ledger.Tally

	file     *calendar.File                    // nil: no calendar; used by the goroutine only, once started
	calendar atomic.Pointer[calendar.Calendar] // read by the detector

	mu      sync.Mutex
	started bool               // guarded by mu
	cancel  context.CancelFunc // guarded by mu
	done    sync.WaitGroup
}

func newInstance(set processor.Settings, cfg *Config, newest func(detect.Config) (judge, error)) (*instance, error) {
	tel, err := newTelemetry(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	in := &instance{tel: tel, log: set.Logger}
	scope := scopeAgent
	if cfg.Mode == modeGateway {
		scope = scopeCluster
	}
	in.out = newOutlet(cfg.QueueSize, scope, origin(set), set.Logger)
	if in.led, err = ledger.NewTally(set.MeterProvider.Meter(metadata.ScopeName), "processor", set.ID.String(), "logs"); err != nil {
		return nil, err
	}
	in.out.led = in.led
	dc := cfg.detector()
	if cfg.Calendar != "" {
		in.file = &calendar.File{Path: cfg.Calendar}
		dc.Expect = func(service string, at time.Time) float64 { return in.calendar.Load().Expectation(service, at).Factor }
	}
	in.eng, err = newEngine(cfg, dc, newest, in.out)
	if err == nil && in.file != nil {
		in.eng.moment = in.moment
	}
	return in, err
}

// moment is where the event that a service takes part in stands.
func (in *instance) moment(service string, at time.Time) moment {
	e, phase := in.calendar.Load().Phase(at)
	if e == nil || !e.Touches(service) {
		return moment{}
	}
	return moment{event: e.Name, phase: string(phase)}
}

// origin names this detector among others whose summaries flow together.
func origin(set processor.Settings) string {
	id := set.ID.String()
	if v, ok := set.Resource.Attributes().Get("service.instance.id"); ok && v.Str() != "" {
		return v.Str() + "/" + id
	}
	return id
}

func (in *instance) start() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.started {
		return
	}
	in.started = true
	in.readCalendar()
	ctx, cancel := context.WithCancel(context.Background())
	in.cancel = cancel
	in.done.Go(func() { in.run(ctx) })
}

// run is the instance's goroutine.
func (in *instance) run(ctx context.Context) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	calendar := time.NewTicker(look)
	defer calendar.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-second.C:
			in.eng.tick(now)
			in.out.send(ctx)
			in.tel.report(ctx, in.eng.seen())
		case <-calendar.C:
			in.readCalendar()
		}
	}
}

// readCalendar takes the calendar over if it changed, and names what is wrong
// with it.
func (in *instance) readCalendar() {
	if in.file == nil {
		return
	}
	changed, problems, err := in.file.Reload()
	if err != nil {
		in.log.Warn("read event calendar; the one before stays in force", zap.String("path", in.file.Path), zap.Error(err))
	}
	for _, p := range problems {
		in.log.Warn("calendar entry ignored", zap.String("path", in.file.Path), zap.Error(p))
	}
	if changed {
		in.calendar.Store(in.file.Calendar())
		in.log.Info("event calendar read", zap.String("path", in.file.Path), zap.Int("events", len(in.file.Calendar().Events())))
	}
}

// stop ends the goroutine and waits for it. It is safe before start.
func (in *instance) stop() {
	in.mu.Lock()
	cancel := in.cancel
	in.cancel = nil
	in.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	in.done.Wait()
	in.tel.report(context.Background(), in.eng.seen())
	in.tel.Shutdown()
}
