package seriesguardprocessor

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/processors/seriesguardprocessor/internal/metadata"
)

// largest is how many metrics are told by the number of their series.
const largest = 10

// instruments are what the guard says of itself. Nothing is computed until the
// meter asks.
type instruments struct {
	series, metrics, metricSeries, seriesCut, memory metric.Int64ObservableUpDownCounter
	limit                                            metric.Int64ObservableGauge
	pointsCut, uncounted                             metric.Int64ObservableCounter
}

func (g *guard) register(set component.TelemetrySettings) (unregister func() error, err error) {
	m := set.MeterProvider.Meter(metadata.ScopeName)
	var errs []error
	level := func(name, unit, text string) metric.Int64ObservableUpDownCounter {
		i, err := m.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		errs = append(errs, err)
		return i
	}
	counter := func(name, unit, text string) metric.Int64ObservableCounter {
		i, err := m.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		errs = append(errs, err)
		return i
	}
	in := instruments{
		series:       level(names.SeriesGuardSeries, "{series}", "Active series."),
		metrics:      level(names.SeriesGuardMetrics, "{metric}", "Metrics with active series."),
		metricSeries: level(names.SeriesGuardMetricSeries, "{series}", "Active series of the metrics that have most."),
		seriesCut:    level(names.SeriesGuardSeriesCut, "{series}", "Series cut in this window, estimated."),
		memory:       level(names.SeriesGuardMemory, "By", "Memory of the tables of series."),
		pointsCut:    counter(names.SeriesGuardPointsCut, "{point}", "Points cut."),
		uncounted:    counter(names.SeriesGuardUncounted, "{point}", "Points of protected metrics that passed without being followed, since there are too many."),
	}
	in.limit, err = m.Int64ObservableGauge(names.SeriesGuardLimit, metric.WithUnit("{series}"), metric.WithDescription("Limit of active series that are not protected."))
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	reg, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		g.observe(&in, o)
		return nil
	}, in.series, in.metrics, in.metricSeries, in.seriesCut, in.memory, in.limit, in.pointsCut, in.uncounted)
	if err != nil {
		return nil, err
	}
	return reg.Unregister, nil
}

func (g *guard) observe(in *instruments, o metric.Observer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	with := func(kv ...attribute.KeyValue) metric.ObserveOption {
		return metric.WithAttributeSet(attribute.NewSet(kv...))
	}
	o.ObserveInt64(in.series, int64(g.series), with(attribute.Bool(names.SeriesGuardProtected, false)))
	o.ObserveInt64(in.series, int64(g.protected), with(attribute.Bool(names.SeriesGuardProtected, true)))
	o.ObserveInt64(in.limit, int64(g.cfg.MaxSeries))
	o.ObserveInt64(in.uncounted, g.uncounted)
	o.ObserveInt64(in.metrics, int64(len(g.metrics)))
	all := make([]*active, 0, len(g.metrics)+1)
	for _, m := range g.metrics {
		all = append(all, m)
	}
	all = append(all, g.info)
	memory := 0
	for _, m := range all {
		memory += m.bytes()
	}
	o.ObserveInt64(in.memory, int64(memory))
	slices.SortFunc(all, func(a, b *active) int { return cmp.Or(b.series-a.series, cmp.Compare(a.name, b.name)) })
	// One name may be several metrics, of different units.
	top := map[string]int{}
	for _, m := range all[:min(largest, len(all))] {
		top[m.name] += m.series
	}
	for name, series := range top {
		if series > 0 {
			o.ObserveInt64(in.metricSeries, int64(series), with(attribute.String(names.SeriesGuardMetric, name)))
		}
	}
	for name, c := range g.cuts.named {
		o.ObserveInt64(in.seriesCut, c.estimate(), with(attribute.String(names.SeriesGuardMetric, name)))
		c.observe(in, o, name, with)
	}
	g.cuts.other.observe(in, o, other, with)
}

func (c *cut) observe(in *instruments, o metric.Observer, name string, with func(...attribute.KeyValue) metric.ObserveOption) {
	for why, n := range c.points {
		if n > 0 {
			o.ObserveInt64(in.pointsCut, n, with(attribute.String(names.SeriesGuardMetric, name), attribute.String(names.SeriesGuardReason, reasonNames[why])))
		}
	}
}
