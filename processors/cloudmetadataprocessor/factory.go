package cloudmetadataprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/vigie-otel/vigie/internal/shared"
	"github.com/vigie-otel/vigie/processors/cloudmetadataprocessor/internal/metadata"
)

// NewFactory returns the factory of the processor, type cloud_metadata. The
// pipelines of one component ID ask once.
func NewFactory() processor.Factory { return newFactory(newService) }

// newFactory takes how the metadata service is reached.
func newFactory(reach func(IMDSConfig) service) processor.Factory {
	machines := &shared.Registry[component.ID, *machine]{}
	join := func(set processor.Settings, cfg component.Config) *pipeline {
		c := cfg.(*Config)
		f, _ := machines.Face(set.ID, func() (*machine, error) { return newMachine(c, set.Logger, reach(c.IMDS)), nil })
		return &pipeline{f}
	}
	return processor.NewFactory(
		metadata.Type,
		func() component.Config { return defaultConfig() },
		processor.WithTraces(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
			return &traces{join(set, cfg), next}, nil
		}, metadata.TracesStability),
		processor.WithMetrics(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
			return &metrics{join(set, cfg), next}, nil
		}, metadata.MetricsStability),
		processor.WithLogs(func(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
			return &logs{join(set, cfg), next}, nil
		}, metadata.LogsStability),
	)
}
