package promstore

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	crashKills  = 50
	crashSeries = 50
	crashEnv    = "VIGIE_PROMSTORE_CRASH_DIR"
)

// valueAt is the only value that a sample at t of series i may have.
func valueAt(t int64, i int) float64 { return float64(t%1_000_003) + float64(i)/64 }

// TestMain runs the writer of the crash test when it is asked to.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashEnv); dir != "" {
		crashWriter(dir)
	}
	os.Exit(m.Run())
}

// crashWriter appends batch after batch and acknowledges each on standard
// output, 8 bytes of its time, until it is killed.
func crashWriter(dir string) {
	s, err := Open(Config{Dir: dir}, slog.New(slog.NewTextHandler(os.Stderr, nil)), nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "open:", err)
		os.Exit(3)
	}
	fmt.Fprintln(os.Stderr, "ready")
	for last := int64(0); ; {
		t := max(time.Now().UnixMilli(), last+1)
		last = t
		md := pmetric.NewMetrics()
		m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName("crash")
		ps := m.SetEmptyGauge().DataPoints()
		for i := range crashSeries {
			p := ps.AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(time.UnixMilli(t)))
			p.SetDoubleValue(valueAt(t, i))
			p.Attributes().PutInt("i", int64(i))
		}
		if n, err := s.AppendMetrics(context.Background(), md); err != nil || n != 0 {
			fmt.Fprintln(os.Stderr, "append:", n, err)
			os.Exit(4)
		}
		var ack [8]byte
		binary.BigEndian.PutUint64(ack[:], uint64(t))
		if _, err := os.Stdout.Write(ack[:]); err != nil {
			os.Exit(5)
		}
	}
}

func TestNothingAcknowledgedIsLostWhenTheProcessIsKilledFiftyTimes(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a process 50 times: left out with -short")
	}
	dir := t.TempDir()
	var acked []int64 // times of acknowledged batches, in order
	for kill := range crashKills {
		acked = append(acked, runAndKill(t, dir, rand.N(250*time.Millisecond))...)
		if kill%10 == 9 {
			checkHeld(t, dir, acked)
		}
	}
	t.Logf("%d kills, %d acknowledged batches of %d samples", crashKills, len(acked), crashSeries)
}

// runAndKill starts a writer, kills it after it has written for a while, and
// returns what it acknowledged. Starting is the check that a restart is clean.
func runAndKill(t *testing.T, dir string, after time.Duration) (acked []int64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crashEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	errs, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(errs)
	var said []string
	ready := false
	for lines.Scan() {
		said = append(said, lines.Text())
		if ready = lines.Text() == "ready"; ready {
			break
		}
	}
	require.True(t, ready, "the store did not start: %s", strings.Join(said, "\n"))
	for _, line := range said {
		require.NotContains(t, line, "level=ERROR")
	}
	go func() { _, _ = io.Copy(io.Discard, errs) }()
	killer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer killer.Stop()
	for r := bufio.NewReader(out); ; {
		var ack [8]byte
		if _, err := io.ReadFull(r, ack[:]); err != nil {
			break
		}
		acked = append(acked, int64(binary.BigEndian.Uint64(ack[:])))
	}
	_ = cmd.Wait()
	require.Equal(t, -1, cmd.ProcessState.ExitCode(), "the writer ended by itself")
	return acked
}

// checkHeld opens the store and holds what it has against what was acknowledged.
func checkHeld(t *testing.T, dir string, acked []int64) {
	t.Helper()
	s, err := Open(Config{Dir: dir}, nil, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	q, err := s.Querier(math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	defer q.Close()
	set := q.Select(t.Context(), false, nil, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, "crash"))
	found := 0
	for set.Next() {
		found++
		var i int
		_, err := fmt.Sscan(set.At().Labels().Get("i"), &i)
		require.NoError(t, err)
		have := map[int64]bool{}
		it := set.At().Iterator(nil)
		for it.Next() == chunkenc.ValFloat {
			at, v := it.At()
			if want := valueAt(at, i); v != want {
				t.Fatalf("series %d at %d is corrupt: %v instead of %v", i, at, v, want)
			}
			have[at] = true
		}
		require.NoError(t, it.Err())
		for _, at := range acked {
			if !have[at] {
				t.Fatalf("series %d lost the acknowledged sample at %d, %s before the last one", i, at,
					time.Duration(acked[len(acked)-1]-at)*time.Millisecond)
			}
		}
	}
	require.NoError(t, set.Err())
	require.Equal(t, crashSeries, found)
}

func TestATornRecordAtTheEndOfTheLogIsCutOffAndSaid(t *testing.T) {
	dir := t.TempDir()
	runAndKill(t, dir, 200*time.Millisecond)
	segments, err := filepath.Glob(filepath.Join(dir, "wal", "0*"))
	require.NoError(t, err)
	last := segments[len(segments)-1]
	f, err := os.OpenFile(last, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.Write([]byte{1, 0, 200, 0xde, 0xad, 0xbe, 0xef, 'h', 'a', 'l', 'f'})
	require.NoError(t, err)
	require.NoError(t, f.Close())

	var log strings.Builder
	s, err := Open(Config{Dir: dir}, slog.New(slog.NewTextHandler(&log, nil)), nil)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.Contains(t, log.String(), "Successfully repaired WAL")
	require.Contains(t, log.String(), "repaired=true")
	log.Reset()
	s, err = Open(Config{Dir: dir}, slog.New(slog.NewTextHandler(&log, nil)), nil)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.Contains(t, log.String(), "repaired=false")
	require.NotContains(t, log.String(), "level=WARN")
}
