package promstore

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func TestASecondStoreOnTheSameDirectoryIsRefusedAndNamesIt(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, Config{Dir: dir})
	_, err := Open(Config{Dir: dir}, nil, nil)
	require.ErrorIs(t, err, ErrLocked)
	require.Contains(t, err.Error(), dir)
	require.Contains(t, err.Error(), "in use by another instance")
	require.NoError(t, s.Close())
	openTest(t, Config{Dir: dir})
}

func TestADirectoryThatCannotBeMadeIsSaidPlainly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(Config{Dir: filepath.Join(file, "data")}, nil, nil)
	require.ErrorIs(t, err, ErrNotWritable)
	require.Contains(t, err.Error(), file)
}

func TestAReadOnlyDirectoryIsSaidPlainly(t *testing.T) {
	dir := mount(t, "ro,size=1m")
	_, err := Open(Config{Dir: dir}, nil, nil)
	require.ErrorIs(t, err, ErrNotWritable)
	require.Contains(t, err.Error(), dir)
}

func TestEveryConfigurationProblemIsReportedAtOnce(t *testing.T) {
	err := Config{Retention: time.Minute, MaxBytes: 5, QueryConcurrency: -2, OutOfOrderWindow: -time.Hour, MaxFuture: -1, MaxLabels: -1}.Validate()
	require.Error(t, err)
	for _, key := range []string{"dir", "retention", "max_bytes", "query_concurrency", "out_of_order_window", "max_future", "max_labels"} {
		require.Contains(t, err.Error(), key+" must")
	}
	require.Len(t, strings.Split(err.Error(), "\n"), 7)
	require.NoError(t, Config{Dir: "x"}.Validate())
}

func TestClosingTwiceIsSafeAndWhatComesAfterIsRefused(t *testing.T) {
	reg := prometheus.NewRegistry()
	s, err := Open(Config{Dir: t.TempDir()}, nil, reg)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, err = s.AppendMetrics(t.Context(), gauge("x", time.Now(), 1))
	require.ErrorIs(t, err, ErrClosed)
	_, err = s.Query(t.Context(), "x", time.Now())
	require.ErrorIs(t, err, ErrClosed)
	code, body := get(t, s, "/api/v1/labels", nil)
	require.Equal(t, 503, code, body)
	for range s.slots.GetMaxConcurrent() { // one that waits for a slot hears of it, too
		_, err = s.slots.Insert(t.Context(), "")
		require.NoError(t, err)
	}
	code, body = get(t, s, "/api/v1/labels", nil)
	require.Equal(t, 503, code, body)
	require.Zero(t, s.Status().HeadSeries)
	left, err := reg.Gather()
	require.NoError(t, err)
	require.Empty(t, left, "a closed store leaves no metric registered")
}

// disk is a file system whose room the test decides.
type disk struct{ free atomic.Uint64 }

func (d *disk) hooks() hooks {
	return hooks{now: time.Now, free: func(string) (uint64, error) { return d.free.Load(), nil }, tick: time.Hour}
}

func TestWritingStopsBelowTheReserveAndResumesWithRoomToSpare(t *testing.T) {
	var d disk
	d.free.Store(1 << 30)
	s, err := open(Config{Dir: t.TempDir(), MinFreeBytes: 100 << 20}, nil, nil, d.hooks())
	require.NoError(t, err)
	defer s.Close()
	at := time.Now()
	_, err = s.AppendMetrics(t.Context(), gauge("x", at, 1))
	require.NoError(t, err)

	d.free.Store(99 << 20)
	n, err := s.AppendMetrics(t.Context(), gauge("x", at.Add(time.Second), 2))
	require.ErrorIs(t, err, ErrDiskFull)
	require.True(t, Retryable(err))
	require.Equal(t, 1, n)
	require.True(t, s.Status().DiskFull)
	require.EqualValues(t, n, s.Status().Dropped["disk_full"])
	_, err = s.Query(t.Context(), "x", at)
	require.NoError(t, err, "queries go on")

	d.free.Store(110 << 20) // more than the reserve, less than what resumes
	_, err = s.AppendMetrics(t.Context(), gauge("x", at.Add(time.Second), 2))
	require.ErrorIs(t, err, ErrDiskFull)

	d.free.Store(126 << 20)
	_, err = s.AppendMetrics(t.Context(), gauge("x", at.Add(time.Second), 2))
	require.NoError(t, err)
	require.False(t, s.Status().DiskFull)
}

// mount mounts a file system of the test's own.
func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	flags := uintptr(0)
	if rest, ok := strings.CutPrefix(options, "ro,"); ok {
		flags, options = syscall.MS_RDONLY, rest
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Skipf("mounting a tmpfs takes CAP_SYS_ADMIN: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// With the reserve off, writes meet the end of the disk in the middle of a
// record. The store must say so, go on answering, and take up again after a
// repair, with everything that it acknowledged.
func TestADiskThatIsReallyFullLosesNothingAcknowledged(t *testing.T) {
	dir := mount(t, "size=6m")
	var log strings.Builder
	h := hooks{now: time.Now, free: freeBytes, tick: time.Hour}
	s, err := open(Config{Dir: dir, MinFreeBytes: -1}, slog.New(slog.NewTextHandler(&log, nil)), nil, h)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	ballast := filepath.Join(dir, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 4<<20), 0o600))

	start := time.Now().Add(-time.Hour)
	acked := map[string]bool{}
	batch := 0
	write := func() error {
		at := start.Add(time.Duration(batch) * time.Millisecond * 100)
		name := fmt.Sprintf("m%d", batch)
		batch++
		_, err := s.AppendMetrics(t.Context(), gauge(name, at, 1, "noise", noise(batch)))
		if err == nil {
			acked[name] = true
		}
		return err
	}
	for err = nil; err == nil; {
		err = write()
	}
	require.ErrorIs(t, err, ErrDiskFull)
	require.Contains(t, err.Error(), dir)
	require.NotEmpty(t, acked)
	require.ErrorIs(t, write(), ErrDiskFull, "it stays stopped until it is repaired")
	require.True(t, s.Status().DiskFull)
	require.Error(t, s.Status().Failure)
	_, err = s.Query(t.Context(), "m0", start)
	require.NoError(t, err)

	require.NoError(t, os.Remove(ballast))
	s.reopen()
	require.NoError(t, s.Status().Failure)
	require.NoError(t, write())
	require.NoError(t, s.Close())

	// Another start must find all of it: nothing after the torn record is lost.
	s, err = open(Config{Dir: dir, MinFreeBytes: -1}, nil, nil, h)
	require.NoError(t, err)
	kept := held(t, s)
	names := map[string]bool{}
	for key := range kept {
		_, rest, _ := strings.Cut(key, `__name__="`)
		name, _, _ := strings.Cut(rest, `"`)
		names[name] = true
	}
	for name := range acked {
		require.True(t, names[name], "%s was acknowledged and is lost (%d of %d kept)", name, len(names), len(acked))
	}
}

// noise does not compress: the log shall fill up soon.
func noise(seed int) string {
	var b strings.Builder
	x := uint64(seed)*0x9e3779b97f4a7c15 + 1
	for b.Len() < 1500 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		fmt.Fprintf(&b, "%x", x)
	}
	return b.String()
}

// tsdb panics when a head chunk does not fit; the process must not.
func TestHeadChunksThatDoNotFitStopTheStoreAndNotTheProcess(t *testing.T) {
	dir := mount(t, "size=8m")
	h := hooks{now: time.Now, free: freeBytes, tick: time.Hour}
	s, err := open(Config{Dir: dir, MinFreeBytes: -1}, nil, nil, h)
	require.NoError(t, err)
	defer func() { _ = s.Close() }()
	start := time.Now().Add(-30 * time.Minute)
	// Enough for full chunks of some hundred series: more than a write buffer.
	for i := range 300 {
		_, err := s.AppendMetrics(t.Context(), hostMetrics(start.Add(time.Duration(i)*time.Second), 32))
		require.NoError(t, err)
	}
	fill := filepath.Join(dir, "fill")
	err = os.WriteFile(fill, make([]byte, 16<<20), 0o600)
	require.ErrorIs(t, err, syscall.ENOSPC)

	err = s.upkeep()
	require.ErrorIs(t, err, ErrDiskFull)
	require.True(t, s.Status().DiskFull)
	_, err = s.AppendMetrics(t.Context(), gauge("x", time.Now(), 1))
	require.ErrorIs(t, err, ErrDiskFull)

	require.NoError(t, os.Remove(fill))
	s.reopen()
	require.NoError(t, s.Status().Failure)
	_, err = s.AppendMetrics(t.Context(), gauge("x", time.Now(), 1))
	require.NoError(t, err)
	require.NoError(t, s.upkeep())
	res, err := s.Query(t.Context(), `count_over_time(system_cpu_time_seconds_total{cpu="cpu31",state="idle"}[1h])`, time.Now())
	require.NoError(t, err)
	v, err := res.Vector()
	require.NoError(t, err)
	require.Len(t, v, 1)
	require.InDelta(t, 300, v[0].F, 0)
}

func TestRetryableErrorsAreThoseThatPass(t *testing.T) {
	require.True(t, Retryable(fmt.Errorf("append: %w", ErrDiskFull)))
	require.True(t, Retryable(fmt.Errorf("append: %w", ErrUnavailable)))
	require.False(t, Retryable(errors.New("other")))
	require.False(t, Retryable(ErrClosed))
}
