package warroomexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// calls are counts as the span_metrics connector sends them, by route and status.
func calls(at time.Time, counts map[[2]string]int64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("traces.span.metrics.calls")
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for k, n := range counts {
		p := sum.DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.SetIntValue(n)
		p.Attributes().PutStr("span.kind", "SPAN_KIND_SERVER")
		p.Attributes().PutStr("http.route", k[0])
		p.Attributes().PutStr("http.response.status_code", k[1])
	}
	return md
}

func TestDemandIsToldByRouteAndSignInsWithTheirSuccess(t *testing.T) {
	w, _ := roomOf(t, testConfig(t))
	now := time.Now().Truncate(time.Second)
	for ago := int64(60); ago >= 0; ago -= 10 {
		n := 60 - ago
		require.NoError(t, w.consumeMetrics(t.Context(), calls(now.Add(-time.Duration(ago)*time.Second), map[[2]string]int64{
			{"/live/{id}", "200"}: 100 * n, {"/api/sign-in", "200"}: 9 * n, {"/api/sign-in", "401"}: 3 * n, {"/design-insight", "200"}: n,
		})))
	}
	p := readPain(t.Context(), w.store, now, 0.99, now.Add(-time.Hour))
	require.Len(t, p.Routes, 3)
	require.Equal(t, "/live/{id}", p.Routes[0].Route)
	require.InDelta(t, 100, float64(p.Routes[0].Rate), 1)
	require.Zero(t, float64(p.Routes[0].Failed))
	require.Equal(t, "/api/sign-in", p.Routes[1].Route)
	require.InDelta(t, 0.25, float64(p.Routes[1].Failed), 0.001)
	require.NotNil(t, p.SignIns)
	require.InDelta(t, 12, float64(p.SignIns.Rate), 0.2, "and not what merely has the letters")
	require.InDelta(t, 0.25, float64(p.SignIns.Failed), 0.001)

	empty, _ := roomOf(t, testConfig(t))
	p = readPain(t.Context(), empty.store, now, 0.99, now.Add(-time.Hour))
	require.Empty(t, p.Routes)
	require.Nil(t, p.SignIns)
}
