package remotewriteexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/vigie-otel/vigie/exporters/remotewriteexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/inorder"
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
	exp, err := exporterhelper.NewMetrics(ctx, set, cfg, w.push,
		exporterhelper.WithStart(w.start),
		exporterhelper.WithShutdown(w.shutdown),
		// A batch is many requests; each has the client's own time-out.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithQueue(c.QueueConfig),
		exporterhelper.WithRetry(c.BackOffConfig),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
	)
	if err != nil {
		return nil, err
	}
	return inOrder{exp}, nil
}

// inOrder starts the exporter with a queue that keeps its order over restarts.
type inOrder struct{ exporter.Metrics }

func (e inOrder) Start(ctx context.Context, host component.Host) error {
	return e.Metrics.Start(ctx, inorder.Host(host))
}
