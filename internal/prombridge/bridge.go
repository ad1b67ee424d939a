package prombridge

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const maxFamilies = 500

// Bridge publishes a registry until Stop.
type Bridge struct {
	gatherer prometheus.Gatherer
	meter    metric.Meter
	skipped  metric.Int64Counter

	// known is replaced as a whole, never changed: a reader's callback looks at
	// it while holding the reader's lock, and that same lock is needed to make
	// an instrument, so neither may wait for the other.
	known atomic.Pointer[map[string]published]
	more  chan struct{} // a callback has met a new family

	stop   context.CancelFunc
	loop   sync.WaitGroup
	active metric.Registration // owned by Start, then by the loop, then by Stop
	ended  sync.Once
}

// published is an instrument and the type that its family had when it was made.
type published struct {
	instrument metric.Float64Observable
	kind       dto.MetricType
}

// Start publishes what g gathers through m. A family that appears later is
// published from about the second collection after.
func Start(g prometheus.Gatherer, m metric.Meter) (*Bridge, error) {
	b := &Bridge{gatherer: g, meter: m, more: make(chan struct{}, 1)}
	b.known.Store(&map[string]published{})
	var err error
	b.skipped, err = m.Int64Counter("vigie.prombridge.families.skipped", metric.WithUnit("{family}"),
		metric.WithDescription("Metric families that are not published because there are too many."))
	if err != nil {
		return nil, err
	}
	if err := b.meet(context.Background()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.stop = cancel
	b.loop.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-b.more:
				// What can't be published stays in the registry; it is tried
				// again at the next collection.
				_ = b.meet(ctx)
			}
		}
	})
	return b, nil
}

// Stop ends the publishing. It is safe to call twice.
func (b *Bridge) Stop() (err error) {
	b.ended.Do(func() {
		b.stop()
		b.loop.Wait()
		if b.active != nil {
			err = b.active.Unregister()
		}
	})
	return err
}

// meet makes the instruments of families that are new and puts one callback over
// all of them.
func (b *Bridge) meet(ctx context.Context) error {
	families, err := b.gatherer.Gather()
	if err != nil {
		return err
	}
	next := maps.Clone(*b.known.Load())
	for _, f := range families {
		for _, name := range namesOf(f) {
			if _, ok := next[name]; ok {
				continue
			}
			if len(next) >= maxFamilies {
				b.skipped.Add(ctx, 1)
				continue
			}
			inst, err := b.instrument(name, f)
			if err != nil {
				return err
			}
			next[name] = published{inst, f.GetType()}
		}
	}
	if len(next) == len(*b.known.Load()) && b.active != nil {
		return nil
	}
	all := make([]metric.Observable, 0, len(next))
	for _, p := range next {
		all = append(all, p.instrument)
	}
	b.known.Store(&next)
	var unregister error
	if b.active != nil {
		unregister = b.active.Unregister()
	}
	b.active, err = b.meter.RegisterCallback(b.observe, all...)
	return errors.Join(unregister, err)
}

// namesOf are the names under which a family leaves. The translator to
// Prometheus adds _total to a counter that lacks it, so it is taken off here.
func namesOf(f *dto.MetricFamily) []string {
	switch f.GetType() {
	case dto.MetricType_HISTOGRAM, dto.MetricType_SUMMARY:
		return []string{f.GetName() + "_count", f.GetName() + "_sum"}
	case dto.MetricType_COUNTER:
		return []string{strings.TrimSuffix(f.GetName(), "_total")}
	default:
		return []string{f.GetName()}
	}
}

func (b *Bridge) instrument(name string, f *dto.MetricFamily) (metric.Float64Observable, error) {
	switch f.GetType() {
	case dto.MetricType_GAUGE, dto.MetricType_UNTYPED:
		return b.meter.Float64ObservableGauge(name, metric.WithDescription(f.GetHelp()))
	case dto.MetricType_COUNTER:
		return b.meter.Float64ObservableCounter(name, metric.WithDescription(f.GetHelp()))
	default:
		// A histogram's count is monotonic, but as a counter it would become
		// …_count_total on its way to Prometheus.
		return b.meter.Float64ObservableUpDownCounter(name, metric.WithDescription(f.GetHelp()))
	}
}

// observe runs in a reader's collection, under the reader's lock.
func (b *Bridge) observe(_ context.Context, o metric.Observer) error {
	families, err := b.gatherer.Gather()
	if err != nil {
		return err
	}
	known := *b.known.Load()
	for _, f := range families {
		for i, name := range namesOf(f) {
			p, ok := known[name]
			if !ok {
				if len(known) < maxFamilies {
					b.wake()
				}
				continue
			}
			if p.kind != f.GetType() {
				continue
			}
			for _, m := range f.GetMetric() {
				o.ObserveFloat64(p.instrument, value(m, i == 0), metric.WithAttributes(attributes(m)...))
			}
		}
	}
	return nil
}

func (b *Bridge) wake() {
	select {
	case b.more <- struct{}{}:
	default: // already woken
	}
}

// value reads one metric; of a histogram or summary its count or its sum.
func value(m *dto.Metric, count bool) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	case m.Untyped != nil:
		return m.Untyped.GetValue()
	case m.Histogram != nil && count:
		return float64(m.Histogram.GetSampleCount())
	case m.Histogram != nil:
		return m.Histogram.GetSampleSum()
	case count:
		return float64(m.GetSummary().GetSampleCount())
	default:
		return m.GetSummary().GetSampleSum()
	}
}

func attributes(m *dto.Metric) []attribute.KeyValue {
	kvs := make([]attribute.KeyValue, 0, len(m.GetLabel()))
	for _, l := range m.GetLabel() {
		kvs = append(kvs, attribute.String(l.GetName(), l.GetValue()))
	}
	return kvs
}
