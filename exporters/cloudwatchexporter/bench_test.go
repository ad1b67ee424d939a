package cloudwatchexporter

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

const serveFake = "VIGIE_TEST_SERVE_AWSFAKE"

// TestServeTheFakeForABenchmark is the other process of the benchmarks: the fake
// checks and parses all that it gets, and its work is not ours.
func TestServeTheFakeForABenchmark(t *testing.T) {
	if os.Getenv(serveFake) == "" {
		t.Skip("only as a child of a benchmark")
	}
	fake := awsfake.Start(t, awsfake.Options{Forget: true})
	fmt.Println("ENV " + strings.Join(fake.Env(), " "))
	_, _ = io.Copy(io.Discard, os.Stdin) // until the benchmark ends
	fmt.Printf("GOT %d %d\n", fake.LogTotals().Events, fake.MetricCount())
}

// elsewhere starts the fake in a process of its own. got ends it and tells how
// many events and metrics it accepted.
func elsewhere(b *testing.B) (got func() (events, metrics int)) {
	b.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestServeTheFakeForABenchmark$", "-test.v")
	child.Env = append(os.Environ(), serveFake+"=1")
	stdin, err := child.StdinPipe()
	require.NoError(b, err)
	stdout, err := child.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, child.Start())
	lines := bufio.NewScanner(stdout)
	next := func(prefix string) string {
		for lines.Scan() {
			if _, rest, ok := strings.Cut(lines.Text(), prefix); ok {
				return rest
			}
		}
		b.Fatal("the fake's process ended without " + prefix)
		return ""
	}
	for _, kv := range strings.Fields(next("ENV ")) {
		name, value, _ := strings.Cut(kv, "=")
		b.Setenv(name, value)
	}
	return func() (events, metrics int) {
		require.NoError(b, stdin.Close())
		_, err := fmt.Sscan(next("GOT "), &events, &metrics)
		require.NoError(b, err)
		_, _ = io.Copy(io.Discard, stdout)
		require.NoError(b, child.Wait())
		return events, metrics
	}
}

// cpu is what this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const (
	benchPods = 8
	benchRows = 1000 // a pod and batch
)

// accessLogs are lines as a web server writes them, of about 200 bytes.
func accessLogs() plog.Logs {
	r := rand.New(rand.NewPCG(1, 2))
	lines := map[string][]string{}
	for i := range benchPods {
		pod := fmt.Sprintf("api-5d4f8c7b9-x2x%d", i)
		for range benchRows {
			lines[pod] = append(lines[pod], fmt.Sprintf(`10.%d.%d.%d - - [11/Jul/2026:20:0%d:%02d +0000] "GET /api/v2/match/%d/events?since=%d HTTP/2.0" %d %d "https://play.example/live" "Mozilla/5.0 (Linux; Android 14; Pixel %d) AppleWebKit/537.36" %0.3f`,
				r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(10), r.IntN(60), r.IntN(100000), r.Uint32(), 200+r.IntN(4), r.IntN(90000), r.IntN(9), r.Float64()))
		}
	}
	return pods(lines)
}

// podMetrics are counters, gauges and a histogram of 200 pods.
func podMetrics(at time.Time, n int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for i := range 200 {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("k8s.cluster.name", "final")
		rm.Resource().Attributes().PutStr("service.name", "api")
		metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
		fill := func(p interface {
			SetTimestamp(pcommon.Timestamp)
			SetStartTimestamp(pcommon.Timestamp)
			Attributes() pcommon.Map
		}) {
			p.SetTimestamp(pcommon.NewTimestampFromTime(at))
			p.SetStartTimestamp(pcommon.NewTimestampFromTime(at.Add(-time.Hour)))
			p.Attributes().PutStr("k8s.pod.name", fmt.Sprintf("api-5d4f8c7b9-x2x%d", i))
			p.Attributes().PutStr("k8s.namespace.name", "live")
		}
		for j := range 4 {
			m := metrics.AppendEmpty()
			m.SetName(fmt.Sprint("http.server.requests.", j))
			m.SetUnit("{request}")
			s := m.SetEmptySum()
			s.SetIsMonotonic(true)
			s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			p := s.DataPoints().AppendEmpty()
			p.SetIntValue(int64(n * (i + j + 1)))
			fill(p)
			m = metrics.AppendEmpty()
			m.SetName(fmt.Sprint("process.memory.", j))
			m.SetUnit("By")
			g := m.SetEmptyGauge().DataPoints().AppendEmpty()
			g.SetDoubleValue(1e6 * float64(i+n) / 7)
			fill(g)
		}
		m := metrics.AppendEmpty()
		m.SetName("http.server.request.duration")
		m.SetUnit("s")
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		p := h.DataPoints().AppendEmpty()
		p.ExplicitBounds().FromRaw([]float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10})
		p.BucketCounts().FromRaw([]uint64{1, 20, 300, 120, 50, 10, 5, 1, 0, 0, 0, 0})
		p.SetCount(507)
		p.SetSum(20.5)
		fill(p)
	}
	return md
}

const benchPoints = 200 * 9

func benchConfig() *Config {
	c := createDefaultConfig()
	c.Logs.Stream = "{k8s.pod.name}"
	c.Queue.Get().BlockOnOverflow = true
	c.Budget.MaxMetrics = 100_000
	return c
}

// BenchmarkLogEvents is the whole exporter: converted, queued, batched,
// compressed, signed, posted, over the queue in memory.
func BenchmarkLogEvents(b *testing.B) {
	got := elsewhere(b)
	set := exportertest.NewNopSettings(typ)
	x, err := createLogs(b.Context(), set, benchConfig())
	require.NoError(b, err)
	require.NoError(b, x.Start(b.Context(), componenttest.NewNopHost()))
	ld := accessLogs()
	b.ReportAllocs()
	from, n := cpu(b), 0
	for b.Loop() {
		require.NoError(b, x.ConsumeLogs(b.Context(), ld))
		n += benchPods * benchRows
	}
	require.NoError(b, x.Shutdown(context.Background()))
	b.ReportMetric(float64(n)/(cpu(b)-from).Seconds(), "events/cpu-s")
	events, _ := got()
	require.Equal(b, n, events)
}

// BenchmarkMetricPoints is the same for metrics.
func BenchmarkMetricPoints(b *testing.B) {
	got := elsewhere(b)
	x, err := createMetrics(b.Context(), exportertest.NewNopSettings(typ), benchConfig())
	require.NoError(b, err)
	require.NoError(b, x.Start(b.Context(), componenttest.NewNopHost()))
	at := time.Now().Add(-time.Hour)
	require.NoError(b, x.ConsumeMetrics(b.Context(), podMetrics(at, 0)))
	batches := make([]pmetric.Metrics, 4)
	for i := range batches {
		batches[i] = podMetrics(at, i+1)
	}
	b.ReportAllocs()
	from, n := cpu(b), 0
	var aside time.Duration
	for b.Loop() {
		md := batches[n%len(batches)]
		at = at.Add(time.Millisecond)
		aside += onThread(b, func() { retime(md, at) })
		require.NoError(b, x.ConsumeMetrics(b.Context(), md))
		n++
	}
	require.NoError(b, x.Shutdown(context.Background()))
	b.ReportMetric(float64(n)*benchPoints/(cpu(b)-from-aside).Seconds(), "points/cpu-s")
	_, metrics := got()
	require.InDelta(b, float64(n+1)*benchPoints, metrics, 800.5, "all but the first of the counters")
}

// onThread is the CPU time of a function alone, which goroutines beside it have
// no part in.
func onThread(b *testing.B, f func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after syscall.Rusage
	const thread = 1 // RUSAGE_THREAD
	require.NoError(b, syscall.Getrusage(thread, &before))
	f()
	require.NoError(b, syscall.Getrusage(thread, &after))
	return time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
}

// retime moves a batch's points, as a scrape later would have them.
func retime(md pmetric.Metrics, at time.Time) {
	ts := pcommon.NewTimestampFromTime(at)
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			switch m.Type() {
			case pmetric.MetricTypeSum:
				m.Sum().DataPoints().At(0).SetTimestamp(ts)
			case pmetric.MetricTypeGauge:
				m.Gauge().DataPoints().At(0).SetTimestamp(ts)
			case pmetric.MetricTypeHistogram:
				m.Histogram().DataPoints().At(0).SetTimestamp(ts)
			}
		}
	}
}

// bodies are requests as the exporter would send them, ready made.
func bodies(b *testing.B, convert func() xexporterhelper.Request) (all [][]byte, events [][]event, to []destination) {
	b.Helper()
	merged := newRequest()
	for merged.bytes < 6<<20 {
		merged.merge(convert().(*request))
	}
	for _, p := range merged.parts {
		sortEvents(p.events)
		for rest := p.events; len(rest) > 0; {
			n := nextBatch(rest)
			all, events, to = append(all, appendPut(nil, p.to, rest[:n])), append(events, rest[:n]), append(to, p.to)
			rest = rest[n:]
		}
	}
	return all, events, to
}

func logBodies(b *testing.B) ([][]byte, [][]event, []destination) {
	set := exportertest.NewNopSettings(typ)
	x, err := newInstance(benchConfig(), set, "logs")
	require.NoError(b, err)
	c, err := newLogsConverter(benchConfig(), x.budget, x.tel)
	require.NoError(b, err)
	ld := accessLogs()
	return bodies(b, func() xexporterhelper.Request {
		r, err := c.convert(b.Context(), ld)
		require.NoError(b, err)
		return r
	})
}

func metricBodies(b *testing.B) ([][]byte, [][]event, []destination) {
	x, err := newInstance(benchConfig(), exportertest.NewNopSettings(typ), "metrics")
	require.NoError(b, err)
	c, err := newMetricsConverter(benchConfig(), x.budget, x.tel)
	require.NoError(b, err)
	at, n := time.Now().Add(-time.Hour), 0
	_, _ = c.convert(b.Context(), podMetrics(at, 0))
	return bodies(b, func() xexporterhelper.Request {
		n++
		r, err := c.convert(b.Context(), podMetrics(at.Add(time.Duration(n)*time.Millisecond), n))
		require.NoError(b, err)
		return r
	})
}

// bare is the loop that only compresses, signs and posts.
func bare(b *testing.B, bodies [][]byte, events [][]event, to []destination, what string) {
	got := elsewhere(b)
	cfg, err := config.LoadDefaultConfig(b.Context())
	require.NoError(b, err)
	s := newStreams(cloudwatchlogs.NewFromConfig(cfg), CreateConfig{Enabled: true}, time.Minute, exportertest.NewNopSettings(typ).Logger, func(int) {})
	for _, d := range to {
		require.NoError(b, s.ensure(b.Context(), d))
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	client := &http.Client{Transport: transport}
	signer := v4.NewSigner()
	var zipped bytes.Buffer
	zip, _ := gzip.NewWriterLevel(&zipped, gzip.BestSpeed)
	b.ReportAllocs()
	from, records, sent := cpu(b), 0, 0
	for i := 0; b.Loop(); i++ {
		k := i % len(bodies)
		zipped.Reset()
		zip.Reset(&zipped)
		_, _ = zip.Write(bodies[k])
		_ = zip.Close()
		req, _ := http.NewRequestWithContext(b.Context(), http.MethodPost, aws.ToString(cfg.BaseEndpoint), bytes.NewReader(zipped.Bytes()))
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		req.Header.Set("X-Amz-Target", "Logs_20140328.PutLogEvents")
		req.Header.Set("Content-Encoding", "gzip")
		creds, _ := cfg.Credentials.Retrieve(b.Context())
		sum := sha256.Sum256(zipped.Bytes())
		require.NoError(b, signer.SignHTTP(b.Context(), creds, req, hex.EncodeToString(sum[:]), "logs", cfg.Region, time.Now()))
		resp, err := client.Do(req)
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, resp.StatusCode)
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		for _, e := range events[k] {
			records += int(e.records)
		}
		sent += len(events[k])
	}
	b.ReportMetric(float64(records)/(cpu(b)-from).Seconds(), what+"/cpu-s")
	transport.CloseIdleConnections()
	accepted, _ := got()
	require.Equal(b, sent, accepted)
}

// BenchmarkLogEventsBareLoop is what the exporter is measured by.
func BenchmarkLogEventsBareLoop(b *testing.B) {
	all, events, to := logBodies(b)
	bare(b, all, events, to, "events")
}

// BenchmarkMetricPointsBareLoop is the same for metrics.
func BenchmarkMetricPointsBareLoop(b *testing.B) {
	all, events, to := metricBodies(b)
	bare(b, all, events, to, "points")
}

// BenchmarkLogEventsSDK is the SDK's own PutLogEvents with the same events, for
// what it costs; it does not compress.
func BenchmarkLogEventsSDK(b *testing.B) {
	_, events, to := logBodies(b)
	got := elsewhere(b)
	cfg, err := config.LoadDefaultConfig(b.Context())
	require.NoError(b, err)
	sdk := cloudwatchlogs.NewFromConfig(cfg)
	s := newStreams(sdk, CreateConfig{Enabled: true}, time.Minute, exportertest.NewNopSettings(typ).Logger, func(int) {})
	for _, d := range to {
		require.NoError(b, s.ensure(b.Context(), d))
	}
	b.ReportAllocs()
	from, n := cpu(b), 0
	for i := 0; b.Loop(); i++ {
		k := i % len(events)
		in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String(to[k].group), LogStreamName: aws.String(to[k].stream)}
		for _, e := range events[k] {
			in.LogEvents = append(in.LogEvents, types.InputLogEvent{Timestamp: aws.Int64(e.at), Message: aws.String(e.message)})
		}
		_, err := sdk.PutLogEvents(b.Context(), in)
		require.NoError(b, err)
		n += len(events[k])
	}
	b.ReportMetric(float64(n)/(cpu(b)-from).Seconds(), "events/cpu-s")
	events2, _ := got()
	require.Equal(b, n, events2)
}

// BenchmarkMetricConversion is the part before the queue alone.
func BenchmarkMetricConversion(b *testing.B) {
	x, err := newInstance(benchConfig(), exportertest.NewNopSettings(typ), "metrics")
	require.NoError(b, err)
	c, err := newMetricsConverter(benchConfig(), x.budget, x.tel)
	require.NoError(b, err)
	at, n := time.Now().Add(-time.Hour), 0
	batches := make([]pmetric.Metrics, 4)
	for i := range batches {
		batches[i] = podMetrics(at, i+1)
	}
	b.ReportAllocs()
	from := cpu(b)
	var aside time.Duration
	for b.Loop() {
		md := batches[n%len(batches)]
		at = at.Add(time.Millisecond)
		aside += onThread(b, func() { retime(md, at) })
		_, _ = c.convert(b.Context(), md)
		n++
	}
	b.ReportMetric(float64(n)*benchPoints/(cpu(b)-from-aside).Seconds(), "points/cpu-s")
}
