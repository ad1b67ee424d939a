package proof

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/dashboards/metrics"
)

// emission makes metrics of one resource out of the catalogue: the names, units
// and kinds are the catalogue's, which its own tests hold against the components.
type emission struct {
	md    pmetric.Metrics
	sm    pmetric.ScopeMetrics
	at    pcommon.Timestamp
	start pcommon.Timestamp
	have  map[*metrics.Metric]pmetric.NumberDataPointSlice
}

func emit(job, instance string, start, at time.Time) *emission {
	e := &emission{md: pmetric.NewMetrics(), have: map[*metrics.Metric]pmetric.NumberDataPointSlice{},
		at: pcommon.NewTimestampFromTime(at), start: pcommon.NewTimestampFromTime(start)}
	rm := e.md.ResourceMetrics().AppendEmpty()
	if job != "" {
		rm.Resource().Attributes().PutStr("service.name", job)
		rm.Resource().Attributes().PutStr("service.instance.id", instance)
	}
	e.sm = rm.ScopeMetrics().AppendEmpty()
	return e
}

// put adds a point; labels are name, value, name, value, as Prometheus spells
// them.
func (e *emission) put(m *metrics.Metric, v float64, labels ...string) {
	points, ok := e.have[m]
	if !ok {
		pm := e.sm.Metrics().AppendEmpty()
		pm.SetName(m.OTel)
		if m.OTel == "" {
			pm.SetName(m.Name)
		}
		pm.SetUnit(m.Unit)
		switch m.Kind {
		case metrics.Gauge:
			points = pm.SetEmptyGauge().DataPoints()
		case metrics.Counter, metrics.UpDown:
			s := pm.SetEmptySum()
			s.SetIsMonotonic(m.Kind == metrics.Counter)
			s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			points = s.DataPoints()
		default:
			panic(m.Name + " is no number")
		}
		e.have[m] = points
	}
	p := points.AppendEmpty()
	p.SetTimestamp(e.at)
	p.SetStartTimestamp(e.start)
	p.SetDoubleValue(v)
	for i := 0; i < len(labels); i += 2 {
		p.Attributes().PutStr(labels[i], labels[i+1])
	}
}

// shift moves every point by d: what happened in fake time is told as if it ended
// now, since the store takes nothing that is years old.
func shift(md pmetric.Metrics, d time.Duration) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					shiftNumbers(m.Gauge().DataPoints(), d)
					if m.Name() == metrics.ConfigTime.OTel { // a time itself
						for _, p := range m.Gauge().DataPoints().All() {
							p.SetDoubleValue(p.DoubleValue() + d.Seconds())
						}
					}
				case pmetric.MetricTypeSum:
					shiftNumbers(m.Sum().DataPoints(), d)
				case pmetric.MetricTypeHistogram:
					for _, p := range m.Histogram().DataPoints().All() {
						p.SetTimestamp(later(p.Timestamp(), d))
						p.SetStartTimestamp(later(p.StartTimestamp(), d))
					}
				}
			}
		}
	}
}

func shiftNumbers(ps pmetric.NumberDataPointSlice, d time.Duration) {
	for _, p := range ps.All() {
		p.SetTimestamp(later(p.Timestamp(), d))
		p.SetStartTimestamp(later(p.StartTimestamp(), d))
	}
}

func later(t pcommon.Timestamp, d time.Duration) pcommon.Timestamp {
	if t == 0 {
		return 0
	}
	return pcommon.NewTimestampFromTime(t.AsTime().Add(d))
}
