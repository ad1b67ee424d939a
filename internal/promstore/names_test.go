package promstore

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusremotewriteexporter"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// What AMP gets from the exporter and what the store keeps are compared series
// by series: labels, times, the bits of values, histograms and exemplars.
func TestTheStoreKeepsExactlyWhatTheRemoteWriteExporterSends(t *testing.T) {
	at := time.Now().Truncate(time.Millisecond).Add(-time.Minute)
	for name, md := range map[string]pmetric.Metrics{
		"every type":             everyType(at),
		"host metrics":           hostMetrics(at, 4),
		"two resources, one job": twoResources(at),
		"odd names":              oddNames(at),
		"stale markers":          staleMarkers(at),
		"unsorted points":        unsorted(at),
	} {
		t.Run(name, func(t *testing.T) {
			sent := throughExporter(t, md)
			require.NotEmpty(t, sent)
			s := openTest(t, Config{})
			dropped, err := s.AppendMetrics(t.Context(), md)
			require.NoError(t, err)
			require.Zero(t, dropped)
			if d := cmp.Diff(sent, held(t, s)); d != "" {
				t.Errorf("exporter (-) and store (+) differ:\n%s", d)
			}
		})
	}
}

// throughExporter sends md with the real exporter in its default configuration
// and returns what arrived, by series.
func throughExporter(t *testing.T, md pmetric.Metrics) map[string][]string {
	var mu sync.Mutex
	got := map[string][]string{}
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		packed, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		body, err := snappy.Decode(nil, packed)
		if err != nil {
			t.Error(err)
		}
		var req prompb.WriteRequest
		if err := req.Unmarshal(body); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, ts := range req.Timeseries {
			var b labels.ScratchBuilder
			key := ts.ToLabels(&b, nil).String()
			for _, p := range ts.Samples {
				got[key] = append(got[key], float(p.Timestamp, p.Value))
			}
			for _, h := range ts.Histograms {
				got[key] = append(got[key], native(h.Timestamp, h.ToIntHistogram()))
			}
			for _, e := range ts.Exemplars {
				got[key] = append(got[key], example(e.ToExemplar(&b, nil).Labels, e.Timestamp, e.Value))
			}
		}
	}))
	defer srv.Close()
	f := prometheusremotewriteexporter.NewFactory()
	cfg := f.CreateDefaultConfig().(*prometheusremotewriteexporter.Config)
	cfg.HTTP.Endpoint = srv.URL
	cfg.RemoteWriteQueue.Enabled = false
	exp, err := f.CreateMetrics(t.Context(), exportertest.NewNopSettings(f.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, exp.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, exp.ConsumeMetrics(t.Context(), md))
	require.NoError(t, exp.Shutdown(t.Context()))
	mu.Lock()
	defer mu.Unlock()
	for _, v := range got {
		slices.Sort(v)
	}
	return got
}

// held reads all that the store has, by series.
func held(t *testing.T, s *Store) map[string][]string {
	got := map[string][]string{}
	q, err := s.Querier(math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	defer q.Close()
	all := labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+")
	set := q.Select(t.Context(), false, nil, all)
	for set.Next() {
		key := set.At().Labels().String()
		for it := set.At().Iterator(nil); ; {
			switch it.Next() {
			case chunkenc.ValFloat:
				got[key] = append(got[key], float(it.At()))
				continue
			case chunkenc.ValHistogram:
				got[key] = append(got[key], native(it.AtHistogram(nil)))
				continue
			}
			require.NoError(t, it.Err())
			break
		}
	}
	require.NoError(t, set.Err())
	eq, err := s.session.Load().db.ExemplarQuerier(t.Context())
	require.NoError(t, err)
	es, err := eq.Select(math.MinInt64, math.MaxInt64, []*labels.Matcher{all})
	require.NoError(t, err)
	for _, r := range es {
		for _, e := range r.Exemplars {
			key := r.SeriesLabels.String()
			got[key] = append(got[key], example(e.Labels, e.Ts, e.Value))
		}
	}
	for _, v := range got {
		slices.Sort(v)
	}
	return got
}

func float(t int64, v float64) string { return fmt.Sprintf("%d %x", t, math.Float64bits(v)) }

func native(t int64, h *histogram.Histogram) string {
	return fmt.Sprintf("%d %s schema %d zero %g", t, h.String(), h.Schema, h.ZeroThreshold)
}

func example(ls labels.Labels, t int64, v float64) string {
	return fmt.Sprintf("exemplar %s %d %g", ls, t, v)
}

// everyType has each metric type, temporality and unit quirk that the translator
// treats in its own way.
func everyType(at time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	for k, v := range map[string]string{
		"service.name": "checkout", "service.namespace": "shop", "service.instance.id": "pod-1",
		"k8s.cluster.name": "live", "host.name": "node-1",
	} {
		rm.Resource().Attributes().PutStr(k, v)
	}
	rm.Resource().Attributes().PutInt("process.pid", 42)
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("github.com/acme/meter")
	sm.Scope().SetVersion("1.2.3")
	sm.Scope().Attributes().PutStr("team", "payments")
	ts := pcommon.NewTimestampFromTime(at)
	add := func(name, unit string) pmetric.Metric {
		m := sm.Metrics().AppendEmpty()
		m.SetName(name)
		m.SetUnit(unit)
		m.SetDescription("about " + name)
		return m
	}
	number := func(p pmetric.NumberDataPoint, v float64) {
		p.SetTimestamp(ts)
		p.SetDoubleValue(v)
		p.Attributes().PutStr("http.route", "/cart")
	}
	number(add("queue.depth", "{message}").SetEmptyGauge().DataPoints().AppendEmpty(), 3)
	number(add("memory.ratio", "1").SetEmptyGauge().DataPoints().AppendEmpty(), 0.5)
	number(add("temperature", "Cel").SetEmptyGauge().DataPoints().AppendEmpty(), math.Inf(-1))
	requests := add("http.requests", "{request}").SetEmptySum()
	requests.SetIsMonotonic(true)
	requests.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p := requests.DataPoints().AppendEmpty()
	number(p, 17)
	exemplars(p.Exemplars(), ts, 1)
	upDown := add("connections.open", "By").SetEmptySum()
	upDown.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	number(upDown.DataPoints().AppendEmpty(), 9)

	hist := add("http.server.request.duration", "s").SetEmptyHistogram()
	hist.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	hp := hist.DataPoints().AppendEmpty()
	hp.SetTimestamp(ts)
	hp.SetCount(10)
	hp.SetSum(3.25)
	hp.ExplicitBounds().FromRaw([]float64{0.005, 0.1, 2.5})
	hp.BucketCounts().FromRaw([]uint64{1, 4, 3, 2})
	hp.Attributes().PutStr("http.route", "/cart")
	exemplars(hp.Exemplars(), ts, 0.09)

	exp := add("http.client.request.duration", "ms").SetEmptyExponentialHistogram()
	exp.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	ep := exp.DataPoints().AppendEmpty()
	ep.SetTimestamp(ts)
	ep.SetScale(10) // scaled down to 8
	ep.SetCount(12)
	ep.SetSum(99)
	ep.SetZeroCount(2)
	ep.Positive().SetOffset(5)
	ep.Positive().BucketCounts().FromRaw([]uint64{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2})
	ep.Negative().SetOffset(-3)
	ep.Negative().BucketCounts().FromRaw([]uint64{3})

	sum := add("gc.pause", "s").SetEmptySummary().DataPoints().AppendEmpty()
	sum.SetTimestamp(ts)
	sum.SetCount(5)
	sum.SetSum(0.5)
	for q, v := range map[float64]float64{0.5: 0.1, 0.99: 0.2, 1: math.NaN()} {
		qv := sum.QuantileValues().AppendEmpty()
		qv.SetQuantile(q)
		qv.SetValue(v)
	}
	return md
}

func exemplars(es pmetric.ExemplarSlice, ts pcommon.Timestamp, v float64) {
	e := es.AppendEmpty()
	e.SetTimestamp(ts)
	e.SetDoubleValue(v)
	e.SetTraceID([16]byte{1, 2, 3})
	e.SetSpanID([8]byte{4, 5})
	e.FilteredAttributes().PutStr("user.tier", "gold")
}

func twoResources(at time.Time) pmetric.Metrics {
	md := everyType(at)
	everyType(at.Add(time.Second)).ResourceMetrics().At(0).CopyTo(md.ResourceMetrics().AppendEmpty())
	md.ResourceMetrics().At(1).Resource().Attributes().PutStr("service.instance.id", "pod-2")
	bare := gauge("up.time", at, 1).ResourceMetrics().At(0)
	bare.Resource().Attributes().Clear()
	bare.CopyTo(md.ResourceMetrics().AppendEmpty())
	return md
}

func oddNames(at time.Time) pmetric.Metrics {
	md := gauge("1st.größe.per__second", at, 1, "1a", "x", "a.b", "one", "a_b", "two", "empty", "", "ünï", "y", "__name", "z", "job", "mine")
	gauge("system.cpu.time", at, 2, "a.b", "same", "a_b", "same").ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
	md.ResourceMetrics().At(1).ScopeMetrics().At(0).Metrics().At(0).SetUnit("m/s")
	return md
}

func staleMarkers(at time.Time) pmetric.Metrics {
	md := everyType(at)
	for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		stale := pmetric.DefaultDataPointFlags.WithNoRecordedValue(true)
		switch m.Type() {
		case pmetric.MetricTypeGauge:
			m.Gauge().DataPoints().At(0).SetFlags(stale)
		case pmetric.MetricTypeSum:
			m.Sum().DataPoints().At(0).SetFlags(stale)
		case pmetric.MetricTypeHistogram:
			m.Histogram().DataPoints().At(0).SetFlags(stale)
		case pmetric.MetricTypeSummary:
			m.Summary().DataPoints().At(0).SetFlags(stale)
		}
	}
	return md
}

func unsorted(at time.Time) pmetric.Metrics {
	md := gauge("load", at, 0)
	ps := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints()
	for _, s := range []int{5, 2, 9, 1, 30} {
		p := ps.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Duration(s) * time.Second)))
		p.SetIntValue(int64(s))
	}
	return md
}

// hostMetrics is shaped like what the hostmetrics receiver makes of one machine
// in one interval: some 180 points a CPU-quad.
func hostMetrics(at time.Time, cpus int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "vigie")
	rm.Resource().Attributes().PutStr("host.name", "laptop")
	rm.Resource().Attributes().PutStr("os.type", "linux")
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("github.com/open-telemetry/opentelemetry-collector-contrib/receiver/hostmetricsreceiver/internal/scraper/cpuscraper")
	sm.Scope().SetVersion("0.159.0")
	ts := pcommon.NewTimestampFromTime(at)
	sum := func(name, unit string, monotonic bool, combos [][]string) {
		m := sm.Metrics().AppendEmpty()
		m.SetName(name)
		m.SetUnit(unit)
		x := m.SetEmptySum()
		x.SetIsMonotonic(monotonic)
		x.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		for i, c := range combos {
			p := x.DataPoints().AppendEmpty()
			p.SetTimestamp(ts)
			p.SetDoubleValue(float64(at.Unix()%100000) + float64(i)/3)
			for j := 0; j+1 < len(c); j += 2 {
				p.Attributes().PutStr(c[j], c[j+1])
			}
		}
	}
	var cpu, disk, net, conns [][]string
	for c := range cpus {
		for _, st := range []string{"user", "system", "idle", "interrupt", "nice", "softirq", "steal", "wait"} {
			cpu = append(cpu, []string{"cpu", fmt.Sprintf("cpu%d", c), "state", st})
		}
	}
	for _, d := range []string{"nvme0n1", "nvme0n1p1", "nvme0n1p2", "dm-0"} {
		for _, dir := range []string{"read", "write"} {
			disk = append(disk, []string{"device", d, "direction", dir})
		}
	}
	for _, d := range []string{"lo", "eth0", "wlan0", "docker0"} {
		for _, dir := range []string{"receive", "transmit"} {
			net = append(net, []string{"device", d, "direction", dir})
		}
	}
	for _, st := range []string{"CLOSE", "CLOSE_WAIT", "CLOSING", "DELETE", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "LAST_ACK", "LISTEN", "SYN_RECV", "SYN_SENT", "TIME_WAIT"} {
		conns = append(conns, []string{"protocol", "tcp", "state", st})
	}
	sum("system.cpu.time", "s", true, cpu)
	for _, n := range []string{"io", "operations", "io_time", "operation_time", "merged", "weighted_io_time"} {
		sum("system.disk."+n, "By", true, disk)
	}
	for _, n := range []string{"io", "packets", "errors", "dropped"} {
		sum("system.network."+n, "{packets}", true, net)
	}
	sum("system.network.connections", "{connections}", false, conns)
	sum("system.memory.usage", "By", false, [][]string{{"state", "used"}, {"state", "free"}, {"state", "cached"}, {"state", "buffered"}, {"state", "slab_reclaimable"}, {"state", "slab_unreclaimable"}})
	return md
}
