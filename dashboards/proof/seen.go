package proof

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/dashboards/metrics"
)

// emitted is what was seen of one metric.
type emitted struct {
	unit   string
	kind   metrics.Kind
	labels map[string]bool
}

// note adds what md shows of each metric.
func note(all map[string]*emitted, md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				e := look(m)
				if old := all[m.Name()]; old != nil {
					for l := range old.labels {
						e.labels[l] = true
					}
				}
				all[m.Name()] = e
			}
		}
	}
}

func look(m pmetric.Metric) *emitted {
	e := &emitted{unit: m.Unit(), labels: map[string]bool{}}
	add := func(a pcommon.Map) {
		for k := range a.All() {
			e.labels[metrics.Label(k)] = true
		}
	}
	numbers := func(ps pmetric.NumberDataPointSlice) {
		for _, p := range ps.All() {
			add(p.Attributes())
		}
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		e.kind = metrics.Gauge
		numbers(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		e.kind = metrics.UpDown
		if m.Sum().IsMonotonic() {
			e.kind = metrics.Counter
		}
		numbers(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		e.kind = metrics.Histogram
		for _, p := range m.Histogram().DataPoints().All() {
			add(p.Attributes())
		}
	}
	return e
}
