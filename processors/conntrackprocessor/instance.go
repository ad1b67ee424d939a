package conntrackprocessor

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/internal/ledger"
	"github.com/vigie-otel/vigie/processors/conntrackprocessor/internal/metadata"
)

// tick is how often findings are looked at for closing.
const tick = time.Second

// instance is what the pipelines of one component ID share.
type instance struct {
	cfg *Config
	eng *engine
	nat *natIndex
	out *outlet
	tel *telemetry
	led struct{ logs, metrics *ledger.Tally }

	cancel context.CancelFunc // nil before Start
	done   sync.WaitGroup
}

func newInstance(set processor.Settings, cfg *Config, seed uint64) (*instance, error) {
	tel, err := newTelemetry(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	out := newOutlet(cfg.QueueSize, tel, set.Logger)
	in := &instance{
		cfg: cfg, tel: tel, out: out,
		nat: newNATIndex(cfg.NAT, tel),
		eng: newEngine(cfg, tel, seed, out.put),
	}
	meter := set.MeterProvider.Meter(metadata.ScopeName)
	if in.led.logs, err = ledger.NewTally(meter, "processor", set.ID.String(), "logs"); err != nil {
		return nil, err
	}
	if in.led.metrics, err = ledger.NewTally(meter, "processor", set.ID.String(), "metrics"); err != nil {
		return nil, err
	}
	out.led = in.led.logs
	return in, nil
}

// claimLogs makes next the pipeline that gets the findings, if none is yet.
func (in *instance) claimLogs(next consumer.Logs) bool { return in.out.claim(next) }

// Start is the first face's; ctx is of the start alone.
func (in *instance) Start(context.Context, component.Host) error {
	ctx, cancel := context.WithCancel(context.Background())
	in.cancel = cancel
	in.done.Go(func() { in.run(ctx) })
	return nil
}

// run is the instance's goroutine.
func (in *instance) run(ctx context.Context) {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			in.eng.tick(now)
			in.nat.age(now)
			in.out.send(ctx)
		case <-in.out.wake:
			in.out.send(ctx)
		}
	}
}

// Shutdown is the last face's: it ends the goroutine, if there is one, and waits
// for it.
func (in *instance) Shutdown(context.Context) error {
	if in.cancel != nil {
		in.cancel()
	}
	in.done.Wait()
	in.tel.Shutdown()
	return nil
}

// telemetry is the generated builder with its attribute sets made once.
type telemetry struct {
	*metadata.TelemetryBuilder
	read, broken, late metric.MeasurementOption    // of flow records
	lookups            [3]metric.MeasurementOption // by result
	resources, targets metric.MeasurementOption    // that found no room
}

func newTelemetry(set component.TelemetrySettings) (*telemetry, error) {
	b, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	opt := func(key, value string) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))
	}
	return &telemetry{
		TelemetryBuilder: b,
		read:             opt("outcome", "read"), broken: opt("outcome", "broken"), late: opt("outcome", "late"),
		lookups: [...]metric.MeasurementOption{
			missed: opt("result", "missed"), ambiguous: opt("result", "ambiguous"), resolved: opt("result", "resolved"),
		},
		resources: opt("kind", "resources"), targets: opt("kind", "targets"),
	}, nil
}
