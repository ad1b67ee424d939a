package remotewriteexporter

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vigie-otel/vigie/exporters/remotewriteexporter/internal/metadata"
)

// server is a remote-write server that a test can make refuse.
type server struct {
	*httptest.Server
	limit int // largest body before compression; 0: any
	// answer, when set, may refuse the n-th request, counted from 1.
	answer func(w http.ResponseWriter, n int, r *prompb.WriteRequest) (refused bool)

	mu       sync.Mutex
	requests int                // guarded by mu
	sizes    []int              // guarded by mu; of requests that were taken
	held     map[string]float64 // guarded by mu; series → its last value
	taken    int                // guarded by mu; samples
}

func newServer(t *testing.T) *server {
	s := &server{held: map[string]float64{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	packed, _ := io.ReadAll(r.Body)
	plain, err := snappy.Decode(nil, packed)
	var req prompb.WriteRequest
	if err != nil || req.Unmarshal(plain) != nil || r.Header.Get("Content-Encoding") != "snappy" {
		http.Error(w, "not a write request", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if s.limit > 0 && len(plain) > s.limit {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	if s.answer != nil && s.answer(w, s.requests, &req) {
		return
	}
	s.sizes = append(s.sizes, len(plain))
	for _, ts := range req.Timeseries {
		var name strings.Builder
		for _, l := range ts.Labels {
			fmt.Fprintf(&name, "%s=%s,", l.Name, l.Value)
		}
		for _, sample := range ts.Samples {
			s.held[name.String()] = sample.Value
			s.taken++
		}
	}
}

// gauges are n series of one sample each.
func gauges(n int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("load")
	points := m.SetEmptyGauge().DataPoints()
	for i := range n {
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(time.Unix(1_800_000_000, 0)))
		p.SetIntValue(int64(i))
		p.Attributes().PutStr("of", fmt.Sprintf("%06d", i))
	}
	return md
}

// open makes a writer for the server, and a reader of its counters.
func open(t *testing.T, s *server, change func(*Config)) (*writer, func(string) map[string]int64) {
	t.Helper()
	cfg := defaultConfig().(*Config)
	cfg.Endpoint = s.URL + "/api/v1/write"
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	set := exportertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	w, err := newWriter(set, cfg)
	require.NoError(t, err)
	require.NoError(t, w.start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, w.shutdown(context.Background())) })
	return w, func(name string) map[string]int64 {
		got := map[string]int64{}
		m, err := tel.GetMetric("otelcol_" + name)
		if err != nil {
			return got
		}
		for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
			reason, _ := p.Attributes.Value("reason")
			got[reason.AsString()] = p.Value
		}
		return got
	}
}

func TestEverySeriesArrivesOnceInRequestsThatFit(t *testing.T) {
	s := newServer(t)
	w, counter := open(t, s, func(c *Config) {
		c.MaxBatchSizeBytes = 20_000
		c.ExternalLabels = map[string]string{"cluster": "tv", "zone": ""}
	})
	require.NoError(t, w.push(t.Context(), gauges(5000)))
	if len(s.held) != 5000 || s.taken != 5000 {
		t.Errorf("%d series, %d samples; want 5000 of each", len(s.held), s.taken)
	}
	if most := slices.Max(s.sizes); most > 20_000 || most < 19_000 {
		t.Errorf("the largest request has %d bytes, the limit is 20000", most)
	}
	for series := range s.held {
		if !strings.Contains(series, "cluster=tv,") || strings.Contains(series, "zone") {
			t.Fatalf("external labels of %s", series)
		}
	}
	if d := cmp.Diff(map[string]int64{"": 5000}, counter("remote_write_sent_samples")); d != "" {
		t.Error(d)
	}
}

func TestABatchThatCantBeTakenNowIsCountedOnceItIs(t *testing.T) {
	for _, status := range []int{429, 500, 503, 401, 403, 408} {
		s := newServer(t)
		s.answer = func(w http.ResponseWriter, n int, _ *prompb.WriteRequest) bool {
			if n != 2 {
				return false
			}
			w.Header().Set("Retry-After", "7")
			http.Error(w, "not now", status)
			return true
		}
		w, counter := open(t, s, func(c *Config) { c.MaxBatchSizeBytes, c.Parallelism = 10_000, 1 })
		md := gauges(1000)
		err := w.push(t.Context(), md)
		require.ErrorContains(t, err, "not now", status)
		if len(counter("remote_write_sent_samples")) != 0 {
			t.Errorf("%d: a batch that is not settled was counted", status)
		}
		require.NoError(t, w.push(t.Context(), md))
		if d := cmp.Diff(map[string]int64{"": 1000}, counter("remote_write_sent_samples")); d != "" || len(s.held) != 1000 {
			t.Errorf("%d: %d series, %s", status, len(s.held), d)
		}
		if len(counter("remote_write_dropped_samples")) != 0 {
			t.Errorf("%d: samples were dropped", status)
		}
	}
}

func TestWhatIsRefusedForGoodIsCountedByReasonAndTheRestGoesOn(t *testing.T) {
	for reason, words := range map[string]string{
		"out_of_order": "out of order sample", "refused": "label name is not valid",
	} {
		s := newServer(t)
		refused := 0
		s.answer = func(w http.ResponseWriter, n int, r *prompb.WriteRequest) bool {
			if n == 2 {
				refused = len(r.Timeseries)
				http.Error(w, words, http.StatusBadRequest)
			}
			return n == 2
		}
		w, counter := open(t, s, func(c *Config) { c.MaxBatchSizeBytes = 10_000 })
		require.NoError(t, w.push(t.Context(), gauges(1000)))
		if d := cmp.Diff(map[string]int64{reason: int64(refused)}, counter("remote_write_dropped_samples")); d != "" || refused == 0 {
			t.Errorf("%s: %s", reason, d)
		}
		if d := cmp.Diff(map[string]int64{"": int64(1000 - refused)}, counter("remote_write_sent_samples")); d != "" || len(s.held) != 1000-refused {
			t.Errorf("%s: %d series held: %s", reason, len(s.held), d)
		}
	}
}

func TestARequestThatIsTooLargeIsHalvedUntilItFits(t *testing.T) {
	s := newServer(t)
	s.limit = 3000
	w, counter := open(t, s, nil)
	require.NoError(t, w.push(t.Context(), gauges(1000)))
	if len(s.held) != 1000 || s.taken != 1000 {
		t.Errorf("%d series, %d samples; want 1000 of each", len(s.held), s.taken)
	}

	s.limit = 10 // not even one series
	require.NoError(t, w.push(t.Context(), gauges(4)))
	if d := cmp.Diff(map[string]int64{"too_large": 4}, counter("remote_write_dropped_samples")); d != "" {
		t.Error(d)
	}
}

func TestNoAnswerIsNotALoss(t *testing.T) {
	s := newServer(t)
	w, counter := open(t, s, nil)
	s.Close()
	err := w.push(t.Context(), gauges(3))
	require.ErrorContains(t, err, "connection refused")
	if len(counter("remote_write_dropped_samples")) != 0 {
		t.Error("samples were dropped")
	}
}

func TestRetryAfterIsReadInBothItsForms(t *testing.T) {
	now := time.Date(2026, 7, 14, 21, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-7":                            0,
		"soon":                          0,
		"Tue, 14 Jul 2026 21:00:30 GMT": 30 * time.Second,
		"Tue, 14 Jul 2026 20:00:00 GMT": 0,
		"86400":                         longest,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

func TestValidateNamesEverythingThatIsWrong(t *testing.T) {
	cfg := defaultConfig().(*Config)
	cfg.Endpoint, cfg.MaxBatchSizeBytes, cfg.Parallelism, cfg.Compression = "amp", 5, 0, "gzip"
	err := cfg.Validate()
	for _, want := range []string{"endpoint must be the URL", "max_batch_size_bytes must be at least", "parallelism must be 1 to 64", "compression must stay empty"} {
		require.ErrorContains(t, err, want)
	}
}

func BenchmarkPush(b *testing.B) {
	discard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer discard.Close()
	cfg := defaultConfig().(*Config)
	cfg.Endpoint = discard.URL
	w, err := newWriter(exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(b, err)
	require.NoError(b, w.start(b.Context(), componenttest.NewNopHost()))
	defer func() { _ = w.shutdown(context.Background()) }()
	const n = 10_000
	md := gauges(n)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.push(b.Context(), md); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "samples/s")
}
