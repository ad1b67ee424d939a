package attackdetectionprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor/internal/metadata"
)

// NewFactory returns the factory of the processor, type attack_detection.
// Instances are shared among the pipelines of one factory.
func NewFactory() processor.Factory {
	return newFactory(func(c detect.Config) (judge, error) { return detect.New(c) })
}

func newFactory(newest func(detect.Config) (judge, error)) processor.Factory {
	reg := &registry{newest: newest}
	return processor.NewFactory(
		metadata.Type,
		defaultConfig,
		processor.WithTraces(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
			f, err := reg.face(set, cfg.(*Config))
			if err != nil {
				return nil, err
			}
			return &tracesFace{f, next, newRefused()}, nil
		}, metadata.TracesStability),
		processor.WithLogs(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
			f, err := reg.face(set, cfg.(*Config))
			if err != nil {
				return nil, err
			}
			return &logsFace{f, next, f.in.out.claim(next), newRefused()}, nil
		}, metadata.LogsStability),
	)
}
