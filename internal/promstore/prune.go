package promstore

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// prune takes out what would cost far more than its bytes once it is translated:
// each bucket of a histogram becomes a series with all labels, and each series
// repeats the identity of its resource. Ordinary metrics, looked over once,
// pass as they are; else a copy without the offenders is returned, with how many
// points they had.
func (s *Store) prune(md pmetric.Metrics) (_ pmetric.Metrics, cut int) {
	if s.modest(md) {
		return md, 0
	}
	out := pmetric.NewMetrics()
	md.CopyTo(out)
	out.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
		if s.longIdentity(rm.Resource()) {
			n := countPoints(rm)
			s.tel.drop(reasonLabelLimit, n)
			cut += n
			return true
		}
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool {
			if len(sm.Scope().Name()) > s.cfg.MaxLabelValueBytes || len(sm.Scope().Version()) > s.cfg.MaxLabelValueBytes || s.tooLong(sm.Scope().Attributes()) {
				for _, m := range sm.Metrics().All() {
					cut += points(m)
					s.tel.drop(reasonLabelLimit, points(m))
				}
				return true
			}
			sm.Metrics().RemoveIf(func(m pmetric.Metric) bool {
				n := s.pruneMetric(m)
				cut += n
				return n > 0 && points(m) == 0 // else it would count again, as empty
			})
			return false
		})
		return false
	})
	return out, cut
}

func countPoints(rm pmetric.ResourceMetrics) (n int) {
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			n += points(m)
		}
	}
	return n
}

// points counts the data points of m.
func points(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	}
	return 0
}

// modest reports whether nothing in md is out of proportion.
func (s *Store) modest(md pmetric.Metrics) bool {
	for _, rm := range md.ResourceMetrics().All() {
		if s.longIdentity(rm.Resource()) {
			return false
		}
		for _, sm := range rm.ScopeMetrics().All() {
			if len(sm.Scope().Name()) > s.cfg.MaxLabelValueBytes || len(sm.Scope().Version()) > s.cfg.MaxLabelValueBytes || s.tooLong(sm.Scope().Attributes()) {
				return false
			}
			for _, m := range sm.Metrics().All() {
				if !s.modestMetric(m) {
					return false
				}
			}
		}
	}
	return true
}

func (s *Store) modestMetric(m pmetric.Metric) bool {
	if len(m.Name()) > s.cfg.MaxLabelValueBytes {
		return false
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, p := range m.Gauge().DataPoints().All() {
			if s.tooLong(p.Attributes()) {
				return false
			}
		}
	case pmetric.MetricTypeSum:
		for _, p := range m.Sum().DataPoints().All() {
			if s.tooLong(p.Attributes()) {
				return false
			}
		}
	case pmetric.MetricTypeHistogram:
		for _, p := range m.Histogram().DataPoints().All() {
			if s.badHistogram(p) != reasonCount {
				return false
			}
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			if s.badExponential(p) != reasonCount {
				return false
			}
		}
	case pmetric.MetricTypeSummary:
		for _, p := range m.Summary().DataPoints().All() {
			if s.badSummary(p) != reasonCount {
				return false
			}
		}
	}
	return true
}

// pruneMetric takes the offending points out of m.
func (s *Store) pruneMetric(m pmetric.Metric) (cut int) {
	gone := func(r reason) bool {
		if r == reasonCount {
			return false
		}
		cut++
		s.tel.drop(r, 1)
		return true
	}
	name := reasonCount
	if len(m.Name()) > s.cfg.MaxLabelValueBytes {
		name = reasonLabelLimit
	}
	long := func(as pcommon.Map) reason {
		if name == reasonCount && s.tooLong(as) {
			return reasonLabelLimit
		}
		return name
	}
	either := func(r reason) reason { return min(r, name) } // reasonCount is the greatest
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		m.Gauge().DataPoints().RemoveIf(func(p pmetric.NumberDataPoint) bool { return gone(long(p.Attributes())) })
	case pmetric.MetricTypeSum:
		m.Sum().DataPoints().RemoveIf(func(p pmetric.NumberDataPoint) bool { return gone(long(p.Attributes())) })
	case pmetric.MetricTypeHistogram:
		m.Histogram().DataPoints().RemoveIf(func(p pmetric.HistogramDataPoint) bool { return gone(either(s.badHistogram(p))) })
	case pmetric.MetricTypeExponentialHistogram:
		m.ExponentialHistogram().DataPoints().RemoveIf(func(p pmetric.ExponentialHistogramDataPoint) bool { return gone(either(s.badExponential(p))) })
	case pmetric.MetricTypeSummary:
		m.Summary().DataPoints().RemoveIf(func(p pmetric.SummaryDataPoint) bool { return gone(either(s.badSummary(p))) })
	}
	return cut
}

// The three below return reasonCount for a point that may pass.

func (s *Store) badHistogram(p pmetric.HistogramDataPoint) reason {
	if p.BucketCounts().Len() > s.cfg.MaxHistogramBuckets || p.ExplicitBounds().Len() > s.cfg.MaxHistogramBuckets {
		return reasonBucketLimit
	}
	return s.badAttributes(p.Attributes())
}

func (s *Store) badExponential(p pmetric.ExponentialHistogramDataPoint) reason {
	if p.Positive().BucketCounts().Len()+p.Negative().BucketCounts().Len() > s.cfg.MaxHistogramBuckets {
		return reasonBucketLimit
	}
	return s.badAttributes(p.Attributes())
}

func (s *Store) badSummary(p pmetric.SummaryDataPoint) reason {
	if p.QuantileValues().Len() > s.cfg.MaxHistogramBuckets {
		return reasonBucketLimit
	}
	return s.badAttributes(p.Attributes())
}

func (s *Store) badAttributes(as pcommon.Map) reason {
	if s.tooLong(as) {
		return reasonLabelLimit
	}
	return reasonCount
}

// longIdentity looks at what becomes job and instance, on each series of the
// resource. The other attributes are on target_info alone, which is refused by
// itself where they are too long.
func (s *Store) longIdentity(r pcommon.Resource) bool {
	for _, key := range []string{"service.name", "service.namespace", "service.instance.id"} {
		if v, ok := r.Attributes().Get(key); ok && (v.Type() != pcommon.ValueTypeStr && !scalar(v) || len(v.Str()) > s.cfg.MaxLabelValueBytes) {
			return true
		}
	}
	return false
}

func scalar(v pcommon.Value) bool {
	switch v.Type() {
	case pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool, pcommon.ValueTypeEmpty:
		return true
	}
	return false
}

// tooLong reports attributes that no series may carry as labels. It looks at
// strings and counts; what a nested value amounts to shows once it is a label.
func (s *Store) tooLong(as pcommon.Map) bool {
	if as.Len() > s.cfg.MaxLabels {
		return true
	}
	for k, v := range as.All() {
		if len(k) > s.cfg.MaxLabelNameBytes {
			return true
		}
		if v.Type() == pcommon.ValueTypeStr && len(v.Str()) > s.cfg.MaxLabelValueBytes {
			return true
		}
	}
	return false
}
