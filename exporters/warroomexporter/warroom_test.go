package warroomexporter

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/vigie-otel/vigie/exporters/warroomexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// pipelines is a running exporter with its three pipelines.
type pipelines struct {
	metrics exporter.Metrics
	logs    exporter.Logs
	traces  exporter.Traces
}

func testConfig(t *testing.T) *Config {
	cfg := createDefaultConfig()
	cfg.NetAddr.Endpoint = "127.0.0.1:0"
	cfg.Store.Directory = t.TempDir()
	return cfg
}

func open(t *testing.T, cfg *Config) pipelines {
	t.Helper()
	f := NewFactory()
	set := exportertest.NewNopSettings(metadata.Type)
	var r pipelines
	var err error
	r.metrics, err = f.CreateMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	r.logs, err = f.CreateLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	r.traces, err = f.CreateTraces(t.Context(), set, cfg)
	require.NoError(t, err)
	host := componenttest.NewNopHost()
	for _, c := range []component.Component{r.metrics, r.logs, r.traces} {
		require.NoError(t, c.Start(t.Context(), host))
		t.Cleanup(func() { require.NoError(t, c.Shutdown(t.Context())) })
	}
	return r
}

// address is set by the first Start of the instance behind the factory's three.
func roomOf(t *testing.T, cfg *Config) (*warroom, string) {
	t.Helper()
	w := newWarroom(exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, w.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, w.Shutdown(t.Context())) })
	return w, "http://" + w.addr.String()
}

func fetch(t *testing.T, req *http.Request) (int, string, http.Header) {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body), res.Header
}

func request(t *testing.T, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	require.NoError(t, err)
	return req
}

func gauge(service, name string, value float64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", service)
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	dp.SetDoubleValue(value)
	return md
}

func logLines(service string, bodies ...string) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", service)
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, b := range bodies {
		records.AppendEmpty().Body().SetStr(b)
	}
	return ld
}

func TestThreePipelinesShareOneRoomAndTheLastOneClosesIt(t *testing.T) {
	// A second store in the same directory would be refused: that the three
	// start shows that they are one.
	r := open(t, testConfig(t))
	require.NoError(t, r.metrics.ConsumeMetrics(t.Context(), gauge("shop", "orders", 1)))
	require.NoError(t, r.logs.ConsumeLogs(t.Context(), logLines("shop", "hello")))
	require.NoError(t, r.traces.ConsumeTraces(t.Context(), ptrace.NewTraces()))
}

func TestWhatArrivesIsShownAndAnswered(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	require.NoError(t, w.consumeMetrics(t.Context(), gauge("shop", "orders", 42)))
	require.NoError(t, w.consumeMetrics(t.Context(), gauge("shop", "ratio", math.NaN())))
	hostile := "<script>alert(1)</script> \u202egnp.exe " + strings.Repeat("x", 64<<10) + "\xff"
	require.NoError(t, w.consumeLogs(t.Context(), logLines("shop", "first", hostile)))
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetName("checkout")
	s.SetStartTimestamp(1e9)
	s.SetEndTimestamp(1e9 + 2_500_000)
	require.NoError(t, w.consumeTraces(t.Context(), td))

	code, body, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/now"))
	require.Equal(t, http.StatusOK, code)
	var got struct {
		Sources []struct {
			Signal, Service string
			Total           int
		}
		Metrics []struct {
			Name  string
			Value *float64
		}
		Logs  []struct{ Service, Body string }
		Spans []struct {
			Name       string
			Service    string
			DurationMS float64 `json:"duration_ms"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	if len(got.Sources) != 3 || len(got.Logs) != 2 || len(got.Spans) != 1 || len(got.Metrics) != 2 {
		t.Fatalf("got %s", body)
	}
	if got.Logs[1].Body != "first" || !strings.HasPrefix(got.Logs[0].Body, "<script>") || len(got.Logs[0].Body) > 1100 {
		t.Errorf("logs: %.200q", got.Logs)
	}
	if got.Spans[0].DurationMS != 2.5 || got.Spans[0].Service != "unknown" {
		t.Errorf("span: %+v", got.Spans[0])
	}
	if got.Metrics[0].Value == nil || *got.Metrics[0].Value != 42 || got.Metrics[1].Value != nil {
		t.Errorf("values: %s", body)
	}
	_, body, _ = fetch(t, request(t, http.MethodGet, base+"/api/warroom/now?q=FIRST&logs=1"))
	if !strings.Contains(body, `"first"`) || strings.Contains(body, "script") {
		t.Errorf("search: %s", body)
	}
	_, body, _ = fetch(t, request(t, http.MethodGet, base+"/api/v1/query?query=orders"))
	if !strings.Contains(body, `"job":"shop"`) || !strings.Contains(body, `"42"`) {
		t.Errorf("query: %s", body)
	}
	code, body, _ = fetch(t, request(t, http.MethodGet, base+"/healthz"))
	if code != http.StatusOK || !strings.Contains(body, `"status":"ok"`) {
		t.Errorf("health: %d %s", code, body)
	}
}

func TestThePageRunsNothingThatItDidNotBring(t *testing.T) {
	_, base := roomOf(t, testConfig(t))
	for path, want := range map[string]string{"/": "<!doctype html>", "/plain/": "<!doctype html>", "/plain/page.js": "use strict", "/plain/page.css": ":root"} {
		code, body, header := fetch(t, request(t, http.MethodGet, base+path))
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.80s", path, code, body)
		}
		csp := header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
	if code, _, _ := fetch(t, request(t, http.MethodPost, base+"/")); code != http.StatusMethodNotAllowed {
		t.Errorf("POST /: %d", code)
	}
	if code, _, _ := fetch(t, request(t, http.MethodGet, base+"/.keep")); code != http.StatusNotFound {
		t.Errorf("GET /.keep: %d", code)
	}
	if code, _, _ := fetch(t, request(t, http.MethodGet, base+"/nothing")); code != http.StatusNotFound {
		t.Errorf("GET /nothing: %d", code)
	}
}

func TestWithoutNodeThePlainPageStandsInAndSaysHowToGetTheOther(t *testing.T) {
	plain := must(fs.Sub(plainPage, "page"))
	require.Equal(t, plain, pageOf(fstest.MapFS{".keep": {}}, plain))
	built := fstest.MapFS{"index.html": {}}
	require.Equal(t, fs.FS(built), pageOf(built, plain))
	text, err := fs.ReadFile(plain, "index.html")
	require.NoError(t, err)
	require.Contains(t, string(text), "make web build")
}

func TestAnotherSiteCanNeitherReadNorWriteThroughAViewersBrowser(t *testing.T) {
	_, base := roomOf(t, testConfig(t))
	rebound := request(t, http.MethodGet, base+"/api/warroom/now")
	rebound.Host = "evil.example:8640"
	if code, _, _ := fetch(t, rebound); code != http.StatusForbidden {
		t.Errorf("a rebound name: %d", code)
	}
	cross := request(t, http.MethodPost, base+"/api/v1/write")
	cross.Header.Set("Sec-Fetch-Site", "cross-site")
	if code, _, _ := fetch(t, cross); code != http.StatusForbidden {
		t.Errorf("a cross-site write: %d", code)
	}
	for _, name := range []string{"localhost:8640", "127.0.0.1", "[::1]:8640"} {
		own := request(t, http.MethodGet, base+"/healthz")
		own.Host = name
		if code, _, _ := fetch(t, own); code != http.StatusOK {
			t.Errorf("%s: %d", name, code)
		}
	}
}

func TestOnlyLoopbackMayBeOpen(t *testing.T) {
	for endpoint, problems := range map[string]int{
		"127.0.0.1:8640": 0, "localhost:0": 0, "[::1]:8640": 0, "[::ffff:127.0.0.1]:1": 0,
		"0.0.0.0:8640": 2, ":8640": 2, "10.0.0.7:8640": 2, "example.com:1": 2, "nonsense": 1, "": 1,
	} {
		cfg := testConfig(t)
		cfg.NetAddr.Endpoint = endpoint
		got := 0
		if err := cfg.Validate(); err != nil {
			got = len(strings.Split(err.Error(), "\n"))
		}
		if got != problems {
			t.Errorf("%q: %d problems, want %d", endpoint, got, problems)
		}
	}
}

func TestAPortInUseSaysWhichAndWhatToDo(t *testing.T) {
	w, _ := roomOf(t, testConfig(t))
	cfg := testConfig(t)
	cfg.NetAddr.Endpoint = w.addr.String()
	second := newWarroom(exportertest.NewNopSettings(metadata.Type), cfg)
	err := second.Start(t.Context(), componenttest.NewNopHost())
	if err == nil || !strings.Contains(err.Error(), w.addr.String()) || !strings.Contains(err.Error(), "endpoint") {
		t.Errorf("got %v", err)
	}
	require.NoError(t, second.Shutdown(t.Context()))
	require.NoError(t, second.Shutdown(t.Context()))
}

func TestAfterAStartThatFailedTheNextPipelinesStartTriesAgain(t *testing.T) {
	cfg := testConfig(t)
	cfg.NetAddr.Endpoint = ports.Address(t)
	taken, err := net.Listen("tcp", cfg.NetAddr.Endpoint)
	require.NoError(t, err)
	f, set := NewFactory(), exportertest.NewNopSettings(metadata.Type)
	first, err := f.CreateLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	second, err := f.CreateMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	require.Error(t, first.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, taken.Close())
	require.NoError(t, second.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, first.Shutdown(t.Context()))
	code, _, _ := fetch(t, request(t, http.MethodGet, "http://"+cfg.NetAddr.Endpoint+"/healthz"))
	require.Equal(t, http.StatusOK, code, "it serves until the last pipeline goes")
	require.NoError(t, second.Shutdown(t.Context()))
	_, err = net.DialTimeout("tcp", cfg.NetAddr.Endpoint, time.Second)
	require.Error(t, err, "the last pipeline closed it")
}

func TestARingKeepsTheNewestAndNeverGrows(t *testing.T) {
	r := newRing[int](3)
	if got := r.newest(5, nil); len(got) != 0 {
		t.Errorf("an empty ring has %v", got)
	}
	r.put([]int{1, 2})
	r.put([]int{3, 4})
	r.put([]int{5, 6, 7, 8, 9})
	r.put([]int{10})
	if d := cmp.Diff([]int{10, 9, 8}, r.newest(5, nil)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{10}, r.newest(1, func(n *int) bool { return *n%2 == 0 })); d != "" {
		t.Error(d)
	}
	if r.total != 10 || cap(r.items) > 4 {
		t.Errorf("total %d, capacity %d", r.total, cap(r.items))
	}
}

func testKeeper(logs, bodyBytes int) *keeper {
	return &keeper{logs: newRing[logRow](logs), spans: newRing[spanRow](10), inventory: newInventory(), watches: newWatches(), bodyBytes: bodyBytes}
}

func TestABatchLargerThanAnyoneReadsIsCountedWholeAndShownInPart(t *testing.T) {
	k := testKeeper(1000, 100)
	bodies := make([]string, 5000)
	for i := range bodies {
		bodies[i] = fmt.Sprint(i)
	}
	ld := logLines("a", bodies[:3000]...)
	logLines("b", bodies[3000:]...).ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	k.takeLogs(ld, time.Now())
	got := k.logs.newest(1000, nil)
	if len(got) != perBatch || got[0].Body != "4999" || got[perBatch-1].Body != "4800" {
		t.Errorf("kept %d, %s to %s", len(got), got[0].Body, got[len(got)-1].Body)
	}
	a := newArrivals(10, 10)
	a.logs(ld, time.Unix(100, 0))
	if rows := a.list(time.Unix(101, 0)); len(rows) != 2 || rows[0].Total+rows[1].Total != 5000 {
		t.Errorf("counted %+v", rows)
	}
}

func TestSummariesAreNotAmongTheNewestLogs(t *testing.T) {
	ld := logLines("shop", "a line", "sketches")
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).SetEventName("vigie.summary")
	k := testKeeper(10, 100)
	k.takeLogs(ld, time.Now())
	if got := k.logs.newest(10, nil); len(got) != 1 || got[0].Body != "a line" {
		t.Errorf("kept %+v", got)
	}
}

func TestRatesAreOverTenWholeSecondsAndFallToZero(t *testing.T) {
	a := newArrivals(10, 10)
	at := time.Unix(1000, 0)
	for i := range 10 {
		a.logs(logLines("s", "x", "y", "z"), at.Add(time.Duration(i)*time.Second))
	}
	if got := a.list(at.Add(10 * time.Second))[0].Rate; got != 3 {
		t.Errorf("rate %v, want 3", got)
	}
	if got := a.list(at.Add(15 * time.Second))[0].Rate; got != 1.5 {
		t.Errorf("rate %v five seconds later, want 1.5", got)
	}
	if got := a.list(at.Add(time.Hour))[0]; got.Rate != 0 || got.Total != 30 {
		t.Errorf("an hour later: %+v", got)
	}
	a.logs(logLines("s", "x"), at) // a clock that jumped back
	if got := a.list(at.Add(time.Hour))[0].Total; got != 31 {
		t.Errorf("total %d after the clock jumped", got)
	}
}

func TestSourcesAndNamesBeyondTheLimitAreCountedTogether(t *testing.T) {
	a := newArrivals(3, 2)
	for i := range 1000 {
		a.metrics(gauge(fmt.Sprint("service-", i), fmt.Sprint("metric-", i), 1), time.Unix(int64(i), 0))
	}
	rows := a.list(time.Unix(1000, 0))
	var sum uint64
	others := false
	for _, r := range rows {
		sum += r.Total
		others = others || r.Service == other
	}
	if len(rows) != 4 || sum != 1000 || !others {
		t.Errorf("%d sources with %d points: %+v", len(rows), sum, rows)
	}
	values, hidden := a.values()
	if len(values) != 2 || hidden != 998 {
		t.Errorf("%d names, %d hidden", len(values), hidden)
	}
}

func TestCutKeepsWholeRunesAndMakesThemValid(t *testing.T) {
	for in, want := range map[string]string{"héllo": "h…", "a": "a", "ab\xffc": "ab…", "\xff": "\uFFFD"} {
		if got := cut(in, 2); got != want {
			t.Errorf("cut(%q, 2) = %q, want %q", in, got, want)
		}
	}
}

func BenchmarkConsumeLogs(b *testing.B) {
	bodies := make([]string, 8192)
	for i := range bodies {
		bodies[i] = `203.0.113.7 - - [10/Jul/2026:20:00:01 +0200] "GET /live/manifest.m3u8 HTTP/2.0" 200 512 "-" "player/7"`
	}
	ld := logLines("ingress", bodies...)
	a, k := newArrivals(500, 2000), testKeeper(2000, 1024)
	b.ReportAllocs()
	for b.Loop() {
		a.logs(ld, time.Now())
		k.takeLogs(ld, time.Now())
	}
	b.ReportMetric(float64(b.N)*float64(len(bodies))/b.Elapsed().Seconds(), "records/s")
}
