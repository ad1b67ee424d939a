package podattributesprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/vigie-otel/vigie/processors/podattributesprocessor/internal/metadata"
)

// NewFactory returns the factory of the processor, type pod_attributes.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		metadata.Type,
		func() component.Config { return defaultConfig() },
		processor.WithMetrics(func(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
			e, opts, err := prepare(set, cfg)
			if err != nil {
				return nil, err
			}
			return processorhelper.NewMetrics(ctx, set, cfg, next, e.metrics, opts...)
		}, metadata.MetricsStability),
		processor.WithLogs(func(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
			e, opts, err := prepare(set, cfg)
			if err != nil {
				return nil, err
			}
			return processorhelper.NewLogs(ctx, set, cfg, next, e.logs, opts...)
		}, metadata.LogsStability),
		processor.WithTraces(func(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
			e, opts, err := prepare(set, cfg)
			if err != nil {
				return nil, err
			}
			return processorhelper.NewTraces(ctx, set, cfg, next, e.traces, opts...)
		}, metadata.TracesStability),
	)
}

func prepare(set processor.Settings, cfg component.Config) (*enricher, []processorhelper.Option, error) {
	e, err := newEnricher(set.TelemetrySettings, cfg.(*Config))
	return e, []processorhelper.Option{
		processorhelper.WithStart(e.start),
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}),
	}, err
}
