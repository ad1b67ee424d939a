package cloudwatchexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"

	"github.com/vigie-otel/vigie/exporters/cloudwatchexporter/internal/metadata"
)

// NewFactory returns the factory of the cloudwatch exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(
		metadata.Type,
		func() component.Config { return createDefaultConfig() },
		exporter.WithLogs(createLogs, metadata.LogsStability),
		exporter.WithMetrics(createMetrics, metadata.MetricsStability),
	)
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	c := cfg.(*Config)
	x, err := newInstance(c, set, "logs")
	if err != nil {
		return nil, err
	}
	convert, err := newLogsConverter(c, x.budget, x.tel)
	if err != nil {
		return nil, err
	}
	inner, err := xexporterhelper.NewLogsRequest(ctx, set, convert.convert, x.sender.push, x.options(c)...)
	if err != nil {
		return nil, err
	}
	return &logsExporter{Logs: inner, instance: x}, nil
}

// options are exporterhelper's, the same for both signals. Its time-out is off:
// a push makes as many requests as it needs, and each has its own.
func (x *instance) options(c *Config) []exporterhelper.Option {
	return []exporterhelper.Option{
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithRetry(c.BackOff),
		xexporterhelper.WithQueueBatch(c.Queue, xexporterhelper.QueueBatchSettings{Encoding: encoding{}}),
	}
}
