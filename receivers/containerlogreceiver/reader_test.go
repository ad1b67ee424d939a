package containerlogreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/tail"
)

// desk drives a reader over real files without goroutines, with a clock of its
// own; every batch is accepted at once unless hold is set.
type desk struct {
	t    *testing.T
	dir  string
	r    *reader
	now  time.Time
	hold bool
	last *batch
}

func newDesk(t *testing.T, change func(*Config)) *desk {
	d := &desk{t: t, dir: t.TempDir(), now: time.Now()}
	c := createDefaultConfig()
	c.Include = []string{filepath.Join(d.dir, "pods/*/*/*.log"), filepath.Join(d.dir, "*.log")}
	c.StartAt = "beginning"
	if change != nil {
		change(c)
	}
	require.NoError(t, c.Validate())
	opts, err := c.tail()
	require.NoError(t, err)
	d.r, err = newReader(c, zap.NewNop(), tail.New(opts, nil, nil, time.Time{}))
	require.NoError(t, err)
	t.Cleanup(d.r.set.Close)
	return d
}

const pod = "pods/shop_checkout-7d4b9_0a1b2c/app/3.log"

func (d *desk) write(name, text string) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	require.NoError(d.t, os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(d.t, err)
	_, err = f.WriteString(text)
	require.NoError(d.t, err)
	require.NoError(d.t, f.Close())
}

// cri writes lines "stream tag text" with a time each.
func (d *desk) cri(name string, lines ...string) {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "2026-07-11T19:00:00.123456789Z %s\n", l)
	}
	d.write(name, b.String())
}

// after lets time pass in steps of the poll interval, and tells what left.
func (d *desk) after(pass time.Duration) (bodies []string) {
	for _, lr := range d.records(pass) {
		text := lr.Body().AsString()
		if v, ok := lr.Attributes().Get(names.LogIostream); ok && v.Str() == "stderr" {
			text = "! " + text
		}
		for _, mark := range []string{names.LogTruncated, names.LogIncomplete} {
			if _, ok := lr.Attributes().Get(mark); ok {
				text += " <" + mark[len("vigie.log."):] + ">"
			}
		}
		bodies = append(bodies, text)
	}
	return bodies
}

func (d *desk) records(pass time.Duration) (out []plog.LogRecord) {
	for until := d.now.Add(pass); ; d.now = d.now.Add(d.r.config.PollInterval) {
		for busy := true; busy; {
			busy = d.r.round(d.now)
			if (d.r.due() || busy) && !d.hold {
				b := d.r.seal()
				d.r.batch = newBatch(b.id + 1)
				for _, m := range b.marks {
					d.r.set.Commit(m, d.now)
				}
				if b.records > 0 {
					d.last = b
				}
				for _, rl := range b.logs.ResourceLogs().All() {
					for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
						out = append(out, lr)
					}
				}
			} else {
				break
			}
		}
		if !d.now.Before(until) {
			d.now = d.now.Add(d.r.config.PollInterval)
			return out
		}
	}
}

func (d *desk) want(pass time.Duration, bodies ...string) {
	d.t.Helper()
	if diff := cmp.Diff(bodies, d.after(pass)); diff != "" {
		d.t.Fatal(diff)
	}
}

func TestARecordHasItsContainersIdentity(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.IncludeFilePath = true })
	d.cri(pod, "stderr F hello")
	got := d.records(time.Second)
	require.Len(t, got, 1)
	require.Equal(t, map[string]any{
		"k8s.namespace.name": "shop", "k8s.pod.name": "checkout-7d4b9", "k8s.pod.uid": "0a1b2c",
		"k8s.container.name": "app", "k8s.container.restart_count": int64(3), "log.file.path": filepath.Join(d.dir, pod),
	}, d.last.logs.ResourceLogs().At(0).Resource().Attributes().AsRaw())
	require.Equal(t, map[string]any{"log.iostream": "stderr"}, got[0].Attributes().AsRaw())
	require.Equal(t, time.Date(2026, 7, 11, 19, 0, 0, 123456789, time.UTC), got[0].Timestamp().AsTime())
	require.WithinDuration(t, d.now, got[0].ObservedTimestamp().AsTime(), 2*time.Second)
}

func TestFragmentsAreJoinedStreamByStream(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, "stdout P one ", "stderr P ONE ", "stdout P two ", "stderr F TWO", "stdout F three", "stdout F ", "stdout F {}")
	d.want(time.Second, "one two three", "", "{}", "! ONE TWO") // which waited for a trace
}

func TestADockerFileIsRecognised(t *testing.T) {
	d := newDesk(t, nil)
	d.write(pod, `{"log":"one\n","stream":"stdout","time":"2026-07-11T19:00:00Z"}`+"\n"+
		`{"log":"half ","stream":"stderr","time":"2026-07-11T19:00:00Z"}`+"\n"+
		`{"log":"rest\n","stream":"stderr","time":"2026-07-11T19:00:00Z"}`+"\n")
	d.want(time.Second, "one", "! half rest")
}

func TestRawLinesPassAsTheyAre(t *testing.T) {
	d := newDesk(t, nil)
	d.write("access.log", "192.0.2.1 - - [x] \"GET / HTTP/1.1\" 200 1\r\n\n\tat an indented line\nbin\xffary\x00\n")
	d.want(0)
	d.want(300*time.Millisecond, "192.0.2.1 - - [x] \"GET / HTTP/1.1\" 200 1", "", "\tat an indented line", "bin\uFFFDary\x00")
}

func TestInvalidUTF8CanStayAsBytes(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.InvalidUTF8 = "bytes" })
	d.write("a.log", "bin\xffary\n")
	got := d.records(time.Second)
	require.Equal(t, []byte("bin\xffary"), got[0].Body().Bytes().AsRaw())
}

func TestTracesAreJoinedInContainersAndNotInPlainFiles(t *testing.T) {
	d := newDesk(t, nil)
	trace := []string{"java.lang.IllegalStateException: x", "\tat a.b(C.java:1)", "Caused by: java.io.IOException: y", "\tat c.d(E.java:2)"}
	d.cri(pod, "stderr F "+trace[0], "stderr F "+trace[1], "stdout F {}", "stderr F "+trace[2], "stderr F "+trace[3])
	d.write("app.log", strings.Join(trace, "\n")+"\n")
	got := d.after(time.Second)
	sort.Strings(got)
	want := append([]string{"! " + strings.Join(trace, "\n"), "{}"}, trace...)
	sort.Strings(want)
	require.Equal(t, want, got)
}

func TestATraceWaitsForItsNextLineOnlySoLong(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, "stderr F panic: boom")
	d.want(300 * time.Millisecond)
	d.cri(pod, "stderr F ", "stderr F goroutine 1 [running]:")
	d.want(400 * time.Millisecond)
	d.want(500*time.Millisecond, "! panic: boom\n\ngoroutine 1 [running]:")
	d.cri(pod, "stderr F main.main()")
	d.want(time.Second, "! main.main()")
}

func TestAccessLogsAndJSONDoNotWait(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, `stdout F {"level":"info"}`, `stdout F 192.0.2.1 "GET / HTTP/2.0" 200`)
	d.want(200*time.Millisecond, `{"level":"info"}`, `192.0.2.1 "GET / HTTP/2.0" 200`)
}

func TestWhatIsTooLongIsCutAndMarked(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxLineBytes = 1024; c.Multiline.MaxLines = 3 })
	x := strings.Repeat("x", 600)
	d.cri(pod, "stdout P "+x, "stdout P "+x, "stdout F "+x, "stdout F {}")
	d.write("raw.log", x+x+x+"\nnext\n")
	got := d.after(time.Second)
	require.ElementsMatch(t, []string{strings.Repeat("x", 1024) + " <truncated>", "{}", strings.Repeat("x", 1024) + " <truncated>", "next"}, got)
	require.Equal(t, int64(2*(1800-1024)), d.r.counts.cut.Load())
	d.cri(pod, "stdout F panic: x", "stdout F goroutine 1 [running]:", "stdout F \ta", "stdout F \tb", "stdout F {}")
	d.want(time.Second, "panic: x\ngoroutine 1 [running]:\n\ta", "\tb", "{}")
}

func TestABrokenLineIsPassedOnAndCounted(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, "stdout F {}")
	d.write(pod, "not CRI HTTP/1.1\n")
	d.want(time.Second, "{}", "not CRI HTTP/1.1")
	require.Equal(t, int64(1), d.r.counts.malformed.Load())
}

func TestTheLastLineOfADeletedFileIsNotLost(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, "stdout F {}", "stdout P never ended")
	d.want(time.Second, "{}")
	require.NoError(t, os.RemoveAll(filepath.Join(d.dir, "pods")))
	d.want(7*time.Second, "never ended <unterminated>")
	require.Zero(t, d.r.set.Len())
}

// The mark of a truncated file's copy says what was read: a line that still waits
// for a trace is not among it, for a kill would lose it, and is read from the copy.
func TestWhatIsHeldOfATruncatedFileIsReadFromItsCopy(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, "stdout F {}", "stdout F the last line")
	d.want(200*time.Millisecond, "{}")
	body, err := os.ReadFile(filepath.Join(d.dir, pod))
	require.NoError(t, err)
	d.write(pod+".1", string(body))
	require.NoError(t, os.Truncate(filepath.Join(d.dir, pod), 0))
	d.now = d.now.Add(d.r.config.PollInterval)
	d.r.set.Poll(d.now) // sees the truncation, and there is nothing to read yet
	d.r.set.Scan(d.now, true)
	b := d.r.seal()
	var copied bool
	held := int64(len("2026-07-11T19:00:00.123456789Z stdout F {}\n"))
	for _, m := range b.marks {
		copied = copied || m.File.Path == filepath.Join(d.dir, pod)+".1" && m.Offset == held
	}
	require.True(t, copied, "the copy's mark is in front of what was held")
	require.Zero(t, b.records)
	d.r.batch = newBatch(b.id + 1)
	d.want(20*time.Second, "the last line")
}

func TestHalfDoneLinesAreReadAgainByTheNextRun(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, "stdout F {}", "stdout P half", "stderr F {}")
	d.want(300*time.Millisecond, "{}", "! {}")
	line := int64(len("2026-07-11T19:00:00.123456789Z stdout F {}\n"))
	require.Equal(t, line, d.last.marks[len(d.last.marks)-1].Offset)
	d.cri(pod, "stdout F done")
	d.want(time.Second, "halfdone")
	info, err := os.Stat(filepath.Join(d.dir, pod))
	require.NoError(t, err)
	require.Equal(t, info.Size(), d.last.marks[0].Offset)
}

func TestABatchIsBoundedInRecordsAndBytes(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Batch.MaxRecords = 10; c.Batch.MaxBytes = 1000 })
	d.hold = true
	d.write("a.log", strings.Repeat("short\n", 25))
	d.records(0)
	require.Equal(t, 10, d.r.batch.records)
	require.Equal(t, int64(60), d.r.batch.sources[0].file.Offset())
	d.hold = false
	require.Len(t, d.records(0), 20)
	require.Len(t, d.records(time.Second), 5)
	d.write("a.log", strings.Repeat(strings.Repeat("x", 299)+"\n", 6))
	require.Len(t, d.records(0), 4)
	require.Len(t, d.records(time.Second), 2)
}

func TestABusyFileDoesNotStarveOthers(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Batch.MaxRecords = 1000 })
	d.write("a.log", strings.Repeat("busy\n", 500_000))
	d.write("b.log", "quiet\n")
	seen := 0
	for seen < 10 && !strings.Contains(strings.Join(d.afterOneBatch(), "\n"), "quiet") {
		seen++
	}
	require.Less(t, seen, 3, "batches before the other file's turn")
}

func (d *desk) afterOneBatch() (bodies []string) {
	d.r.round(d.now)
	b := d.r.seal()
	d.r.batch = newBatch(b.id + 1)
	for _, rl := range b.logs.ResourceLogs().All() {
		for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
			bodies = append(bodies, lr.Body().Str())
		}
	}
	d.now = d.now.Add(d.r.config.PollInterval)
	return bodies
}

func TestVigiesOwnPodsAndExcludedOnesAreNotRead(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Namespaces.Exclude = []string{"kube-*"}; c.Containers.Include = []string{"app"} })
	for _, name := range []string{"shop_vigie-agent-x_u/app/0.log", "kube-system_dns_u/app/0.log", "shop_web_u/sidecar/0.log", "shop_web_u/app/0.log"} {
		d.cri("pods/"+name, "stdout F {} "+name, "stdout F {}")
	}
	d.want(time.Second, "{} shop_web_u/app/0.log", "{}")
}

func TestTheLagIsKnownByNamespace(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, "stdout F {}")
	d.want(time.Second, "{}")
	d.hold = true
	d.write(pod, strings.Repeat("2026-07-11T19:00:00Z stdout F {}\n", 10))
	d.after(10 * time.Second)
	n := d.r.spaces.get("shop")
	require.Equal(t, int64(330), n.lag.Load())
	require.InDelta(t, 10, time.Duration(n.behind.Load()).Seconds(), 1.2)
	require.Equal(t, int64(11), n.lines.Load())
	d.hold = false
	d.after(2 * time.Second)
	require.Zero(t, n.lag.Load())
	require.Zero(t, n.behind.Load())
}

// Fragments of a line are read, others fill the batch, and the file is truncated:
// its copy has the whole line. It arrives once, and in one piece.
func TestALineWhoseFragmentsATruncationSplitsIsReadWholeFromTheCopy(t *testing.T) {
	for _, copied := range []bool{true, false} {
		d := newDesk(t, func(c *Config) { c.Batch.MaxRecords = 3 })
		d.cri(pod, "stdout F {1}", "stdout F {2}", "stdout P {th", "stdout P r")
		d.want(200*time.Millisecond, "{1}", "{2}")
		d.hold = true
		d.write("other.log", "a\nb\nc\nd\n")
		d.after(time.Second)
		require.True(t, d.r.full(), "the pipeline stands still")
		d.cri(pod, "stdout F ee}", "stdout F {4}")
		d.after(time.Second)
		body, err := os.ReadFile(filepath.Join(d.dir, pod))
		require.NoError(t, err)
		if copied {
			d.write(pod+".1", string(body))
		}
		require.NoError(t, os.Truncate(filepath.Join(d.dir, pod), 0))
		d.cri(pod, "stdout F {5}")
		d.after(time.Second)
		d.hold = false
		got := d.after(20 * time.Second)
		sort.Strings(got)
		want := []string{"a", "b", "c", "d", "{5}", "{thr <unterminated>"}
		if copied {
			want = []string{"a", "b", "c", "d", "{4}", "{5}", "{three}"}
			require.Zero(t, d.r.set.Stats.LostBytes)
		} else {
			require.EqualValues(t, len("2026-07-11T19:00:00.123456789Z stdout F ee}\n2026-07-11T19:00:00.123456789Z stdout F {4}\n"), d.r.set.Stats.LostBytes)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(copied, diff)
		}
	}
}

// The truncation is seen, and lines behind it, before anybody looked for a copy.
func TestATruncationThatIsSeenBeforeItsCopyWaitsForIt(t *testing.T) {
	d := newDesk(t, nil)
	d.cri(pod, "stdout F {1}", "stdout P {th")
	d.want(200*time.Millisecond, "{1}")
	d.cri(pod, "stdout F ree}")
	body, err := os.ReadFile(filepath.Join(d.dir, pod))
	require.NoError(t, err)
	d.write(pod+".1", string(body))
	require.NoError(t, os.Truncate(filepath.Join(d.dir, pod), 0))
	d.cri(pod, "stdout F {5}")
	got := d.after(20 * time.Second)
	sort.Strings(got)
	if diff := cmp.Diff([]string{"{5}", "{three}"}, got); diff != "" {
		t.Error(diff)
	}
}

// The batch takes what was held of a truncated file as it leaves, and counts it.
func TestWhatIsHeldOfATruncatedFileIsAmongWhatIsCountedAsRead(t *testing.T) {
	d := newDesk(t, nil)
	out := make(chan *batch, 1)
	d.r.out = out
	d.cri(pod, "stdout P {th")
	d.want(200 * time.Millisecond)
	require.NoError(t, os.Truncate(filepath.Join(d.dir, pod), 0))
	d.r.set.Poll(d.now)
	d.r.send()
	b := <-out
	require.Equal(t, 1, b.records)
	require.EqualValues(t, 1, d.r.counts.emitted.Load())
}
