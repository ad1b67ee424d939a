package cri_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/cri"
)

func ns(t *testing.T, s string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	require.NoError(t, err)
	return at.UnixNano()
}

func TestACRILineIsTakenApart(t *testing.T) {
	for _, c := range []struct {
		line string
		want cri.Line
	}{
		{"2026-07-11T19:00:00.123456789Z stdout F hello world", cri.Line{Time: ns(t, "2026-07-11T19:00:00.123456789Z"), Text: "hello world"}},
		{"2026-07-11T19:00:00.5+02:00 stderr P half", cri.Line{Time: ns(t, "2026-07-11T17:00:00.5Z"), Stream: cri.Stderr, Partial: true, Text: "half"}},
		{"2024-02-29T23:59:59-05:30 stdout F ", cri.Line{Time: ns(t, "2024-03-01T05:29:59Z")}},
		{"2026-07-11T19:00:00Z stdout F", cri.Line{Time: ns(t, "2026-07-11T19:00:00Z")}},
		{"2026-07-11T19:00:00Z stdout F  two spaces", cri.Line{Time: ns(t, "2026-07-11T19:00:00Z"), Text: " two spaces"}},
		{"2026-07-11T19:00:00Z stdout P:later:tags text", cri.Line{Time: ns(t, "2026-07-11T19:00:00Z"), Partial: true, Text: "text"}},
		{"2026-07-11T19:00:00Z stdout F \xff\x00", cri.Line{Time: ns(t, "2026-07-11T19:00:00Z"), Text: "\xff\x00"}},
	} {
		got, err := cri.Split(c.line)
		require.NoError(t, err, c.line)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%q:\n%s", c.line, d)
		}
	}
}

func TestWhatIsNotCRIIsRefused(t *testing.T) {
	for _, line := range []string{
		"", "hello", "2026-07-11T19:00:00Z", "2026-07-11T19:00:00Z stdout", "2026-07-11T19:00:00Z stdin F x",
		"2026-07-11T19:00:00Z stdout X x", "2026-07-11T19:00:00Z stdout Full x", "2026-13-11T19:00:00Z stdout F x",
		"2026-07-11 19:00:00Z stdout F x", "2026-07-11T19:00:00. stdout F x", "2026-07-11T19:00:00+0200 stdout F x",
	} {
		_, err := cri.Split(line)
		require.ErrorIs(t, err, cri.ErrNotCRI, line)
	}
}

func TestADockerLineIsTakenApart(t *testing.T) {
	at := ns(t, "2026-07-11T19:00:00.25Z")
	for _, c := range []struct {
		line string
		want cri.Line
	}{
		{`{"log":"hello\n","stream":"stdout","time":"2026-07-11T19:00:00.25Z"}`, cri.Line{Time: at, Text: "hello"}},
		{`{"log":"half","stream":"stderr","time":"2026-07-11T19:00:00.25Z"}`, cri.Line{Time: at, Stream: cri.Stderr, Partial: true, Text: "half"}},
		{`{"time":"2026-07-11T19:00:00.25Z","attrs":{"a":{"b":["]",1]},"c":null},"stream":"stdout","log":"\n"}`, cri.Line{Time: at}},
		{`{"log":"a\"b\\\t\u00e9\ud83d\ude00\ud83d\u003c\n","stream":"stdout","time":"2026-07-11T19:00:00.25Z"}`, cri.Line{Time: at, Text: "a\"b\\\té😀\uFFFD<"}},
		{`{"log":"back\\","stream":"stdout","time":"2026-07-11T19:00:00.25Z"}`, cri.Line{Time: at, Partial: true, Text: `back\`}},
	} {
		got, err := cri.SplitDocker(c.line)
		require.NoError(t, err, c.line)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%q:\n%s", c.line, d)
		}
	}
	for _, line := range []string{
		``, `{}`, `{"log":"x\n"}`, `{"message":"x","time":"2026-07-11T19:00:00Z"}`, `{"log":"x\n","stream":"stdout","time":"now"}`,
		`{"log":"x\n","stream":"stdout","time":"2026-07-11T19:00:00.25Z"} more`, `{"log":"x\q","time":"2026-07-11T19:00:00.25Z"}`,
		`{"log":"x\n","a":,"time":"2026-07-11T19:00:00.25Z"}`,
	} {
		_, err := cri.SplitDocker(line)
		require.ErrorIs(t, err, cri.ErrNotDocker, line)
	}
}

func TestTheFirstLineTellsTheFormat(t *testing.T) {
	require.Equal(t, cri.CRI, cri.Recognise("2026-07-11T19:00:00Z stdout F x"))
	require.Equal(t, cri.Docker, cri.Recognise(`{"log":"x\n","stream":"stdout","time":"2026-07-11T19:00:00Z"}`))
	require.Equal(t, cri.Raw, cri.Recognise(`{"status":200}`))
	require.Equal(t, cri.Raw, cri.Recognise(`192.0.2.1 - - [11/Jul/2026:19:00:00 +0000] "GET / HTTP/1.1" 200 1`))
}

func FuzzSplit(f *testing.F) {
	f.Add("2026-07-11T19:00:00.123456789Z stdout F hello")
	f.Add("2026-07-11T19:00:00+02:00 stderr P ")
	f.Fuzz(func(t *testing.T, line string) {
		l, err := cri.Split(line)
		if err != nil {
			return
		}
		if !strings.HasSuffix(line, l.Text) {
			t.Fatalf("text %q is not the end of %q", l.Text, line)
		}
		stamp, _, _ := strings.Cut(line, " ")
		// The calendar is stricter than we are about 31 February and second 60.
		if want, err := time.Parse(time.RFC3339Nano, stamp); err == nil && want.UnixNano() != l.Time {
			t.Fatalf("%s is %d, not %d", stamp, want.UnixNano(), l.Time)
		}
	})
}

func FuzzSplitDocker(f *testing.F) {
	f.Add(`{"log":"a\"b\u00e9\ud83d\ude00\n","stream":"stderr","time":"2026-07-11T19:00:00.25Z"}`)
	f.Add(`{"log":"x","attrs":{"k":["}",{}]},"stream":"stdout","time":"2026-07-11T19:00:00Z"}`)
	f.Fuzz(func(t *testing.T, line string) {
		l, err := cri.SplitDocker(line)
		if err != nil {
			return
		}
		var want map[string]json.RawMessage
		var text string
		// Where encoding/json agrees that it is JSON, and folds no keys and
		// repairs no bytes, it must have read the same.
		if json.Unmarshal([]byte(line), &want) != nil || json.Unmarshal(want["log"], &text) != nil ||
			strings.Count(line, `log`) != 1 || strings.ContainsRune(text, '\uFFFD') {
			return
		}
		if !l.Partial {
			text = strings.TrimSuffix(text, "\n")
		}
		if text != l.Text {
			t.Fatalf("text %q, want %q", l.Text, text)
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	line := `2026-07-11T19:00:00.123456789Z stdout F 192.0.2.1 - - [11/Jul/2026:19:00:00 +0000] "GET /live/a.m3u8 HTTP/1.1" 200 512 "-" "Mozilla/5.0"`
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, err := cri.Split(line); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplitDocker(b *testing.B) {
	line := `{"log":"192.0.2.1 - - [11/Jul/2026:19:00:00 +0000] \"GET /live/a.m3u8 HTTP/1.1\" 200 512\n","stream":"stdout","time":"2026-07-11T19:00:00.123456789Z"}`
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, err := cri.SplitDocker(line); err != nil {
			b.Fatal(err)
		}
	}
}
