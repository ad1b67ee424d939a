package attackmetricsconnector

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/processors/attackmetricsconnector/internal/metadata"
)

type attackMetrics struct {
	cfg   *Config
	next  consumer.Metrics
	tel   *metadata.TelemetryBuilder
	log   *zap.Logger
	start time.Time
	wake  chan struct{} // capacity 1: a verdict changed

	mu    sync.Mutex
	state state // guarded by mu

	// Used by the goroutine only.
	reported state
	refusing bool // the pipeline refused the last batch, which was said

	cancel context.CancelFunc
	done   sync.WaitGroup
}

func newConnector(set connector.Settings, cfg *Config, next consumer.Metrics) (*attackMetrics, error) {
	tel, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &attackMetrics{
		cfg: cfg, next: next, tel: tel, log: set.Logger, wake: make(chan struct{}, 1),
		state: state{cfg: cfg, services: map[string]*service{}},
	}, nil
}

// Capabilities tells the truth: logs are only read.
func (c *attackMetrics) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start starts the goroutine that emits.
func (c *attackMetrics) Start(context.Context, component.Host) error {
	if c.cancel != nil {
		return nil
	}
	c.start = time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.done.Go(func() { c.run(ctx) })
	return nil
}

// Shutdown emits once more, so that the last counts are not lost. It is safe
// before Start and safe twice.
func (c *attackMetrics) Shutdown(ctx context.Context) error {
	if c.cancel == nil {
		return nil
	}
	c.cancel()
	c.cancel = nil
	c.done.Wait()
	c.emit(ctx)
	c.tel.Shutdown()
	return nil
}

// ConsumeLogs keeps what summaries say.
func (c *attackMetrics) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	now := time.Now()
	c.mu.Lock()
	changed := false
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if c.state.take(lr, now) == turned {
					changed = true
				}
			}
		}
	}
	c.mu.Unlock()
	if changed {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

func (c *attackMetrics) run(ctx context.Context) {
	t := time.NewTicker(c.cfg.Interval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-c.wake:
		}
		c.emit(ctx)
	}
}

func (c *attackMetrics) emit(ctx context.Context) {
	md := c.collect(ctx)
	if md.DataPointCount() == 0 {
		return
	}
	if err := c.next.ConsumeMetrics(ctx, md); err != nil {
		c.tel.AttackMetricsRefused.Add(ctx, 1)
		if !c.refusing {
			c.log.Warn("the metrics pipeline refused the detector's metrics; later ones hold the same counts", zap.Error(err))
		}
		c.refusing = true
		return
	}
	c.refusing = false
}

func (c *attackMetrics) collect(ctx context.Context) pmetric.Metrics {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.forget(now)
	c.tel.AttackMetricsServices.Record(ctx, int64(len(c.state.services)))
	c.report(ctx, "read", c.state.read, &c.reported.read)
	c.report(ctx, "broken", c.state.broken, &c.reported.broken)
	c.report(ctx, "dropped", c.state.dropped, &c.reported.dropped)
	return c.state.metrics(c.start, now)
}

func (c *attackMetrics) report(ctx context.Context, outcome string, total int64, last *int64) {
	if total > *last {
		c.tel.AttackMetricsSummaries.Add(ctx, total-*last, metric.WithAttributes(attribute.String("outcome", outcome)))
		*last = total
	}
}
