package k8seventsreceiver

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func TestItsOwnMetricsSayWhatBecameOfEvents(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		reader := sdkmetric.NewManualReader()
		s := newStage(a, memory)
		s.set.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
		s.start(t)
		settle(time.Second)
		a.say("one", 1)
		a.say("one", 1)
		settle(time.Second)
		var all metricdata.ResourceMetrics
		require.NoError(t, reader.Collect(t.Context(), &all))
		got := map[string][]int64{}
		for _, m := range all.ScopeMetrics[0].Metrics {
			var points []metricdata.DataPoint[int64]
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				require.True(t, data.IsMonotonic, m.Name)
				points = data.DataPoints
			case metricdata.Gauge[int64]:
				points = data.DataPoints
			}
			for _, p := range points {
				if p.Attributes.Len() == 0 {
					got[m.Name] = append(got[m.Name], p.Value)
				} else {
					key := m.Name + "/" + p.Attributes.ToSlice()[0].Value.AsString()
					got[key] = append(got[key], p.Value)
				}
			}
		}
		// The position: after the list, and after the batch.
		if d := cmp.Diff(map[string][]int64{
			"vigie.k8s_events.records": {1}, "vigie.k8s_events.duplicates": {1}, "vigie.k8s_events.retries": {0},
			"vigie.k8s_events.dropped/permanent": {0}, "vigie.k8s_events.dropped/vanished": {0}, "vigie.k8s_events.dropped/shutdown": {0},
			"vigie.k8s_events.gaps": {0}, "vigie.k8s_events.folded": {0}, "vigie.k8s_events.errors": {0}, "vigie.k8s_events.watches": {1},
			"vigie.k8s_events.checkpoints/ok": {2}, "vigie.k8s_events.checkpoints/failed": {0}, "vigie.k8s_events.leading": {1},
		}, got); d != "" {
			t.Error(d)
		}
		s.shutdown(t)
	})
}
