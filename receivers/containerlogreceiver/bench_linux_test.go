package containerlogreceiver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/cri"
	"github.com/vigie-otel/vigie/internal/storeclient"
	"github.com/vigie-otel/vigie/internal/tail"
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor"
	"github.com/vigie-otel/vigie/receivers/containerlogreceiver/internal/metadata"
)

// Each reader runs in a process of its own, so that processor time and peak
// memory are its own.
const (
	racerName  = "VIGIE_TEST_RACER"
	racerFiles = "VIGIE_TEST_RACER_FILES"
	racerWant  = "VIGIE_TEST_RACER_RECORDS"
)

type race struct {
	CPU     time.Duration
	Wall    time.Duration
	PeakKiB int64
	Records int64
	Leveled int // of the first records: those with a severity
	First   int // how many those were
}

func TestRacer(t *testing.T) {
	name := os.Getenv(racerName)
	if name == "" {
		t.Skip("only for the benchmark that starts it")
	}
	var want int64
	_, err := fmt.Sscan(os.Getenv(racerWant), &want)
	require.NoError(t, err)
	var got atomic.Int64
	var first, leveled int // the sink is called by one goroutine at a time
	done := make(chan struct{})
	sink, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		n := int64(logs.LogRecordCount())
		lr := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		if lr.EventName() != "" {
			return nil // the detector's summaries and findings
		}
		if all, ok := lr.Attributes().Get(scanned); ok {
			n = all.Int()
		}
		if first < 5000 && n > 1 {
			first += int(n)
			for _, rl := range logs.ResourceLogs().All() {
				for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
					if lr.SeverityNumber() != 0 {
						leveled++
					}
				}
			}
		}
		if got.Add(n) >= want && got.Load()-n < want {
			close(done)
		}
		return nil
	})
	require.NoError(t, err)
	r := racer(t, name, os.Getenv(racerFiles), sink)

	cpu, began := cpuTime(), time.Now()
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	<-done
	out := race{CPU: cpuTime() - cpu, Wall: time.Since(began), Records: got.Load(), First: first, Leveled: leveled}
	require.NoError(t, r.Shutdown(context.Background()))
	var use syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &use))
	out.PeakKiB = use.Maxrss
	require.NoError(t, json.NewEncoder(os.Stderr).Encode(out))
}

func racer(t *testing.T, name, files string, sink consumer.Logs) receiver.Logs {
	which, mode, _ := strings.Cut(name, "/")
	switch which {
	case "scan":
		return scan{files, sink}
	case "container_log":
		cfg := createDefaultConfig()
		cfg.Include, cfg.StartAt = []string{files}, "beginning"
		switch mode {
		case "raw":
			cfg.Parse.Format = "raw"
		case "raw,traces_off":
			cfg.Parse.Format, cfg.Multiline.Mode = "raw", "off"
		case "access_parsed":
			cfg.Parse.AccessLogs = accessParsed
		case "detector":
			sink = detector(t, sink)
		}
		r, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(NewFactory().Type()), cfg, sink)
		require.NoError(t, err)
		return r
	}
	factory := filelogreceiver.NewFactory()
	raw := map[string]any{"include": []any{files}, "start_at": "beginning", "include_file_path": true, "poll_interval": "200ms"}
	switch mode {
	case "container":
		raw["operators"] = []any{map[string]any{"type": "container"}}
	case "json", "json_nginx":
		when := func(op map[string]any, begins string) map[string]any {
			op["if"] = "body startsWith '" + begins + "'"
			return op
		}
		raw["operators"] = []any{map[string]any{"type": "container"}, when(map[string]any{
			"type":      "json_parser",
			"timestamp": map[string]any{"parse_from": "attributes.time", "layout_type": "gotime", "layout": time.RFC3339Nano},
			"severity":  map[string]any{"parse_from": "attributes.level"},
		}, "{")}
		if mode == "json_nginx" {
			raw["operators"] = append(raw["operators"].([]any), when(map[string]any{
				"type":      "regex_parser",
				"regex":     `^(?P<client>\S+) \S+ (?P<user>\S+) \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+) [^"]*" (?P<status>\d+) (?P<bytes>\d+) "(?P<referer>[^"]*)" "(?P<agent>[^"]*)"`,
				"timestamp": map[string]any{"parse_from": "attributes.time", "layout_type": "gotime", "layout": "02/Jan/2006:15:04:05 -0700"},
			}, "192"))
		}
	}
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(raw).Unmarshal(cfg))
	r, err := factory.CreateLogs(t.Context(), receivertest.NewNopSettings(factory.Type()), cfg, sink)
	require.NoError(t, err)
	return r
}

// detector puts attack_detection before the sink.
func detector(t *testing.T, sink consumer.Logs) consumer.Logs {
	f := attackdetectionprocessor.NewFactory()
	cfg := f.CreateDefaultConfig()
	p, err := f.CreateLogs(t.Context(), processortest.NewNopSettings(f.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return p
}

// scan reads files line by line and takes each line's frame apart, and does no
// more: what is left for a reader to win.
type scan struct {
	files string
	sink  consumer.Logs
}

func (s scan) Start(context.Context, component.Host) error {
	go func() {
		paths, _ := filepath.Glob(s.files)
		records := 0
		for _, path := range paths {
			f, err := os.Open(path)
			if err != nil {
				panic(err)
			}
			r := bufio.NewReaderSize(f, 64<<10)
			for {
				line, err := r.ReadSlice('\n')
				if err != nil {
					break
				}
				if l, err := cri.Split(unsafe.String(unsafe.SliceData(line), len(line)-1)); err == nil && !l.Partial {
					records++
				}
			}
			_ = f.Close()
		}
		logs := plog.NewLogs()
		records64 := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		records64.EnsureCapacity(1)
		records64.AppendEmpty().Attributes().PutInt(scanned, int64(records))
		_ = s.sink.ConsumeLogs(context.Background(), logs)
	}()
	return nil
}

func (scan) Shutdown(context.Context) error { return nil }

// scanned is how many records stand behind the one that scan sends.
const scanned = "scanned"

func cpuTime() time.Duration {
	var use syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

const (
	nginxLine = `192.0.2.%d - - [11/Jul/2026:19:00:%02d +0000] "GET /live/match-1/seg-%d.m4s HTTP/1.1" 200 %d "https://tv.example.org/match" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`
	jsonLine  = `{"time":"2026-07-11T19:00:%02d.000Z","level":"info","msg":"segment delivered","viewer":%d,"segment":%d,"bytes":%d,"edge":"fra-1"}`
)

// fill writes the files of 200 containers, half with nginx lines, half with JSON,
// every 50th line in two fragments, and gives how many records there are. No two
// files begin alike: file_log would take them for one.
func fill(b *testing.B, dir string, lines int, cri bool) (records int) {
	const containers = 200
	for c := range containers {
		path := filepath.Join(dir, fmt.Sprintf("ns%d_pod-%d_0a1b2c3d-%d", c%5, c, c), "app", "0.log")
		require.NoError(b, os.MkdirAll(filepath.Dir(path), 0o755))
		f, err := os.Create(path)
		require.NoError(b, err)
		w := bufio.NewWriter(f)
		for i := range lines / containers {
			text := fmt.Sprintf(nginxLine, i%250, i%60, i*containers+c, i*7%100000)
			if c%2 == 0 {
				text = fmt.Sprintf(jsonLine, i%60, i*containers+c, i, i*7%100000)
			}
			records++
			if !cri {
				fmt.Fprintln(w, text)
				continue
			}
			stamp := fmt.Sprintf("2026-07-11T19:%02d:%02d.%09dZ stdout ", i/60%60, i%60, i*containers+c)
			if i%50 == 0 {
				fmt.Fprintf(w, "%sP %s\n", stamp, text[:40])
				text = text[40:]
			}
			fmt.Fprintf(w, "%sF %s\n", stamp, text)
		}
		require.NoError(b, w.Flush())
		require.NoError(b, f.Close())
	}
	return records
}

// BenchmarkAgainstFilelog reads the same files by this receiver and by contrib's
// file_log. The goal is ten times its records a second of processor time, five
// times where both parse, and not more than 100 MiB.
func BenchmarkAgainstFilelog(b *testing.B) {
	const lines = 100_000
	for _, set := range []struct {
		name        string
		cri, parsed bool
		racers      []string
	}{
		{"cri", true, false, []string{"scan", "container_log/raw,traces_off", "container_log/raw", "container_log/detector", "file_log/container"}},
		{"cri,parsed", true, true, []string{"container_log", "container_log/access_parsed", "file_log/json", "file_log/json_nginx"}},
		{"raw", false, false, []string{"container_log/raw", "file_log/plain"}},
	} {
		dir := b.TempDir()
		records := fill(b, dir, lines, set.cri)
		for _, name := range set.racers {
			b.Run(set.name+"/"+name, func(b *testing.B) {
				var sum race
				runs := 0
				for b.Loop() {
					ctx, cancel := context.WithTimeout(b.Context(), 2*time.Minute)
					cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestRacer$")
					cmd.Env = append(os.Environ(), racerName+"="+name, racerFiles+"="+filepath.Join(dir, "*/*/*.log"), fmt.Sprintf("%s=%d", racerWant, records))
					var said bytes.Buffer
					cmd.Stdout = &said
					out, err := cmd.StderrPipe()
					require.NoError(b, err)
					require.NoError(b, cmd.Start())
					var got race
					require.NoError(b, json.NewDecoder(out).Decode(&got))
					require.NoError(b, cmd.Wait(), said.String())
					cancel()
					require.Equal(b, int64(records), got.Records)
					if set.parsed {
						require.Greater(b, got.First, 1)
						require.NotZero(b, got.Leveled)
					}
					sum.CPU += got.CPU
					sum.PeakKiB = max(sum.PeakKiB, got.PeakKiB)
					runs++
				}
				b.ReportMetric(float64(records*runs)/sum.CPU.Seconds(), "records/cpu-s")
				b.ReportMetric(float64(sum.PeakKiB)/1024, "peak-MiB")
			})
		}
	}
}

// BenchmarkSteadyRawLines reads a file to which 135,000 lines a second are
// written, a write each, as a server with an unbuffered access log does. The goal
// is well under one core.
func BenchmarkSteadyRawLines(b *testing.B) {
	const rate, seconds = 135_000, 3
	for _, name := range []string{"container_log", "file_log/plain"} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			path := filepath.Join(dir, "a", "b", "access.log")
			require.NoError(b, os.MkdirAll(filepath.Dir(path), 0o755))
			f, err := os.Create(path)
			require.NoError(b, err)
			defer f.Close()
			for b.Loop() {
				ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
				cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestRacer$")
				cmd.Env = append(os.Environ(), racerName+"="+name, racerFiles+"="+filepath.Join(dir, "*/*/*.log"), fmt.Sprintf("%s=%d", racerWant, rate*seconds))
				out, err := cmd.StderrPipe()
				require.NoError(b, err)
				require.NoError(b, cmd.Start())
				began := time.Now()
				for i := range rate * seconds {
					if i%500 == 0 {
						time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / rate)))
					}
					fmt.Fprintf(f, nginxLine+"\n", i%250, i%60, i, i*7%100000)
				}
				var got race
				require.NoError(b, json.NewDecoder(out).Decode(&got))
				require.NoError(b, cmd.Wait())
				cancel()
				b.ReportMetric(got.CPU.Seconds()/got.Wall.Seconds(), "cores")
				b.ReportMetric(float64(got.Records)/got.Wall.Seconds(), "lines/s")
				b.ReportMetric(float64(got.PeakKiB)/1024, "peak-MiB")
			}
		})
	}
}

// BenchmarkReadAllocations tells what a line costs between the file and the batch.
// Four allocations are pdata's: the record, its body, its attribute and that
// one's value; raw lines have two.
func BenchmarkReadAllocations(b *testing.B) {
	for _, set := range []struct {
		name string
		line string
		most float64
	}{
		{"cri", "2026-07-11T19:00:00.123456789Z stdout F " + fmt.Sprintf(nginxLine, 1, 2, 3, 4) + "\n", 4.2},
		{"raw", fmt.Sprintf(nginxLine, 1, 2, 3, 4) + "\n", 2.2},
	} {
		b.Run(set.name, func(b *testing.B) {
			const lines = 100_000
			path := filepath.Join(b.TempDir(), "a.log")
			require.NoError(b, os.WriteFile(path, []byte(strings.Repeat(set.line, lines)), 0o644))
			var each float64
			for b.Loop() {
				c := createDefaultConfig()
				c.Include, c.StartAt = []string{path}, "beginning"
				opts, err := c.tail()
				require.NoError(b, err)
				r, err := newReader(c, zap.NewNop(), tail.New(opts, nil, nil, time.Time{}))
				require.NoError(b, err)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				records, now := 0, time.Now()
				for records < lines {
					now = now.Add(c.PollInterval)
					r.round(now)
					records += r.seal().records
					r.batch = newBatch(r.batch.id + 1)
				}
				runtime.ReadMemStats(&after)
				r.set.Close()
				each = float64(after.Mallocs-before.Mallocs) / lines
			}
			b.ReportMetric(each, "allocs/line")
			if each > set.most {
				b.Errorf("%.2f allocations a line, budget %.1f", each, set.most)
			}
		})
	}
}

// BenchmarkCheckpoint stores what a batch of 200 containers' files asks for.
func BenchmarkCheckpoint(b *testing.B) {
	host, id, err := startStorage(b.TempDir())
	require.NoError(b, err)
	client, err := storeclient.Open(b.Context(), host, &id, component.KindReceiver, component.NewID(metadata.Type))
	require.NoError(b, err)
	st := &store{client: client, logger: zap.NewNop(), counts: &counts{}}
	_, _, err = st.load(b.Context())
	require.NoError(b, err)
	dir := b.TempDir()
	fill(b, dir, 200, true)
	files := tail.New(tail.Options{Include: []string{filepath.Join(dir, "*/*/*.log")}, FromStart: true, MaxFiles: 1000, MaxOpen: 1000, MaxLine: 1 << 20}, nil, nil, time.Time{})
	defer files.Close()
	now := time.Now()
	files.Scan(now, true)
	marks := files.Fresh()
	require.Len(b, marks, 200)
	b.ReportAllocs()
	for b.Loop() {
		st.save(b.Context(), &batch{marks: marks, alive: now}, now)
	}
	require.Zero(b, st.counts.notStored.Load())
	require.NoError(b, client.Close(b.Context()))
	require.NoError(b, host[id].Shutdown(b.Context()))
}
