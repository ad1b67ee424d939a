package conntrackprocessor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/testdata"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/processors/conntrackprocessor/internal/metadata"
)

func settings(name string) (processor.Settings, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	set := processortest.NewNopSettings(metadata.Type)
	set.ID = component.MustNewIDWithName("conntrack", name)
	set.Logger = zap.New(core)
	return set, logs
}

// full is a table that loses entries: the second one is a finding at once.
func full(lost int64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", "node-1")
	ms := rm.ScopeMetrics().AppendEmpty().Metrics()
	for name, v := range map[string]int64{names.ConntrackUsage: 1000, names.ConntrackLimit: 1000, names.ConntrackEarlyDropped: lost} {
		m := ms.AppendEmpty()
		m.SetName(name)
		p := m.SetEmptySum().DataPoints().AppendEmpty()
		p.SetIntValue(v)
		p.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	}
	return md
}

func raise(t testing.TB, m processor.Metrics) {
	for i := range 2 {
		require.NoError(t, m.ConsumeMetrics(context.Background(), full(int64(100*i))))
		time.Sleep(time.Second)
		synctest.Wait()
	}
}

func findings(sink *consumertest.LogsSink) (out []finding.Finding) {
	for _, ld := range sink.AllLogs() {
		for _, rl := range ld.ResourceLogs().All() {
			for _, r := range rl.ScopeLogs().At(0).LogRecords().All() {
				if f, err := finding.FromLogRecord(r); err == nil {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

func TestWhatTheMetricsPipelineFindsLeavesOnceInTheFirstLogsPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ctx := NewFactory(), context.Background()
		set, _ := settings("a")
		other, _ := settings("b")
		var sinks [3]consumertest.LogsSink
		var all []component.Component
		m, err := f.CreateMetrics(ctx, set, f.CreateDefaultConfig(), consumertest.NewNop())
		require.NoError(t, err)
		all = append(all, m)
		for i, s := range []processor.Settings{set, set, other} {
			l, err := f.CreateLogs(ctx, s, f.CreateDefaultConfig(), &sinks[i])
			require.NoError(t, err)
			all = append(all, l)
		}
		for _, c := range all {
			require.NoError(t, c.Start(ctx, componenttest.NewNopHost()))
		}
		raise(t, m)
		require.Len(t, findings(&sinks[0]), 1)
		require.Empty(t, findings(&sinks[1]), "a second pipeline of the same ID")
		require.Empty(t, findings(&sinks[2]), "another ID")
		host, ok := sinks[0].AllLogs()[0].ResourceLogs().At(0).Resource().Attributes().Get("host.name")
		require.True(t, ok && host.Str() == "node-1")
		for _, c := range all {
			require.NoError(t, c.Shutdown(ctx))
		}
	})
}

func TestAFindingThatIsQueuedLeavesBeforeTheLogsPipelineGoesDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ctx := NewFactory(), context.Background()
		set, _ := settings("a")
		sink := new(consumertest.LogsSink)
		m, err := f.CreateMetrics(ctx, set, f.CreateDefaultConfig(), consumertest.NewNop())
		require.NoError(t, err)
		l, err := f.CreateLogs(ctx, set, f.CreateDefaultConfig(), sink)
		require.NoError(t, err)
		require.NoError(t, m.Start(ctx, componenttest.NewNopHost()))
		raise(t, m)
		require.Empty(t, findings(sink), "the pipeline behind is not up")
		require.NoError(t, l.Start(ctx, componenttest.NewNopHost()))
		require.NoError(t, m.Shutdown(ctx))
		require.NoError(t, l.Shutdown(ctx))
		require.Len(t, findings(sink), 1)

		require.NoError(t, m.ConsumeMetrics(ctx, full(1e6))) // a straggler
		synctest.Wait()
		require.Len(t, findings(sink), 1, "nothing after Shutdown")
	})
}

func TestWithoutALogsPipelineItIsSaidOnceAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ctx := NewFactory(), context.Background()
		set, logs := settings("a")
		tel := componenttest.NewTelemetry()
		log := set.Logger
		set.TelemetrySettings = tel.NewTelemetrySettings()
		set.Logger = log
		cfg := f.CreateDefaultConfig().(*Config)
		cfg.UpdateInterval = time.Second
		m, err := f.CreateMetrics(ctx, set, cfg, consumertest.NewNop())
		require.NoError(t, err)
		require.NoError(t, m.Start(ctx, componenttest.NewNopHost()))
		for i := range 10 {
			require.NoError(t, m.ConsumeMetrics(ctx, full(int64(100*i))))
			time.Sleep(time.Second)
			synctest.Wait()
		}
		require.Equal(t, 1, logs.FilterMessageSnippet("add this processor to a logs pipeline").Len())
		got, err := tel.GetMetric("otelcol_conntrack_findings_dropped")
		require.NoError(t, err)
		require.EqualValues(t, 9, got.Data.(metricdata.Sum[int64]).DataPoints[0].Value, "the opening, and its eight updates")
		require.NoError(t, m.Shutdown(ctx))
		require.NoError(t, tel.Shutdown(ctx))
	})
}

func TestAPipelineThatRefusesForNowIsAskedAgainAndOneThatRefusesForGoodIsNot(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want int
	}{
		"for now":  {errors.New("queue is full"), 1},
		"for good": {consumererror.NewPermanent(errors.New("no")), 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, ctx := NewFactory(), context.Background()
				set, logs := settings("a")
				cfg := f.CreateDefaultConfig().(*Config)
				cfg.UpdateInterval = 0
				var mu sync.Mutex
				refuse := true
				sink := new(consumertest.LogsSink)
				next, err := consumer.NewLogs(func(ctx context.Context, ld plog.Logs) error {
					mu.Lock()
					defer mu.Unlock()
					if refuse {
						return tc.err
					}
					return sink.ConsumeLogs(ctx, ld)
				})
				require.NoError(t, err)
				m, err := f.CreateMetrics(ctx, set, cfg, consumertest.NewNop())
				require.NoError(t, err)
				l, err := f.CreateLogs(ctx, set, cfg, next)
				require.NoError(t, err)
				require.NoError(t, m.Start(ctx, componenttest.NewNopHost()))
				require.NoError(t, l.Start(ctx, componenttest.NewNopHost()))
				raise(t, m)
				mu.Lock()
				refuse = false
				mu.Unlock()
				time.Sleep(2 * time.Second)
				synctest.Wait()
				require.Len(t, findings(sink), tc.want)
				require.NotZero(t, logs.FilterMessageSnippet("refused findings").Len())
				require.NoError(t, m.Shutdown(ctx))
				require.NoError(t, l.Shutdown(ctx))
			})
		})
	}
}

func TestAFullQueueLosesTheOldest(t *testing.T) {
	set, _ := settings("a")
	tel, err := newTelemetry(set.TelemetrySettings)
	require.NoError(t, err)
	o := newOutlet(3, tel, set.Logger)
	sink := new(consumertest.LogsSink)
	require.True(t, o.claim(sink))
	require.False(t, o.claim(sink))
	for i := range 10 {
		o.put(pcommon.NewResource(), finding.Finding{
			ID: fmt.Sprint(i), Class: finding.SYNFlood, Status: finding.Update, StartedAt: time.Unix(1, 0),
		})
	}
	o.open()
	o.send(t.Context())
	got := findings(sink)
	require.Len(t, got, 3)
	require.Equal(t, "7", got[0].ID)
	require.Equal(t, "9", got[2].ID)
}

func TestASecondLifeOfAnIDIsANewInstance(t *testing.T) {
	f, ctx := NewFactory(), context.Background()
	set, _ := settings("a")
	first, err := f.CreateMetrics(ctx, set, f.CreateDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, first.Start(ctx, componenttest.NewNopHost()))
	require.NoError(t, first.Shutdown(ctx))
	second, err := f.CreateMetrics(ctx, set, f.CreateDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.NotSame(t, first.(*metricsFace).in, second.(*metricsFace).in)
	require.NoError(t, second.Shutdown(ctx), "before Start")
}

func TestWhatCameInGoesOutUntouched(t *testing.T) {
	f, ctx := NewFactory(), context.Background()
	set, _ := settings("a")
	ms, ls, ts := new(consumertest.MetricsSink), new(consumertest.LogsSink), new(consumertest.TracesSink)
	m, err := f.CreateMetrics(ctx, set, f.CreateDefaultConfig(), ms)
	require.NoError(t, err)
	l, err := f.CreateLogs(ctx, set, f.CreateDefaultConfig(), ls)
	require.NoError(t, err)
	tr, err := f.CreateTraces(ctx, set, f.CreateDefaultConfig(), ts)
	require.NoError(t, err)

	require.NoError(t, m.ConsumeMetrics(ctx, testdata.GenerateMetricsAllTypes()))
	require.Equal(t, testdata.GenerateMetricsAllTypes(), ms.AllMetrics()[0])
	require.NoError(t, l.ConsumeLogs(ctx, testdata.GenerateLogs(5)))
	require.Equal(t, testdata.GenerateLogs(5), ls.AllLogs()[0])
	require.NoError(t, tr.ConsumeTraces(ctx, testdata.GenerateTraces(5)))
	require.Equal(t, testdata.GenerateTraces(5), ts.AllTraces()[0])

	empty := plog.NewLogs() // a batch that was empty before is not ours to judge
	empty.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	require.NoError(t, l.ConsumeLogs(ctx, empty))

	in := full(0)
	want := pmetric.NewMetrics()
	in.CopyTo(want)
	require.NoError(t, m.ConsumeMetrics(ctx, in))
	got := ms.AllMetrics()[1].ResourceMetrics().At(0)
	require.Equal(t, 2, got.ScopeMetrics().Len(), "the receiver's scope and ours")
	require.Equal(t, want.ResourceMetrics().At(0).ScopeMetrics().At(0), got.ScopeMetrics().At(0))
	for _, c := range []component.Component{m, l, tr} {
		require.NoError(t, c.Shutdown(ctx))
	}
}

func TestMetricsLogsAndTracesMayComeAtOnce(t *testing.T) {
	f, ctx := NewFactory(), context.Background()
	set, _ := settings("a")
	m, _ := f.CreateMetrics(ctx, set, f.CreateDefaultConfig(), consumertest.NewNop())
	l, _ := f.CreateLogs(ctx, set, f.CreateDefaultConfig(), consumertest.NewNop())
	tr, _ := f.CreateTraces(ctx, set, f.CreateDefaultConfig(), consumertest.NewNop())
	for _, c := range []component.Component{m, l, tr} {
		require.NoError(t, c.Start(ctx, componenttest.NewNopHost()))
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 50 {
				require.NoError(t, m.ConsumeMetrics(ctx, full(int64(i))))
				require.NoError(t, l.ConsumeLogs(ctx, flowLogs(20, w*1000+i)))
				require.NoError(t, tr.ConsumeTraces(ctx, testdata.GenerateTraces(5)))
			}
		})
	}
	wg.Wait()
	for _, c := range []component.Component{m, l, tr} {
		require.NoError(t, c.Shutdown(ctx))
	}
}
