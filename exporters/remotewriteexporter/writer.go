package remotewriteexporter

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/multierr"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/vigie-otel/vigie/exporters/remotewriteexporter/internal/metadata"
)

// writer is the exporter behind its queue.
type writer struct {
	cfg       *Config
	set       component.TelemetrySettings
	agent     string // User-Agent
	translate prometheusremotewrite.Settings
	tel       *metadata.TelemetryBuilder
	buffers   sync.Pool // of *buffer

	client *http.Client // from start

	mu     sync.Mutex
	quiet  map[string]time.Time // guarded by mu; reason → when it was logged last
	closed bool                 // guarded by mu
}

func newWriter(set exporter.Settings, cfg *Config) (*writer, error) {
	tel, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	labels := maps.Clone(cfg.ExternalLabels)
	maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
	return &writer{
		cfg: cfg, set: set.TelemetrySettings, tel: tel, agent: set.BuildInfo.Command + "/" + set.BuildInfo.Version,
		translate: prometheusremotewrite.Settings{
			ExternalLabels: labels, DisableTargetInfo: !cfg.TargetInfo, DisableScopeInfo: !cfg.ScopeLabels,
			AddMetricSuffixes: true,
		},
		buffers: sync.Pool{New: func() any { return new(buffer) }},
		quiet:   map[string]time.Time{},
	}, nil
}

func (w *writer) start(ctx context.Context, host component.Host) error {
	client, err := w.cfg.ToClient(ctx, host.GetExtensions(), w.set)
	w.client = client
	return err
}

// shutdown is safe before start and twice. The queue has stopped when it is
// called.
func (w *writer) shutdown(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	if w.client != nil {
		w.client.CloseIdleConnections()
	}
	w.tel.Shutdown()
	return nil
}

// push sends a batch. An error means that nothing of it is settled: all of it is
// sent again, and what was taken already is taken again as the same samples. So
// only a batch that ends is counted.
func (w *writer) push(ctx context.Context, md pmetric.Metrics) error {
	series, err := prometheusremotewrite.FromMetrics(md, w.translate)
	var total tally
	if failed := multierr.Errors(err); len(failed) > 0 {
		total.drop("untranslatable", int64(len(failed)))
		w.tell("untranslatable", zap.Error(failed[0]))
	}
	requests := split(series, w.cfg.MaxBatchSizeBytes)
	tallies := make([]tally, len(requests))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(w.cfg.Parallelism)
	for i, r := range requests {
		group.Go(func() error { return w.deliver(ctx, r, &tallies[i]) })
	}
	if err := group.Wait(); err != nil {
		if throttled, ok := errors.AsType[*notNowError](err); ok && throttled.after > 0 {
			return exporterhelper.NewThrottleRetry(err, throttled.after)
		}
		return err
	}
	for i := range tallies {
		total.add(&tallies[i])
	}
	w.count(&total)
	return nil
}

// tally is what became of a batch's samples.
type tally struct {
	samples, bytes int64
	dropped        map[string]int64 // by reason
}

func (t *tally) drop(reason string, samples int64) {
	if t.dropped == nil {
		t.dropped = map[string]int64{}
	}
	t.dropped[reason] += samples
}

func (t *tally) add(o *tally) {
	t.samples += o.samples
	t.bytes += o.bytes
	for reason, n := range o.dropped {
		t.drop(reason, n)
	}
}

func (w *writer) count(t *tally) {
	ctx := context.Background()
	w.tel.RemoteWriteSentSamples.Add(ctx, t.samples)
	w.tel.RemoteWriteSentBytes.Add(ctx, t.bytes)
	for reason, n := range t.dropped {
		w.tel.RemoteWriteDroppedSamples.Add(ctx, n, metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", reason))))
	}
}

// tell logs a reason for drops once a minute.
func (w *writer) tell(reason string, fields ...zap.Field) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); now.Sub(w.quiet[reason]) >= time.Minute {
		w.quiet[reason] = now
		w.set.Logger.Warn("samples dropped: "+reason, append(fields, zap.String("more", "at most one such line a minute; otelcol_remote_write_dropped_samples counts all"))...)
	}
}
