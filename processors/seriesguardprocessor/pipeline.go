package seriesguardprocessor

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/shared"
)

const (
	targetInfo = "target_info"
	maxPrints  = 1 << 17 // that are kept from batch to batch, 1 MiB
)

// pipeline is one pipeline's side of the guard.
type pipeline struct {
	*shared.Face[*guard]
	next consumer.Metrics
}

// Capabilities tells the truth: points are removed.
func (p *pipeline) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// ConsumeMetrics passes what has room on.
func (p *pipeline) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	came := md.DataPointCount()
	cut := p.Instance.filter(md)
	left := md.DataPointCount()
	var err error
	if !cut || md.ResourceMetrics().Len() > 0 {
		err = p.next.ConsumeMetrics(ctx, md)
	}
	if err == nil {
		p.Instance.led.Removed(came - left)
	}
	return err
}

// filter removes the points that have no room, and what is empty without them.
// What came in empty stays: it is not ours to judge.
func (g *guard) filter(md pmetric.Metrics) (cut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	md.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
		resource := rm.Resource().Attributes()
		w := walk{guard: g, resource: resource}
		target, named := g.id.target(resource)
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool {
			w.base = target
			if g.cfg.RemoteWrite.ScopeInfo {
				w.base += g.id.scope(sm.Scope())
			}
			before := w.gone
			sm.Metrics().RemoveIf(w.metric)
			return w.gone > before && sm.Metrics().Len() == 0
		})
		cut = cut || w.gone > 0
		if w.passed > 0 && named && g.cfg.RemoteWrite.TargetInfo {
			g.target(resource, target)
		}
		return w.gone > 0 && rm.ScopeMetrics().Len() == 0
	})
	return cut
}

// target admits the target_info of a resource. Without room the resource keeps
// only what makes job and instance: its series go on, target_info is not made.
func (g *guard) target(resource pcommon.Map, target uint64) {
	sum, has := g.id.info(resource)
	if !has {
		return
	}
	if why := g.admit(g.info, fingerprint(target+sum), 1); why != passed {
		g.cuts.count(point{g.info, targetInfo, fingerprint(target + sum), 1}, why, &g.id, resource)
		resource.RemoveIf(func(key string, _ pcommon.Value) bool { return !identifying(key) })
	}
}

// walk goes through the points of one resource.
type walk struct {
	*guard
	resource pcommon.Map
	base     uint64 // of job, instance and scope
	m        *active
	name     string
	next     int // in prints

	passed, gone int // points
}

// metric removes the points of a metric that have no room, and says whether
// that was all of them.
func (w *walk) metric(m pmetric.Metric) (remove bool) {
	if !written(m) {
		return false
	}
	w.name = m.Name()
	w.m = w.find(w.id.metric(m), w.name)
	before := w.gone
	left := 0
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		left = w.numbers(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		left = w.numbers(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		points := m.Histogram().DataPoints()
		points.RemoveIf(w.histogram)
		left = points.Len()
	case pmetric.MetricTypeExponentialHistogram:
		points := m.ExponentialHistogram().DataPoints()
		points.RemoveIf(w.exponential)
		left = points.Len()
	case pmetric.MetricTypeSummary:
		points := m.Summary().DataPoints()
		points.RemoveIf(w.summary)
		left = points.Len()
	}
	w.passed += left
	return left == 0 && w.gone > before
}

// numbers makes all fingerprints before it looks the first one up: with nothing
// else between them the look-ups' cache misses overlap.
func (w *walk) numbers(points pmetric.NumberDataPointSlice) (left int) {
	w.prints, w.next = w.prints[:0], 0
	for _, p := range points.All() {
		w.prints = append(w.prints, fingerprint(w.base+w.id.labels(p.Attributes())))
	}
	points.RemoveIf(w.number)
	if cap(w.prints) > maxPrints {
		w.prints = nil
	}
	return points.Len()
}

func (w *walk) number(p pmetric.NumberDataPoint) bool {
	w.next++
	return w.refuses(w.prints[w.next-1], 1, p.Attributes())
}

func (w *walk) exponential(p pmetric.ExponentialHistogramDataPoint) bool {
	return w.refuses(w.print(p.Attributes(), 0), 1, p.Attributes())
}

func (w *walk) histogram(p pmetric.HistogramDataPoint) bool {
	sum, weight := uint64(0), 1
	if !w.cfg.RemoteWrite.NativeHistograms {
		sum, weight = w.id.histogram(p)
	}
	return w.refuses(w.print(p.Attributes(), sum), weight, p.Attributes())
}

func (w *walk) summary(p pmetric.SummaryDataPoint) bool {
	sum, weight := w.id.summary(p)
	return w.refuses(w.print(p.Attributes(), sum), weight, p.Attributes())
}

func (w *walk) print(attrs pcommon.Map, more uint64) uint64 {
	return fingerprint(w.base + more + w.id.labels(attrs))
}

// refuses says whether a point has no room, and counts it.
func (w *walk) refuses(print uint64, weight int, attrs pcommon.Map) bool {
	if w.m == nil && w.isProtected(w.name) {
		w.uncounted++
		return false
	}
	why := namesLimit
	if w.m != nil {
		why = w.admit(w.m, print, weight)
	}
	if why == passed {
		return false
	}
	w.gone++
	w.cuts.count(point{w.m, w.name, print, weight}, why, &w.id, w.resource, attrs)
	return true
}

// written says whether remote write makes series of a metric: of delta
// temporality it makes none.
func written(m pmetric.Metric) bool {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	case pmetric.MetricTypeHistogram:
		return m.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	case pmetric.MetricTypeEmpty:
		return false
	}
	return true
}
