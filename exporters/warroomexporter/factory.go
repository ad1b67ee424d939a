package warroomexporter

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/vigie-otel/vigie/exporters/warroomexporter/internal/metadata"
)

// NewFactory returns the factory of the warroom exporter.
func NewFactory() exporter.Factory {
	f := &instances{byID: map[component.ID]*warroom{}}
	return exporter.NewFactory(
		metadata.Type,
		func() component.Config { return createDefaultConfig() },
		exporter.WithMetrics(f.createMetrics, metadata.MetricsStability),
		exporter.WithLogs(f.createLogs, metadata.LogsStability),
		exporter.WithTraces(f.createTraces, metadata.TracesStability),
	)
}

// instances are the exporters by component ID: the metrics, logs and traces of
// one ID share one.
type instances struct {
	mu   sync.Mutex
	byID map[component.ID]*warroom // guarded by mu
}

// get returns the instance of an ID, made at its first use. One that has been
// shut down is replaced, so that a reload starts afresh.
func (f *instances) get(set exporter.Settings, cfg component.Config) *warroom {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.byID[set.ID]
	if w == nil || w.cfg != cfg.(*Config) || w.ended() {
		w = newWarroom(set, cfg.(*Config))
		f.byID[set.ID] = w
	}
	return w
}

// Nothing is queued here: a batch is in the store, or refused, when the call
// returns, so back-pressure reaches the receiver.
func options(w *warroom) []exporterhelper.Option {
	return []exporterhelper.Option{
		exporterhelper.WithStart(w.Start),
		exporterhelper.WithShutdown(w.Shutdown),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
	}
}

func (f *instances) createMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	w := f.get(set, cfg)
	return exporterhelper.NewMetrics(ctx, set, cfg, w.consumeMetrics, options(w)...)
}

func (f *instances) createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	w := f.get(set, cfg)
	return exporterhelper.NewLogs(ctx, set, cfg, w.consumeLogs, options(w)...)
}

func (f *instances) createTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	w := f.get(set, cfg)
	return exporterhelper.NewTraces(ctx, set, cfg, w.consumeTraces, options(w)...)
}
