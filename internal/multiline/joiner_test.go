package multiline_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/multiline"
)

func join(lines []string) (records []string) {
	var j multiline.Joiner
	for _, line := range lines {
		if j.Next(line)&multiline.Continue != 0 {
			records[len(records)-1] += "\n" + line
		} else {
			records = append(records, line)
		}
	}
	return records
}

// Each file of testdata holds records between lines of "=====", as they must
// leave; without those lines it is what enters.
func TestTracesBecomeOneRecordEach(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.Len(t, files, 6)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			want := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n=====\n")
			require.Greater(t, len(want), 2)
			got := join(strings.Split(strings.Join(want, "\n"), "\n"))
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestALineThatNothingCanFollowDoesNotWait(t *testing.T) {
	for line, want := range map[string]multiline.Verdict{
		`{"level":"info","msg":"x"}`: multiline.Alone,
		`192.0.2.1 - - [11/Jul/2026:19:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"`: multiline.Alone,
		"":                                   multiline.Alone,
		"2026-07-11 19:00:00 ERROR it broke": multiline.Wait,
		"panic: boom":                        multiline.Wait,
	} {
		var j multiline.Joiner
		require.Equal(t, want, j.Next(line), line)
	}
}

func TestAfterAResetNothingContinues(t *testing.T) {
	var j multiline.Joiner
	require.Equal(t, multiline.Wait, j.Next("java.lang.IllegalStateException: x"))
	require.Equal(t, multiline.Continue|multiline.Wait, j.Next("\tat a.b.C.d(C.java:1)"))
	j.Reset()
	require.Zero(t, j.Next("\tat a.b.C.e(C.java:2)")&multiline.Continue)
}

func FuzzNext(f *testing.F) {
	f.Add("panic: x\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:1")
	f.Add("Traceback (most recent call last):\n  File \"x\"\nValueError")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		if got := strings.Join(join(lines), "\n"); got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	lines := []string{
		`192.0.2.1 - - [11/Jul/2026:19:00:00 +0000] "GET /live/a.m3u8 HTTP/1.1" 200 512 "-" "Mozilla/5.0 (X11; Linux x86_64)"`,
		`{"time":"2026-07-11T19:00:00Z","level":"info","msg":"viewer joined","stream":"semi-final"}`,
		`2026-07-11 19:00:00.123 INFO  [main] dev.vigie.Player - segment 4711 delivered in 12 ms`,
	}
	var j multiline.Joiner
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			j.Next(line)
		}
	}
}
