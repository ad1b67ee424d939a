package attackmetricsconnector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/processors/attackmetricsconnector/internal/metadata"
)

func started(t *testing.T, next consumer.Metrics, change func(*Config)) connector.Logs {
	f := NewFactory()
	cfg := f.CreateDefaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	c, err := f.CreateLogsToMetrics(t.Context(), connectortest.NewNopSettings(metadata.Type), cfg, next)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	return c
}

// summary is what the processor puts into the logs stream.
func summary(service, origin, verdict string, requests, errs, suspected int64, open map[string]int64) plog.Logs {
	ld := plog.NewLogs()
	lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(names.EventSummary)
	a := lr.Attributes()
	a.PutStr(names.ServiceName, service)
	a.PutStr(names.SummaryOrigin, origin)
	a.PutStr(names.AttackVerdict, verdict)
	a.PutDouble(names.AttackScore, 0.5)
	a.PutInt(names.TrafficRequests, requests)
	a.PutInt(names.TrafficErrors, errs)
	a.PutInt(names.AttackSuspected, suspected)
	a.PutInt(names.TrafficClients, 42)
	a.PutDouble(names.TrafficRate, 10)
	if len(open) > 0 {
		m := a.PutEmptyMap(names.AttackFindings)
		for c, n := range open {
			m.PutInt(c, n)
		}
	}
	return ld
}

// show lists the points of the last batch, as in a Prometheus exposition.
func show(md pmetric.Metrics) []string {
	var out []string
	for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		var points pmetric.NumberDataPointSlice
		if m.Type() == pmetric.MetricTypeSum {
			points = m.Sum().DataPoints()
		} else {
			points = m.Gauge().DataPoints()
		}
		for _, p := range points.All() {
			var labels []string
			for k, v := range p.Attributes().All() {
				labels = append(labels, k+"="+v.AsString())
			}
			slices.Sort(labels)
			value := fmt.Sprint(p.IntValue())
			if p.ValueType() == pmetric.NumberDataPointValueTypeDouble {
				value = fmt.Sprint(p.DoubleValue())
			}
			out = append(out, fmt.Sprintf("%s{%s} %s", m.Name(), strings.Join(labels, " "), value))
		}
	}
	slices.Sort(out)
	return out
}

func last(t *testing.T, sink *consumertest.MetricsSink) []string {
	t.Helper()
	synctest.Wait()
	all := sink.AllMetrics()
	require.NotEmpty(t, all)
	return show(all[len(all)-1])
}

func grep(lines []string, part string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.Contains(l, part) })
}

func TestASummaryBecomesMetricsOfItsService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.MetricsSink)
		c := started(t, sink, nil)
		require.NoError(t, c.ConsumeLogs(t.Context(), summary("tv", "a", "attack", 100, 7, 50, map[string]int64{"http_flood": 2, "no_such_class": 1})))
		want := []string{
			"vigie.attack.findings{service.name=tv vigie.attack.class=http_flood} 2",
			"vigie.attack.score{service.name=tv} 0.5",
			"vigie.attack.suspected_requests{service.name=tv} 50",
			"vigie.attack.verdict{service.name=tv vigie.attack.verdict.state=attack} 1",
			"vigie.attack.verdict{service.name=tv vigie.attack.verdict.state=crowd} 0",
			"vigie.attack.verdict{service.name=tv vigie.attack.verdict.state=mixed} 0",
			"vigie.attack.verdict{service.name=tv vigie.attack.verdict.state=normal} 0",
			"vigie.attack.verdict{service.name=tv vigie.attack.verdict.state=unknown} 0",
			"vigie.traffic.clients{service.name=tv} 42",
			"vigie.traffic.errors{service.name=tv} 7",
			"vigie.traffic.rate{service.name=tv} 10",
			"vigie.traffic.requests{service.name=tv} 100",
		}
		if diff := cmp.Diff(want, last(t, sink)); diff != "" {
			t.Error(diff)
		}
		require.Len(t, sink.AllMetrics(), 1, "a new verdict is told at once")
		require.NoError(t, c.ConsumeLogs(t.Context(), summary("tv", "a", "attack", 150, 7, 60, nil)))
		time.Sleep(time.Second)
		got := last(t, sink)
		require.Equal(t, []string{"vigie.attack.findings{service.name=tv vigie.attack.class=http_flood} 0"}, grep(got, "findings"))
		require.Equal(t, []string{"vigie.traffic.requests{service.name=tv} 150"}, grep(got, "traffic.requests"))
		require.NoError(t, c.Shutdown(t.Context()))
	})
}

func TestTheCalendarsPhaseIsOneWhileItLastsAndZeroAfter(t *testing.T) {
	s := &state{cfg: defaultConfig().(*Config), services: map[string]*service{}}
	now := time.Unix(1_800_000_000, 0)
	summary := func(event, phase string) {
		lr := plog.NewLogRecord()
		lr.SetEventName(names.EventSummary)
		a := lr.Attributes()
		a.PutStr(names.ServiceName, "api")
		a.PutStr(names.AttackVerdict, "normal")
		if event != "" {
			a.PutStr(names.CalendarEvent, event)
			a.PutStr(names.CalendarPhase, phase)
		}
		require.NotEqual(t, ignored, s.take(lr, now))
	}
	active := func() map[string]int64 {
		got := map[string]int64{}
		for _, m := range s.metrics(now, now).ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
			if m.Name() != names.CalendarActive {
				continue
			}
			for _, p := range m.Gauge().DataPoints().All() {
				event, _ := p.Attributes().Get(names.CalendarEvent)
				phase, _ := p.Attributes().Get(names.CalendarPhase)
				got[event.Str()+" "+phase.Str()] = p.IntValue()
			}
		}
		return got
	}
	summary("", "")
	require.Empty(t, active())
	summary("Final", "pre")
	require.Equal(t, map[string]int64{"Final pre": 1}, active())
	summary("Final", "first_half")
	require.Equal(t, map[string]int64{"Final pre": 0, "Final first_half": 1}, active())
	summary("", "")
	require.Equal(t, map[string]int64{"Final pre": 0, "Final first_half": 0}, active())
	for i := range 3 * maxStages {
		summary("Final", fmt.Sprint(i))
	}
	require.LessOrEqual(t, len(active()), maxStages)
}

func TestCountsOfSeveralDetectorsAddUpAndRestartsLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.MetricsSink)
		c := started(t, sink, nil)
		for _, s := range []struct {
			origin string
			n      int64
		}{{"a", 100}, {"b", 10}, {"a", 100}, {"a", 130}, {"b", 5}, {"b", 6}} {
			require.NoError(t, c.ConsumeLogs(t.Context(), summary("tv", s.origin, "normal", s.n, 0, 0, nil)))
		}
		time.Sleep(time.Second)
		require.Equal(t, []string{"vigie.traffic.requests{service.name=tv} 146"}, grep(last(t, sink), "traffic.requests"))
		require.NoError(t, c.Shutdown(t.Context()))
	})
}

func TestASilentServiceIsUnknownAndLaterForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.MetricsSink)
		c := started(t, sink, nil)
		require.NoError(t, c.ConsumeLogs(t.Context(), summary("tv", "a", "normal", 100, 0, 0, nil)))
		time.Sleep(35 * time.Second)
		got := last(t, sink)
		require.Equal(t, []string{"vigie.attack.verdict{service.name=tv vigie.attack.verdict.state=unknown} 1"}, grep(grep(got, "verdict"), "} 1"))
		require.Empty(t, grep(got, "clients"), "a gauge outlived its source")
		require.NotEmpty(t, grep(got, "traffic.requests"))
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		sink.Reset()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		require.Empty(t, sink.AllMetrics())
		require.NoError(t, c.Shutdown(t.Context()))
	})
}

func TestServicesAndOriginsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.MetricsSink)
		c := started(t, sink, func(c *Config) { c.MaxServices, c.MaxOrigins = 3, 2 })
		for i := range 10 {
			require.NoError(t, c.ConsumeLogs(t.Context(), summary(fmt.Sprint("s", i), "a", "normal", 1, 0, 0, nil)))
			require.NoError(t, c.ConsumeLogs(t.Context(), summary("s0", fmt.Sprint("o", i), "normal", 1, 0, 0, nil)))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		got := grep(last(t, sink), "traffic.requests")
		require.Equal(t, []string{"vigie.traffic.requests{service.name=s0} 11", "vigie.traffic.requests{service.name=s1} 1", "vigie.traffic.requests{service.name=s2} 1"}, got)
		m := c.(*attackMetrics)
		require.Equal(t, int64(7), m.state.dropped)
		require.Len(t, m.state.services["s0"].origins, 2)
		require.NoError(t, c.Shutdown(t.Context()))
	})
}

func TestOtherRecordsAndBrokenSummariesMakeNoMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.MetricsSink)
		c := started(t, sink, nil)
		other := plog.NewLogs()
		other.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("hello")
		require.NoError(t, c.ConsumeLogs(t.Context(), other))
		require.NoError(t, c.ConsumeLogs(t.Context(), summary("tv", "a", "calm", 1, 0, 0, nil)))
		require.NoError(t, c.ConsumeLogs(t.Context(), summary("", "a", "normal", 1, 0, 0, nil)))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Empty(t, sink.AllMetrics())
		require.Equal(t, int64(2), c.(*attackMetrics).state.broken)
		require.NoError(t, c.Shutdown(t.Context()))
	})
}

func TestARefusalIsNoReasonToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := started(t, consumertest.NewErr(errors.New("full")), nil)
		require.NoError(t, c.ConsumeLogs(t.Context(), summary("tv", "a", "normal", 1, 0, 0, nil)))
		time.Sleep(5 * time.Second)
		require.NoError(t, c.Shutdown(t.Context()))
		require.NoError(t, c.Shutdown(t.Context()), "a second time")
	})
}

func TestValidateNamesEverythingThatIsWrong(t *testing.T) {
	c := &Config{Interval: time.Millisecond, StaleAfter: -1, ForgetAfter: -2}
	err := c.Validate()
	for _, want := range []string{"interval", "stale_after", "forget_after", "max_services", "max_origins"} {
		require.ErrorContains(t, err, want)
	}
}
