package warroomexporter

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	telling "github.com/vigie-otel/vigie/internal/event"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// deployment is a batch about one deployment, as kube-state-metrics is scraped.
func deployment(name string, replicas float64, generation int64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	ms := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for metric, v := range map[string]float64{"kube_deployment_metadata_generation": float64(generation), "kube_deployment_spec_replicas": replicas} {
		m := ms.AppendEmpty()
		m.SetName(metric)
		p := m.SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetDoubleValue(v)
		p.Attributes().PutStr("namespace", "live")
		p.Attributes().PutStr("deployment", name)
	}
	return md
}

func TestScalingsAndDeploysAreToldApartAndEnteredOnce(t *testing.T) {
	w, _ := roomOf(t, testConfig(t))
	still(w) // its ticks read the clock
	clock := time.Now()
	w.now = func() time.Time { return clock }
	tell := func(replicas float64, generation int64) (got []string) {
		clock = clock.Add(30 * time.Second)
		from := w.room.log.Newest(1)[0].Seq
		require.NoError(t, w.consumeMetrics(t.Context(), deployment("player", replicas, generation)))
		for _, e := range w.room.log.Since(from) {
			if e.Kind == timeline.Scaling || e.Kind == timeline.Deploy {
				got = append(got, string(e.Kind)+" "+e.Service+" "+e.Text)
			}
		}
		return got
	}
	require.Empty(t, tell(4, 7), "the first word is no change")
	require.Empty(t, tell(4, 7))
	require.Equal(t, []string{"scaling player live/player: 4 → 12 replicas"}, tell(12, 8), "a scaling is a new generation too")
	require.Equal(t, []string{"deploy player live/player: generation 9"}, tell(12, 9))
	require.Equal(t, []string{"scaling player live/player: 12 → 0 replicas"}, tell(0, 10))
	require.Empty(t, tell(0, 10))
}

func TestEventsThatOthersSendAreEnteredOnce(t *testing.T) {
	w, _ := roomOf(t, testConfig(t))
	now := time.Now()
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	telling.Event{ID: "a", Kind: "deploy", Title: "player 2.4.1", Who: "ci", StartedAt: now.Add(-time.Minute)}.ToLogRecord(records.AppendEmpty())
	telling.Event{ID: "b", Kind: "push", Title: "line-ups", StartedAt: now.Add(-time.Second)}.ToLogRecord(records.AppendEmpty())
	telling.Event{ID: "c", Kind: "match", Title: "tomorrow", StartedAt: now.Add(24 * time.Hour)}.ToLogRecord(records.AppendEmpty())
	telling.Event{ID: "d", Kind: "push", Title: strings.Repeat("t", 500), Text: strings.Repeat("ü", 900), StartedAt: now}.ToLogRecord(records.AppendEmpty())
	telling.Event{Kind: "push", Title: "nobody's", StartedAt: now}.ToLogRecord(records.AppendEmpty())
	lr := records.AppendEmpty()
	lr.Attributes().PutStr("deployment.name", "sign-in\u202e <script>")
	lr.Attributes().PutStr("deployment.id", "1718")
	lr.Attributes().PutStr("deployment.status", "succeeded")
	records.AppendEmpty().Attributes().PutStr("deployment.environment.name", "production")
	for range 2 {
		require.NoError(t, w.consumeLogs(t.Context(), ld))
	}
	var got []string
	for _, e := range w.room.log.Newest(100) {
		if e.Kind == timeline.Deploy || e.Kind == timeline.Event {
			got = append(got, string(e.Kind)+" "+e.Text+" "+e.Who)
		}
	}
	require.Len(t, got, 4)
	require.True(t, strings.HasPrefix(got[2], "event ttt") && strings.HasSuffix(got[2], "üü… "), "a long one is cut")
	require.Equal(t, []string{"deploy player 2.4.1 ci", "event line-ups ", "deploy sign-in\uFFFD <script> succeeded "}, slices.Delete(got, 2, 3))
	require.EqualValues(t, 2, w.changes.overflow(), "one that has no id, twice")
}

func TestWhatWasAnnouncedIsEnteredWhenItHasBegun(t *testing.T) {
	c := newChanges()
	begins := time.Now()
	lr := plog.NewLogRecord()
	telling.Event{ID: "match", Kind: "match", Title: "Semi-final", StartedAt: begins}.ToLogRecord(lr)
	for _, told := range []struct {
		at    time.Time
		enter bool
	}{{begins.Add(-time.Hour), false}, {begins.Add(time.Second), true}, {begins.Add(time.Minute), false}} {
		e, ok := c.record(lr, told.at)
		require.Equal(t, told.enter, ok, told.at)
		require.True(t, e.At.Equal(begins))
	}
}

func TestAnAutoscalerThatFlapsDoesNotFillTheLogBook(t *testing.T) {
	w, _ := roomOf(t, testConfig(t))
	still(w) // its ticks read the clock
	now := time.Now()
	w.now = func() time.Time { return now }
	for i := range 300 {
		require.NoError(t, w.consumeMetrics(t.Context(), deployment("player", float64(i), int64(i))))
	}
	n := 0
	for _, e := range w.room.log.Newest(1000) {
		if e.Kind == timeline.Scaling {
			n++
		}
	}
	require.Equal(t, entriesPerMinute, n)
	c := newChanges()
	for i := range maxWorkloads + 7 {
		c.metrics(deployment(fmt.Sprint(i), 1, 1), now)
	}
	require.Len(t, c.workloads, maxWorkloads)
	require.EqualValues(t, 14, c.dropped)
}
