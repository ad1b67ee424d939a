package promstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
)

// send posts a body as a remote writer does.
func send(t testing.TB, s *Store, body []byte, headers ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/write", bytes.NewReader(body))
	r.Header.Set("Content-Encoding", "snappy")
	r.Header.Set("Content-Type", "application/x-protobuf")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func pack(t testing.TB, req *prompb.WriteRequest) []byte {
	t.Helper()
	b, err := req.Marshal()
	require.NoError(t, err)
	return snappy.Encode(nil, b)
}

func series(samples []prompb.Sample, pairs ...string) prompb.TimeSeries {
	ts := prompb.TimeSeries{Samples: samples}
	for i := 0; i+1 < len(pairs); i += 2 {
		ts.Labels = append(ts.Labels, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	return ts
}

func TestARemoteWriteRequestIsKeptWhole(t *testing.T) {
	s := openTest(t, Config{})
	now := time.Now().UnixMilli()
	ts := series([]prompb.Sample{{Timestamp: now - 1000, Value: 1}, {Timestamp: now, Value: math.Float64frombits(0x7ff0000000000002)}}, "__name__", "up", "job", "node")
	ts.Exemplars = []prompb.Exemplar{{Labels: []prompb.Label{{Name: "trace_id", Value: "abc"}}, Timestamp: now, Value: 1}}
	h := &histogram.Histogram{Schema: 1, Count: 5, Sum: 9, ZeroCount: 1, ZeroThreshold: 0.001, PositiveSpans: []histogram.Span{{Offset: 1, Length: 2}}, PositiveBuckets: []int64{1, 2}}
	hist := series(nil, "__name__", "latency")
	hist.Histograms = []prompb.Histogram{prompb.FromIntHistogram(now, h)}
	hist.Histograms[0].ResetHint = prompb.Histogram_NO // a claim that tsdb would believe
	code, body := send(t, s, pack(t, &prompb.WriteRequest{
		Timeseries: []prompb.TimeSeries{ts, hist},
		Metadata:   []prompb.MetricMetadata{{Type: prompb.MetricMetadata_GAUGE, MetricFamilyName: "up", Help: "is it?", Unit: ""}},
	}))
	require.Equal(t, 204, code, body)
	want := map[string][]string{
		`{__name__="up", job="node"}`: {float(now-1000, 1), float(now, math.Float64frombits(0x7ff0000000000002)), example(labels.FromStrings("trace_id", "abc"), now, 1)},
		`{__name__="latency"}`:        {native(now, h)},
	}
	for _, v := range want {
		slices.Sort(v)
	}
	if d := cmp.Diff(want, held(t, s)); d != "" {
		t.Error(d)
	}
	_, got := get(t, s, "/api/v1/metadata", nil)
	require.Equal(t, `{"status":"success","data":{"up":[{"type":"gauge","help":"is it?","unit":""}]}}`, got)
	require.EqualValues(t, 3, s.Status().SamplesAppended)
}

func TestAFalseClaimOfNoResetDoesNotPanic(t *testing.T) {
	s := openTest(t, Config{})
	now := time.Now().UnixMilli()
	for i, count := range []int64{5, 1, 7} {
		h := &histogram.Histogram{Count: uint64(count), Sum: 1, PositiveSpans: []histogram.Span{{Offset: 0, Length: 1}}, PositiveBuckets: []int64{count}}
		ts := series(nil, "__name__", "latency")
		ts.Histograms = []prompb.Histogram{prompb.FromIntHistogram(now+int64(i), h)}
		ts.Histograms[0].ResetHint = prompb.Histogram_NO
		code, body := send(t, s, pack(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{ts}}))
		require.Equal(t, 204, code, body)
	}
}

func TestBadSamplesAreRefusedAndTheRestOfTheRequestIsKept(t *testing.T) {
	s := openTest(t, Config{})
	now := time.Now().UnixMilli()
	ok := []prompb.Sample{{Timestamp: now, Value: 1}}
	invalid := prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: "inconsistent"}}}
	invalid.Histograms = []prompb.Histogram{prompb.FromIntHistogram(now, &histogram.Histogram{Count: 1, PositiveSpans: []histogram.Span{{Length: 3}}, PositiveBuckets: []int64{1}})}
	req := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{
		series(ok, "__name__", "good", "a", "1"),
		series(ok, "no_name", "x"),
		series(ok, "__name__", "twice", "a", "1", "a", "2"),
		series(ok, "__name__", "bad\xff"),
		series(ok, "__name__", "long", "v", strings.Repeat("x", 3000)),
		series([]prompb.Sample{{Timestamp: now + 3_600_000}, {Timestamp: 1}, {Timestamp: now, Value: 2}}, "__name__", "times"),
		invalid,
		series(ok, "__name__", "good", "a", "2"),
	}}
	code, body := send(t, s, pack(t, req))
	require.Equal(t, 400, code)
	require.Contains(t, body, "7 of 10 samples refused, the rest is stored")
	require.Equal(t, map[string]uint64{"invalid_labels": 3, "label_limit": 1, "future": 1, "too_old": 1, "histogram": 1}, s.Status().Dropped)
	kept := held(t, s)
	require.Contains(t, kept, `{__name__="good", a="1"}`)
	require.Contains(t, kept, `{__name__="good", a="2"}`)
	require.Contains(t, kept, `{__name__="times"}`)
	require.Len(t, kept, 3)

	code, body = send(t, s, pack(t, &prompb.WriteRequest{Timeseries: req.Timeseries[:1]}))
	require.Equal(t, 204, code, "a duplicate is no error: %s", body)
}

func TestUnsortedLabelsAreTheSameSeries(t *testing.T) {
	s := openTest(t, Config{})
	now := time.Now().UnixMilli()
	for i, pairs := range [][]string{{"__name__", "x", "a", "1", "b", "2"}, {"b", "2", "a", "1", "__name__", "x"}, {"__name__", "x", "a", "1", "b", "2", "c", ""}} {
		code, body := send(t, s, pack(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{series([]prompb.Sample{{Timestamp: now + int64(i)}}, pairs...)}}))
		require.Equal(t, 204, code, body)
	}
	require.EqualValues(t, 1, s.Status().HeadSeries)
}

func TestBodiesThatLieOrBreakOffLeaveNothingBehind(t *testing.T) {
	s := openTest(t, Config{RemoteWriteMaxBytes: 1 << 20})
	now := time.Now().UnixMilli()
	good, err := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{series([]prompb.Sample{{Timestamp: now}}, "__name__", "x")}}).Marshal()
	require.NoError(t, err)
	huge := binary.AppendUvarint(nil, 4<<30-1)
	for name, c := range map[string]struct {
		body []byte
		code int
	}{
		"empty":                         {nil, 400},
		"not snappy":                    {[]byte("hello"), 400},
		"claims 4 GiB":                  {append(huge, 0, 0), 413},
		"claims 1 MiB in 5 bytes":       {append(binary.AppendUvarint(nil, 1<<20), 0, 0), 400},
		"a bomb":                        {snappy.Encode(nil, make([]byte, 8<<20)), 413},
		"too long as sent":              {bytes.Repeat([]byte{0xff}, 1<<20+1), 413},
		"not protobuf":                  {snappy.Encode(nil, []byte("\xff\xff\xff")), 400},
		"breaks off":                    {snappy.Encode(nil, append(slices.Clone(good), good[:len(good)-3]...)), 400},
		"field longer than the message": {snappy.Encode(nil, []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f}), 400},
		"samples as a number":           {snappy.Encode(nil, []byte{0x0a, 0x02, 0x10, 0x01}), 400},
	} {
		code, body := send(t, s, c.body)
		require.Equal(t, c.code, code, "%s: %s", name, body)
	}
	require.Zero(t, s.Status().HeadSeries)
	require.Equal(t, map[string]uint64{"malformed": 7, "too_large": 3}, s.Status().Dropped)

	for _, h := range [][]string{{"Content-Encoding", "gzip"}, {"Content-Type", "application/json"}, {"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"}} {
		code, _ := send(t, s, snappy.Encode(nil, good), h...)
		require.Equal(t, 415, code, h)
	}
	code, _ := send(t, s, snappy.Encode(nil, good), "Content-Type", "application/x-protobuf;proto=prometheus.WriteRequest")
	require.Equal(t, 204, code)
}

// A message of two bytes becomes a struct of 32 to 200 in the generated decoder.
func TestManyEmptyMessagesDoNotMultiplyInMemory(t *testing.T) {
	s := openTest(t, Config{})
	now := time.Now().UnixMilli()
	empties := func(field byte) []byte {
		ts, err := (&prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: "x"}}, Samples: []prompb.Sample{{Timestamp: now}}}).Marshal()
		require.NoError(t, err)
		ts = append(ts, bytes.Repeat([]byte{field<<3 | 2, 0}, 15<<20)...)
		return append(binary.AppendUvarint([]byte{0x0a}, uint64(len(ts))), ts...)
	}
	bodies := [][]byte{bytes.Repeat([]byte{0x0a, 0}, 15<<20), bytes.Repeat([]byte{0x1a, 0}, 15<<20), empties(1), empties(2), empties(3), empties(4)}
	for i, plain := range bodies {
		body := snappy.Encode(nil, plain)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		code, answer := send(t, s, body)
		runtime.ReadMemStats(&after)
		require.Contains(t, []int{204, 400}, code, answer)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(10*len(plain)), "body %d", i)
	}
}

func TestTenMegabyteLabelValuesAreRefusedWhereverTheyStand(t *testing.T) {
	s := openTest(t, Config{})
	long := strings.Repeat("x", 10<<20)
	now := time.Now()
	cases := map[string]func() (int, error){
		"attribute": func() (int, error) { return s.AppendMetrics(t.Context(), gauge("x", now, 1, "a", long)) },
		"attribute name": func() (int, error) {
			return s.AppendMetrics(t.Context(), gauge("x", now, 1, long, "a"))
		},
		"metric name": func() (int, error) { return s.AppendMetrics(t.Context(), gauge(long, now, 1)) },
		"service name": func() (int, error) {
			md := gauge("x", now, 1)
			md.ResourceMetrics().At(0).Resource().Attributes().PutStr("service.name", long)
			return s.AppendMetrics(t.Context(), md)
		},
		"scope": func() (int, error) {
			md := gauge("x", now, 1)
			md.ResourceMetrics().At(0).ScopeMetrics().At(0).Scope().SetName(long)
			return s.AppendMetrics(t.Context(), md)
		},
		"nested": func() (int, error) {
			md := gauge("x", now, 1)
			md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).Attributes().PutEmptyMap("m").PutStr("a", long)
			return s.AppendMetrics(t.Context(), md)
		},
	}
	for name, do := range cases {
		n, err := do()
		require.NoError(t, err, name)
		require.Equal(t, 1, n, name)
	}
	require.Equal(t, map[string]uint64{"label_limit": uint64(len(cases))}, s.Status().Dropped)

	// On another attribute of the resource it costs target_info and nothing else.
	md := gauge("kept", now, 1)
	md.ResourceMetrics().At(0).Resource().Attributes().PutStr("process.command_line", long)
	n, err := s.AppendMetrics(t.Context(), md)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.EqualValues(t, 1, s.Status().HeadSeries)
}

func TestAHistogramOfAMillionBucketsIsRefusedBeforeItIsTranslated(t *testing.T) {
	s := openTest(t, Config{})
	md := everyType(time.Now())
	for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Name() == "http.server.request.duration" {
			p := m.Histogram().DataPoints().At(0)
			p.BucketCounts().FromRaw(make([]uint64, 1_000_000))
			p.ExplicitBounds().FromRaw(make([]float64, 999_999))
		}
	}
	n, err := s.AppendMetrics(t.Context(), md)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, map[string]uint64{"bucket_limit": 1}, s.Status().Dropped)
	require.EqualValues(t, 1, count1(t, s, `count(queue_depth)`))
}

func count1(t testing.TB, s *Store, expr string) float64 {
	t.Helper()
	res, err := s.Query(t.Context(), expr, time.Now())
	require.NoError(t, err)
	v, err := res.Vector()
	require.NoError(t, err)
	require.Len(t, v, 1)
	return v[0].F
}

// One client sends a million series under one name, another goes on.
func TestAMillionSeriesOfOneClientStopAtTheirLimitAndLeaveRoomForOthers(t *testing.T) {
	s := openTest(t, Config{MaxSeries: 3000, MaxSeriesPerMetric: 2000})
	now := time.Now().UnixMilli()
	const perRequest, requests = 20_000, 50
	for r := range requests {
		req := &prompb.WriteRequest{}
		for i := range perRequest {
			req.Timeseries = append(req.Timeseries, series([]prompb.Sample{{Timestamp: now, Value: 1}}, "__name__", "flood", "id", fmt.Sprint(r*perRequest+i)))
		}
		code, _ := send(t, s, pack(t, req))
		require.Equal(t, 400, code)
	}
	require.EqualValues(t, 2000, s.Status().HeadSeries)
	require.Equal(t, map[string]uint64{"metric_series_limit": perRequest*requests - 2000}, s.Status().Dropped)
	n, err := s.AppendMetrics(t.Context(), hostMetrics(time.Now(), 4))
	require.NoError(t, err)
	require.Zero(t, n)
	for i := range 2000 { // other names: up to the limit of all
		_, err := s.AppendMetrics(t.Context(), gauge(fmt.Sprintf("name.%d", i), time.Now(), 1))
		require.NoError(t, err)
	}
	require.EqualValues(t, 3000, s.Status().HeadSeries)
	require.NotZero(t, s.Status().Dropped["series_limit"])
}
