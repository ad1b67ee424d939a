package seriesguardprocessor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/processors/seriesguardprocessor/internal/metadata"
)

func guardOf(t testing.TB, change func(*Config)) *guard {
	cfg := defaultConfig()
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	g, err := newGuard(processortest.NewNopSettings(metadata.Type), cfg, 1)
	require.NoError(t, err)
	return g
}

// service is a resource that has a job, an instance and, with node, a
// target_info.
func service(md pmetric.Metrics, name, node string) pmetric.MetricSlice {
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", name)
	rm.Resource().Attributes().PutStr("service.instance.id", name+"-1")
	if node != "" {
		rm.Resource().Attributes().PutStr("k8s.node.name", node)
	}
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("test")
	return sm.Metrics()
}

// gauge is one batch of a metric whose points differ in the attribute user.
func gauge(name string, users ...int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := service(md, "checkout", "").AppendEmpty()
	m.SetName(name)
	points := m.SetEmptyGauge().DataPoints()
	for _, u := range users {
		p := points.AppendEmpty()
		p.Attributes().PutStr("user", fmt.Sprint("user-", u))
		p.Attributes().PutStr("method", "GET")
		p.SetTimestamp(1e9)
	}
	return md
}

// series are those that the remote-write translation makes of batches.
func series(t testing.TB, mds ...pmetric.Metrics) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, md := range mds {
		all, err := prometheusremotewrite.FromMetrics(md, prometheusremotewrite.Settings{AddMetricSuffixes: true})
		require.NoError(t, err)
		for _, ts := range all {
			name, rest := "", []string{}
			for _, l := range ts.Labels {
				if l.Name == "__name__" {
					name = l.Value
				}
				rest = append(rest, l.Name+"="+l.Value)
			}
			if out[name] == nil {
				out[name] = map[string]bool{}
			}
			out[name][strings.Join(rest, ",")] = true
		}
	}
	return out
}

func count(all map[string]map[string]bool) (n int) {
	for _, s := range all {
		n += len(s)
	}
	return n
}

// random makes batches of all types, in which few labels have few values so that
// series come back.
type random struct{ *rand.Rand }

func (r random) attrs(m pcommon.Map) {
	keys := []string{"route", "method", "code", "ok", "ratio", "empty"}
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, k := range keys[:r.IntN(len(keys)+1)] {
		switch k {
		case "code":
			m.PutInt(k, int64(r.IntN(3)*100))
		case "ok":
			m.PutBool(k, r.IntN(2) == 0)
		case "ratio":
			m.PutDouble(k, float64(r.IntN(2))/4)
		case "empty":
			m.PutStr(k, "")
		default:
			m.PutStr(k, fmt.Sprint("v", r.IntN(4)))
		}
	}
}

func (r random) metric(m pmetric.Metric) {
	m.SetName([]string{"http.requests", "queue.size", "vigie.attack.score", "rpc.duration"}[r.IntN(4)])
	m.SetUnit([]string{"", "s", "By"}[r.IntN(3)])
	n := 1 + r.IntN(4)
	cumulative := pmetric.AggregationTemporalityCumulative
	switch r.IntN(6) {
	case 0:
		for range n {
			p := m.SetEmptyGauge().DataPoints().AppendEmpty()
			p.SetTimestamp(1e9)
			r.attrs(p.Attributes())
		}
	case 1, 2:
		s := m.SetEmptySum()
		s.SetAggregationTemporality(cumulative)
		s.SetIsMonotonic(r.IntN(2) == 0)
		for range n {
			p := s.DataPoints().AppendEmpty()
			p.SetTimestamp(1e9)
			r.attrs(p.Attributes())
		}
	case 3:
		m.SetName("histogram." + m.Name()) // no name is of two types with the same suffixes
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(cumulative)
		for range n {
			p := h.DataPoints().AppendEmpty()
			p.SetTimestamp(1e9)
			r.attrs(p.Attributes())
			p.SetSum(1)
			p.ExplicitBounds().FromRaw([]float64{0.1, 1, 10})
			p.BucketCounts().FromRaw([]uint64{1, 2, 3, 4})
		}
	case 4:
		m.SetName("exponential." + m.Name())
		h := m.SetEmptyExponentialHistogram()
		h.SetAggregationTemporality(cumulative)
		for range n {
			p := h.DataPoints().AppendEmpty()
			p.SetTimestamp(1e9)
			r.attrs(p.Attributes())
		}
	case 5:
		m.SetName("summary." + m.Name())
		for range n {
			p := m.SetEmptySummary().DataPoints().AppendEmpty()
			p.SetTimestamp(1e9)
			r.attrs(p.Attributes())
			for _, q := range []float64{0.5, 0.99} {
				p.QuantileValues().AppendEmpty().SetQuantile(q)
			}
		}
	}
}

func (r random) batch() pmetric.Metrics {
	md := pmetric.NewMetrics()
	for range 1 + r.IntN(3) {
		rm := md.ResourceMetrics().AppendEmpty()
		a := rm.Resource().Attributes()
		for k, n := range map[string]int{"service.name": 3, "service.namespace": 2, "service.instance.id": 3, "k8s.node.name": 4} {
			if r.IntN(4) > 0 {
				a.PutStr(k, []string{"", "a", "b", "c"}[r.IntN(n)])
			}
		}
		for range r.IntN(3) {
			sm := rm.ScopeMetrics().AppendEmpty()
			sm.Scope().SetName([]string{"", "http", "grpc"}[r.IntN(3)])
			if r.IntN(2) == 0 {
				sm.Scope().SetVersion("1.0")
				sm.Scope().Attributes().PutStr("lang", "go")
				sm.Scope().Attributes().PutStr("name", "is no label")
			}
			for range 1 + r.IntN(4) {
				r.metric(sm.Metrics().AppendEmpty())
			}
		}
	}
	return md
}

func clone(md pmetric.Metrics) pmetric.Metrics {
	out := pmetric.NewMetrics()
	md.CopyTo(out)
	return out
}

// The translation that the exporter uses is the judge of what a series is.
func TestWithRoomForAllNothingChangesAndTheCountIsRemoteWrites(t *testing.T) {
	for seed := range uint64(20) {
		r, g := random{rand.New(rand.NewPCG(seed, 0))}, guardOf(t, nil)
		var all []pmetric.Metrics
		for range 50 {
			md := r.batch()
			before := clone(md)
			require.False(t, g.filter(md))
			require.Equal(t, before, md)
			all = append(all, md)
		}
		require.Equal(t, count(series(t, all...)), g.series+g.protected)
	}
}

func hasPoints(rm pmetric.ResourceMetrics) bool {
	md := pmetric.NewMetrics()
	rm.CopyTo(md.ResourceMetrics().AppendEmpty())
	return md.DataPointCount() > 0
}

// judge checks, batch by batch, what the guard promises.
func judge(t *testing.T, seed uint64, max, perMetric, batches int) {
	g := guardOf(t, func(c *Config) { c.MaxSeries, c.MaxSeriesPerMetric = max, perMetric })
	r := random{rand.New(rand.NewPCG(seed, 1))}
	admitted := map[string]map[string]bool{}
	own := func(name string) bool { return strings.Contains(name, "vigie") && strings.HasPrefix(name, "vigie") }
	for range batches {
		md := r.batch()
		for i, rm := range md.ResourceMetrics().All() {
			rm.SetSchemaUrl(fmt.Sprint(i)) // to find it again
		}
		in := clone(md)
		g.filter(md)
		want, got := series(t, in), series(t, md)
		for _, rm := range md.ResourceMetrics().All() {
			i, err := strconv.Atoi(rm.SchemaUrl())
			require.NoError(t, err)
			one := pmetric.NewMetrics()
			in.ResourceMetrics().At(i).CopyTo(one.ResourceMetrics().AppendEmpty())
			for s := range series(t, one)[targetInfo] {
				if admitted[targetInfo][s] && hasPoints(rm) && !got[targetInfo][s] {
					t.Fatalf("%s was admitted and then cut", s)
				}
			}
		}
		for name, all := range want {
			for s := range all {
				if name == targetInfo { // goes with the points of its resource
					continue
				}
				if own(name) && !got[name][s] {
					t.Fatalf("protected %s was cut", s)
				}
				if admitted[name][s] && !got[name][s] {
					t.Fatalf("%s was admitted and then cut", s)
				}
			}
		}
		for name, all := range got {
			for s := range all {
				if !want[name][s] {
					t.Fatalf("%s was made up", s)
				}
				if admitted[name] == nil {
					admitted[name] = map[string]bool{}
				}
				admitted[name][s] = true
			}
		}
	}
	total := 0
	for name, all := range admitted {
		if own(name) {
			continue
		}
		total += len(all)
		if len(all) > perMetric {
			t.Errorf("%s has %d series, over %d", name, len(all), perMetric)
		}
	}
	if total > max || g.series != total {
		t.Errorf("%d series in all and %d counted, over %d", total, g.series, max)
	}
}

func TestNoLimitIsEverExceededNothingProtectedIsCutAndWhatFlowsFlowsOn(t *testing.T) {
	for seed := range uint64(10) {
		judge(t, seed, 200, 30, 60)
		judge(t, seed, 40, 30, 60)
		judge(t, seed, 1, 1, 10)
	}
}

func FuzzGuard(f *testing.F) {
	f.Add(uint64(1), uint16(100), uint16(10))
	f.Fuzz(func(t *testing.T, seed uint64, max, perMetric uint16) {
		judge(t, seed, int(max)+1, int(perMetric)+1, 10)
	})
}

func TestAHistogramIsAdmittedWholeOrNotAtAll(t *testing.T) {
	g := guardOf(t, func(c *Config) { c.MaxSeriesPerMetric = 10 })
	md := pmetric.NewMetrics()
	m := service(md, "checkout", "").AppendEmpty()
	m.SetName("latency")
	h := m.SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for i := range 3 {
		p := h.DataPoints().AppendEmpty()
		p.SetTimestamp(1e9)
		p.SetSum(1)
		p.Attributes().PutInt("route", int64(i))
		p.ExplicitBounds().FromRaw([]float64{1, 2})
		p.BucketCounts().FromRaw([]uint64{0, 0, 0})
	}
	require.True(t, g.filter(md))
	require.Equal(t, 2, md.DataPointCount(), "five series each")
	require.Equal(t, 10, g.series)
}

func TestDeltasMakeNoSeriesAndPassUncounted(t *testing.T) {
	g := guardOf(t, func(c *Config) { c.MaxSeries = 1 })
	md := pmetric.NewMetrics()
	m := service(md, "checkout", "").AppendEmpty()
	m.SetName("requests")
	s := m.SetEmptySum()
	s.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	for i := range 5 {
		s.DataPoints().AppendEmpty().Attributes().PutInt("i", int64(i))
	}
	require.False(t, g.filter(md))
	require.Equal(t, 5, md.DataPointCount())
	require.Zero(t, g.series)
}

func TestWhatOnlyMakesTargetInfoGrowIsTakenOffTheResource(t *testing.T) {
	g := guardOf(t, func(c *Config) { c.MaxSeriesPerMetric = 2 })
	for i := range 4 {
		md := pmetric.NewMetrics()
		m := service(md, "checkout", fmt.Sprint("node-", i)).AppendEmpty()
		m.SetName("up")
		m.SetEmptyGauge().DataPoints().AppendEmpty().SetTimestamp(1e9)
		require.False(t, g.filter(md))
		require.Equal(t, 1, md.DataPointCount(), "its points go on")
		_, kept := md.ResourceMetrics().At(0).Resource().Attributes().Get("k8s.node.name")
		require.Equal(t, i < 2, kept)
		require.Equal(t, 2, len(series(t, md)["target_info"])+boolInt(!kept)+1, "job and instance stay")
	}
	require.EqualValues(t, 2, g.cuts.named[targetInfo].points[metricLimit])
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestABatchThatWasEmptyPassesAndOneThatIsCutWholeDoesNot(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	set := processortest.NewNopSettings(metadata.Type)
	cfg := defaultConfig()
	cfg.MaxSeries = 1
	p, err := NewFactory().CreateMetrics(t.Context(), set, cfg, sink)
	require.NoError(t, err)
	require.NoError(t, p.ConsumeMetrics(t.Context(), pmetric.NewMetrics()))
	empty := pmetric.NewMetrics()
	service(empty, "a", "").AppendEmpty().SetEmptyGauge()
	require.NoError(t, p.ConsumeMetrics(t.Context(), empty))
	require.Len(t, sink.AllMetrics(), 2)
	require.NoError(t, p.ConsumeMetrics(t.Context(), gauge("x", 1)))
	require.Len(t, sink.AllMetrics(), 3)
	require.NoError(t, p.ConsumeMetrics(t.Context(), gauge("x", 2)))
	require.Len(t, sink.AllMetrics(), 3, "nothing was left of it")
	require.NoError(t, p.ConsumeMetrics(t.Context(), gauge("x", 2, 1)))
	require.Equal(t, 1, sink.AllMetrics()[3].DataPointCount())
	require.NoError(t, p.Shutdown(t.Context()))
}

func TestPipelinesOfOneIDShareOneBudget(t *testing.T) {
	f, set, cfg := NewFactory(), processortest.NewNopSettings(metadata.Type), defaultConfig()
	cfg.MaxSeriesPerMetric = 3
	var sinks [2]consumertest.MetricsSink
	var ps [2]processor.Metrics
	for i := range ps {
		var err error
		ps[i], err = f.CreateMetrics(t.Context(), set, cfg, &sinks[i])
		require.NoError(t, err)
	}
	require.NoError(t, ps[0].ConsumeMetrics(t.Context(), gauge("x", 1, 2)))
	require.NoError(t, ps[1].ConsumeMetrics(t.Context(), gauge("x", 2, 3, 4)))
	require.Equal(t, 2, sinks[0].DataPointCount())
	require.Equal(t, 2, sinks[1].DataPointCount(), "2 is known, 3 is the third")
	for _, p := range ps {
		require.NoError(t, p.Shutdown(t.Context()))
	}
}

func TestSeriesKeepTheirPlaceWhileActiveAndLoseItAfterTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := guardOf(t, func(c *Config) { c.MaxSeriesPerMetric, c.ActiveWindow = 2, time.Hour })
		require.NoError(t, g.Start(t.Context(), componenttest.NewNopHost()))
		defer func() { require.NoError(t, g.Shutdown(context.Background())) }()
		passes := func(user int) bool {
			md := gauge("x", user)
			g.filter(md)
			return md.DataPointCount() == 1
		}
		require.True(t, passes(1))
		require.True(t, passes(2))
		// 1 goes on each 50 minutes; 3 asks all the time and must wait for 2 to be
		// silent for an hour.
		var freed time.Duration
		for minute := range 300 {
			synctest.Wait()
			if minute%50 == 0 {
				require.True(t, passes(1), "minute %d", minute)
			}
			if passes(3) && freed == 0 {
				freed = time.Duration(minute) * time.Minute
			}
			if freed > 0 {
				require.True(t, passes(3), "once admitted it stays")
				require.False(t, passes(2))
			}
			time.Sleep(time.Minute)
		}
		require.GreaterOrEqual(t, freed, time.Hour)
		require.LessOrEqual(t, freed, time.Hour+time.Hour/epochs+time.Minute)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		require.Empty(t, g.metrics)
		require.Zero(t, g.series)
	})
}

func TestNamesAreBoundedAndProtectedOnesPassAllTheSame(t *testing.T) {
	g := guardOf(t, func(c *Config) { c.MaxMetrics, c.Protect = 3, []string{"checkout.*.errors"} })
	pass := func(name string) bool {
		md := gauge(name, 1)
		g.filter(md)
		return md.DataPointCount() == 1
	}
	for i := range 5 {
		require.Equal(t, i < 3, pass(fmt.Sprint("metric-", i)))
	}
	require.True(t, pass("vigie.attack.verdict"))
	require.True(t, pass("checkout.card.errors"))
	require.False(t, pass("checkout.card.errors.total"))
	require.EqualValues(t, 2, g.uncounted)
	require.Len(t, g.metrics, 3)
	require.Empty(t, g.cuts.named, "where names explode none is kept")
	require.EqualValues(t, 3, g.cuts.other.points[namesLimit])
}

func TestProtectedSeriesAreFollowedOnlyUpToTheLimitAndNeverTakeRoom(t *testing.T) {
	g := guardOf(t, func(c *Config) { c.MaxSeries = 3 })
	md := gauge(names.AttackVerdict, 1, 2, 3, 4, 5)
	require.False(t, g.filter(md))
	require.Equal(t, 5, md.DataPointCount())
	require.Equal(t, 3, g.protected)
	require.EqualValues(t, 2, g.uncounted)
	md = gauge("x", 1, 2, 3)
	require.False(t, g.filter(md), "the protected take no room")
}

func TestTheLogNamesWhatWasCutOnceAWindowWithItsWidestAttribute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		set := processortest.NewNopSettings(metadata.Type)
		set.Logger = zap.New(core)
		cfg := defaultConfig()
		cfg.MaxSeriesPerMetric, cfg.ActiveWindow = 100, time.Hour
		g, err := newGuard(set, cfg, 1)
		require.NoError(t, err)
		require.NoError(t, g.Start(t.Context(), componenttest.NewNopHost()))
		defer func() { require.NoError(t, g.Shutdown(context.Background())) }()
		users := make([]int, 2100)
		for i := range users {
			users[i] = i
		}
		for range 50 {
			g.filter(gauge("http.requests", users...))
			g.filter(gauge("fine", users[:100]...))
			time.Sleep(time.Minute)
		}
		require.Equal(t, 1, logs.Len())
		line := logs.All()[0].ContextMap()
		require.Equal(t, "http.requests", line["metric"])
		require.Equal(t, "metric_limit", line["reason"])
		require.Equal(t, "user", line["widest_attribute"])
		require.InDelta(t, 2000, line["its_values"], 200)
		require.InDelta(t, 2000, line["series_cut"], 200)
		require.EqualValues(t, 100, line["active_series"])
		for range 20 {
			g.filter(gauge("http.requests", users...))
			time.Sleep(time.Minute)
		}
		require.Equal(t, 2, logs.Len(), "again in the next window")
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		require.Empty(t, g.cuts.named, "forgotten, when nothing was cut for a window")
	})
}

func TestInstancesThatComeAndGoAreNamedAsWhatMakesTheSeries(t *testing.T) {
	g := guardOf(t, func(c *Config) { c.MaxSeriesPerMetric = 5 })
	for i := range 200 { // a deployment that rolls: a pod is an instance
		md := gauge("up", 1, 2)
		md.ResourceMetrics().At(0).Resource().Attributes().PutStr("service.instance.id", fmt.Sprint("pod-", i))
		g.filter(md)
	}
	key, n := g.cuts.named["up"].widest()
	require.Equal(t, "service.instance.id", key)
	require.InDelta(t, 198, n, 10)
}

func TestBatchesAgeingAndTheMeterMayComeAtOnce(t *testing.T) {
	tel := componenttest.NewTelemetry()
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	cfg := defaultConfig()
	cfg.MaxSeries, cfg.MaxSeriesPerMetric = 300, 100
	g, err := newGuard(set, cfg, 1)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			r := random{rand.New(rand.NewPCG(uint64(w), 3))}
			for range 100 {
				g.filter(r.batch())
				g.filter(gauge(fmt.Sprint("m", w), r.IntN(500), r.IntN(500)))
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			g.age()
			g.report(time.Now())
			_, err := tel.GetMetric(names.SeriesGuardSeries)
			require.NoError(t, err)
		}
	})
	wg.Wait()
	require.LessOrEqual(t, g.series, 300)
	for range epochs + 1 {
		g.age()
	}
	require.Zero(t, g.series+g.protected)
	require.Empty(t, g.metrics)
	require.NoError(t, g.Shutdown(t.Context()))
}

func TestMoreMetricsThanAreNamedAreCountedAsOther(t *testing.T) {
	g := guardOf(t, func(c *Config) { c.MaxSeriesPerMetric = 1 })
	for i := range maxNamed + 7 {
		g.filter(gauge(fmt.Sprint(strings.Repeat("long", 100), "-", i), 1, 2)) // one name, cut at 200 bytes
		g.filter(gauge(fmt.Sprint("metric-", i), 1, 2))
	}
	require.Len(t, g.cuts.named, maxNamed)
	require.EqualValues(t, 8, g.cuts.other.points[metricLimit])
	require.Len(t, g.linesLocked(time.Now()), maxNamed+1)
}

func TestTheGuardTellsWhatItHoldsAndCuts(t *testing.T) {
	tel := componenttest.NewTelemetry()
	set := processortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	cfg := defaultConfig()
	cfg.MaxSeriesPerMetric = 2
	g, err := newGuard(set, cfg, 1)
	require.NoError(t, err)
	g.filter(gauge("x", 1, 2, 3, 4, 5))
	g.filter(gauge("vigie.y", 1, 2, 3))
	sum := func(name string) map[string]int64 {
		m, err := tel.GetMetric(name)
		require.NoError(t, err)
		out := map[string]int64{}
		for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
			key := ""
			for _, kv := range p.Attributes.ToSlice() {
				key += string(kv.Value.String()) + " "
			}
			out[strings.TrimSpace(key)] = p.Value
		}
		return out
	}
	require.Equal(t, map[string]int64{"false": 2, "true": 3}, sum(names.SeriesGuardSeries))
	require.Equal(t, map[string]int64{"x metric_limit": 3}, sum(names.SeriesGuardPointsCut))
	require.Equal(t, map[string]int64{"x": 3}, sum(names.SeriesGuardSeriesCut))
	require.Equal(t, map[string]int64{"x": 2, "vigie.y": 3}, sum(names.SeriesGuardMetricSeries))
	require.Equal(t, map[string]int64{"": 2 * minSlots * slotBytes}, sum(names.SeriesGuardMemory))
	require.NoError(t, g.Shutdown(t.Context()))
	_, err = tel.GetMetric(names.SeriesGuardSeries)
	require.Error(t, err, "after Shutdown it is silent")
}

func TestAConfigurationThatCannotWorkIsRefusedWithAllThatIsWrong(t *testing.T) {
	c := &Config{MaxSeriesPerMetric: -1, Protect: []string{"a.*", "", "**"}}
	err := c.Validate()
	require.Error(t, err)
	for _, key := range []string{"max_series must", "max_series_per_metric", "max_metrics", "active_window", "protect[1]", "protect[2]"} {
		require.Contains(t, err.Error(), key)
	}
	require.NotContains(t, err.Error(), "protect[0]")
}

func TestAStarIsAnyRunOfCharacters(t *testing.T) {
	for pattern, want := range map[string][2]string{
		"vigie.*":     {"vigie.attack.verdict", "vigiex"},
		"a.*.c":       {"a.b/b.c", "a.b.cd"},
		"*.count":     {"x.count", "x.counts"},
		"a*b*c":       {"aXbYbZc", "acb"},
		"exact":       {"exact", "exactly"},
		"a*a":         {"aa", "a"},
		"http.*.size": {"http.request.body.size", "http.size"},
	} {
		require.True(t, matches(pattern, want[0]), "%s of %s", want[0], pattern)
		require.False(t, matches(pattern, want[1]), "%s of %s", want[1], pattern)
	}
}

var _ component.Component = (*guard)(nil)
