package warroomexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/vigie-otel/vigie/exporters/warroomexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/shared"
)

// NewFactory returns the factory of the warroom exporter.
func NewFactory() exporter.Factory {
	f := &instances{}
	return exporter.NewFactory(
		metadata.Type,
		func() component.Config { return createDefaultConfig() },
		exporter.WithMetrics(f.createMetrics, metadata.MetricsStability),
		exporter.WithLogs(f.createLogs, metadata.LogsStability),
		exporter.WithTraces(f.createTraces, metadata.TracesStability),
	)
}

// instances are the exporters by component ID and configuration: the metrics,
// logs and traces of one ID share one, and a reload starts afresh.
type instances struct {
	shared.Registry[key, *warroom]
}

type key struct {
	id  component.ID
	cfg *Config
}

// face makes a pipeline's side of the exporter that set.ID names.
func (f *instances) face(set exporter.Settings, cfg component.Config) *shared.Face[*warroom] {
	c := cfg.(*Config)
	face, _ := f.Face(key{set.ID, c}, func() (*warroom, error) { return newWarroom(set, c), nil })
	return face
}

// Nothing is queued here: a batch is in the store, or refused, when the call
// returns, so back-pressure reaches the receiver.
func options(f *shared.Face[*warroom]) []exporterhelper.Option {
	return []exporterhelper.Option{
		exporterhelper.WithStart(f.Start),
		exporterhelper.WithShutdown(f.Shutdown),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
	}
}

func (f *instances) createMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	w := f.face(set, cfg)
	return exporterhelper.NewMetrics(ctx, set, cfg, w.Instance.consumeMetrics, options(w)...)
}

func (f *instances) createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	w := f.face(set, cfg)
	return exporterhelper.NewLogs(ctx, set, cfg, w.Instance.consumeLogs, options(w)...)
}

func (f *instances) createTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	w := f.face(set, cfg)
	return exporterhelper.NewTraces(ctx, set, cfg, w.Instance.consumeTraces, options(w)...)
}
