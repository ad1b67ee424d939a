// Package promback gives a test a real Prometheus that takes remote write: the
// prometheus program where it is installed, else Vigie's embedded store, which is
// Prometheus' own tsdb and promql as libraries. It stands behind awsfake's
// remote-write front.
package promback

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vigie-otel/vigie/internal/promstore"
	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// Prometheus is a running one.
type Prometheus struct {
	// Kind is "prometheus" or "embedded".
	Kind string

	base string
}

// Start runs a Prometheus with an empty store of the test's own, on a port of
// loopback, until the test ends. window is how far behind the newest sample of
// its series one may come; Amazon Managed Prometheus has a minute by default and
// ten at most.
func Start(t testing.TB, window time.Duration) *Prometheus {
	t.Helper()
	if program, err := exec.LookPath("prometheus"); err == nil {
		return startProgram(t, program, window)
	}
	return StartEmbedded(t, window)
}

// StartEmbedded runs the embedded store also where the program is installed.
func StartEmbedded(t testing.TB, window time.Duration) *Prometheus {
	t.Helper()
	if window == 0 {
		window = -1 // the store's word for none
	}
	store, err := promstore.Open(promstore.Config{
		Dir: t.TempDir(), OutOfOrderWindow: window, MaxSeries: 1_000_000, MaxSeriesPerMetric: 1_000_000,
		QueryMaxSamples: 50_000_000, RemoteWriteMaxBytes: 64 << 20, MaxBytes: 8 << 30, Retention: 48 * time.Hour,
	}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatalf("open the embedded store: %v", err)
	}
	server := httptest.NewServer(store.Handler())
	t.Cleanup(func() {
		server.Close()
		_ = store.Close()
	})
	return &Prometheus{Kind: "embedded", base: server.URL}
}

const settings = `global: {scrape_interval: 1h}
storage: {tsdb: {out_of_order_time_window: %ds}}
`

func startProgram(t testing.TB, program string, window time.Duration) *Prometheus {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, settings, int(window.Seconds())), 0o600); err != nil {
		t.Fatal(err)
	}
	address := ports.Address(t)
	log, err := os.Create(filepath.Join(dir, "log")) //nolint:gosec // the test's own directory
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), //nolint:gosec // found in PATH
		"--web.listen-address="+address, "--web.enable-remote-write-receiver", "--query.max-samples=50000000", "--log.level=warn")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
	p := &Prometheus{Kind: "prometheus", base: "http://" + address}
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if res, err := http.Get(p.base + "/-/ready"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return p
			}
		}
		if time.Since(begin) > 30*time.Second {
			text, _ := os.ReadFile(log.Name()) //nolint:gosec // the test's own directory
			t.Fatalf("prometheus is not ready after 30 s:\n%s", text)
		}
	}
}

// WriteURL takes remote write.
func (p *Prometheus) WriteURL() string { return p.base + "/api/v1/write" }

// Value evaluates an expression whose result is one number at a time; 0 when it
// has no result.
func (p *Prometheus) Value(ctx context.Context, expr string, at time.Time) (float64, error) {
	q := url.Values{"query": {expr}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)}, "timeout": {"60s"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+"/api/v1/query?"+q.Encode(), nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct{ Value [2]any }
		}
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error != "" {
		return 0, fmt.Errorf("query %s: %d %s", expr, res.StatusCode, body)
	}
	if len(answer.Data.Result) == 0 {
		return 0, nil
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	return strconv.ParseFloat(text, 64)
}
