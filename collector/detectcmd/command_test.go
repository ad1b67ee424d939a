package detectcmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/request"
)

var kickOff = time.Date(2026, 7, 14, 19, 0, 0, 0, time.UTC)

// logLine is a request of the second that many after kick-off; suspicious ones come from
// 203.0.113.66, which is what the fake below goes by.
func logLine(second int, client, path string) string {
	return fmt.Sprintf("%s - - [%s] \"GET %s HTTP/1.1\" 200 10 \"-\" \"ua\"\n", client, kickOff.Add(time.Duration(second)*time.Second).Format("02/Jan/2006:15:04:05 -0700"), path)
}

// fake is a detector that finds every request of 203.0.113.66 once it has seen
// one and a tick has passed.
type fake struct {
	ticks    []time.Time
	services []string
	seen     []string
	f        finding.Finding
	pending  bool
	requests uint64
}

func (d *fake) Observe(r *request.Request) detect.Mark {
	d.requests++
	d.seen = append(d.seen, string(r.Path))
	if s := string(r.Service); len(d.services) == 0 || d.services[len(d.services)-1] != s {
		d.services = append(d.services, s)
	}
	if r.Client.String() != "203.0.113.66" {
		return detect.Mark{}
	}
	d.pending = true
	if d.f.ID == "" {
		return detect.Mark{}
	}
	d.f.Requests++
	return detect.Mark{FindingID: d.f.ID, Suspicion: 0.875}
}

func (d *fake) Tick(now time.Time) []finding.Finding {
	d.ticks = append(d.ticks, now)
	switch {
	case d.f.ID != "" && d.f.Status != finding.Closed:
		d.f.Status, d.f.UpdatedAt = finding.Update, now
	case d.pending && d.f.ID == "":
		d.f = finding.Finding{
			ID: "f1", Class: finding.HTTPFlood, Service: d.services[0], Status: finding.Open, StartedAt: now.Add(-time.Second), DetectedAt: now,
			Rules: []finding.Rule{{Kind: "ip_set", Action: finding.ActionBlock, Coverage: 1, Match: []finding.Condition{
				{Field: names.ClientAddress, Op: finding.OpIn, Values: []string{"203.0.113.66/32"}}}}},
		}
	default:
		return nil
	}
	return []finding.Finding{d.f}
}

func (d *fake) Flush() []finding.Finding {
	if d.f.ID == "" || d.f.Status == finding.Closed {
		return nil
	}
	d.f.Status, d.f.ClosedAt = finding.Closed, d.f.UpdatedAt
	return []finding.Finding{d.f}
}

func (d *fake) Services() []string  { return d.services[:min(1, len(d.services))] }
func (d *fake) Stats() detect.Stats { return detect.Stats{} }
func (d *fake) Status(s string) (detect.Status, bool) {
	v := finding.Normal
	if d.f.ID != "" {
		v = finding.Attack
	}
	return detect.Status{Service: s, Verdict: v, Requests: d.requests}, true
}

// ran is what a run left behind.
type ran struct {
	out, err string
	fail     error
	judges   []*fake
}

// runFake runs the command with the fake detector.
func runFake(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	var r ran
	o := options{format: "auto", service: "default"}
	cmd := New()
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]*string{"format": &o.format, "marks": &o.marks, "rules": &o.rules, "rules-out": &o.rulesOut, "service-by": &o.serviceBy, "calendar": &o.calendar, "sort": &o.sort} {
		*to, _ = cmd.Flags().GetString(name)
	}
	o.changes, _ = cmd.Flags().GetBool("changes")
	s, err := o.settings(cmd.Flags().Args())
	if err != nil {
		t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	s.in, s.out, s.err = strings.NewReader(stdin), &out, &stderr
	s.newJudge = func(detect.Config) (judge, error) {
		d := &fake{}
		r.judges = append(r.judges, d)
		return d, nil
	}
	r.fail = run(t.Context(), s)
	r.out, r.err = out.String(), stderr.String()
	return r
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// attacked is a log in which lines 21 to 30 are suspicious, after the opening
// lines 19 and 20.
func attacked() string {
	var b strings.Builder
	for i := range 18 {
		b.WriteString(logLine(i/3, "198.51.100.1", "/"))
	}
	for i := range 12 {
		b.WriteString(logLine(6+i/2, "203.0.113.66", "/x"))
	}
	b.WriteString(logLine(12, "198.51.100.1", "/"))
	return b.String()
}

func TestEachFindingIsPrintedOnceInItsFinalState(t *testing.T) {
	r := runFake(t, attacked(), "-")
	if r.fail != nil {
		t.Fatal(r.fail)
	}
	var f finding.Finding
	if err := json.Unmarshal([]byte(r.out), &f); err != nil || strings.Count(r.out, "\n") != 1 {
		t.Fatalf("%v: %s", err, r.out)
	}
	if !strings.Contains(r.out, `"evidence":[],"actors":[],"rules":[{`) {
		t.Errorf("lists: %s", r.out)
	}
	if f.Status != finding.Closed || f.Requests != 10 || f.ID != "f1" || f.Service != "default" {
		t.Errorf("%+v", f)
	}
	for _, want := range []string{"31 lines of nginx in 1 file", "normal", "attack", "1 finding, 10 lines marked", "f1 http_flood on default"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("the summary lacks %q:\n%s", want, r.err)
		}
	}
}

func TestChangesPrintsEveryState(t *testing.T) {
	r := runFake(t, attacked(), "-", "--changes")
	var got []finding.Status
	for _, l := range strings.Split(strings.TrimSpace(r.out), "\n") {
		var f finding.Finding
		if err := json.Unmarshal([]byte(l), &f); err != nil {
			t.Fatal(err)
		}
		got = append(got, f.Status)
	}
	want := []finding.Status{finding.Open, finding.Update, finding.Update, finding.Update, finding.Update, finding.Update, finding.Closed}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMarksNameTheLineWithoutLookingAhead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.tsv")
	// The unreadable lines count as lines; the second file goes on counting.
	first, second := "junk\n"+attacked(), "\n"+logLine(13, "203.0.113.66", "/y")
	runFake(t, second, write(t, "a.log", first), "-", "--marks", path)
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for line := 22; line <= 31; line++ {
		fmt.Fprintf(&want, "%d\t0.875\tf1\n", line)
	}
	want.WriteString("34\t0.875\tf1\n")
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestEventTimeTicksOnceASecond(t *testing.T) {
	r := runFake(t, attacked(), "-")
	var got []int
	for _, at := range r.judges[0].ticks {
		got = append(got, int(at.Sub(kickOff)/time.Second))
	}
	if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAShuffledLogIsSortedAndLinesKeepTheirNumbers(t *testing.T) {
	lines := strings.SplitAfter(attacked(), "\n")
	lines = lines[:len(lines)-1]
	number := make([]int, len(lines)) // by original place
	shuffled := make([]string, len(lines))
	for i := range lines {
		to := i * 17 % len(lines)
		shuffled[to], number[i] = lines[i], to+1
	}
	path := filepath.Join(t.TempDir(), "m.tsv")
	r := runFake(t, strings.Join(shuffled, ""), "-", "--marks", path)
	if !strings.Contains(r.err, "were sorted") || !strings.Contains(r.err, "31 lines of nginx") {
		t.Errorf("summary:\n%s", r.err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for i := 20; i < 30; i++ {
		want[fmt.Sprintf("%d\t0.875\tf1", number[i])] = true
	}
	marked := map[string]bool{}
	for _, l := range strings.Fields(strings.ReplaceAll(string(got), "\t0.875\tf1", "@")) {
		marked[strings.ReplaceAll(l, "@", "\t0.875\tf1")] = true
	}
	if diff := cmp.Diff(want, marked); diff != "" {
		t.Error(diff)
	}
	stays := runFake(t, strings.Join(shuffled, ""), "-", "--sort", "never")
	if strings.Contains(stays.err, "were sorted") {
		t.Error("sorted against --sort never")
	}
}

func TestALogThatGoesBackForGoodIsJudgedAnew(t *testing.T) {
	var b strings.Builder
	for i := range 10 {
		b.WriteString(logLine(i, "198.51.100.1", "/"))
	}
	for i := range 600 {
		b.WriteString(logLine(i/10-7200, "198.51.100.1", "/"))
	}
	r := runFake(t, b.String(), "-", "--sort", "never")
	if len(r.judges) != 2 || !strings.Contains(r.err, "1 times the log went back") {
		t.Errorf("%d detectors\n%s", len(r.judges), r.err)
	}
}

func TestCompressedFilesAreKnownByTheirFirstBytes(t *testing.T) {
	var gz, zst bytes.Buffer
	half := attacked()
	w := gzip.NewWriter(&gz)
	w.Write([]byte(half[:500]))
	w.Close()
	w.Reset(&gz) // a second member, as logrotate and cat leave
	w.Write([]byte(half[500:]))
	w.Close()
	z, err := zstd.NewWriter(&zst)
	if err != nil {
		t.Fatal(err)
	}
	z.Write([]byte(half))
	z.Close()
	want := runFake(t, half, "-").judges[0].seen
	for name, data := range map[string]string{"gzip.log": gz.String(), "zstd.log": zst.String()} {
		r := runFake(t, "", write(t, name, data))
		if r.fail != nil {
			t.Fatal(r.fail)
		}
		if diff := cmp.Diff(want, r.judges[0].seen); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	cut := runFake(t, "", write(t, "cut.log.gz", gz.String()[:gz.Len()-20]))
	if cut.fail == nil || !strings.Contains(cut.fail.Error(), "cut.log.gz") {
		t.Errorf("a file cut short: %v", cut.fail)
	}
	if len(cut.judges[0].seen) == 0 {
		t.Error("what could be read of a file cut short was not judged")
	}
}

func TestLinesOfAnyLengthAreCountedAndNoneIsSplit(t *testing.T) {
	long := logLine(1, "198.51.100.1", "/"+strings.Repeat("a", 200<<10))
	tooLong := logLine(2, "198.51.100.1", "/"+strings.Repeat("b", 3<<20))
	in := logLine(0, "198.51.100.1", "/0") + strings.Repeat(long, 7) + tooLong + strings.Repeat(logLine(3, "198.51.100.1", "/1"), 9000) + tooLong + strings.TrimSuffix(logLine(4, "203.0.113.66", "/2"), "\n")
	r := runFake(t, in, "-")
	if r.fail != nil {
		t.Fatal(r.fail)
	}
	if got, want := len(r.judges[0].seen), 1+7+9000+1; got != want {
		t.Errorf("%d requests, want %d", got, want)
	}
	for _, want := range []string{"9,011 lines", "2 too_long"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("the summary lacks %q:\n%s", want, r.err)
		}
	}
}

func TestTheServiceIsTheBackendElseTheHostElseOne(t *testing.T) {
	in := `198.51.100.1 - - [14/Jul/2026:19:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "x" host=tv.example service=backend` + "\n" +
		`198.51.100.1 - - [14/Jul/2026:19:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "x" host=tv.example` + "\n" +
		`198.51.100.1 - - [14/Jul/2026:19:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "x"` + "\n"
	for by, want := range map[string][]string{
		"auto": {"backend", "tv.example", "default"}, "service": {"backend", "default"}, "host": {"tv.example", "default"}, "none": {"default"},
	} {
		r := runFake(t, in, "-", "--service-by", by)
		if diff := cmp.Diff(want, r.judges[0].services); diff != "" {
			t.Errorf("by %s: %s", by, diff)
		}
	}
}

func TestRulesTakeTheFindingsPlaceUnlessTheyHaveAFile(t *testing.T) {
	if r := runFake(t, attacked(), "-", "--rules", "cidr"); !strings.HasSuffix(r.out, "\n203.0.113.66/32\n") || strings.Contains(r.out, `"id"`) {
		t.Errorf("%s", r.out)
	}
	path := filepath.Join(t.TempDir(), "rules")
	r := runFake(t, attacked(), "-", "--rules", "cidr", "--rules-out", path)
	got, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(string(got), "\n203.0.113.66/32\n") || !strings.Contains(r.out, `"id":"f1"`) {
		t.Errorf("%v %s\n%s", err, got, r.out)
	}
}

func TestBadUsageAndUnreadableInputAreErrorsThatSayWhat(t *testing.T) {
	for _, tc := range []struct {
		args []string
		in   string
		want []string
	}{
		{nil, "", []string{"standard input"}},
		{[]string{"/nonexistent/a.log", "/nonexistent/b.log"}, "", []string{"a.log", "b.log"}},
		{[]string{t.TempDir()}, "", []string{"directory"}},
		{[]string{"-", "--format", "w3c", "--service-by", "x", "--trusted-proxies", "nowhere", "--rules", "iptables"}, "", []string{`"w3c"`, `"x"`, `"nowhere"`, `"iptables"`}},
		{[]string{"-", "-"}, "", []string{"once"}},
		{[]string{"-", "--lateness", "5m"}, "", []string{"lateness"}},
		{[]string{"-", "--calendar", "/nonexistent/c.yaml"}, "", []string{"calendar"}},
		{[]string{"-"}, "a line\nanother line of prose\n", []string{"2 lines", "2 format", "--format"}},
	} {
		cmd := New()
		cmd.SetArgs(append([]string{}, tc.args...))
		cmd.SetIn(strings.NewReader(tc.in))
		cmd.SetOut(&bytes.Buffer{})
		cmd.SetErr(&bytes.Buffer{})
		err := cmd.ExecuteContext(t.Context())
		if err == nil {
			t.Errorf("%q: no error", tc.args)
			continue
		}
		for _, w := range tc.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v lacks %q", tc.args, err, w)
			}
		}
	}
}

func TestAnEmptyLogIsNoError(t *testing.T) {
	for _, in := range []string{"", "\n\n", "#Version: 1.0\n"} {
		if r := runFake(t, in, "-"); r.fail != nil {
			t.Errorf("%q: %v", in, r.fail)
		}
	}
}

func TestTheBarTellsShareSpeedAndTime(t *testing.T) {
	p := newProgress(&bytes.Buffer{}, &source{total: 1000}, false)
	p.src.read.Store(1000)
	p.src.sent.Store(8000)
	p.bytes.Store(4000)
	p.lines.Store(1234567)
	p.event.Store(kickOff.Unix())
	p.open.Store(2)
	got := p.draw(2 * time.Second)
	if want := "████████████░░░░░░░░░░░░  50 %  1,234,567 lines, 617,283/s, 2026-07-14 19:00:00, 2 open"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if p.draws {
		t.Error("a bar is drawn where there is no terminal")
	}
}

// BenchmarkDetect's budget: 1 million lines a second on one core.
func BenchmarkDetect(b *testing.B) {
	var in bytes.Buffer
	for i := range 200_000 {
		fmt.Fprintf(&in, "%d.%d.%d.%d - - [%s] \"GET /live/%d/segment-%d.ts HTTP/1.1\" 200 %d \"https://tv.example/match/42\" \"Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36\"\n",
			11+i%180, i/7%250, i/3%250, 1+i%250, kickOff.Add(time.Duration(i)*100*time.Microsecond).Format("02/Jan/2006:15:04:05 -0700"), i%40, i%1000, 1000+i%977)
	}
	path := filepath.Join(b.TempDir(), "access.log")
	if err := os.WriteFile(path, in.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	before := cpu()
	for b.Loop() {
		s := &session{newJudge: newDetector, files: []string{path}, service: []byte("default"), quiet: true, format: accesslog.Auto, out: &bytes.Buffer{}, err: &bytes.Buffer{}}
		if err := run(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(in.Len()))
	b.ReportMetric(200_000*float64(b.N)/(cpu()-before).Seconds()/1e6, "Mlines/cpu-s")
}

// cpu is the processor time that the process has used: on a machine that is
// shared, the clock on the wall says little.
func cpu() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
