package timeline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/timeline"
)

var kickOff = time.Date(2026, 7, 14, 19, 0, 0, 0, time.UTC)

func open(t *testing.T, path string) *timeline.Log {
	t.Helper()
	l, err := timeline.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

func note(text string) timeline.Entry {
	return timeline.Entry{At: kickOff, Kind: timeline.Note, Text: text, Who: "ada"}
}

func TestANoteIsThereAfterARestartAsItWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "room", "timeline.ndjson")
	l := open(t, path)
	for _, text := range []string{"first", "<script>alert(1)</script>", "two\nlines \"quoted\"", "⚽"} {
		_, err := l.Add(note(text))
		require.NoError(t, err)
	}
	want := l.Newest(10)
	require.NoError(t, l.Close())
	again := open(t, path)
	require.Equal(t, want, again.Newest(10))
	e, err := again.Add(note("after"))
	require.NoError(t, err)
	require.EqualValues(t, 5, e.Seq)
	require.Equal(t, []timeline.Entry{e}, again.Since(4))
}

func TestALineThatACrashToreCostsNothingButItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t")
	l := open(t, path)
	_, err := l.Add(note("whole"))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("\x00\x00garbage\n" + strings.Repeat("x", 200<<10) + "\n" + `{"seq":2,"kind":"note","te`)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	l = open(t, path)
	broken, _ := l.Broken()
	require.GreaterOrEqual(t, broken, 3)
	_, err = l.Add(note("next"))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	l = open(t, path)
	got := l.Newest(10)
	require.Len(t, got, 2)
	require.Equal(t, "next", got[1].Text)
}

func TestWhatMakesNoSenseIsRefusedWithWhatIsTaken(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "t"))
	for name, e := range map[string]timeline.Entry{
		"empty":    note("  "),
		"too long": note(strings.Repeat("é", 1001)),
		"no UTF-8": note("\xff"),
		"kind":     {Kind: "party", Text: "x"},
		"severity": {Kind: timeline.Severity, Text: "huge"},
	} {
		_, err := l.Add(e)
		require.ErrorIs(t, err, timeline.ErrInvalid, name)
	}
	require.Empty(t, l.Newest(10))
	_, err := l.Add(timeline.Entry{Kind: timeline.Commander, Text: ""})
	require.NoError(t, err, "a role is given back")
}

func TestMemoryHoldsTheNewestAndTheFileAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t")
	l := open(t, path)
	for i := range 3 * timeline.Limit {
		_, err := l.Add(timeline.Entry{Kind: timeline.Verdict, Text: fmt.Sprint(i)})
		require.NoError(t, err)
	}
	got := l.Newest(10 * timeline.Limit)
	require.Len(t, got, timeline.Limit)
	require.Equal(t, fmt.Sprint(3*timeline.Limit-1), got[len(got)-1].Text)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 3*timeline.Limit, strings.Count(string(text), "\n"))
}

func TestAClosedBookTakesNoNoteAndKeepsWhatAMachineSaw(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "t"))
	require.NoError(t, l.Close())
	require.NoError(t, l.Close())
	_, err := l.Add(note("lost"))
	require.ErrorIs(t, err, os.ErrClosed)
	_, err = l.Add(timeline.Entry{Kind: timeline.Verdict, Text: "attack"})
	require.ErrorIs(t, err, os.ErrClosed)
	require.Len(t, l.Newest(10), 1)
}

func TestManyWritersGetEachTheirOwnNumber(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "t"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				_, _ = l.Add(note("x"))
			}
		})
	}
	wg.Wait()
	for i, e := range l.Newest(1000) {
		require.EqualValues(t, i+1, e.Seq)
	}
	require.Len(t, l.Newest(1000), 160)
}
