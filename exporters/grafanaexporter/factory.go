package grafanaexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/vigie-otel/vigie/exporters/grafanaexporter/internal/metadata"
)

// NewFactory returns the factory of the exporter, type grafana.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig, exporter.WithLogs(createLogs, metadata.LogsStability))
}

// The helper queues and retries nothing: the table is the queue, and consume
// never waits for Grafana.
func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	g := newGrafana(set, cfg.(*Config))
	return exporterhelper.NewLogs(ctx, set, cfg, g.consume,
		exporterhelper.WithStart(g.Start),
		exporterhelper.WithShutdown(g.Shutdown),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
	)
}
