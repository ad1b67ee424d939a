package attackdetectionprocessor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor/internal/metadata"
)

// moody is a processor whose pipelines answer as answer says.
type moody struct {
	judge  *fake
	tel    *componenttest.Telemetry
	logs   processor.Logs
	traces processor.Traces
	answer func(plog.Logs) error
}

func newMoody(t *testing.T, mode string) *moody {
	m := &moody{judge: newFake(), tel: componenttest.NewTelemetry()}
	t.Cleanup(func() { require.NoError(t, m.tel.Shutdown(context.Background())) })
	f := newFactory(func(detect.Config) (judge, error) { return m.judge, nil })
	cfg := f.CreateDefaultConfig().(*Config)
	cfg.Mode = mode
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = m.tel.NewTelemetrySettings()
	logs, err := consumer.NewLogs(func(_ context.Context, ld plog.Logs) error { return m.answer(ld) })
	require.NoError(t, err)
	traces, err := consumer.NewTraces(func(context.Context, ptrace.Traces) error { return m.answer(plog.NewLogs()) })
	require.NoError(t, err)
	m.logs, err = f.CreateLogs(t.Context(), set, cfg, logs)
	require.NoError(t, err)
	m.traces, err = f.CreateTraces(t.Context(), set, cfg, traces)
	require.NoError(t, err)
	return m
}

func full(plog.Logs) error { return errors.New("full") }
func room(plog.Logs) error { return nil }

// requests is a batch of them, each by a client of its own.
func requests(t *testing.T, clients ...string) plog.Logs {
	ld := plog.NewLogs()
	for _, c := range clients {
		one := readLog(t, "| "+c+` - - [TIME] "GET / HTTP/1.1" 200 5 "-" "x"`, time.Now())
		if ld.ResourceLogs().Len() == 0 {
			one.MoveTo(ld)
			continue
		}
		one.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().MoveAndAppendTo(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords())
	}
	return ld
}

// A reader of files offers what is refused several times a second: judged each time,
// an outage of the destination would look like a flood.
func TestRequestsAreJudgedOnceHoweverOftenTheirBatchIsRefused(t *testing.T) {
	m := newMoody(t, modeAgent)
	m.answer = full
	ld := requests(t, "192.0.2.1", "192.0.2.2")
	for range 5 {
		require.Error(t, m.logs.ConsumeLogs(t.Context(), ld))
	}
	require.Len(t, m.judge.requests, 2)
	require.Error(t, m.logs.ConsumeLogs(t.Context(), requests(t, "192.0.2.1", "192.0.2.3")))
	require.Len(t, m.judge.requests, 4, "another batch")
	m.answer = room
	require.NoError(t, m.logs.ConsumeLogs(t.Context(), ld))
	require.Len(t, m.judge.requests, 4)
	require.NoError(t, m.logs.ConsumeLogs(t.Context(), ld))
	require.Len(t, m.judge.requests, 6, "once accepted, whatever comes is new")
}

func TestARefusalForGoodIsNotRemembered(t *testing.T) {
	m := newMoody(t, modeAgent)
	m.answer = func(plog.Logs) error { return consumererror.NewPermanent(errors.New("never")) }
	ld := requests(t, "192.0.2.1")
	require.Error(t, m.logs.ConsumeLogs(t.Context(), ld))
	m.answer = room
	require.NoError(t, m.logs.ConsumeLogs(t.Context(), ld))
	require.Len(t, m.judge.requests, 2)
}

func TestThePartOfABatchThatComesAgainWasJudged(t *testing.T) {
	m := newMoody(t, modeAgent)
	rest := requests(t, "192.0.2.2", "192.0.2.3")
	m.answer = func(plog.Logs) error { return consumererror.NewLogs(errors.New("one fitted"), rest) }
	require.Error(t, m.logs.ConsumeLogs(t.Context(), requests(t, "192.0.2.1", "192.0.2.2", "192.0.2.3")))
	m.answer = room
	require.NoError(t, m.logs.ConsumeLogs(t.Context(), rest))
	require.Len(t, m.judge.requests, 3)
}

// From an agent a batch comes again as it was, summaries and all: they are merged
// once, taken out each time, and in the ledger once.
func TestSummariesAreMergedAndUsedUpOnceThoughTheirBatchComesTwice(t *testing.T) {
	m := newMoody(t, modeGateway)
	begin := time.Now()
	batch := func(sketch string) plog.Logs {
		ld := readLog(t, "event.name=vigie.summary vigie.summary.scope=agent service.name=tv | "+sketch, begin)
		readLog(t, "event.name=vigie.finding vigie.finding.id=8 vigie.finding.scope=agent | an agent's", begin).ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
		readLog(t, "| a line", begin).ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
		return ld
	}
	removed := func() int64 {
		got, err := m.tel.GetMetric(names.LedgerRemoved)
		require.NoError(t, err)
		return got.Data.(metricdata.Sum[int64]).DataPoints[0].Value
	}
	one := batch("sketch one")
	received := func() plog.Logs { // each time anew from the wire
		ld := plog.NewLogs()
		one.CopyTo(ld)
		return ld
	}
	m.answer = full
	require.Error(t, m.logs.ConsumeLogs(t.Context(), received()))
	require.Error(t, m.logs.ConsumeLogs(t.Context(), received()))
	require.Zero(t, removed())
	left := 0
	m.answer = func(ld plog.Logs) error { left += ld.LogRecordCount(); return nil }
	require.NoError(t, m.logs.ConsumeLogs(t.Context(), received()))
	require.NoError(t, m.logs.ConsumeLogs(t.Context(), batch("sketch two")))
	require.Equal(t, []string{"sketch one", "sketch two"}, m.judge.merged)
	require.Equal(t, 2, left, "the lines alone")
	require.EqualValues(t, 4, removed())
}

func TestSpansAreJudgedOnceHoweverOftenTheirBatchIsRefused(t *testing.T) {
	m := newMoody(t, modeAgent)
	m.answer = full
	td := readSpan(t, "@service.name=tv http.request.method=GET url.path=/ http.response.status_code=200 client.address=192.0.2.1")
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetSpanID([8]byte{1})
	for range 5 {
		require.Error(t, m.traces.ConsumeTraces(t.Context(), td))
	}
	require.Len(t, m.judge.requests, 1)
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetSpanID([8]byte{2})
	m.answer = room
	require.NoError(t, m.traces.ConsumeTraces(t.Context(), td))
	require.Len(t, m.judge.requests, 2, "another span")
}

func TestWhatWasRefusedLongestAgoIsForgottenFirst(t *testing.T) {
	r := newRefused()
	for key := range uint64(maxRefused + 2) {
		r.settle(key, errors.New("full"), key)
	}
	require.Len(t, r.keys, maxRefused)
	require.Equal(t, []bool{false, false, true, true}, []bool{r.has(0), r.has(1), r.has(2), r.has(maxRefused + 1)})
	r.settle(2, errors.New("full"), 2)
	require.Len(t, r.keys, maxRefused)
	r.settle(2, nil, 2)
	require.False(t, r.has(2))
}
