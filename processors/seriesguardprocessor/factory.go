package seriesguardprocessor

import (
	"context"
	"math/rand/v2"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/vigie-otel/vigie/internal/shared"
	"github.com/vigie-otel/vigie/processors/seriesguardprocessor/internal/metadata"
)

// NewFactory returns the factory of the processor, type series_guard. The
// pipelines of one component ID share its limits.
func NewFactory() processor.Factory {
	guards := &shared.Registry[component.ID, *guard]{}
	return processor.NewFactory(
		metadata.Type,
		func() component.Config { return defaultConfig() },
		processor.WithMetrics(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
			// A seed of its own keeps senders from crafting labels that collide.
			f, err := guards.Face(set.ID, func() (*guard, error) { return newGuard(set, cfg.(*Config), rand.Uint64()) })
			if err != nil {
				return nil, err
			}
			return &pipeline{f, next}, nil
		}, metadata.MetricsStability),
	)
}
