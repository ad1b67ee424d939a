package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vigie-otel/vigie/internal/ledger"
	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// logGateway takes an agent's log records and counts what their bodies number;
// while it is down it refuses.
type logGateway struct {
	plogotlp.UnimplementedGRPCServer
	addr string
	news chan struct{}

	mu      sync.Mutex
	down    bool           // guarded by mu
	never   bool           // guarded by mu; refuses for good
	all     int            // guarded by mu; records of any body that were taken
	seen    map[int][]bool // guarded by mu; by writer and number
	lines   int            // guarded by mu; different ones
	records int            // guarded by mu; with those that came twice
	strange int            // guarded by mu; that nobody wrote so
	largest int            // guarded by mu; records of a request
	refused int            // guarded by mu
}

func newLogGateway(t *testing.T) *logGateway {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := &logGateway{addr: l.Addr().String(), seen: map[int][]bool{}, news: make(chan struct{}, 1)}
	srv := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	plogotlp.RegisterGRPCServer(srv, g)
	pmetricotlp.RegisterGRPCServer(srv, &anyMetrics{})
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(srv.Stop)
	return g
}

// anyMetrics takes the metrics that an agent sends besides.
type anyMetrics struct {
	pmetricotlp.UnimplementedGRPCServer
}

func (*anyMetrics) Export(context.Context, pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	return pmetricotlp.NewExportResponse(), nil
}

func (g *logGateway) Export(_ context.Context, req plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.down {
		g.refused++
		return plogotlp.NewExportResponse(), status.Error(codes.Unavailable, "down")
	}
	if g.never {
		g.refused++
		return plogotlp.NewExportResponse(), status.Error(codes.InvalidArgument, "never")
	}
	g.all += req.Logs().LogRecordCount()
	n := 0
	for _, rl := range req.Logs().ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if body := lr.Body().Str(); strings.HasPrefix(body, "w") {
					g.takeLocked(body)
					n++
				}
			}
		}
	}
	g.largest = max(g.largest, n)
	select {
	case g.news <- struct{}{}:
	default:
	}
	return plogotlp.NewExportResponse(), nil
}

func (g *logGateway) takeLocked(body string) {
	g.records++
	if len(body) != len("w001-00000001")+len(ordinary) || body[13:] != ordinary {
		g.strange++
		return
	}
	id, err1 := strconv.Atoi(body[1:4])
	n, err2 := strconv.Atoi(body[5:13])
	if err1 != nil || err2 != nil {
		g.strange++
		return
	}
	for len(g.seen[id]) <= n {
		g.seen[id] = append(g.seen[id], make([]bool, 1<<16)...)
	}
	if !g.seen[id][n] {
		g.seen[id][n] = true
		g.lines++
	}
}

func (g *logGateway) set(down bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = down
}

func (g *logGateway) has() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lines
}

// await waits until so many different lines have arrived.
func (g *logGateway) await(t *testing.T, limit time.Duration, n int, p *program) {
	t.Helper()
	deadline := time.After(limit)
	for g.has() < n {
		select {
		case <-g.news:
		case <-deadline:
			t.Fatalf("%d of %d lines arrived within %s\n%s", g.has(), n, limit, p.output())
		}
	}
}

const ordinary = " some words of an ordinary line"

// awaitAll waits for all that was written; it says what is missing.
func (g *logGateway) awaitAll(t *testing.T, limit time.Duration, wrote []*podWriter, p *program) {
	t.Helper()
	total := 0
	for _, w := range wrote {
		total += w.n
	}
	deadline := time.After(limit)
	for g.has() < total {
		select {
		case <-g.news:
		case <-deadline:
			g.mu.Lock()
			defer g.mu.Unlock()
			for _, w := range wrote {
				for from := 0; from < w.n; from++ {
					to := from
					for to < w.n && (to >= len(g.seen[w.id]) || !g.seen[w.id][to]) {
						to++
					}
					if to > from {
						t.Logf("missing of writer %d: %d to %d of %d", w.id, from, to-1, w.n)
						from = to
					}
				}
			}
			t.Fatalf("%d of %d lines arrived within %s\n%s", g.lines, total, limit, p.output())
		}
	}
}

// podWriter is a container: numbered lines into a file in CRI format, half of them
// JSON, every seventh in two fragments; rotated as the kubelet does, or by
// copytruncate.
type podWriter struct {
	id           int
	path         string
	copytruncate bool
	rotateAt     int64

	f       *os.File
	n, turn int
}

func newPodWriter(root string, id int) *podWriter {
	return &podWriter{id: id, path: filepath.Join(root, "var/log/pods", fmt.Sprintf("ns%d_pod%d_uid%d", id%5, id, id), "app", "0.log")}
}

func (w *podWriter) write(lines int) error {
	if w.f == nil {
		if err := os.MkdirAll(filepath.Dir(w.path), 0o755); err != nil {
			return err
		}
		f, err := os.OpenFile(w.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		w.f = f
	}
	b := bufio.NewWriterSize(w.f, 64<<10)
	for range lines {
		text := fmt.Sprintf("w%03d-%08d%s", w.id, w.n, ordinary)
		if w.n%2 == 0 {
			text = `{"level":"info","msg":"` + text + `","seat":7}`
		}
		stamp := time.Now().UTC().Format("2006-01-02T15:04:05.000000000Z") + " stdout "
		if w.n%7 == 0 {
			fmt.Fprintf(b, "%sP %s\n", stamp, text[:20])
			text = text[20:]
		}
		fmt.Fprintf(b, "%sF %s\n", stamp, text)
		w.n++
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if info, err := w.f.Stat(); err != nil || w.rotateAt == 0 || info.Size() < w.rotateAt {
		return err
	}
	return w.rotate()
}

func (w *podWriter) rotate() error {
	w.turn++
	old := fmt.Sprintf("%s.%08d", w.path, w.turn)
	if w.copytruncate {
		body, err := os.ReadFile(w.path)
		if err == nil {
			err = os.WriteFile(old, body, 0o644)
		}
		if err != nil {
			return err
		}
		return w.f.Truncate(0)
	}
	if err := os.Rename(w.path, old); err != nil {
		return err
	}
	err := w.f.Close()
	w.f = nil
	return err
}

// hostRoot is a host's file system as an agent sees it: this machine's, with pods'
// logs of the test's own.
func hostRoot(t *testing.T) string {
	root := t.TempDir()
	for _, d := range []string{"proc", "sys", "etc"} {
		require.NoError(t, os.Symlink("/"+d, filepath.Join(root, d)))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(root, "var/log/pods"), 0o755))
	return root
}

func logAgent(t *testing.T, dir, root string, g *logGateway, sets ...string) *program {
	return logAgentWith(t, dir, root, g, nil, sets...)
}

func logAgentWith(t *testing.T, dir, root string, g *logGateway, env []string, sets ...string) *program {
	// OTLP may listen before the pods' files are looked for the first time.
	args := []string{"--config", "embedded:agent", "--set", "receivers.container_log.start_at=beginning"}
	for _, s := range sets {
		args = append(args, "--set", s)
	}
	env = append([]string{"VIGIE_GATEWAY_ENDPOINT=" + g.addr, "VIGIE_HOST_ROOT=" + root, "VIGIE_TRACERS=none"}, env...)
	p := start(t, dir, env, args...)
	within(t, 60*time.Second, "OTLP of the agent", p, func() bool {
		conn, err := net.Dial("tcp", p.otlp)
		return err == nil && conn.Close() == nil
	})
	return p
}

// load is what the kill tests do. The full load (VIGIE_TEST_LOGS_FULL=1) is 50
// writers with 20 MB/s together, files rotated at 5 MB, and ten kills in a minute.
type load struct {
	writers, kills, lines int // lines a writer and 50 ms
	rotateAt              int64
	life                  time.Duration
}

func killLoad(full load, usual load) load {
	if os.Getenv("VIGIE_TEST_LOGS_FULL") != "" {
		return full
	}
	return usual
}

func testAgentKills(t *testing.T, l load, copytruncate bool) {
	if testing.Short() {
		t.Skip("kills an agent for some seconds")
	}
	dir, root, g := t.TempDir(), hostRoot(t), newLogGateway(t)
	// The exporter's queue sends again what its consumers had under way; with one of
	// them that is one batch, and the reader's own is the other.
	const consumers = 1
	sets := []string{fmt.Sprintf("exporters.otlp_grpc/gateway.sending_queue.num_consumers=%d", consumers)}
	p := logAgent(t, dir, root, g, sets...)
	var all sync.WaitGroup
	stop, failed := make(chan struct{}), make(chan error, l.writers)
	wrote := make([]*podWriter, l.writers)
	for i := range l.writers {
		w := newPodWriter(root, i)
		w.copytruncate, w.rotateAt = copytruncate, l.rotateAt
		wrote[i] = w
		all.Go(func() {
			tick := time.NewTicker(50 * time.Millisecond)
			defer tick.Stop()
			for {
				if err := w.write(l.lines); err != nil {
					failed <- err
					return
				}
				select {
				case <-tick.C:
				case <-stop:
					return
				}
			}
		})
	}
	g.await(t, 30*time.Second, 1, p)
	for kill := range l.kills {
		// The destination fails for the middle of every other life.
		time.Sleep(l.life / 3)
		g.set(kill%2 == 1)
		time.Sleep(l.life / 3)
		g.set(kill%4 == 3) // and sometimes is still down when the agent dies
		time.Sleep(l.life / 3)
		require.NoError(t, p.cmd.Process.Kill())
		<-p.done
		p = logAgent(t, dir, root, g, sets...)
		g.set(false)
	}
	close(stop)
	all.Wait()
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
	total, turns := 0, 0
	for _, w := range wrote {
		total, turns = total+w.n, turns+w.turn
		if w.f != nil {
			require.NoError(t, w.f.Close())
		}
	}
	require.Greater(t, turns, l.writers, "rotations")
	g.awaitAll(t, 90*time.Second, wrote, p)
	book := balanced(t, p, "logs", "otlp_grpc/gateway")
	t.Logf("the last life's ledger: %s", told(book))
	require.NoError(t, p.end(t, 20*time.Second), p.output())

	g.mu.Lock()
	defer g.mu.Unlock()
	require.Zero(t, g.strange, "lines that nobody wrote so")
	require.Equal(t, total, g.lines)
	twice := g.records - total
	t.Logf("%d lines of %d writers, %d rotations, %d kills, %d refusals: none lost, %d arrived twice; the largest batch had %d",
		total, l.writers, turns, l.kills, g.refused, twice, g.largest)
	require.LessOrEqual(t, twice, l.kills*(1+consumers)*g.largest, "more than what was under way at each kill")
}

func TestAKilledAgentLosesNoLineOfAnyContainer(t *testing.T) {
	testAgentKills(t, killLoad(
		load{writers: 50, kills: 10, lines: 190, rotateAt: 5 << 20, life: 6 * time.Second},
		load{writers: 10, kills: 4, lines: 40, rotateAt: 128 << 10, life: 1500 * time.Millisecond}), false)
}

func TestAKilledAgentLosesNoLineToCopytruncate(t *testing.T) {
	testAgentKills(t, killLoad(
		load{writers: 30, kills: 10, lines: 190, rotateAt: 5 << 20, life: 6 * time.Second},
		load{writers: 5, kills: 2, lines: 40, rotateAt: 64 << 10, life: 1500 * time.Millisecond}), true)
}

// A truncation without a copy, while the destination refuses and the reader waits:
// those bytes are gone, and the agent says how many.
func TestWhatATruncationTookIsCounted(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an agent")
	}
	root, g, telemetry := hostRoot(t), newLogGateway(t), ports.Address(t)
	host, port, _ := strings.Cut(telemetry, ":")
	p := logAgent(t, t.TempDir(), root, g, "exporters.otlp_grpc/gateway.sending_queue.queue_size=1500",
		"service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: "+host+", port: "+port+"}}}}]",
		"exporters.otlp_grpc/gateway.sending_queue.num_consumers=1", "receivers.container_log.batch.max_records=1000")
	w := newPodWriter(root, 1)
	require.NoError(t, w.write(100))
	g.await(t, 30*time.Second, 100, p)
	g.set(true)
	require.NoError(t, w.write(20_000))
	within(t, 30*time.Second, "a refusal", p, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.refused > 0
	})
	comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Waiting, func(b ledger.Book) bool { return b.Queue > 500 })
	text, err := os.ReadFile(w.path)
	require.NoError(t, err)
	// What is lost counts from the size that the reader knows: all of the file, as its
	// lag beyond the records that were accepted tells.
	within(t, 30*time.Second, "lag up to the file's end", p, func() bool {
		_, page := get("http://" + telemetry + "/metrics")
		accepted, known := reading(page, `vigie_logs_records{vigie_logs_outcome="accepted"`)
		lag, lags := reading(page, `vigie_logs_lag{`)
		return known && lags && lag == len(text)-recordsEnd(text, accepted)
	})
	require.NoError(t, w.f.Truncate(0))
	require.NoError(t, w.write(100))
	gone := regexp.MustCompile(`before they were read.*"bytes": (\d+)`)
	within(t, 20*time.Second, "a word of what was lost", p, func() bool { return gone.MatchString(p.output()) })
	lost, err := strconv.Atoi(gone.FindStringSubmatch(p.output())[1])
	require.NoError(t, err)
	g.set(false)
	within(t, 30*time.Second, "the last line", p, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.seen[1]) >= w.n && g.seen[1][w.n-1]
	})
	missing := w.n - g.has()
	require.Positive(t, missing)
	perLine := float64(lost) / float64(missing)
	t.Logf("%d of %d lines were truncated away, %d bytes: %.1f a line", missing, w.n, lost, perLine)
	require.InDelta(t, lineBytes, perLine, 0.5)
	// What the kernel took was never read: the ledger has what was.
	book := balanced(t, p, "logs", "otlp_grpc/gateway")
	require.EqualValues(t, w.n-missing, book.Read-book.QueuedAtStart, told(book))
	require.NoError(t, p.end(t, 20*time.Second), p.output())
}

// reading is the value of the series whose line on a page for Prometheus begins so.
func reading(page, begin string) (int, bool) {
	found := regexp.MustCompile(`(?m)^` + begin + `.*} (\S+)$`).FindStringSubmatch(page)
	if found == nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(found[1], 64)
	return int(v), err == nil
}

// recordsEnd is where the first n records of a container's file end.
func recordsEnd(text []byte, n int) (end int) {
	for line := range bytes.Lines(text) {
		if n == 0 {
			break
		}
		end += len(line)
		if bytes.Contains(line, []byte(" stdout F ")) {
			n--
		}
	}
	return end
}

// lineBytes is what a podWriter's line takes on average: of 14 lines 7 have JSON
// around them, and 2 are in two fragments.
const lineBytes = (14*(40+44+1) + 7*34 + 2*41) / 14.0
