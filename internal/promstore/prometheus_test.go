package promstore

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// tool finds a program of Debian's prometheus package.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: apt-get install prometheus", name)
	}
	return path
}

func TestPromtoolIsAnsweredAsByPrometheus(t *testing.T) {
	promtool := tool(t, "promtool")
	s, at := seeded(t)
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"query", "instant", srv.URL, "queue_depth"}, `queue_depth{http_route="/cart", instance="pod-1"`},
		{[]string{"query", "instant", srv.URL, "1+1"}, "scalar: 2"},
		{[]string{"query", "range", "--start", fmt.Sprint(at.Unix() - 5), "--end", fmt.Sprint(at.Unix()), "--step", "1s", srv.URL, "sum(queue_depth)"}, "3 @["},
		{[]string{"query", "series", "--match", "queue_depth", srv.URL}, `__name__="queue_depth"`},
		{[]string{"query", "labels", srv.URL, "http_route"}, "/cart"},
	} {
		out, err := exec.CommandContext(t.Context(), promtool, c.args...).CombinedOutput()
		require.NoError(t, err, "%v: %s", c.args, out)
		require.Contains(t, string(out), c.want)
	}
	out, err := exec.CommandContext(t.Context(), promtool, "query", "instant", srv.URL, "sum(").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "bad_data")
}

// A real Prometheus scrapes itself and writes to the store.
func TestARealPrometheusFillsTheStoreByRemoteWrite(t *testing.T) {
	prometheus := tool(t, "prometheus")
	s := openTest(t, Config{})
	landed := make(chan int, 100)
	h := s.Handler()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		h.ServeHTTP(rec, r)
		select {
		case landed <- rec.code:
		default:
		}
	}))
	defer srv.Close()
	dir := t.TempDir()
	addr := ports.Address(t)
	cfg := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(cfg, fmt.Appendf(nil, `
global: {scrape_interval: 1s}
scrape_configs: [{job_name: self, static_configs: [{targets: [%q]}]}]
remote_write:
- url: %s/api/v1/write
  send_exemplars: true
  queue_config: {batch_send_deadline: 200ms}
  metadata_config: {send_interval: 1s}
`, addr, srv.URL), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, prometheus, "--config.file="+cfg, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--log.level=warn")
	var log strings.Builder
	cmd.Stderr = &log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	require.NoError(t, cmd.Start())
	defer func() { cancel(); _ = cmd.Wait() }()

	has := func() bool {
		res, err := s.Query(t.Context(), `up{job="self"} == 1 and on() prometheus_build_info and on() prometheus_http_request_duration_seconds_bucket{le="+Inf"} > 0`, time.Now())
		require.NoError(t, err)
		v, err := res.Vector()
		require.NoError(t, err)
		return len(v) > 0 && len(s.meta.get("", -1)) > 0
	}
	for !has() {
		select {
		case code := <-landed:
			require.Equal(t, 204, code)
		case <-ctx.Done():
			t.Fatalf("nothing arrived in 30 s: %s", log.String())
		}
	}
	require.Empty(t, s.Status().Dropped)

	// What it has and what the store has is the same, for a moment both know.
	at := fmt.Sprint(s.Status().Newest.Add(-1500 * time.Millisecond).Unix())
	ask := func(base string) map[string]any {
		resp, err := http.Get(base + "/api/v1/query?query=prometheus_tsdb_head_series&time=" + at)
		require.NoError(t, err)
		defer resp.Body.Close()
		var got map[string]any
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&got))
		return got
	}
	require.Equal(t, ask("http://"+addr), ask(srv.URL))
}

type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}
