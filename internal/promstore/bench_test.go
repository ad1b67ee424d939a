package promstore

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// cpuTime is what the process has used so far: wall-clock figures of a busy
// machine say little.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perSample reports nanoseconds and samples a CPU-second.
func perSample(b *testing.B, samples int, cpu time.Duration) {
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(samples), "cpu-ns/sample")
	b.ReportMetric(float64(samples)/cpu.Seconds(), "samples/cpu-s")
}

// move sets every number point of md to t.
func move(md pmetric.Metrics, t time.Time) (points int) {
	ts := pcommon.NewTimestampFromTime(t)
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				var ps pmetric.NumberDataPointSlice
				if m.Type() == pmetric.MetricTypeSum {
					ps = m.Sum().DataPoints()
				} else {
					ps = m.Gauge().DataPoints()
				}
				for _, p := range ps.All() {
					p.SetTimestamp(ts)
					p.SetDoubleValue(p.DoubleValue() + 1)
					points++
				}
			}
		}
	}
	return points
}

func wide(series int) pmetric.Metrics {
	md := gauge("wide.metric", time.Now(), 0)
	ps := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints()
	for i := range series - 1 {
		p := ps.AppendEmpty()
		p.Attributes().PutStr("pod", fmt.Sprintf("checkout-7d9f8c6b5-%05d", i))
		p.Attributes().PutStr("namespace", "live")
		p.Attributes().PutStr("node", fmt.Sprintf("ip-10-0-%d-%d", i/250, i%250))
	}
	return md
}

func BenchmarkAppendMetrics(b *testing.B) {
	for name, md := range map[string]pmetric.Metrics{"hostmetrics": hostMetrics(time.Now(), 8), "10k_series": wide(10_000)} {
		b.Run(name, func(b *testing.B) {
			s := openTest(b, Config{OutOfOrderWindow: -1})
			at := time.Now().Add(-40 * time.Hour)
			samples := 0
			b.ReportAllocs()
			start := cpuTime()
			for b.Loop() {
				at = at.Add(time.Second)
				samples += move(md, at)
				if n, err := s.AppendMetrics(b.Context(), md); err != nil || n != 0 {
					b.Fatal(n, err)
				}
			}
			perSample(b, samples, cpuTime()-start)
		})
	}
}

func BenchmarkRemoteWrite(b *testing.B) {
	s := openTest(b, Config{OutOfOrderWindow: -1})
	req := &prompb.WriteRequest{}
	for i := range 2000 { // Prometheus' own max_samples_per_send
		req.Timeseries = append(req.Timeseries, series([]prompb.Sample{{}}, "__name__", "container_cpu_usage_seconds_total",
			"container", "app", "instance", "10.0.0.1:10250", "job", "kubelet", "namespace", "live", "pod", fmt.Sprintf("checkout-7d9f8c6b5-%05d", i)))
	}
	at := time.Now().Add(-40 * time.Hour).UnixMilli()
	b.ReportAllocs()
	samples := 0
	var cpu time.Duration
	for b.Loop() {
		at += 1000
		for i := range req.Timeseries {
			req.Timeseries[i].Samples[0] = prompb.Sample{Timestamp: at, Value: float64(at)}
		}
		body := pack(b, req)
		samples += len(req.Timeseries)
		start := cpuTime()
		if code, answer := send(b, s, body); code != 204 {
			b.Fatal(code, answer)
		}
		cpu += cpuTime() - start
	}
	perSample(b, samples, cpu)
}

// filled is a directory with n series of 15 minutes, a sample every 10 s.
func filled(b *testing.B, n int) (dir string, end time.Time) {
	dir = b.TempDir()
	s, err := Open(Config{Dir: dir, MaxSeriesPerMetric: n, MaxSeries: n + 10}, nil, nil)
	require.NoError(b, err)
	md := wide(n)
	start := time.Now().Add(-15 * time.Minute).Truncate(time.Second)
	for i := range 90 {
		end = start.Add(time.Duration(i) * 10 * time.Second)
		move(md, end)
		_, err := s.AppendMetrics(b.Context(), md)
		require.NoError(b, err)
	}
	require.NoError(b, s.Close())
	return dir, end
}

func BenchmarkOpenFiftyThousandSeries(b *testing.B) {
	dir, _ := filled(b, 50_000)
	b.ReportAllocs()
	start := cpuTime()
	for b.Loop() {
		s, err := Open(Config{Dir: dir}, nil, nil)
		require.NoError(b, err)
		require.NoError(b, s.Close())
	}
	b.ReportMetric((cpuTime()-start).Seconds()*1000/float64(b.N), "cpu-ms/open")
}

func BenchmarkQueryFifteenMinutes(b *testing.B) {
	dir, end := filled(b, 5000)
	s := openTest(b, Config{Dir: dir})
	for _, q := range []string{"sum(rate(wide_metric[1m]))", `wide_metric{node="ip-10-0-1-7"}`, "topk(10, wide_metric)"} {
		b.Run(strings.ReplaceAll(q, " ", ""), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := s.QueryRange(b.Context(), q, end.Add(-15*time.Minute), end, 15*time.Second)
				require.NoError(b, err)
			}
		})
	}
}
