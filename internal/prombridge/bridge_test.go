package prombridge

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// collect reads everything that is published, as "name{labels}" → value.
func collect(t *testing.T, r *sdkmetric.ManualReader) map[string]float64 {
	t.Helper()
	var rm metricdata.ResourceMetrics
	require.NoError(t, r.Collect(t.Context(), &rm))
	got := map[string]float64{}
	put := func(name string, points []metricdata.DataPoint[float64]) {
		for _, p := range points {
			key := name
			for _, kv := range p.Attributes.ToSlice() {
				key += fmt.Sprintf("{%s=%s}", kv.Key, kv.Value.String())
			}
			got[key] = p.Value
		}
	}
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[float64]:
				put(m.Name, d.DataPoints)
			case metricdata.Gauge[float64]:
				put(m.Name, d.DataPoints)
			}
		}
	}
	return got
}

func TestARegistryIsPublishedUnderItsOwnNames(t *testing.T) {
	reg := prometheus.NewRegistry()
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "store_samples_total"}, []string{"reason"})
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "store_series"})
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "store_seconds"})
	reg.MustRegister(c, g, h)
	c.WithLabelValues("ok").Add(3)
	g.Set(7)
	h.Observe(0.5)
	h.Observe(1.5)

	reader := sdkmetric.NewManualReader()
	b, err := Start(reg, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test"))
	require.NoError(t, err)
	want := map[string]float64{"store_samples{reason=ok}": 3, "store_series": 7, "store_seconds_count": 2, "store_seconds_sum": 2}
	if d := cmp.Diff(want, collect(t, reader)); d != "" {
		t.Error(d)
	}
	c.WithLabelValues("ok").Inc()
	if got := collect(t, reader)["store_samples{reason=ok}"]; got != 4 {
		t.Errorf("after an increment: %v", got)
	}
	require.NoError(t, b.Stop())
	require.NoError(t, b.Stop())
	if got := collect(t, reader); len(got) != 0 {
		t.Errorf("published after Stop: %v", got)
	}
}

// A vector without children is not gathered, so most of a store's counters
// appear only after their first event.
func TestAFamilyThatAppearsLaterIsPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		reader := sdkmetric.NewManualReader()
		b, err := Start(reg, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test"))
		require.NoError(t, err)
		defer b.Stop()
		first := prometheus.NewCounter(prometheus.CounterOpts{Name: "first_total"})
		reg.MustRegister(first)
		first.Inc()
		// Nothing is registered yet, so no callback runs and nobody can notice.
		b.wake()
		synctest.Wait()
		late := prometheus.NewGauge(prometheus.GaugeOpts{Name: "late"})
		reg.MustRegister(late)
		late.Set(5)
		collect(t, reader) // meets it
		synctest.Wait()
		want := map[string]float64{"first": 1, "late": 5}
		if d := cmp.Diff(want, collect(t, reader)); d != "" {
			t.Error(d)
		}
	})
}

func TestFamiliesBeyondTheLimitAreSkippedAndTheRestPublished(t *testing.T) {
	reg := prometheus.NewRegistry()
	for i := range maxFamilies + 20 {
		reg.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: fmt.Sprintf("gauge_%04d", i)}))
	}
	reader := sdkmetric.NewManualReader()
	b, err := Start(reg, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test"))
	require.NoError(t, err)
	defer b.Stop()
	if got := len(collect(t, reader)); got != maxFamilies {
		t.Errorf("published %d families, want %d", got, maxFamilies)
	}
}
