package containerlogreceiver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/vigie-otel/vigie/receivers/containerlogreceiver/internal/metadata"
)

// The test binary runs itself as the victim: a receiver with file_storage that
// posts what it reads to the parent, until it is killed.
const (
	victimDir  = "VIGIE_TEST_VICTIM_DIR"
	victimDest = "VIGIE_TEST_VICTIM_DESTINATION"

	crashBatch = 400 // records
)

func TestVictim(t *testing.T) {
	dir := os.Getenv(victimDir)
	if dir == "" {
		t.Skip("only for the tests that kill it")
	}
	victim(dir, os.Getenv(victimDest))
}

func victim(dir, destination string) {
	host, id, err := startStorage(filepath.Join(dir, "state"))
	if err != nil {
		panic(err)
	}
	cfg := createDefaultConfig()
	cfg.Include = []string{filepath.Join(dir, "pods/*/*/*.log"), filepath.Join(dir, "plain/*.log")}
	cfg.StartAt = "beginning"
	cfg.Storage = &id
	cfg.Batch.MaxRecords = crashBatch
	cfg.Batch.FlushInterval = 50 * time.Millisecond
	cfg.Multiline.Timeout = 100 * time.Millisecond
	cfg.Retry.InitialInterval = 10 * time.Millisecond
	cfg.RotateWait = 500 * time.Millisecond
	next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		var b bytes.Buffer
		for _, rl := range logs.ResourceLogs().All() {
			for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
				b.WriteString(lr.Body().Str())
				b.WriteByte('\n')
			}
		}
		resp, err := http.Post(destination, "text/plain", &b)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("refused: %s", resp.Status)
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type) // the same each time, for the storage
	r := &logReceiver{set: set, config: cfg, next: next}
	if err := r.Start(context.Background(), host); err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent asks for a clean end
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.Shutdown(ctx); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// destination counts lines; while it is down it refuses.
type destination struct {
	mu    sync.Mutex
	seen  map[string]int // guarded by mu
	down  bool           // guarded by mu
	lines int            // guarded by mu
	news  chan struct{}
}

func (d *destination) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // killed in the middle
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	for line := range strings.Lines(string(body)) {
		d.seen[strings.TrimSuffix(line, "\n")]++
		d.lines++
	}
	select {
	case d.news <- struct{}{}:
	default:
	}
}

func (d *destination) set(down bool) {
	d.mu.Lock()
	d.down = down
	d.mu.Unlock()
}

func (d *destination) has(n int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.seen) >= n
}

// writer writes numbered lines, and rotates its file.
type writer struct {
	path  string
	cri   bool
	copy  bool // copytruncate
	file  *os.File
	size  int
	turns int
	n     int
}

func (w *writer) write(id, lines, rotateAt int) error {
	if w.file == nil {
		if err := os.MkdirAll(filepath.Dir(w.path), 0o755); err != nil {
			return err
		}
		f, err := os.OpenFile(w.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		w.file, w.size = f, 0
	}
	b := bufio.NewWriter(w.file)
	for range lines {
		text := fmt.Sprintf("w%d-%d some words of an ordinary line", id, w.n)
		w.n++
		stamp := ""
		if w.cri {
			stamp = time.Now().UTC().Format("2006-01-02T15:04:05.000000000Z07:00") + " stdout "
			if w.n%7 == 0 {
				w.size += len(stamp) + 13
				fmt.Fprintf(b, "%sP %s\n", stamp, text[:10])
				text = text[10:]
			}
			stamp += "F "
		}
		w.size += len(stamp) + len(text) + 1
		fmt.Fprintf(b, "%s%s\n", stamp, text)
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if w.size < rotateAt {
		return nil
	}
	w.turns++
	if w.copy {
		body, err := os.ReadFile(w.path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(w.path+"."+strconv.Itoa(w.turns), body, 0o644); err != nil {
			return err
		}
		w.size = 0
		return w.file.Truncate(0)
	}
	if err := os.Rename(w.path, w.path+"."+strconv.Itoa(w.turns)); err != nil {
		return err
	}
	err := w.file.Close()
	w.file = nil
	return err
}

func testKills(t *testing.T, writers, kills int, copytruncate bool) {
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	dir := t.TempDir()
	dest := &destination{seen: map[string]int{}, news: make(chan struct{}, 1)}
	srv := httptest.NewServer(dest)
	defer srv.Close()

	start := func() (*exec.Cmd, io.WriteCloser) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
		cmd.Env = append(os.Environ(), victimDir+"="+dir, victimDest+"="+srv.URL)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		return cmd, in
	}

	var all sync.WaitGroup
	stop := make(chan struct{})
	wrote := make([]*writer, writers)
	failed := make(chan error, writers)
	for i := range writers {
		w := &writer{path: filepath.Join(dir, "plain", fmt.Sprintf("w%d.log", i)), copy: copytruncate}
		if !copytruncate && i%2 == 0 {
			w.path, w.cri = filepath.Join(dir, "pods", fmt.Sprintf("ns_pod%d_uid", i), "app", "0.log"), true
		}
		wrote[i] = w
		all.Go(func() {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
				case <-stop:
					return
				}
				if err := w.write(i, 25, 128<<10); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for kill := range kills {
		cmd, in := start()
		until := time.After(500 * time.Millisecond)
		outage := time.NewTicker(120 * time.Millisecond)
		for open := true; open; {
			select {
			case <-outage.C:
				dest.set(kill%2 == 1 && time.Now().UnixMilli()%3 > 0)
			case <-until:
				open = false
			}
		}
		outage.Stop()
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		_ = in.Close()
		if kill%3 == 0 { // files come and are rotated that no run sees
			time.Sleep(1200 * time.Millisecond)
		}
	}
	dest.set(false)
	close(stop)
	all.Wait()
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
	total, rotations := 0, 0
	for _, w := range wrote {
		total += w.n
		rotations += w.turns
		if w.file != nil {
			require.NoError(t, w.file.Close())
		}
	}
	require.Greater(t, rotations, writers)

	cmd, in := start()
	deadline := time.After(30 * time.Second)
	for !dest.has(total) {
		select {
		case <-dest.news:
		case <-deadline:
			dest.mu.Lock()
			t.Errorf("%d of %d lines arrived", len(dest.seen), total)
			missing := 0
			for i, w := range wrote {
				for n := range w.n {
					if line := fmt.Sprintf("w%d-%d some words of an ordinary line", i, n); dest.seen[line] == 0 {
						if missing++; missing < 20 {
							t.Log("missing:", line)
						}
					}
				}
			}
			dest.mu.Unlock()
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.FailNow()
		}
	}
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait(), "a clean end")

	dest.mu.Lock()
	defer dest.mu.Unlock()
	require.Len(t, dest.seen, total, "lines that nobody wrote so")
	twice := dest.lines - total
	t.Logf("%d lines of %d writers, %d rotations, %d kills: %d arrived twice", total, writers, rotations, kills, twice)
	require.LessOrEqual(t, twice, kills*crashBatch, "more than one batch a kill")
}

// fullKills makes the kill tests write some 20 MB a second.
const fullKills = "VIGIE_TEST_KILLS_FULL"

func TestKillsLoseNothingAndRepeatOneBatchAtMost(t *testing.T) {
	writers, kills := 10, 6
	if os.Getenv(fullKills) != "" {
		writers, kills = 50, 10
	}
	testKills(t, writers, kills, false)
}

func TestKillsUnderCopytruncateLoseNothing(t *testing.T) {
	writers, kills := 6, 4
	if os.Getenv(fullKills) != "" {
		writers, kills = 30, 10
	}
	testKills(t, writers, kills, true)
}
