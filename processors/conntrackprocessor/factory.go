package conntrackprocessor

import (
	"context"
	"math/rand/v2"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/vigie-otel/vigie/processors/conntrackprocessor/internal/metadata"
)

// NewFactory returns the factory of the processor, type conntrack. Instances are
// shared among the pipelines of one factory.
func NewFactory() processor.Factory { return newFactory(rand.Uint64) }

// newFactory takes the source of hash seeds, which keep senders from crafting
// addresses that collide in the sketches; a test wants the same each time.
func newFactory(seed func() uint64) processor.Factory {
	reg := &registry{seed: seed}
	return processor.NewFactory(
		metadata.Type,
		func() component.Config { return defaultConfig() },
		processor.WithTraces(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
			f, err := reg.face(set, cfg.(*Config))
			if err != nil {
				return nil, err
			}
			return &tracesFace{f, next}, nil
		}, metadata.TracesStability),
		processor.WithMetrics(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
			f, err := reg.face(set, cfg.(*Config))
			if err != nil {
				return nil, err
			}
			return &metricsFace{f, next}, nil
		}, metadata.MetricsStability),
		processor.WithLogs(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
			f, err := reg.face(set, cfg.(*Config))
			if err != nil {
				return nil, err
			}
			return &logsFace{f, next, f.in.claimLogs(next)}, nil
		}, metadata.LogsStability),
	)
}
