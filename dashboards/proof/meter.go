package proof

import (
	"context"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// collect reads what components count about themselves, as the periodic reader
// of the collector's telemetry would send it.
func collect(ctx context.Context, r *sdk.ManualReader, job, instance string) (pmetric.Metrics, error) {
	var rm metricdata.ResourceMetrics
	md := pmetric.NewMetrics()
	if err := r.Collect(ctx, &rm); err != nil {
		return md, err
	}
	out := md.ResourceMetrics().AppendEmpty()
	out.Resource().Attributes().PutStr("service.name", job)
	out.Resource().Attributes().PutStr("service.instance.id", instance)
	for _, scope := range rm.ScopeMetrics {
		sm := out.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName(scope.Scope.Name)
		for _, m := range scope.Metrics {
			to := sm.Metrics().AppendEmpty()
			to.SetName(m.Name)
			to.SetUnit(m.Unit)
			to.SetDescription(m.Description)
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				sum(to, d.IsMonotonic, d.DataPoints)
			case metricdata.Sum[float64]:
				sum(to, d.IsMonotonic, d.DataPoints)
			case metricdata.Gauge[int64]:
				numbers(to.SetEmptyGauge().DataPoints(), d.DataPoints)
			case metricdata.Gauge[float64]:
				numbers(to.SetEmptyGauge().DataPoints(), d.DataPoints)
			case metricdata.Histogram[int64]:
				histogram(to, d.DataPoints)
			case metricdata.Histogram[float64]:
				histogram(to, d.DataPoints)
			}
		}
		sm.Metrics().RemoveIf(func(m pmetric.Metric) bool { return m.Type() == pmetric.MetricTypeEmpty })
	}
	return md, nil
}

type number interface{ int64 | float64 }

func sum[N number](to pmetric.Metric, monotonic bool, from []metricdata.DataPoint[N]) {
	s := to.SetEmptySum()
	s.SetIsMonotonic(monotonic)
	s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	numbers(s.DataPoints(), from)
}

func numbers[N number](to pmetric.NumberDataPointSlice, from []metricdata.DataPoint[N]) {
	for _, p := range from {
		q := to.AppendEmpty()
		q.SetTimestamp(pcommon.NewTimestampFromTime(p.Time))
		q.SetStartTimestamp(pcommon.NewTimestampFromTime(p.StartTime))
		q.SetDoubleValue(float64(p.Value))
		attributes(q.Attributes(), p.Attributes)
	}
}

func histogram[N number](to pmetric.Metric, from []metricdata.HistogramDataPoint[N]) {
	h := to.SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for _, p := range from {
		q := h.DataPoints().AppendEmpty()
		q.SetTimestamp(pcommon.NewTimestampFromTime(p.Time))
		q.SetStartTimestamp(pcommon.NewTimestampFromTime(p.StartTime))
		q.ExplicitBounds().FromRaw(p.Bounds)
		q.BucketCounts().FromRaw(p.BucketCounts)
		q.SetCount(p.Count)
		q.SetSum(float64(p.Sum))
		attributes(q.Attributes(), p.Attributes)
	}
}

func attributes(to pcommon.Map, from attribute.Set) {
	for _, kv := range from.ToSlice() {
		to.PutStr(string(kv.Key), kv.Value.String())
	}
}
