package cloudwatchexporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

func withBudget(change func(*BudgetConfig)) (*budget, *time.Time) {
	c := createDefaultConfig()
	change(&c.Budget)
	b := newBudget(c)
	now := noon
	b.now = func() time.Time { return now }
	return b, &now
}

// allow is Allow as a batch of one asks.
func (b *budget) allow(metric uint64, name string, now time.Time) bool {
	b.Begin(now)
	defer b.End()
	return b.Allow(metric, name)
}

func TestRecordsOverTheHoursBytesAreDroppedButFindingsAreNot(t *testing.T) {
	fake := awsfake.Start(t, awsfake.Options{})
	surround(t, fake.Env())
	x := startLogs(t, direct(func(c *Config) { c.Budget.MaxLogBytesPerHour = 100 }))
	ld := pods(map[string][]string{"a": {"0123456789", "0123456789", "0123456789", "finding"}})
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(3).SetEventName(names.EventFinding)
	x.send(ld)
	require.Equal(t, []string{"0123456789", "0123456789", "finding"}, messages(fake.Events("/vigie/final", "a")))
	require.Equal(t, map[string]int64{dropByBudget: 1}, x.dropped())
}

func TestANewHourHasItsOwnBudget(t *testing.T) {
	b, now := withBudget(func(c *BudgetConfig) { c.MaxLogBytesPerHour, c.MaxMetrics = 100, 1 })
	rec := plog.NewLogRecord()
	require.True(t, b.takeRecord(rec, 90, *now))
	require.False(t, b.takeRecord(rec, 90, *now))
	require.True(t, b.allow(1, "a", *now))
	require.False(t, b.allow(2, "b", *now))
	require.True(t, b.allow(1, "a", *now), "what is in stays in")
	*now = now.Add(time.Hour)
	require.True(t, b.takeRecord(rec, 90, *now))
	require.True(t, b.allow(2, "b", *now))
}

func TestSamplingKeepsWholeTracesAndAboutTheShareThatWasAsked(t *testing.T) {
	b, now := withBudget(func(c *BudgetConfig) { c.MaxLogBytesPerHour, c.OnLogsExceeded = 1, actSample })
	kept := 0
	for i := range 1000 {
		rec := plog.NewLogRecord()
		rec.SetTraceID(pcommon.TraceID{15: byte(i), 14: byte(i >> 8)})
		first := b.takeRecord(rec, 100, *now)
		require.Equal(t, first, b.takeRecord(rec, 100, *now), "one trace, one answer")
		if first {
			kept++
		}
	}
	require.InDelta(t, 100, kept, 5)
	kept = 0
	for range 1000 {
		if b.takeRecord(plog.NewLogRecord(), 100, *now) {
			kept++
		}
	}
	require.InDelta(t, 100, kept, 1)
}

func TestSampledMetricsTakeTurnsByTheHour(t *testing.T) {
	b, now := withBudget(func(c *BudgetConfig) { c.MaxMetrics, c.OnMetricsExceeded = 1, actSample })
	hours := map[int]int{}
	for range 100 {
		*now = now.Add(time.Hour)
		b.allow(0, "in", *now)
		kept := 0
		for m := 1; m <= 200; m++ {
			if b.allow(uint64(m)*0x9e3779b97f4a7c15, fmt.Sprint(m), *now) {
				hours[m]++
				kept++
			}
		}
		require.InDelta(t, 20, kept, 20)
	}
	require.Greater(t, len(hours), 190, "each has an hour now and then")
}

func TestTheEstimateIsTheHourTimesAMonthAtListPrices(t *testing.T) {
	b, now := withBudget(func(c *BudgetConfig) { c.MaxMetrics = 1_000_000 })
	b.addDocument(0, *now)
	for i := range 30_000 {
		b.allow(uint64(i), "m", *now)
	}
	b.addDocument(1_000_000_000, *now)
	*now = now.Add(30 * time.Minute)
	e := b.estimate()
	require.Equal(t, 30_000, e.metrics)
	require.InDelta(t, 10_000*0.30+20_000*0.10, e.metricsUSD, 1e-6)
	require.InDelta(t, 2*730*0.50, e.ingestionUSD, 1e-6, "2 GB an hour")
	*now = now.Add(31 * time.Minute)
	e = b.estimate()
	require.Zero(t, e.metrics)
	require.InDelta(t, 5000, e.metricsUSD, 1e-6, "the hour before, while this one is young")
	require.InDelta(t, 730*0.50, e.ingestionUSD, 1e-6)
}

func TestPricesGoByTiers(t *testing.T) {
	p := defaultPrices()
	require.InDelta(t, 0.3, p.monthly(1), 1e-9)
	require.InDelta(t, 3000+24_000+37_500+0.02, p.monthly(1_000_001), 1e-6)
	require.ErrorContains(t, (&PricesConfig{Metrics: []PriceTier{{0, 1}, {5, 1}}}).Validate(), "metrics[0]::up_to")
}
