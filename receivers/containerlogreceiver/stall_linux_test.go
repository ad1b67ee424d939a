package containerlogreceiver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/receivers/containerlogreceiver/internal/metadata"
)

// fullStall is how long the destination stalls, e.g. 60s; 3s without it.
const fullStall = "VIGIE_TEST_STALL"

// A destination that stalls while 20 MB/s are written: nothing is lost, the lag
// says so, and ten seconds after the stall it is gone. It is not more than what is
// written between two polls, that is: writing never stops.
func TestALagIsGoneTenSecondsAfterAStall(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 20 MB/s for some seconds")
	}
	stall := 3 * time.Second
	if v := os.Getenv(fullStall); v != "" {
		var err error
		stall, err = time.ParseDuration(v)
		require.NoError(t, err)
	}
	const files, rate = 50, 20 << 20
	dir := t.TempDir()
	var stalled atomic.Bool
	var got atomic.Int64
	sink, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		if stalled.Load() {
			return errors.New("stalled")
		}
		got.Add(int64(logs.LogRecordCount()))
		return nil
	})
	require.NoError(t, err)
	cfg := createDefaultConfig()
	cfg.Include, cfg.StartAt = []string{filepath.Join(dir, "*/*/*.log")}, "beginning"
	tele := componenttest.NewTelemetry()
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID, set.TelemetrySettings = component.NewID(metadata.Type), tele.NewTelemetrySettings()
	r := &logReceiver{set: set, config: cfg, next: sink}
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))

	// Each writer rotates at 5 MB, as a kubelet does.
	var wrote, bytes atomic.Int64
	var all sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for i := range files {
		all.Go(func() {
			writeLines(ctx, t, filepath.Join(dir, fmt.Sprintf("ns_pod%d_u", i), "app/0.log"), rate/files, &wrote, &bytes)
		})
	}
	time.Sleep(time.Second)
	stalled.Store(true)
	ready, from := bytes.Load(), time.Now()
	time.Sleep(stall)
	// The lag is summed up once a second, or later on a slow machine; the stall goes
	// on until it has had a chance to.
	var before, least int64
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		least = int64(0.6 * max(stall.Seconds()*rate, float64(bytes.Load()-ready)))
		before = gauge(t, tele, names.LogsLag)
		if before > least || time.Now().After(end) {
			break
		}
	}
	stalled.Store(false)
	began, cpu := time.Now(), cpuTime()
	var took time.Duration
	for took == 0 && time.Since(began) < 30*time.Second {
		time.Sleep(100 * time.Millisecond)
		// A second's worth: what is summed up once a second is never quite zero while
		// lines are written.
		if gauge(t, tele, names.LogsLag) < rate {
			took, cpu = time.Since(began), cpuTime()-cpu
		}
	}
	stop()
	all.Wait()
	for got.Load() < wrote.Load() && time.Since(began) < time.Minute {
		time.Sleep(100 * time.Millisecond)
	}
	require.NoError(t, r.Shutdown(t.Context()))
	require.Equal(t, wrote.Load(), got.Load(), "lines written, records accepted")
	t.Logf("after a stall of %s the lag of %.1f MB was gone within %s (%s of processor time, the writers' included), while %d MB/s were written",
		began.Sub(from).Round(100*time.Millisecond), float64(before)/1e6, took.Round(100*time.Millisecond), cpu.Round(100*time.Millisecond), rate>>20)
	require.Positive(t, took, "it never caught up")
	require.LessOrEqual(t, took, 10*time.Second)
	require.Greater(t, before, least, "the lag counts what came during the stall")
}

func gauge(t *testing.T, tele *componenttest.Telemetry, name string) (sum int64) {
	m, err := tele.GetMetric(name)
	require.NoError(t, err)
	for _, p := range m.Data.(metricdata.Gauge[int64]).DataPoints {
		sum += p.Value
	}
	return sum
}

func writeLines(ctx context.Context, t *testing.T, path string, rate int, wrote, sum *atomic.Int64) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Error(err)
		return
	}
	began, bytes := time.Now(), 0
	var block []byte // 100 lines, made once: writing is to cost little
	for i := range 100 {
		block = fmt.Appendf(block, "2026-07-11T19:00:00.123456789Z stdout F "+nginxLine+"\n", i%250, i%60, i, i)
	}
	for turn := 0; ctx.Err() == nil; turn++ {
		f, err := os.Create(path)
		if err != nil {
			t.Error(err)
			return
		}
		// Each file begins in its own way, as lines with times do.
		for size := 0; size < 5<<20 && ctx.Err() == nil; {
			n, err := fmt.Fprintf(f, "2026-07-11T19:00:00.%09dZ stdout F %s\n%s", turn, path, block)
			if err != nil {
				t.Error(err)
			}
			size, bytes = size+n, bytes+n
			sum.Add(int64(n))
			wrote.Add(101)
			select {
			case <-time.After(time.Until(began.Add(time.Duration(bytes) * time.Second / time.Duration(rate)))):
			case <-ctx.Done():
			}
		}
		_ = f.Close()
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, turn)); err != nil {
			t.Error(err)
		}
	}
}
