package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// BenchmarkLaptop measures bin/vigie itself, as `make build` leaves it: its size,
// how long from start to ready (first of 5 starts, and their median), and what is
// resident after 60 s of the idle laptop shape. Goals: 120 MB, 1.5 s, 100 MiB.
// Run it with -benchtime=1x; an iteration takes a minute.
func BenchmarkLaptop(b *testing.B) {
	bin, err := filepath.Abs("../bin/vigie")
	require.NoError(b, err)
	info, err := os.Stat(bin)
	if err != nil {
		b.Skip("no bin/vigie: run make build first")
	}
	for b.Loop() {
		dir := b.TempDir()
		var ready []time.Duration
		for range 5 {
			p := launch(b, bin, dir)
			ready = append(ready, p.ready)
			p.stop(b)
		}
		p := launch(b, bin, dir)
		begin := cpuTime(b, p.cmd.Process.Pid)
		time.Sleep(60 * time.Second)
		status := memory(b, p.cmd.Process.Pid)
		b.ReportMetric(float64(cpuTime(b, p.cmd.Process.Pid)-begin)/60/float64(time.Millisecond), "cpu-ms/s-idle")
		p.stop(b)
		b.ReportMetric(float64(info.Size())/1e6, "MB-binary")
		b.ReportMetric(ready[0].Seconds(), "s-first-start")
		b.ReportMetric(median(ready).Seconds(), "s-start")
		b.ReportMetric(status["VmRSS"]/1024, "MiB-resident")
		b.ReportMetric(status["RssAnon"]/1024, "MiB-anonymous")
		b.ReportMetric(status["VmHWM"]/1024, "MiB-peak")
	}
	b.ReportMetric(0, "ns/op")
}

type launched struct {
	cmd   *exec.Cmd
	ready time.Duration
}

func launch(b *testing.B, bin, dir string) launched {
	b.Helper()
	page := ports.Address(b)
	cmd := exec.CommandContext(b.Context(), bin)
	cmd.Env = append(os.Environ(), "VIGIE_DATA_DIR="+dir, "VIGIE_PAGE_ENDPOINT="+page,
		"VIGIE_OTLP_HTTP_ENDPOINT="+ports.Address(b), "VIGIE_OTLP_GRPC_ENDPOINT="+ports.Address(b), "VIGIE_HEALTH_ENDPOINT="+ports.Address(b))
	begin := time.Now()
	require.NoError(b, cmd.Start())
	for {
		if res, err := http.Get("http://" + page + "/healthz"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return launched{cmd, time.Since(begin)}
			}
		}
		require.Less(b, time.Since(begin), time.Minute, "vigie did not get ready")
		time.Sleep(2 * time.Millisecond)
	}
}

func (l launched) stop(b *testing.B) {
	b.Helper()
	require.NoError(b, l.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(b, l.cmd.Wait())
}

func memory(b *testing.B, pid int) map[string]float64 {
	b.Helper()
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	kb := map[string]float64{}
	for line := range strings.Lines(string(body)) {
		if name, rest, ok := strings.Cut(line, ":"); ok {
			if v, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64); err == nil {
				kb[name] = v
			}
		}
	}
	return kb
}

// cpuTime is user and system time so far, from /proc/PID/stat (fields 14, 15).
func cpuTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(b, err)
	fields := strings.Fields(string(body[strings.LastIndexByte(string(body), ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		require.NoError(b, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}
