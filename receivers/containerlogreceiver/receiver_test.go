package containerlogreceiver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/storeclient"
	"github.com/vigie-otel/vigie/internal/tail"
	"github.com/vigie-otel/vigie/receivers/containerlogreceiver/internal/metadata"
)

// moody is a consumer that answers as it is told, and then accepts.
type moody struct {
	mu      sync.Mutex
	answers []error  // guarded by mu
	bodies  []string // guarded by mu; what was accepted
	news    chan struct{}
}

func (m *moody) consume(_ context.Context, logs plog.Logs) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer func() {
		select {
		case m.news <- struct{}{}:
		default:
		}
	}()
	if len(m.answers) > 0 {
		err := m.answers[0]
		m.answers = m.answers[1:]
		return err
	}
	for _, rl := range logs.ResourceLogs().All() {
		for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
			m.bodies = append(m.bodies, lr.Body().Str())
		}
	}
	return nil
}

func (m *moody) wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		m.mu.Lock()
		ok := done()
		m.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-m.news:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

type stage struct {
	*logReceiver
	moody *moody
	tele  *componenttest.Telemetry
	dir   string
	host  storageHost
	id    component.ID
}

func newStage(t *testing.T, storage bool) *stage {
	s := &stage{moody: &moody{news: make(chan struct{}, 1)}, tele: componenttest.NewTelemetry(), dir: t.TempDir()}
	if storage {
		var err error
		s.host, s.id, err = startStorage(filepath.Join(s.dir, "state"))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.host[s.id].Shutdown(context.Background())) })
	}
	s.renew(t)
	return s
}

func (s *stage) renew(t *testing.T) {
	cfg := createDefaultConfig()
	cfg.Include = []string{filepath.Join(s.dir, "*.log")}
	cfg.StartAt = "beginning"
	cfg.Retry.InitialInterval = time.Millisecond
	if s.host != nil {
		cfg.Storage = &s.id
	}
	next, err := consumer.NewLogs(s.moody.consume)
	require.NoError(t, err)
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	set.TelemetrySettings = s.tele.NewTelemetrySettings()
	s.logReceiver = &logReceiver{set: set, config: cfg, next: next}
}

func (s *stage) write(t *testing.T, text string) {
	t.Helper()
	require.NoError(t, s.append(text))
}

// append is write for a goroutine that is not the test's own.
func (s *stage) append(text string) error {
	f, err := os.OpenFile(filepath.Join(s.dir, "a.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// sum adds up a metric's points that have the attribute value (any, if empty).
func (s *stage) sum(t *testing.T, name, value string) (total int64) {
	t.Helper()
	m, err := s.tele.GetMetric(name)
	require.NoError(t, err)
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		for _, kv := range p.Attributes.ToSlice() {
			if value == "" || kv.Value.AsString() == value {
				total += p.Value
			}
		}
	}
	return total
}

func TestARefusedBatchComesAgainUntilItIsAccepted(t *testing.T) {
	s := newStage(t, false)
	s.moody.answers = []error{errors.New("full"), errors.New("full"), errors.New("full")}
	s.write(t, "one\ntwo\n")
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	s.moody.wait(t, "two lines", func() bool { return len(s.moody.bodies) == 2 })
	require.NoError(t, s.Shutdown(t.Context()))
	require.Equal(t, []string{"one", "two"}, s.moody.bodies)
}

func TestWhatIsRefusedForGoodIsCountedAndLeftBehind(t *testing.T) {
	s := newStage(t, false)
	s.moody.answers = []error{consumererror.NewPermanent(errors.New("bad"))}
	s.write(t, "one\ntwo\n")
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	s.moody.wait(t, "the refusal", func() bool { return len(s.moody.answers) == 0 })
	s.write(t, "three\n")
	s.moody.wait(t, "the next batch", func() bool { return len(s.moody.bodies) == 1 })
	require.Equal(t, int64(2), s.sum(t, names.LogsDropped, "permanent"))
	require.Equal(t, int64(3), s.sum(t, names.LogsRecords, "read"))
	require.Equal(t, int64(3), s.sum(t, names.LogsLines, ""))
	require.NoError(t, s.Shutdown(t.Context()))
	require.Equal(t, []string{"three"}, s.moody.bodies)
	require.NoError(t, s.Shutdown(t.Context()), "twice")
}

func TestOnlyThePartThatWasRefusedComesAgain(t *testing.T) {
	s := newStage(t, false)
	rest := plog.NewLogs()
	rest.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("two")
	s.moody.answers = []error{consumererror.NewLogs(errors.New("half"), rest)}
	s.write(t, "one\ntwo\n")
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	s.moody.wait(t, "the rest", func() bool { return len(s.moody.bodies) == 1 })
	require.NoError(t, s.Shutdown(t.Context()))
	require.Equal(t, []string{"two"}, s.moody.bodies)
}

func TestShutdownGivesAwayWhatWasReadAndStoresHowFar(t *testing.T) {
	s := newStage(t, true)
	s.write(t, "one\n")
	require.NoError(t, s.Start(t.Context(), s.host))
	s.moody.wait(t, "one line", func() bool { return len(s.moody.bodies) == 1 })
	require.NoError(t, s.Shutdown(t.Context()))
	s.write(t, "two\n")
	s.renew(t)
	require.NoError(t, s.Start(t.Context(), s.host))
	s.moody.wait(t, "the next line", func() bool { return len(s.moody.bodies) == 2 })
	require.NoError(t, s.Shutdown(t.Context()))
	require.Equal(t, []string{"one", "two"}, s.moody.bodies)
}

func TestWhatIsRefusedUntilTheEndIsReadAgainByTheNextRun(t *testing.T) {
	s := newStage(t, true)
	for range 100_000 {
		s.moody.answers = append(s.moody.answers, errors.New("full"))
	}
	s.write(t, "one\n")
	require.NoError(t, s.Start(t.Context(), s.host))
	s.moody.wait(t, "some refusals", func() bool { return len(s.moody.answers) < 99_999 })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.NoError(t, s.Shutdown(ctx))
	require.Empty(t, s.moody.bodies)
	s.moody.answers = nil
	s.renew(t)
	require.NoError(t, s.Start(t.Context(), s.host))
	s.moody.wait(t, "the line", func() bool { return len(s.moody.bodies) == 1 })
	require.NoError(t, s.Shutdown(t.Context()))
}

func TestAPodListThatIsNotThereIsSaid(t *testing.T) {
	s := newStage(t, false)
	id := component.MustNewID("kubelet_pods")
	s.config.PodList = &id
	require.ErrorContains(t, s.Start(t.Context(), componenttest.NewNopHost()), `pod_list: extension "kubelet_pods" does not run; configure it`)
	require.NoError(t, s.Shutdown(t.Context()))
}

func TestAStorageThatIsNotThereIsSaid(t *testing.T) {
	s := newStage(t, false)
	id := component.MustNewID("file_storage")
	s.config.Storage = &id
	require.ErrorContains(t, s.Start(t.Context(), componenttest.NewNopHost()), `no extension "file_storage"`)
	require.NoError(t, s.Shutdown(t.Context()))
}

func TestValidateSaysAllThatIsWrong(t *testing.T) {
	c := createDefaultConfig()
	require.NoError(t, c.Validate())
	c.Include = []string{"[", ""}
	c.Format, c.StartAt, c.InvalidUTF8, c.Multiline.Mode = "x", "x", "x", "x"
	c.MaxLineBytes, c.MaxFiles, c.Batch.MaxRecords = 1, 0, 0
	c.PollInterval, c.Batch.FlushInterval, c.UnterminatedWait = 0, -1, -1
	err := c.Validate()
	for _, key := range []string{"include: \"[\"", "include: \"\"", "format", "start_at", "invalid_utf8", "multiline::mode", "max_line_bytes",
		"max_files", "batch::max_records", "poll_interval", "batch::flush_interval", "unterminated_wait"} {
		require.ErrorContains(t, err, key)
	}
}

func TestInotifyFindsFilesAndWakesQuietOnes(t *testing.T) {
	s := newStage(t, false)
	s.config.ScanInterval = time.Hour // only inotify can tell
	require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
	// Readiness shows in a first file; more come and rotate.
	for i := range 3 {
		s.write(t, fmt.Sprintln("line", i))
		s.moody.wait(t, "a line", func() bool { return len(s.moody.bodies) == i+1 })
		require.NoError(t, os.Rename(filepath.Join(s.dir, "a.log"), filepath.Join(s.dir, fmt.Sprintf("a.log.%d", i))))
	}
	require.NoError(t, s.Shutdown(t.Context()))
	require.Equal(t, "line 0 line 1 line 2", strings.Join(s.moody.bodies, " "))
}

// A new file's only batch is refused until the end; the next run must not take the
// file for one that was there before, and begin at its end.
func TestANewFileThatWasRefusedIsNotAnOldOneToTheNextRun(t *testing.T) {
	s := newStage(t, true)
	s.config.ScanInterval = 20 * time.Millisecond
	require.NoError(t, s.Start(t.Context(), s.host))
	s.write(t, "the first\n")
	s.moody.wait(t, "a line", func() bool { return len(s.moody.bodies) == 1 })
	s.moody.mu.Lock()
	for range 100_000 {
		s.moody.answers = append(s.moody.answers, errors.New("full"))
	}
	s.moody.mu.Unlock()
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "b.log"), []byte("one\ntwo\n"), 0o644))
	s.moody.wait(t, "some refusals", func() bool { return len(s.moody.answers) < 99_999 })
	time.Sleep(300 * time.Millisecond) // births are known to 100 ms
	// More is read meanwhile, and is behind it.
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "c.log"), []byte("three\n"), 0o644))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.NoError(t, s.Shutdown(ctx))
	s.moody.answers = nil
	s.renew(t)
	s.config.StartAt = "end"
	require.NoError(t, s.Start(t.Context(), s.host))
	s.moody.wait(t, "all lines", func() bool { return len(s.moody.bodies) == 4 })
	require.NoError(t, s.Shutdown(t.Context()))
	require.ElementsMatch(t, []string{"the first", "one", "two", "three"}, s.moody.bodies)
}

// The consumer refuses until it is asked to stop, and would accept what comes then.
func TestABatchBehindAnAbandonedOneIsNotMarkedAsRead(t *testing.T) {
	halt, stop := context.WithCancel(t.Context())
	asked := 0
	next, err := consumer.NewLogs(func(context.Context, plog.Logs) error {
		if asked++; asked == 1 {
			stop()
			return errors.New("full")
		}
		return nil
	})
	require.NoError(t, err)
	host, id, err := startStorage(t.TempDir())
	require.NoError(t, err)
	client, err := storeclient.Open(t.Context(), host, &id, component.KindReceiver, component.NewID(metadata.Type))
	require.NoError(t, err)
	st := &store{client: client, logger: zap.NewNop(), counts: &counts{}}
	_, _, err = st.load(t.Context())
	require.NoError(t, err)
	in, acks := make(chan *batch, 2), make(chan []tail.Mark, 2)
	for id := range uint64(2) {
		b := newBatch(id)
		b.records = 1
		b.logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		b.marks = []tail.Mark{{File: &tail.File{}}}
		in <- b
	}
	close(in)
	(&sender{config: createDefaultConfig(), logger: zap.NewNop(), next: next, store: st, counts: &counts{}, in: in, acks: acks}).run(halt)
	require.Equal(t, 1, asked)
	require.Empty(t, <-acks)
	require.Empty(t, <-acks)
	require.NoError(t, client.Close(t.Context()))
	require.NoError(t, host[id].Shutdown(t.Context()))
}
