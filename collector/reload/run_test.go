package reload

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/vigie-otel/vigie/internal/configstate"
)

// fake is a collector whose configuration is a word: "fails" does not start,
// "dies" ends soon after it has, "invalid" does not pass the check.
type fake struct {
	world *world
	word  string
	state atomic.Int64
	stop  chan struct{}
	once  sync.Once
}

func (f *fake) GetState() otelcol.State { return otelcol.State(f.state.Load()) }

func (f *fake) Shutdown() { f.once.Do(func() { close(f.stop) }) }

func (f *fake) Run(context.Context) error {
	if f.word == "fails" {
		f.world.say("failed")
		return errors.New("address in use")
	}
	f.world.say("start " + f.word)
	f.state.Store(int64(otelcol.StateRunning))
	if f.word == "dies" {
		select {
		case <-f.stop:
		case <-time.After(50 * time.Millisecond):
		}
	} else {
		<-f.stop
	}
	f.state.Store(int64(otelcol.StateClosed))
	f.world.say("end " + f.word)
	return nil
}

// world is a directory with a configuration in it, and the Runner of it.
type world struct {
	file  string
	state *configstate.State
	stop  chan struct{}
	hup   chan os.Signal
	done  chan error

	mu   sync.Mutex
	said []string // guarded by mu
}

func (w *world) say(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, s)
}

func (w *world) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.said...)
}

func word(ctx context.Context, set otelcol.CollectorSettings) (string, error) {
	r, err := confmap.NewResolver(set.ConfigProviderSettings.ResolverSettings)
	if err != nil {
		return "", err
	}
	conf, err := r.Resolve(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(conf.Get("word")), nil
}

func newWorld(t *testing.T, first, keep string) *world {
	t.Helper()
	file := filepath.Join(t.TempDir(), "user.yaml")
	(&world{file: file}).write(t, first)
	return newWorldOf(t, file, keep)
}

func newWorldOf(t *testing.T, file, keep string) *world {
	t.Helper()
	w := &world{
		file: file, state: configstate.New(nil),
		stop: make(chan struct{}), hup: make(chan os.Signal, 1), done: make(chan error, 1),
	}
	r := &Runner{
		URIs: []string{"file:" + w.file}, State: w.state, Stop: w.stop, Keep: keep,
		Hangups:   func() <-chan os.Signal { return w.hup },
		Providers: []confmap.ProviderFactory{confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider { return noEnv{} })},
		Check: func(ctx context.Context, set otelcol.CollectorSettings) error {
			got, err := word(ctx, set)
			if err == nil && got == "invalid" {
				err = errors.New("word: got invalid")
			}
			return err
		},
		New: func(set otelcol.CollectorSettings) (Collector, error) {
			got, err := word(t.Context(), set)
			return &fake{world: w, word: got, stop: make(chan struct{})}, err
		},
		Poll: 20 * time.Millisecond, Settle: 5 * time.Millisecond, Probation: time.Minute,
	}
	go func() { w.done <- r.Run(t.Context()) }()
	return w
}

// noEnv is a scheme that the resolver wants as its default.
type noEnv struct{}

func (noEnv) Scheme() string                 { return "env" }
func (noEnv) Shutdown(context.Context) error { return nil }
func (noEnv) Retrieve(context.Context, string, confmap.WatcherFunc) (*confmap.Retrieved, error) {
	return nil, errors.New("no environment here")
}

func (w *world) write(t *testing.T, word string) {
	t.Helper()
	tmp := w.file + ".new"
	text := "word: " + word + "\n"
	if strings.Contains(word, ":") { // a whole configuration
		text = word
	}
	require.NoError(t, os.WriteFile(tmp, []byte(text), 0o600))
	require.NoError(t, os.Rename(tmp, w.file))
}

// until waits for a state; what runs here runs in goroutines of its own and reads
// real files, so there is no bubble to wait in.
func (w *world) until(t *testing.T, what string, ok func(configstate.Snapshot) bool) configstate.Snapshot {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		now, changed := w.state.Now()
		if ok(now) {
			return now
		}
		select {
		case <-changed:
		case err := <-w.done:
			t.Fatalf("ended (%v) before %s; %v", err, what, w.all())
		case <-limit:
			t.Fatalf("no %s: %+v; %v", what, now, w.all())
		}
	}
}

func (w *world) end(t *testing.T) {
	t.Helper()
	close(w.stop)
	require.NoError(t, <-w.done)
}

func TestWhatIsNotValidChangesNothingAndWhatIsTakesItsPlace(t *testing.T) {
	w := newWorld(t, "one", "")
	first := w.until(t, "start", func(s configstate.Snapshot) bool { return !s.Since.IsZero() })
	w.write(t, "invalid")
	refused := w.until(t, "refusal", func(s configstate.Snapshot) bool { return s.Refused == 1 })
	if refused.Running != first.Running || refused.Problem == nil || refused.Problem.Error() != "word: got invalid" {
		t.Errorf("after the refusal: %+v", refused)
	}
	w.write(t, "one")
	w.until(t, "withdrawal", func(s configstate.Snapshot) bool { return s.Problem == nil })
	w.write(t, "two")
	now := w.until(t, "reload", func(s configstate.Snapshot) bool { return s.Applied == 1 })
	if now.Running == first.Running || now.Problem != nil {
		t.Errorf("after the reload: %+v", now)
	}
	w.end(t)
	if d := cmp.Diff([]string{"start one", "end one", "start two", "end two"}, w.all()); d != "" {
		t.Error(d)
	}
}

func TestWhatDoesNotStartOrDiesGivesWayToWhatRanBefore(t *testing.T) {
	w := newWorld(t, "one", "")
	first := w.until(t, "start", func(s configstate.Snapshot) bool { return !s.Since.IsZero() })
	w.write(t, "fails")
	now := w.until(t, "reversal", func(s configstate.Snapshot) bool { return s.Reverted == 1 })
	if now.Running != first.Running || now.Problem == nil {
		t.Errorf("after one that does not start: %+v", now)
	}
	w.write(t, "dies")
	now = w.until(t, "second reversal", func(s configstate.Snapshot) bool { return s.Reverted == 2 })
	if now.Running != first.Running || !errors.Is(now.Problem, errEnded) {
		t.Errorf("after one that dies: %+v", now)
	}
	w.write(t, "two") // what was tried in vain is not tried again, what comes later is
	w.until(t, "reload", func(s configstate.Snapshot) bool { return s.Running != first.Running && s.Problem == nil })
	w.end(t)
	want := []string{"start one", "end one", "failed", "start one", "end one", "start dies", "end dies", "start one", "end one", "start two", "end two"}
	if d := cmp.Diff(want, w.all()); d != "" {
		t.Error(d)
	}
}

func TestAStartWithWhatIsNotValidRunsWhatWorkedLast(t *testing.T) {
	keep := filepath.Join(t.TempDir(), "config", "last.json")
	w := newWorld(t, "one", keep)
	first := w.until(t, "start", func(s configstate.Snapshot) bool { return !s.Since.IsZero() })
	w.end(t)
	info, err := os.Stat(keep)
	require.NoError(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("kept with %s", info.Mode())
	}

	for _, bad := range []string{"invalid", "fails"} {
		w2 := newWorld(t, bad, keep)
		now := w2.until(t, "start", func(s configstate.Snapshot) bool { return !s.Since.IsZero() })
		if now.Running != first.Running || now.Problem == nil {
			t.Errorf("%s: %+v", bad, now)
		}
		w2.write(t, "two")
		w2.until(t, "reload", func(s configstate.Snapshot) bool { return s.Applied == 1 && s.Problem == nil })
		w2.end(t)
		require.NoError(t, save(keep, Sources{URIs: []string{"file:" + w.file}, Files: map[string]string{w.file: "word: one\n"}}))
	}
	// Nothing kept, or nothing that can be read: the error is that of what is configured.
	for _, text := range []string{"", "{}", "nonsense"} {
		other := filepath.Join(t.TempDir(), "last.json")
		if text != "" {
			require.NoError(t, os.WriteFile(other, []byte(text), 0o600))
		}
		if err := <-newWorld(t, "invalid", other).done; err == nil || err.Error() != "word: got invalid" {
			t.Errorf("kept %q: %v", text, err)
		}
	}
}

// What is kept is what was written: a secret that is read by ${file:…} is not in it.
func TestNothingExpandedIsKeptAndWhatIsReadByReferenceIsWatched(t *testing.T) {
	dir := t.TempDir()
	secret, keep := filepath.Join(dir, "token"), filepath.Join(dir, "last.json")
	require.NoError(t, os.WriteFile(secret, []byte("hunter2"), 0o600))
	w := newWorld(t, "word: ${file:"+secret+"}\n", keep)
	w.until(t, "start", func(s configstate.Snapshot) bool { return !s.Since.IsZero() })
	body, err := os.ReadFile(keep)
	require.NoError(t, err)
	if strings.Contains(string(body), "hunter2") || !strings.Contains(string(body), "${file:") {
		t.Errorf("kept: %s", body)
	}
	require.NoError(t, os.WriteFile(secret+".new", []byte("hunter3"), 0o600))
	require.NoError(t, os.Rename(secret+".new", secret)) // nobody sees it half written
	w.until(t, "reload", func(s configstate.Snapshot) bool { return s.Applied == 1 })
	w.end(t)
	if d := cmp.Diff([]string{"start hunter2", "end hunter2", "start hunter3", "end hunter3"}, w.all()); d != "" {
		t.Error(d)
	}
}

// A pipe (--config <(…)) has its text once. That it has none any more is no change,
// and nobody waits for more.
func TestAPipeIsReadOnce(t *testing.T) {
	in, out, err := os.Pipe()
	require.NoError(t, err)
	defer in.Close()
	_, err = out.WriteString("word: piped\n")
	require.NoError(t, err)
	require.NoError(t, out.Close())
	path := fmt.Sprintf("/dev/fd/%d", in.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skipf("this system has no /dev/fd: %v", err)
	}
	w := newWorldOf(t, path, "")
	w.until(t, "start", func(s configstate.Snapshot) bool { return !s.Since.IsZero() })
	w.hup <- os.Interrupt
	now := w.until(t, "reload", func(s configstate.Snapshot) bool { return s.Applied > 0 || s.Refused > 0 })
	if now.Applied != 1 || now.Refused != 0 {
		t.Errorf("after a signal: %+v", now)
	}
	w.end(t)
	if d := cmp.Diff([]string{"start piped", "end piped", "start piped", "end piped"}, w.all()); d != "" {
		t.Error(d)
	}
}

// A ConfigMap's file is a link through ..data, which is replaced by a rename.
func TestAConfigMapChangesByItsLink(t *testing.T) {
	dir := t.TempDir()
	for version, text := range map[string]string{"..v1": "word: one\n", "..v2": "word: two\n"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, version, "user.yaml"), []byte(text), 0o600))
	}
	require.NoError(t, os.Symlink("..v1", filepath.Join(dir, "..data")))
	file := filepath.Join(dir, "user.yaml")
	require.NoError(t, os.Symlink("..data/user.yaml", file))

	ctx, cancel := context.WithCancel(t.Context())
	r := &Runner{State: configstate.New(nil), Poll: time.Hour, Settle: 5 * time.Millisecond}
	changed := make(chan struct{})
	of := Read([]string{file})
	known := printNow(of, nil)
	r.wait.Go(func() { r.watch(ctx, known, of, nil, changed) })
	deadline := time.After(10 * time.Second)
	// The watch may begin after the first swap, which it then finds at once; after
	// the second only an event can tell, for it does not poll.
	for _, version := range []string{"..v2", "..v1"} {
		require.NoError(t, os.Symlink(version, filepath.Join(dir, "..tmp")))
		require.NoError(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("the swap to %s was not seen", version)
		}
	}
	cancel()
	r.wait.Wait()
}

func TestASignalReadsEverythingAnew(t *testing.T) {
	w := newWorld(t, "one", "")
	w.until(t, "start", func(s configstate.Snapshot) bool { return !s.Since.IsZero() })
	w.hup <- os.Interrupt // whatever it is
	w.until(t, "reload", func(s configstate.Snapshot) bool { return s.Applied == 1 })
	w.end(t)
}
