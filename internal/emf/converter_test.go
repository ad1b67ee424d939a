package emf

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

var update = flag.Bool("update", false, "write the golden files anew")

var kickoff = time.Date(2026, 7, 11, 20, 0, 0, 0, time.UTC)

func options() Options {
	return Options{Namespace: "Vigie", MaxSeries: 1000, Stale: 15 * time.Minute, ResourceDimensions: []string{"service.name"}}
}

// batch is metrics of one service at a time.
type batch struct {
	pmetric.Metrics
	metrics pmetric.MetricSlice
	at      time.Time
}

func newBatch(at time.Time) *batch {
	b := &batch{Metrics: pmetric.NewMetrics(), at: at}
	rm := b.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "sign-in")
	rm.Resource().Attributes().PutStr("host.name", "node-1")
	b.metrics = rm.ScopeMetrics().AppendEmpty().Metrics()
	return b
}

func (b *batch) metric(name, unit string) pmetric.Metric {
	m := b.metrics.AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	return m
}

func (b *batch) gauge(name, unit string, v float64, attrs ...string) {
	p := b.metric(name, unit).SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetDoubleValue(v)
	b.point(p, attrs)
}

func (b *batch) counter(name, unit string, start time.Time, v int64, attrs ...string) {
	s := b.metric(name, unit).SetEmptySum()
	s.SetIsMonotonic(true)
	s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p := s.DataPoints().AppendEmpty()
	p.SetIntValue(v)
	if !start.IsZero() {
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	}
	b.point(p, attrs)
}

func (b *batch) point(p interface {
	SetTimestamp(pcommon.Timestamp)
	Attributes() pcommon.Map
}, attrs []string) {
	p.SetTimestamp(pcommon.NewTimestampFromTime(b.at))
	for i := 0; i < len(attrs); i += 2 {
		p.Attributes().PutStr(attrs[i], attrs[i+1])
	}
}

func (b *batch) histogram(cumulative bool, bounds []float64, counts []uint64, sum float64, attrs ...string) pmetric.HistogramDataPoint {
	h := b.metric("http.server.request.duration", "s").SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	if cumulative {
		h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	}
	p := h.DataPoints().AppendEmpty()
	p.ExplicitBounds().FromRaw(bounds)
	p.BucketCounts().FromRaw(counts)
	var n uint64
	for _, c := range counts {
		n += c
	}
	p.SetCount(n)
	p.SetSum(sum)
	b.point(p, attrs)
	return p
}

// written are the documents of a batch, checked against the specification.
func written(t *testing.T, c *Converter, md pmetric.Metrics, now time.Time) (docs []string, metrics []awsfake.Metric, dropped map[string]int) {
	t.Helper()
	all := c.Convert(md, now, func(_ pcommon.Map, _ int, at int64, _ int, doc string) {
		found, err := awsfake.ParseEMF(doc, now)
		require.NoError(t, err, doc)
		require.Equal(t, at, found[0].Time.UnixMilli())
		docs = append(docs, doc)
		metrics = append(metrics, found...)
	})
	dropped = map[string]int{}
	for r, n := range all {
		if n > 0 {
			dropped[Reason(r).String()] = n
		}
	}
	return docs, metrics, dropped
}

func TestDocumentsOfEachKindOfMetricAreAsTheyWere(t *testing.T) {
	o := options()
	o.Rules = []Rule{
		{Metrics: []string{"http.server.*"}, Dimensions: [][]string{{"service.name", "http.route"}, {"service.name"}, {"service.name", "absent"}}, HighResolution: true},
		{Metrics: []string{"secret"}, Drop: true},
	}
	o.Properties = []string{"host.name"}
	c := New(o, kickoff.Add(-time.Hour))
	b := newBatch(kickoff)
	b.gauge("memory", "MiBy", 1.5, "pool", "heap")
	b.gauge("cpu", "1", 0.25, "pool", "heap")
	b.gauge("other labels", "%", 12, "pool", `ho"st é`)
	b.counter("requests", "{request}", kickoff.Add(-time.Minute), 1<<60, "pool", "heap")
	b.gauge("secret", "1", 1)
	b.histogram(false, []float64{0.1, 1}, []uint64{7, 2, 1}, 3.5, "http.route", "/sign-in")
	e := b.metric("sizes", "By").SetEmptyExponentialHistogram()
	e.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	p := e.DataPoints().AppendEmpty()
	p.SetScale(0)
	p.SetCount(6)
	p.SetSum(15)
	p.SetZeroCount(1)
	p.Positive().SetOffset(0)
	p.Positive().BucketCounts().FromRaw([]uint64{2, 0, 2})
	p.Negative().BucketCounts().FromRaw([]uint64{1})
	b.point(p, nil)
	s := b.metric("rpc", "ms").SetEmptySummary().DataPoints().AppendEmpty()
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(kickoff.Add(-time.Minute)))
	s.SetCount(10)
	s.SetSum(250)
	q := s.QuantileValues().AppendEmpty()
	q.SetQuantile(0.99)
	q.SetValue(80)
	b.point(s, nil)

	docs, _, dropped := written(t, c, b.Metrics, kickoff)
	require.Equal(t, map[string]int{"unmatched": 1}, dropped)
	got := strings.Join(docs, "\n") + "\n"
	const golden = "testdata/kinds.ndjson"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestCumulativeSumsBecomeTheirIncrease(t *testing.T) {
	c := New(options(), kickoff)
	type step struct {
		start time.Time
		value int64
		want  float64 // NaN: nothing
		why   string
	}
	old, fresh := kickoff.Add(-24*time.Hour), kickoff.Add(2500*time.Millisecond)
	for i, s := range []step{
		{old, 1 << 55, math.NaN(), "initial"}, // began before we did
		{old, 1<<55 + 3, 3, ""},               // exact beyond 2^53
		{old, 1<<55 + 3, 0, ""},
		{fresh, 5, 5, ""}, // restarted
		{fresh, 4, 4, ""}, // fell: restarted without saying so
	} {
		b := newBatch(kickoff.Add(time.Duration(i) * time.Second))
		b.counter("requests", "1", s.start, s.value)
		_, got, dropped := written(t, c, b.Metrics, b.at)
		if s.why != "" {
			require.Equal(t, map[string]int{s.why: 1}, dropped, "step %d", i)
			continue
		}
		require.Empty(t, dropped, "step %d", i)
		require.Equal(t, s.want, got[0].Value(), "step %d", i)
		require.Equal(t, "Count", got[0].Unit)
	}
	late := newBatch(kickoff.Add(time.Second))
	late.counter("requests", "1", fresh, 9)
	_, _, dropped := written(t, c, late.Metrics, kickoff.Add(6*time.Second))
	require.Equal(t, map[string]int{"out_of_order": 1}, dropped)
	young := newBatch(kickoff.Add(7 * time.Second))
	young.counter("born later", "1", kickoff.Add(6*time.Second), 9)
	_, got, _ := written(t, c, young.Metrics, young.at)
	require.Equal(t, 9.0, got[0].Value(), "known from its beginning")
}

func TestSeriesAreBoundedAndStaleOnesMakeRoom(t *testing.T) {
	o := options()
	o.MaxSeries = 2
	c := New(o, kickoff)
	send := func(at time.Time, name string) map[string]int {
		b := newBatch(at)
		b.counter(name, "1", kickoff, 1)
		_, _, dropped := written(t, c, b.Metrics, at)
		return dropped
	}
	require.Empty(t, send(kickoff.Add(time.Second), "a"))
	require.Empty(t, send(kickoff.Add(time.Second), "b"))
	require.Equal(t, map[string]int{"too_many_series": 1}, send(kickoff.Add(2*time.Second), "c"))
	require.Empty(t, send(kickoff.Add(16*time.Minute), "c"))
}

func TestACumulativeHistogramBecomesWhatHappenedSince(t *testing.T) {
	c := New(options(), kickoff)
	first := newBatch(kickoff.Add(time.Second))
	first.histogram(true, []float64{1, 10}, []uint64{1, 2, 0}, 9).SetStartTimestamp(pcommon.NewTimestampFromTime(kickoff.Add(time.Millisecond)))
	_, got, _ := written(t, c, first.Metrics, first.at)
	require.Equal(t, []float64{0.5, 5.5}, got[0].Values)
	require.Equal(t, []float64{1, 2}, got[0].Counts)

	second := newBatch(kickoff.Add(2 * time.Second))
	second.histogram(true, []float64{1, 10}, []uint64{1, 5, 1}, 40).SetStartTimestamp(pcommon.NewTimestampFromTime(kickoff.Add(time.Millisecond)))
	_, got, _ = written(t, c, second.Metrics, second.at)
	require.Equal(t, []float64{5.5, 10}, got[0].Values)
	require.Equal(t, []float64{3, 1}, got[0].Counts)
	require.Equal(t, map[string]float64{"Count": 4, "Sum": 31, "Min": 5.5, "Max": 10}, got[0].Stats)

	third := newBatch(kickoff.Add(3 * time.Second))
	third.histogram(true, []float64{1, 20}, []uint64{1, 0, 0}, 0.5)
	_, got, _ = written(t, c, third.Metrics, third.at)
	require.Equal(t, []float64{1}, got[0].Counts, "other bounds: it began anew")
}

func TestACumulativeExponentialHistogramIsDifferencedAcrossAChangeOfScale(t *testing.T) {
	c := New(options(), kickoff)
	send := func(second int, scale, offset int32, counts []uint64) []awsfake.Metric {
		b := newBatch(kickoff.Add(time.Duration(second) * time.Second))
		h := b.metric("sizes", "By").SetEmptyExponentialHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		p := h.DataPoints().AppendEmpty()
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(kickoff.Add(time.Millisecond)))
		p.SetScale(scale)
		p.Positive().SetOffset(offset)
		p.Positive().BucketCounts().FromRaw(counts)
		var n uint64
		for _, v := range counts {
			n += v
		}
		p.SetCount(n)
		b.point(p, nil)
		_, got, dropped := written(t, c, b.Metrics, b.at)
		require.Empty(t, dropped)
		return got
	}
	// Scale 1: buckets of √2; [1,√2): 2, [√2,2): 3, [2,2√2): 1.
	require.Equal(t, []float64{2, 3, 1}, send(1, 1, 0, []uint64{2, 3, 1})[0].Counts)
	// Scale 0: [1,2): 5 were there, [2,4): 1; three more in [2,4) and one in [8,16).
	got := send(2, 0, 0, []uint64{5, 4, 0, 1})
	require.Equal(t, []float64{3, 1}, got[0].Counts)
	require.Equal(t, []float64{3, 12}, got[0].Values)
	require.Empty(t, send(3, 0, 0, []uint64{5, 4, 0, 1}), "nothing happened: nothing is written")
}

func TestPointsThatCloudWatchDoesNotTakeAreCountedByReason(t *testing.T) {
	c := New(options(), kickoff)
	b := newBatch(kickoff)
	b.gauge("a", "1", math.NaN())
	b.gauge("b", "1", math.Inf(-1))
	b.gauge("c", "1", math.MaxFloat64)
	stale := b.metric("d", "1").SetEmptyGauge().DataPoints().AppendEmpty()
	stale.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	b.point(stale, nil)
	b.gauge("clash", "1", 1, "clash", "x")
	b.metric("empty", "1")
	var many []string
	for i := range 31 {
		many = append(many, fmt.Sprint("label", i), "x")
	}
	b.gauge("wide", "1", 1, many...)
	docs, _, dropped := written(t, c, b.Metrics, kickoff)
	require.Empty(t, docs)
	require.Equal(t, map[string]int{"not_a_number": 3, "stale": 1, "name_clash": 1, "unsupported": 1, "too_many_dimensions": 1}, dropped)
}

func TestManyMetricsAndLongHistogramsAreSplitAndAddUp(t *testing.T) {
	c := New(options(), kickoff)
	b := newBatch(kickoff)
	for i := range 250 {
		b.gauge(fmt.Sprint("metric", i), "By", float64(i))
	}
	b.gauge("metric7", "By", 1)
	var bounds []float64
	var counts []uint64
	for i := range 250 {
		bounds = append(bounds, float64(i+1))
		counts = append(counts, uint64(1+i%3))
	}
	p := b.histogram(false, bounds, append(counts, 5), 1234)
	docs, got, dropped := written(t, c, b.Metrics, kickoff)
	require.Empty(t, dropped)
	require.Greater(t, len(docs), 4)
	sum, count, gauges := 0.0, 0.0, 0
	for _, m := range got {
		if m.Name == "http.server.request.duration" {
			sum += m.Stats["Sum"]
			for _, n := range m.Counts {
				count += n
			}
		} else {
			gauges++
		}
	}
	require.Equal(t, 251, gauges)
	require.InDelta(t, 1234, sum, 1e-9)
	require.Equal(t, float64(p.Count()), count)
}

// two allows the first two metrics.
type two map[uint64]bool

func (two) Begin(time.Time) {}
func (two) End()            {}

func (seen two) Allow(metric uint64, _ string) bool {
	if len(seen) < 2 {
		seen[metric] = true
	}
	return seen[metric]
}

func TestOnlyTheSetsWithinTheBudgetAreWritten(t *testing.T) {
	o := options()
	o.Rules = []Rule{{Metrics: []string{"*"}, Dimensions: [][]string{{"service.name"}, {"service.name", "pod"}}}}
	o.Budget = two{}
	c := New(o, kickoff)
	for range 2 {
		b := newBatch(kickoff)
		b.gauge("a", "1", 1, "pod", "x")
		b.gauge("a", "1", 1, "pod", "y")
		b.gauge("b", "1", 1, "pod", "y")
		_, got, dropped := written(t, c, b.Metrics, kickoff)
		require.Equal(t, map[string]int{"budget": 1}, dropped)
		require.Len(t, got, 3)
		require.Equal(t, map[string]string{"service.name": "sign-in"}, got[2].Dimensions)
	}
}

func TestAnyMetricsGiveValidDocumentsThatHoldEachPointOnce(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := New(options(), kickoff)
		b := newBatch(kickoff)
		names := []string{"a", "b.c", "é:☕", ":x", " ", "service.name", "_aws", strings.Repeat("n", 300)}
		values := []string{"", "v", "é", strings.Repeat("w", 2000), "\x00\n", "  "}
		n := r.IntN(300)
		for range n {
			b.gauge(names[r.IntN(len(names))], []string{"s", "By", "1", "{x}/s", "?"}[r.IntN(5)], r.NormFloat64()*math.Exp2(float64(r.IntN(800)-400)),
				names[r.IntN(len(names))], values[r.IntN(len(values))], "pod", values[r.IntN(len(values))])
		}
		points := 0
		dropped := c.Convert(b.Metrics, kickoff, func(_ pcommon.Map, _ int, _ int64, k int, doc string) {
			found, err := awsfake.ParseEMF(doc, kickoff)
			require.NoError(t, err, "seed %d: %s", seed, doc)
			require.Len(t, found, k)
			points += k
		})
		for _, k := range dropped {
			points += k
		}
		require.Equal(t, n, points, "seed %d", seed)
	}
}

func TestUnitsAreCloudWatchs(t *testing.T) {
	for u, want := range map[string]unit{
		"s": {"Seconds", 1}, "ns": {"Microseconds", 1e-3}, "By": {"Bytes", 1}, "KiBy": {"Bytes", 1024}, "%": {"Percent", 1}, "By/s": {"Bytes/Second", 1},
		"{request}": {"Count", 1}, "{request}/s": {"Count/Second", 1}, "1": {"", 1}, "": {"", 1}, "furlong": {"", 1}, "h": {"Seconds", 3600},
	} {
		require.Equal(t, want, unitOf(u, false), u)
	}
	require.Equal(t, "Count", unitOf("1", true).name)
	for u, known := range ucum {
		require.True(t, Units[known.name], u)
	}
}

func TestPatternsMatchAnyCharactersForAStar(t *testing.T) {
	for _, m := range []struct {
		pattern, name string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a*", "ab/c", true}, {"*.time", "cpu.time", true}, {"*.time", "cpu.times", false},
		{"a*b*c", "axxbyyc", true}, {"a*b*c", "axxcyyb", false}, {"*", "", true}, {"a*a", "a", false},
	} {
		require.Equal(t, m.want, matches(m.pattern, m.name), "%s %s", m.pattern, m.name)
	}
}
