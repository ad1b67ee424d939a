package eventbridgeexporter

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/vigie-otel/vigie/exporters/eventbridgeexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/inorder"
)

// NewFactory returns the factory of the exporter, type eventbridge.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig, exporter.WithLogs(createLogs, metadata.LogsStability))
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	c := cfg.(*Config)
	s, err := newSender(set, c)
	if err != nil {
		return nil, err
	}
	queued, err := exporterhelper.NewLogs(ctx, set, cfg, s.push,
		exporterhelper.WithStart(s.Start),
		exporterhelper.WithShutdown(s.Shutdown),
		exporterhelper.WithTimeout(c.TimeoutConfig),
		exporterhelper.WithQueue(c.QueueConfig),
		exporterhelper.WithRetry(c.BackOffConfig),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
	)
	if err != nil {
		return nil, err
	}
	return &chooser{Logs: inOrder{queued}, cfg: c, malformed: &s.counts.malformed, told: map[string]time.Time{}}, nil
}

// inOrder starts the exporter with a queue that keeps its order over restarts: a
// finding must not open after it has closed.
type inOrder struct{ exporter.Logs }

func (e inOrder) Start(ctx context.Context, host component.Host) error {
	return e.Logs.Start(ctx, inorder.Host(host))
}
