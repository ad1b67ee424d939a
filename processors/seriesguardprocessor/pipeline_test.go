package seriesguardprocessor

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/processors/seriesguardprocessor/internal/metadata"
)

// What is refused comes again as it was: the ledger has what was cut of it once.
func TestPointsThatAreCutAreRemovedOnceThoughTheirBatchComesTwice(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	refuse, passed := true, 0
	next, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		if refuse {
			return errors.New("full")
		}
		passed += md.DataPointCount()
		return nil
	})
	require.NoError(t, err)
	cfg := defaultConfig()
	cfg.MaxSeriesPerMetric = 2
	p, err := NewFactory().CreateMetrics(t.Context(), set, cfg, next)
	require.NoError(t, err)
	removed := func() int64 {
		m, err := tel.GetMetric(names.LedgerRemoved)
		require.NoError(t, err)
		return m.Data.(metricdata.Sum[int64]).DataPoints[0].Value
	}

	require.Error(t, p.ConsumeMetrics(t.Context(), gauge("many", 1, 2, 3, 4, 5)))
	require.Zero(t, removed())
	refuse = false
	require.NoError(t, p.ConsumeMetrics(t.Context(), gauge("many", 1, 2, 3, 4, 5)))
	require.Equal(t, 2, passed)
	require.EqualValues(t, 3, removed())
	require.NoError(t, p.ConsumeMetrics(t.Context(), gauge("many", 6, 7)), "nothing of it is left")
	require.EqualValues(t, 5, removed())
}
