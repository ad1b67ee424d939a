package promstore

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql"
	v1 "github.com/prometheus/prometheus/web/api/v1"
	"github.com/stretchr/testify/require"
)

// seeded is a store with every type of metric, at ten moments a second apart,
// the last of which is returned.
func seeded(t testing.TB) (*Store, time.Time) {
	s := openTest(t, Config{})
	at := time.Now().Truncate(time.Second)
	for i := range 10 {
		_, err := s.AppendMetrics(t.Context(), everyType(at.Add(time.Duration(i-9)*time.Second)))
		require.NoError(t, err)
	}
	return s, at
}

// Prometheus' own codec is the reference, byte for byte.
func TestQueryAnswersAreByteForByteThoseOfPrometheus(t *testing.T) {
	s, at := seeded(t)
	for _, expr := range []string{
		`{__name__=~".+"}`, `queue_depth * 1e-7`, `queue_depth * 1e21`, `queue_depth / 0`, `-queue_depth / 0`, `queue_depth * NaN`,
		`nothing_of_the_kind`, `1 / 3`, `1e-9`, `"a \"string\" <b>"`, `rate(http_requests_total[5s])`,
		`http_client_request_duration_milliseconds`, `http_client_request_duration_milliseconds[3s]`,
		`label_replace(queue_depth, "html", "<a&b>", "", "")`, `histogram_quantile(0.9, http_server_request_duration_seconds_bucket)`,
		`rate(queue_depth[5s])`, // a note: not a counter by its name
	} {
		t.Run(expr, func(t *testing.T) {
			res, err := s.Query(t.Context(), expr, at)
			require.NoError(t, err)
			code, got := get(t, s, "/api/v1/query", url.Values{"query": {expr}, "time": {unix(at)}})
			require.Equal(t, 200, code)
			require.Equal(t, envelope(t, res, expr), got)

			if strings.HasPrefix(expr, `"`) || strings.HasSuffix(expr, "[3s]") {
				return
			}
			res, err = s.QueryRange(t.Context(), expr, at.Add(-5*time.Second), at, time.Second)
			require.NoError(t, err)
			code, got = get(t, s, "/api/v1/query_range", url.Values{"query": {expr}, "start": {unix(at.Add(-5 * time.Second))}, "end": {unix(at)}, "step": {"1s"}})
			require.Equal(t, 200, code)
			require.Equal(t, envelope(t, res, expr), got)
		})
	}
}

func envelope(t *testing.T, res *promql.Result, expr string) string {
	warnings, infos := res.Warnings.AsStrings(expr, 10, 10)
	b, err := v1.JSONCodec{}.Encode(&v1.Response{
		Status: "success", Data: &v1.QueryData{ResultType: res.Value.Type(), Result: res.Value},
		Warnings: warnings, Infos: infos,
	})
	require.NoError(t, err)
	return string(b)
}

func unix(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64) }

func TestErrorsCarryThePrometheusTypeAndStatus(t *testing.T) {
	s, _ := seeded(t)
	long := strings.Repeat("(", maxQueryBytes) + "1"
	for _, c := range []struct {
		path string
		form url.Values
		code int
		kind string
		says string
	}{
		{"query", url.Values{"query": {"sum("}}, 400, "bad_data", `invalid parameter "query": 1:5: parse error`},
		{"query", url.Values{"query": {""}}, 400, "bad_data", "no expression found in input"},
		{"query", url.Values{"query": {"1"}, "time": {"noon"}}, 400, "bad_data", `invalid parameter "time": invalid time value for 'time': cannot parse "noon" to a valid timestamp`},
		{"query", url.Values{"query": {"1"}, "time": {"NaN"}}, 400, "bad_data", "valid timestamp"},
		{"query", url.Values{"query": {"1"}, "limit": {"-1"}}, 400, "bad_data", "limit must be non-negative"},
		{"query", url.Values{"query": {"1"}, "timeout": {"x"}}, 400, "bad_data", `invalid parameter "timeout"`},
		{"query", url.Values{"query": {long}}, 400, "bad_data", "at most 65536 are"},
		{"query", url.Values{"query": {"queue_depth + on() group_left queue_depth > bool 1 and {a=~\".*\"}"}}, 400, "bad_data", "parse error"},
		{"query", url.Values{"query": {`label_replace(queue_depth, "1 x", "$1", "", "(")`}}, 422, "execution", "invalid regular expression"},
		{"query", url.Values{"query": {"queue_depth"}, "timeout": {"0"}}, 503, "timeout", "timed out"},
		{"query_range", url.Values{"query": {"1"}, "start": {"0"}, "end": {"1"}, "step": {"0"}}, 400, "bad_data", "zero or negative query resolution"},
		{"query_range", url.Values{"query": {"1"}, "start": {"2"}, "end": {"1"}, "step": {"1"}}, 400, "bad_data", "end timestamp must not be before start time"},
		{"query_range", url.Values{"query": {"1"}, "start": {"0"}, "end": {"20000"}, "step": {"1"}}, 400, "bad_data", "exceeded maximum resolution of 11,000 points per timeseries"},
		{"query_range", url.Values{"query": {"1"}, "start": {"0"}, "end": {"1"}, "step": {"9e99"}}, 400, "bad_data", "overflows int64"},
		{"series", nil, 400, "bad_data", "no match[] parameter provided"},
		{"series", url.Values{"match[]": {`{a=""}`}}, 400, "bad_data", "at least one non-empty matcher"},
		{"label/a%FF/values", nil, 400, "bad_data", "invalid label name"},
		{"metadata", url.Values{"limit": {"x"}}, 400, "bad_data", "limit must be a number"},
		{"format_query", url.Values{"query": {"("}}, 400, "bad_data", "parse error"},
	} {
		code, body := get(t, s, "/api/v1/"+c.path, c.form)
		var e struct{ Status, ErrorType, Error string }
		require.NoError(t, json.Unmarshal([]byte(body), &e), body)
		require.Equal(t, c.code, code, "%s %v: %s", c.path, c.form, body)
		require.Equal(t, "error", e.Status)
		require.Equal(t, c.kind, e.ErrorType)
		require.Contains(t, e.Error, c.says)
	}
}

func TestDeeplyNestedExpressionsAreAnsweredAndNotFatal(t *testing.T) {
	s, _ := seeded(t)
	const n = maxQueryTokens
	for _, c := range []struct {
		expr string
		code int
	}{
		{strings.Repeat("(", n/2-1) + "1" + strings.Repeat(")", n/2-1), 200},
		{strings.Repeat("-", n-1) + "queue_depth", 200},
		{strings.Repeat("abs(", n/3-1) + "queue_depth" + strings.Repeat(")", n/3-1), 200},
		{"1" + strings.Repeat(" and 1", n/2), 400},
		{strings.Repeat("-", n) + "queue_depth", 400},
		{"queue_depth" + strings.Repeat(" or queue_depth", n/2), 400},
		// Length alone is no offence: dashboards send long alternations.
		{`queue_depth{http_route=~"` + strings.Repeat("/some/page-(1)|", 4000) + `/cart"}`, 200},
	} {
		code, body := get(t, s, "/api/v1/query", url.Values{"query": {c.expr}})
		require.Equal(t, c.code, code, "%.40s: %.200s", c.expr, body)
	}
}

func TestSeriesLabelsAndValuesAreFoundByPostAndGetAndCutWithAWarning(t *testing.T) {
	s, _ := seeded(t)
	h := s.Handler()
	post := func(path string, form url.Values) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 200, w.Code, w.Body)
		return w.Body.String()
	}
	match := url.Values{"match[]": {"queue_depth", `{__name__="memory_ratio_ratio"}`, "memory_ratio"}}
	_, got := get(t, s, "/api/v1/series", match)
	require.Equal(t, got, post("/api/v1/series", match))
	require.Contains(t, got, `"__name__":"queue_depth"`)
	require.Contains(t, got, `"job":"shop/checkout"`)

	_, got = get(t, s, "/api/v1/label/http_route/values", nil)
	require.Equal(t, `{"status":"success","data":["/cart"]}`, got)
	_, got = get(t, s, "/api/v1/label/__name__/values", url.Values{"match[]": {`{le!=""}`}})
	require.Equal(t, `{"status":"success","data":["http_server_request_duration_seconds_bucket"]}`, got)
	_, got = get(t, s, "/api/v1/label/none/values", nil)
	require.Equal(t, `{"status":"success","data":[]}`, got)
	_, got = get(t, s, "/api/v1/labels", url.Values{"match[]": {"gc_pause_seconds", "gc_pause_seconds_count"}, "limit": {"2"}})
	require.Equal(t, `{"status":"success","data":["__name__","http_route"],"warnings":["results truncated due to limit"]}`,
		strings.Replace(got, `"instance"`, `"http_route"`, 1))
	require.Equal(t, post("/api/v1/labels", nil), func() string { _, b := get(t, s, "/api/v1/labels", nil); return b }())
	_, got = get(t, s, "/api/v1/query", url.Values{"query": {`{__name__=~".+"}`}, "limit": {"1"}})
	require.Contains(t, got, `"warnings":["results truncated due to limit"]`)
	require.Equal(t, 1, strings.Count(got, `"metric"`))
	_, got = get(t, s, "/api/v1/series", url.Values{"match[]": {"queue_depth"}, "start": {"0"}, "end": {"100"}})
	require.Equal(t, `{"status":"success","data":[]}`, got)
}

func TestMetadataExemplarsAndWhatADataSourceProbes(t *testing.T) {
	s, at := seeded(t)
	_, got := get(t, s, "/api/v1/metadata", url.Values{"metric": {"http_server_request_duration_seconds"}})
	require.Equal(t, `{"status":"success","data":{"http_server_request_duration_seconds":[{"type":"histogram","help":"about http.server.request.duration","unit":"seconds"}]}}`, got)
	_, got = get(t, s, "/api/v1/metadata", url.Values{"limit": {"2"}})
	require.Equal(t, 2, strings.Count(got, `"type"`))
	_, got = get(t, s, "/api/v1/query_exemplars", url.Values{"query": {"http_requests_total"}, "start": {unix(at)}, "end": {unix(at)}})
	require.Equal(t, fmt.Sprintf(`{"status":"success","data":[{"seriesLabels":{"__name__":"http_requests_total","http_route":"/cart","instance":"pod-1","job":"shop/checkout","otel_scope_name":"github.com/acme/meter","otel_scope_team":"payments","otel_scope_version":"1.2.3"},`+
		`"exemplars":[{"labels":{"span_id":"0405000000000000","trace_id":"01020300000000000000000000000000","user.tier":"gold"},"value":"1","timestamp":%s}]}]}`, unix(at)), got)
	_, got = get(t, s, "/api/v1/status/buildinfo", nil)
	require.Contains(t, got, `"version":"3.13.2"`)
	_, got = get(t, s, "/api/v1/rules", nil)
	require.Equal(t, `{"status":"success","data":{"groups":[]}}`, got)
	_, got = get(t, s, "/api/v1/alerts", nil)
	require.Equal(t, `{"status":"success","data":{"alerts":[]}}`, got)
	_, got = get(t, s, "/api/v1/format_query", url.Values{"query": {"sum(rate(a[5m]))by(b)"}})
	require.Equal(t, `{"status":"success","data":"sum by (b) (rate(a[5m]))"}`, got)
	_, got = get(t, s, "/api/v1/query", url.Values{"query": {"1+1"}, "stats": {"all"}})
	require.Contains(t, got, `"stats":{"timings":{`)
	code, _ := get(t, s, "/api/v1/admin/tsdb/delete_series", nil)
	require.Equal(t, 404, code)
}

func TestAnswersAreCompressedWhereAsked(t *testing.T) {
	s, _ := seeded(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/label/__name__/values", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
	z, err := gzip.NewReader(w.Body)
	require.NoError(t, err)
	plain, err := io.ReadAll(z)
	require.NoError(t, err)
	_, want := get(t, s, "/api/v1/label/__name__/values", nil)
	require.Equal(t, want, string(plain))
}

func TestStaleSeriesEndAtTheirMarker(t *testing.T) {
	s := openTest(t, Config{})
	at := time.Now().Truncate(time.Second)
	_, err := s.AppendMetrics(t.Context(), everyType(at.Add(-10*time.Second)))
	require.NoError(t, err)
	_, err = s.AppendMetrics(t.Context(), staleMarkers(at.Add(-5*time.Second)))
	require.NoError(t, err)
	for q, n := range map[string]int{"queue_depth": 0, "http_requests_total": 0, "http_server_request_duration_seconds_count": 0, "gc_pause_seconds_sum": 0, "http_client_request_duration_milliseconds": 1, "queue_depth offset 6s": 1} {
		res, err := s.Query(t.Context(), q, at)
		require.NoError(t, err)
		v, err := res.Vector()
		require.NoError(t, err)
		require.Len(t, v, n, q)
	}
}

func TestSamplesOutOfTimeAreRefusedByReasonAndTheRestIsKept(t *testing.T) {
	s := openTest(t, Config{OutOfOrderWindow: 10 * time.Minute, Retention: 3 * time.Hour})
	now := time.Now()
	at := func(d time.Duration, v float64) int {
		n, err := s.AppendMetrics(t.Context(), gauge("x", now.Add(d), v))
		require.NoError(t, err)
		return n
	}
	require.Equal(t, 0, at(0, 1))
	require.Equal(t, 1, at(11*time.Minute, 1))
	require.Equal(t, 1, at(-4*time.Hour, 1))
	require.Equal(t, 1, at(-11*time.Minute, 1))
	require.Equal(t, 0, at(-9*time.Minute, 1), "within the window")
	require.Equal(t, 0, at(0, 1), "the same again is no error")
	require.Equal(t, 1, at(0, 2))
	n, err := s.AppendMetrics(t.Context(), gauge("zero.time", time.Unix(0, 0), 1))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, map[string]uint64{"future": 1, "too_old": 3, "duplicate_timestamp": 1}, s.Status().Dropped)
	require.EqualValues(t, 3, s.Status().SamplesAppended)
	require.WithinDuration(t, now, s.Status().Newest, time.Millisecond)
	require.WithinDuration(t, now.Add(-9*time.Minute), s.Status().Oldest, time.Millisecond)
}

func TestTheOutOfOrderWindowCanBeTurnedOff(t *testing.T) {
	s := openTest(t, Config{OutOfOrderWindow: -1})
	now := time.Now()
	_, err := s.AppendMetrics(t.Context(), gauge("x", now, 1))
	require.NoError(t, err)
	n, err := s.AppendMetrics(t.Context(), gauge("x", now.Add(-time.Second), 1))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, map[string]uint64{"out_of_order": 1}, s.Status().Dropped)
}

func TestDeltaTemporalityIsCountedAsUntranslatable(t *testing.T) {
	s := openTest(t, Config{})
	md := everyType(time.Now())
	ms := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	for _, m := range ms.All() {
		if m.Name() == "http.requests" {
			m.Sum().SetAggregationTemporality(1)
		}
	}
	n, err := s.AppendMetrics(t.Context(), md)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, map[string]uint64{"untranslatable": 1}, s.Status().Dropped)
}

func TestTimesAndDurationsReadAsPrometheusReadsThem(t *testing.T) {
	for text, want := range map[string]time.Time{
		"1435781451.781":           time.UnixMilli(1435781451781),
		"0":                        time.Unix(0, 0),
		"-1.5":                     time.UnixMilli(-1500),
		"2015-07-01T20:10:51.781Z": time.UnixMilli(1435781451781),
		minTimeText:                minTime,
		maxTimeText:                maxTime,
	} {
		got, err := parseTime(text)
		require.NoError(t, err)
		require.True(t, got.Equal(want), "%s: %s", text, cmp.Diff(want.String(), got.String()))
	}
	d, err := parseDuration("1h30m")
	require.NoError(t, err)
	require.Equal(t, 90*time.Minute, d)
	for _, text := range []string{"9223372036.854775807", strconv.FormatFloat(math.MaxInt64, 'f', -1, 64), "Inf", "NaN", "", "1x"} {
		_, err := parseDuration(text)
		require.Error(t, err, text)
	}
}
