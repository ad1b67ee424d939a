package remotewriteexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/vigie-otel/vigie/exporters/remotewriteexporter/internal/metadata"
)

// NewFactory returns the factory of the exporter remote_write.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, defaultConfig, exporter.WithMetrics(create, metadata.MetricsStability))
}

func create(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	c := cfg.(*Config)
	w, err := newWriter(set, c)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewMetrics(ctx, set, cfg, w.push,
		exporterhelper.WithStart(w.start),
		exporterhelper.WithShutdown(w.shutdown),
		// A batch is many requests; each has the client's own time-out.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithQueue(c.QueueConfig),
		exporterhelper.WithRetry(c.BackOffConfig),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
	)
}
