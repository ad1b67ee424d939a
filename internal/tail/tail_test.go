package tail_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/tail"
)

// follower drives a Set over real files, with a clock of its own.
type follower struct {
	t   *testing.T
	dir string
	set *tail.Set
	now time.Time
	got []string
	opt tail.Options

	alive time.Time // of the last run
}

func follow(t *testing.T, pattern string, fromStart bool) *follower {
	f := &follower{t: t, dir: t.TempDir(), now: time.Now()}
	f.opt = tail.Options{
		Include: []string{filepath.Join(f.dir, pattern)}, FromStart: fromStart,
		MaxFiles: 100, MaxOpen: 10, MaxLine: 1000,
		RotateWait: 5 * time.Second, UnterminatedWait: 5 * time.Second, SleepAfter: 10 * time.Second,
	}
	f.start(nil)
	return f
}

func (f *follower) start(saved []tail.Checkpoint) {
	f.set = tail.New(f.opt, nil, saved, f.alive)
	f.t.Cleanup(f.set.Close)
}

// restart ends the run and begins another from its checkpoints, as stored.
func (f *follower) restart() {
	var saved []tail.Checkpoint
	for file := range f.set.Files {
		c, err := tail.ParseCheckpoint(file.Mark(file.Offset()).Checkpoint(f.now).AppendBinary(nil))
		require.NoError(f.t, err)
		saved = append(saved, c)
	}
	f.alive = f.set.ScannedAt()
	f.set.Close()
	f.start(saved)
}

func (f *follower) path(name string) string { return filepath.Join(f.dir, name) }

func (f *follower) write(name, text string) {
	f.t.Helper()
	require.NoError(f.t, os.MkdirAll(filepath.Dir(f.path(name)), 0o755))
	w, err := os.OpenFile(f.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(f.t, err)
	_, err = w.WriteString(text)
	require.NoError(f.t, err)
	require.NoError(f.t, w.Close())
}

func (f *follower) rename(from, to string) {
	f.t.Helper()
	require.NoError(f.t, os.Rename(f.path(from), f.path(to)))
}

// look scans and reads all that there is, after a time.
func (f *follower) look(after time.Duration) []string {
	f.t.Helper()
	f.now = f.now.Add(after)
	f.set.Scan(f.now, true)
	f.got = nil
	for range 100 {
		ready, ended := f.set.Poll(f.now)
		for _, file := range ended {
			f.set.Finish(file)
		}
		for _, file := range ready {
			f.drain(file)
		}
		if f.set.Pending() {
			f.set.Scan(f.now, false)
		} else if len(ready) == 0 {
			return f.got
		}
	}
	f.t.Fatal("files are ready for ever")
	return nil
}

func (f *follower) drain(file *tail.File) {
	for {
		c, err := f.set.Read(file, 64, f.now)
		require.NoError(f.t, err)
		if c.Text == "" {
			return
		}
		for line := range strings.Lines(c.Text) {
			if c.End != tail.Whole {
				line += fmt.Sprintf("<%d>", c.End)
			}
			f.got = append(f.got, strings.TrimSuffix(line, "\n"))
		}
		file.Advance(len(c.Text))
		f.set.Commit(file.Mark(file.Offset()), f.now)
	}
}

func (f *follower) want(after time.Duration, lines ...string) {
	f.t.Helper()
	if d := cmp.Diff(lines, f.look(after)); d != "" {
		f.t.Fatal(d)
	}
}

func TestAnOldFileIsReadFromItsEndAndANewOneFromItsBeginning(t *testing.T) {
	f := follow(t, "*.log", false)
	f.write("old.log", "before\nhalf")
	f.want(0)
	f.write("old.log", " of it\nafter\n")
	f.write("new.log", "first\n")
	f.write("new.txt", "not ours\n")
	f.want(time.Second, "after", "first")
}

func TestFromStartReadsWhatIsThere(t *testing.T) {
	f := follow(t, "*/*.log", true)
	f.write("a/0.log", "one\ntwo\n\nfour\n")
	f.want(0, "one", "two", "", "four")
	f.want(time.Second)
}

func TestAnUnfinishedLineWaitsForItsRest(t *testing.T) {
	f := follow(t, "*.log", true)
	f.write("a.log", "one\ntw")
	f.want(0, "one")
	f.write("a.log", "o\n")
	f.want(time.Second, "two")
	f.write("a.log", "rest")
	f.want(time.Second)
	f.want(4 * time.Second)
	f.want(2*time.Second, "rest<2>")
	f.write("a.log", "\nnext\n")
	f.want(time.Second, "", "next")
}

func TestALongLineIsCutAndItsRestSkipped(t *testing.T) {
	f := follow(t, "*.log", true)
	f.write("a.log", "one\n"+strings.Repeat("x", 2500)+"\ntwo\n"+strings.Repeat("y", 1000)+"\n")
	f.want(0, "one", strings.Repeat("x", 1000)+"<1>", "two", strings.Repeat("y", 1000))
	require.Equal(t, int64(1500), f.set.Stats.CutBytes)
}

func TestARenamedFileIsReadToItsEnd(t *testing.T) {
	f := follow(t, "*.log", true)
	f.write("0.log", "one\n")
	f.want(0, "one")
	f.write("0.log", "two\n")
	f.rename("0.log", "0.log.20260711-190000")
	f.write("0.log.20260711-190000", "late\n")
	f.write("0.log", "three\n")
	require.ElementsMatch(t, []string{"two", "late", "three"}, f.look(time.Second))
	require.Equal(t, int64(1), f.set.Stats.Rotated)
	f.want(6 * time.Second)
	require.Equal(t, 1, f.set.Open(), "the rotated file is closed")
	f.write("0.log.20260711-190000", "much later\n") // a writer that never reopened
	f.want(time.Minute, "much later")
	require.Equal(t, int64(1), f.set.Stats.Rotated)
}

func TestAFileThatMatchesUnderItsRotatedNameIsNotReadAgain(t *testing.T) {
	f := follow(t, "access.log*", true)
	f.write("access.log", "one\n")
	f.want(0, "one")
	f.rename("access.log", "access.log.1")
	f.write("access.log", "two\n")
	f.want(time.Second, "two")
	f.rename("access.log.1", "access.log.2")
	f.rename("access.log", "access.log.1")
	f.write("access.log", "three\n")
	f.want(time.Second, "three")
	f.want(time.Minute)
	f.restart()
	f.want(time.Minute)
}

func TestADeletedFileIsReadToItsEndWhileOpen(t *testing.T) {
	f := follow(t, "*/*.log", true)
	f.write("pod/0.log", "one\n")
	f.want(0, "one")
	w, err := os.OpenFile(f.path("pod/0.log"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer w.Close()
	require.NoError(t, os.RemoveAll(f.path("pod")))
	_, _ = w.WriteString("two\nlast words")
	f.want(time.Second, "two")
	_, _ = w.WriteString("!\n")
	f.want(time.Second, "last words!")
	f.want(6 * time.Second)
	require.Zero(t, f.set.Len())
	require.Zero(t, f.set.Open())
	require.Len(t, f.set.Forgotten(), 1)
	require.Zero(t, f.set.Stats.LostFiles)
}

func TestATruncatedFileStartsOverAndItsCopyIsReadOn(t *testing.T) {
	f := follow(t, "*.log", true)
	f.write("a.log", "one\n")
	f.want(0, "one")
	f.write("a.log", "two\n")
	body, err := os.ReadFile(f.path("a.log"))
	require.NoError(t, err)
	f.write("a.log.1", string(body))
	require.NoError(t, os.Truncate(f.path("a.log"), 0))
	f.write("a.log", "3\n")
	require.ElementsMatch(t, []string{"two", "3"}, f.look(time.Second))
	require.Equal(t, tail.Stats{Truncated: 1, Recovered: 4}, f.set.Stats)
}

func TestATruncatedFileWithoutACopyIsCountedAsLost(t *testing.T) {
	f := follow(t, "*.log", true)
	f.write("a.log", "one\n")
	f.want(0, "one")
	f.write("a.log", "two\n")
	f.set.Poll(f.now) // its size is seen, and not read
	require.NoError(t, os.Truncate(f.path("a.log"), 0))
	f.write("a.log", "a line that is longer than all that was there\n")
	f.want(time.Second, "a line that is longer than all that was there")
	require.Equal(t, tail.Stats{Truncated: 1, LostBytes: 4}, f.set.Stats)
}

// Its size tells nothing then, and its time does.
func TestAFileThatIsWrittenAnewToTheSameSizeIsReadAnew(t *testing.T) {
	f := follow(t, "*.log", true)
	f.write("a.log", "one\n")
	f.want(0, "one")
	require.NoError(t, os.Truncate(f.path("a.log"), 0))
	f.write("a.log", "two\n")
	later := time.Now().Add(time.Second) // than any tick of the kernel's clock
	require.NoError(t, os.Chtimes(f.path("a.log"), later, later))
	f.want(time.Second, "two")
	require.Equal(t, tail.Stats{Truncated: 1}, f.set.Stats)

	later = later.Add(time.Second) // as a backup program may set it
	require.NoError(t, os.Chtimes(f.path("a.log"), later, later))
	f.want(time.Second)
	require.EqualValues(t, 1, f.set.Stats.Truncated)
}

func TestAfterARestartReadingGoesOn(t *testing.T) {
	f := follow(t, "*.log", false)
	f.want(0)
	f.write("a.log", "one\n")
	f.want(time.Second, "one")
	f.restart()
	f.write("a.log", "two\n")
	f.want(time.Second, "two")
}

func TestRotationsWhileAwayAreCaughtUpWith(t *testing.T) {
	f := follow(t, "*.log", false)
	f.write("0.log.20260701-000000", "older than us\n")
	past := f.now.Add(-time.Hour)
	require.NoError(t, os.Chtimes(f.path("0.log.20260701-000000"), past, past))
	f.want(0)
	f.write("0.log", "one\n")
	f.want(time.Second, "one")
	f.write("0.log", "two\n")
	f.rename("0.log", "0.log.20260711-190000")
	f.restart()
	f.now = time.Now()
	f.want(0, "two") // its name is not there yet
	f.restart()
	f.write("0.log.20260711-190100", "three\n")
	f.write("0.log", "four\n")
	require.ElementsMatch(t, []string{"three", "four"}, f.look(3*time.Second))
}

func TestAFileThatIsTruncatedAndGrowsBetweenPollAndReadIsNotMixedUp(t *testing.T) {
	f := follow(t, "*.log", true)
	f.write("a.log", "one\n")
	f.want(0, "one")
	f.write("a.log", "two\n")
	ready, _ := f.set.Poll(f.now)
	require.Len(t, ready, 1)
	f.write("a.log.1", "one\ntwo\n")
	require.NoError(t, os.Truncate(f.path("a.log"), 0))
	f.write("a.log", "three, four and five\n")
	f.got = nil
	f.drain(ready[0])
	require.Empty(t, f.got)
	require.ElementsMatch(t, []string{"two", "three, four and five"}, f.look(time.Second))
}

func TestCopiesMadeWhileAwayAreReadOn(t *testing.T) {
	f := follow(t, "*.log", true)
	f.write("a.log", "one\n")
	f.want(0, "one")
	f.restart()
	f.write("a.log.2", "one\ntwo\n")
	f.write("a.log.1", "three\n")
	require.NoError(t, os.Truncate(f.path("a.log"), 0))
	f.write("a.log", "four, and much longer than before\n")
	require.ElementsMatch(t, []string{"two", "three", "four, and much longer than before"}, f.look(time.Second))
}

func TestFilesThatCameAndLostTheirNameBetweenTwoLooksAreRead(t *testing.T) {
	f := follow(t, "*.log", false)
	f.now = time.Now()
	f.want(0)
	f.write("0.log.20260711-190000", "one\n")
	f.write("0.log.20260711-190001", "two\n")
	f.write("0.log.20260711-190002.gz", "xx\n")
	f.write("0.txt.1", "no\n")
	require.ElementsMatch(t, []string{"one", "two"}, f.look(time.Second))
	f.write("0.log", "three\n")
	f.write("0.log.20260711-190003", "four\n")
	require.ElementsMatch(t, []string{"three", "four"}, f.look(time.Second))
}

func TestACopyIsNotReadBeforeItsOriginalIsTruncated(t *testing.T) {
	f := follow(t, "*.log", true)
	f.write("a.log", "one\n")
	f.want(0, "one")
	f.write("a.log.1", "on")
	f.want(time.Second)
	f.write("a.log.1", "e\n")
	f.want(time.Minute)
	require.NoError(t, os.Truncate(f.path("a.log"), 0))
	f.want(time.Second)
	f.write("a.log", "two\n")
	f.want(time.Minute, "two")
	f.restart()
	f.want(time.Minute)
}

func TestAReusedInodeIsAnotherFile(t *testing.T) {
	f := follow(t, "*.log", false)
	f.want(0)
	f.write("a.log", "one\ntwo\n")
	f.want(time.Second, "one", "two")
	f.restart()
	// The same inode with other first bytes, as long as before.
	require.NoError(t, os.WriteFile(f.path("a.log"), []byte("new\nfile\nof three\n"), 0o644))
	f.want(time.Second, "new", "file", "of three")
}

func TestACompressedFileThatWasNotFinishedIsCounted(t *testing.T) {
	f := follow(t, "*.log", true)
	f.write("a.log", "one\n")
	f.want(0, "one")
	f.restart()
	f.write("a.log.1.gz", "")
	w, err := os.Create(f.path("a.log.1.gz"))
	require.NoError(t, err)
	z := gzip.NewWriter(w)
	_, _ = io.WriteString(z, "one\ntwo\n")
	require.NoError(t, z.Close())
	require.NoError(t, w.Close())
	require.NoError(t, os.Remove(f.path("a.log")))
	f.write("a.log", "three\n")
	require.Equal(t, []string{"three"}, f.look(time.Second))
	require.Equal(t, tail.Stats{LostFiles: 1, Compressed: 1, LostBytes: 4}, f.set.Stats)
}

func TestNoMoreFilesAreOpenThanAllowed(t *testing.T) {
	f := follow(t, "*.log", true)
	for i := range 30 {
		f.write(fmt.Sprintf("%02d.log", i), fmt.Sprintln(i))
	}
	require.Len(t, f.look(0), 30)
	require.Equal(t, 10, f.set.Open())
	f.write("00.log", "more\n")
	f.want(time.Second, "more")
	require.LessOrEqual(t, f.set.Open(), 10)
	for i := range 90 {
		f.write(fmt.Sprintf("x%02d.log", i), fmt.Sprintln(i))
	}
	f.look(time.Second)
	require.Equal(t, 100, f.set.Len())
	require.Equal(t, int64(20), f.set.Stats.TooMany)
}

func TestAFileThatMayNotBeOpenedIsSaidAndLeftForLater(t *testing.T) {
	f := follow(t, "*.log", true)
	f.opt.MaxOpen = 1
	f.start(nil)
	f.write("a.log", "one\n")
	f.set.Scan(f.now, true)
	f.set.Poll(f.now) // opened, and not read: it can't be closed for another
	f.write("b.log", "two\n")
	f.set.Scan(f.now, true)
	f.set.Poll(f.now)
	require.ErrorContains(t, f.set.Trouble(), "b.log: 1 files are open already")
	require.NoError(t, f.set.Trouble())
	f.want(time.Second, "one", "two")
}

func TestExcludedFilesAreLeftAlone(t *testing.T) {
	f := follow(t, "**/*.log", true)
	f.opt.Exclude = []string{f.path("b/*.log")}
	f.opt.Skip = func(path string) bool { return strings.Contains(path, "secret") }
	f.start(nil)
	f.write("a/x/y.log", "deep\n")
	f.write("b/x.log", "no\n")
	f.write("c/secret.log", "no\n")
	f.want(0, "deep")
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add(tail.Checkpoint{ID: tail.ID{Dev: 1, Ino: 2}, Offset: 3, Seen: time.UnixMilli(4), Path: "/a"}.AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := tail.ParseCheckpoint(b)
		if err != nil {
			return
		}
		again, err := tail.ParseCheckpoint(c.AppendBinary(nil))
		if err != nil || again != c {
			t.Fatalf("%+v became %+v: %v", c, again, err)
		}
	})
}
