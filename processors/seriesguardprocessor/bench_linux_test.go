package seriesguardprocessor

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// load is n points of one metric, five labels each, as an application sends
// them.
func load(from, n int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := service(md, "checkout", "node-1").AppendEmpty()
	m.SetName("http.server.requests")
	s := m.SetEmptySum()
	s.SetIsMonotonic(true)
	s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for i := range n {
		p := s.DataPoints().AppendEmpty()
		p.Attributes().PutStr("http.request.method", "GET")
		p.Attributes().PutStr("http.route", fmt.Sprint("/live/", (from+i)/100))
		p.Attributes().PutInt("http.response.status_code", int64(200+(from+i)%100))
		p.Attributes().PutStr("network.protocol.version", "1.1")
		p.Attributes().PutStr("server.address", "api.example.com")
		p.SetTimestamp(1e9)
	}
	return md
}

// cpu reports the CPU time from here to the call, a point: on a busy machine the
// wall clock says nothing.
func cpu(b *testing.B) func(points int) {
	spent := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := spent()
	return func(points int) {
		b.ReportMetric(float64(spent()-before)/float64(b.N)/float64(points), "cpu-ns/point")
	}
}

// Steady state: all is known. Goal: 100 ns a point, nothing allocated.
func BenchmarkKnown(b *testing.B) {
	for _, series := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(series, " series"), func(b *testing.B) {
			g := guardOf(b, func(c *Config) { c.MaxSeries, c.MaxSeriesPerMetric = 2_000_000, 0 })
			for from := 0; from < series; from += 10_000 {
				g.filter(load(from, 10_000))
			}
			var batches []pmetric.Metrics
			for i := range 10 {
				batches = append(batches, load(i*series/10, 1000))
			}
			i := 0
			b.ReportAllocs()
			used := cpu(b)
			for b.Loop() {
				g.filter(batches[i%len(batches)])
				i++
			}
			used(1000)
		})
	}
}

// Many metrics of one point each, as a host sends them.
func BenchmarkKnownSingly(b *testing.B) {
	g, md := guardOf(b, nil), pmetric.NewMetrics()
	ms := service(md, "host", "node-1")
	for i := range 1000 {
		m := ms.AppendEmpty()
		m.SetName(fmt.Sprint("system.something.", i))
		p := m.SetEmptyGauge().DataPoints().AppendEmpty()
		p.Attributes().PutStr("device", "nvme0n1")
		p.SetTimestamp(1e9)
	}
	b.ReportAllocs()
	used := cpu(b)
	for b.Loop() {
		g.filter(md)
	}
	used(1000)
}

func BenchmarkHistogram(b *testing.B) {
	g, md := guardOf(b, nil), pmetric.NewMetrics()
	m := service(md, "checkout", "node-1").AppendEmpty()
	m.SetName("latency")
	h := m.SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for i := range 1000 {
		p := h.DataPoints().AppendEmpty()
		p.Attributes().PutStr("http.route", fmt.Sprint("/live/", i))
		p.ExplicitBounds().FromRaw([]float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10})
		p.BucketCounts().FromRaw(make([]uint64, 15))
		p.SetSum(1)
		p.SetTimestamp(1e9)
	}
	b.ReportAllocs()
	used := cpu(b)
	for b.Loop() {
		g.filter(md)
	}
	used(1000)
}

// Everything is over the limit: what an explosion costs.
func BenchmarkCut(b *testing.B) {
	g := guardOf(b, func(c *Config) { c.MaxSeries = 1 })
	from := load(0, 1000)
	g.filter(load(0, 1))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		md := clone(from)
		b.StartTimer()
		g.filter(md)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/point")
}

// What a million active series take, and how long a sweep holds batches up.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		g := guardOf(b, func(c *Config) { c.MaxSeries, c.MaxSeriesPerMetric = 2_000_000, 0 })
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for from := 0; from < 1_000_000; from += 10_000 {
			g.filter(load(from, 10_000))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if g.series != 1_000_001 { // and target_info
			b.Fatalf("%d series", g.series)
		}
		begun := time.Now()
		for range epochs + 1 {
			g.age()
		}
		b.ReportMetric(float64(time.Since(begun).Microseconds())/1000, "ms/9-sweeps")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "B/series")
		if g.series != 0 {
			b.Fatalf("%d series are left", g.series)
		}
	}
}
