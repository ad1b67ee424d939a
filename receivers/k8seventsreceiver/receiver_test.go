package k8seventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/vigie-otel/vigie/receivers/k8seventsreceiver/internal/metadata"
)

// pipeline is a consumer that can refuse.
type pipeline struct {
	mu      sync.Mutex
	refusal error
	got     []string // name×count, in order
	logs    []plog.Logs
}

func (p *pipeline) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p *pipeline) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusal != nil {
		return p.refusal
	}
	for _, rl := range logs.ResourceLogs().All() {
		for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
			name, _ := lr.Attributes().Get("k8s.event.name")
			count, _ := lr.Attributes().Get("k8s.event.count")
			p.got = append(p.got, fmt.Sprintf("%s×%d", name.Str(), count.Int()))
		}
	}
	p.logs = append(p.logs, logs)
	return nil
}

func (p *pipeline) refuse(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusal = err
}

// names gives what arrived since it was last asked.
func (p *pipeline) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.got
	p.got = nil
	return got
}

// host has a storage in memory and notes statuses.
type host struct {
	component.StartFunc
	component.ShutdownFunc
	storage.Client
	mu     sync.Mutex
	kept   map[string][]byte
	status []componentstatus.Status
}

func (h *host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("memory"): h}
}

func (h *host) Report(ev *componentstatus.Event) { h.status = append(h.status, ev.Status()) }

func (h *host) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return h, nil
}

func (h *host) Get(_ context.Context, key string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.kept[key], nil
}

func (h *host) Set(_ context.Context, key string, value []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept[key] = value
	return nil
}
func (h *host) Close(context.Context) error { return nil }

// stage is a receiver between an API server and a pipeline, in a bubble of time.
type stage struct {
	*eventsReceiver
	*pipeline
	api  *api
	host *host
	said *observer.ObservedLogs
}

func newStage(a *api, change func(*Config)) *stage {
	cfg := createDefaultConfig()
	cfg.AuthType, cfg.Endpoint = authNone, "http://127.0.0.1:6443"
	if change != nil {
		change(cfg)
	}
	set := receivertest.NewNopSettings(metadata.Type)
	core, said := observer.New(zap.InfoLevel)
	set.Logger = zap.New(core)
	p := &pipeline{}
	return &stage{&eventsReceiver{set: set, config: cfg, next: p, dial: a.dial}, p, a, &host{kept: map[string][]byte{}}, said}
}

func (s *stage) start(t *testing.T) {
	t.Helper()
	require.NoError(t, s.config.Validate())
	require.NoError(t, s.Start(t.Context(), s.host))
}

func (s *stage) shutdown(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Shutdown(context.Background()))
}

// again is a new run with the same storage.
func (s *stage) again() *stage {
	next := newStage(s.api, func(c *Config) { *c = *s.config })
	next.host.kept = s.host.kept
	return next
}

func (s *stage) arrived(t *testing.T, want ...string) {
	t.Helper()
	got := s.names()
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func memory(c *Config) {
	id := component.MustNewID("memory")
	c.Storage = &id
}

// settle lets d go by, and what is due happen.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func bubble(t *testing.T, f func(t *testing.T, a *api)) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI()
		f(t, a)
		a.stop()
		time.Sleep(time.Minute)
	})
}

func TestWhatIsThereAndWhatComesIsToldOnce(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		for i := range 7 {
			a.say(fmt.Sprint("old-", i), 1)
		}
		s := newStage(a, func(c *Config) { c.Batch.MaxRecords = 3 }) // three pages
		s.start(t)
		settle(time.Second)
		s.arrived(t, "old-0×1", "old-1×1", "old-2×1", "old-3×1", "old-4×1", "old-5×1", "old-6×1")
		a.say("new", 1)
		a.say("old-1", 2)
		a.say("old-2", 1) // as after an annotation: nothing happened
		settle(time.Second)
		s.arrived(t, "new×1", "old-1×2")
		if got := s.counts.duplicates.Load(); got != 1 {
			t.Errorf("%d duplicates, want 1", got)
		}
		s.shutdown(t)
	})
}

func TestABrokenWatchGoesOnFromWhereItWas(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		s := newStage(a, nil)
		s.start(t)
		settle(time.Second)
		a.say("one", 1)
		settle(time.Second)
		a.hangUp()
		a.say("two", 1)
		settle(time.Second)
		a.CloseClientConnections()
		a.say("three", 1)
		settle(5 * time.Second)
		s.arrived(t, "one×1", "two×1", "three×1")
		if a.lists != 1 || s.counts.duplicates.Load() != 0 {
			t.Errorf("%d lists and %d duplicates: it began again instead of going on", a.lists, s.counts.duplicates.Load())
		}
		s.shutdown(t)
	})
}

func TestAPositionThatIsForgottenCostsAListAndTellsNothingTwice(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		s := newStage(a, memory)
		s.start(t)
		a.say("told", 1)
		a.say("repeated", 1)
		settle(5 * time.Second)
		s.arrived(t, "told×1", "repeated×1")
		a.answer(http.StatusServiceUnavailable)
		a.hangUp()
		settle(time.Second)
		a.say("repeated", 5)
		a.say("missed", 1)
		a.forget()
		a.answer(0)
		settle(time.Minute)
		s.arrived(t, "repeated×5", "missed×1")
		if gaps, folded := s.counts.gaps.Load(), s.counts.folded.Load(); gaps != 1 || folded != 3 {
			t.Errorf("%d gaps, %d happenings folded, want 1 and 3", gaps, folded)
		}
		s.shutdown(t)

		// So too over a restart, when nothing is known by uid any more.
		a.say("between", 1)
		a.forget()
		next := s.again()
		next.start(t)
		settle(time.Minute)
		next.arrived(t, "between×1")
		next.shutdown(t)
	})
}

func TestAListThatExpiresBetweenTwoPagesBeginsAgain(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		for i := range 5 {
			a.say(fmt.Sprint("old-", i), 1)
		}
		s := newStage(a, func(c *Config) { memory(c); c.Batch.MaxRecords = 3 })
		a.expire = 2
		s.start(t)
		settle(time.Minute)
		s.arrived(t, "old-0×1", "old-1×1", "old-2×1", "old-3×1", "old-4×1")
		if got := s.counts.gaps.Load(); got != 0 {
			t.Errorf("%d gaps before anything was told", got)
		}
		a.mu.Lock()
		a.expire = 2
		a.mu.Unlock()
		for i := range 5 {
			a.say(fmt.Sprint("new-", i), 1)
		}
		settle(time.Second)
		s.names()
		a.forget()
		a.hangUp()
		settle(time.Minute)
		s.arrived(t)
		if got := s.counts.gaps.Load(); got != 1 {
			t.Errorf("%d gaps, want 1 however often the list expires", got)
		}
		s.shutdown(t)
	})
}

func TestARestartGoesOnFromTheStorage(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		s := newStage(a, memory)
		s.start(t)
		a.say("before", 1)
		settle(time.Second)
		s.arrived(t, "before×1")
		s.shutdown(t)
		a.say("between", 1)
		lists := a.lists
		next := s.again()
		next.start(t)
		settle(time.Second)
		next.arrived(t, "between×1")
		if a.lists != lists {
			t.Error("it listed, though its position was known")
		}
		next.shutdown(t)
	})
}

func TestFromTheEndNothingOldIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		a.say("old", 1)
		s := newStage(a, func(c *Config) { c.StartAt = "end" })
		s.start(t)
		settle(time.Second)
		a.say("new", 1)
		settle(time.Second)
		s.arrived(t, "new×1")
		s.shutdown(t)
	})
}

// A store that was restored from a backup counts from an earlier revision.
func TestAnotherHistoryIsToldFromItsBeginning(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		s := newStage(a, memory)
		s.host.kept[positionKey] = []byte(`{"":"99999"}`)
		a.say("here", 1)
		a.forgot = 100000
		s.start(t)
		settle(2 * time.Second)
		a.mu.Lock()
		a.forgot = 0
		a.mu.Unlock()
		settle(time.Minute)
		s.arrived(t, "here×1")
		s.shutdown(t)
	})
}

// A replica of the API server that lags, and one whose history is another one.
func TestAPositionThatIsNotThereYetIsWaitedForButNotForEver(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		s := newStage(a, memory)
		s.host.kept[positionKey] = []byte(`{"":"102"}`)
		s.start(t)
		settle(time.Second)
		a.say("told", 1)
		a.say("told too", 1)
		a.say("new", 1)
		settle(time.Minute)
		s.arrived(t, "new×1")
		if a.lists != 0 {
			t.Error("it listed, though its position came")
		}
		s.shutdown(t)

		other := newStage(a, memory)
		other.host.kept[positionKey] = []byte(`{"":"99999"}`)
		other.start(t)
		settle(time.Minute)
		other.arrived(t, "told×1", "told too×1", "new×1")
		if gaps := other.counts.gaps.Load(); a.lists != 1 || gaps != 0 {
			t.Errorf("%d lists and %d gaps, want 1 and 0", a.lists, gaps)
		}
		other.shutdown(t)
	})
}

// Such a position would be asked for again and again.
func TestAStoredPositionThatIsNoneIsSaidAndReadFromTheBeginning(t *testing.T) {
	for _, kept := range []string{`{"":"lost"}`, `{"":"-1"}`, `["5"]`, "\x00"} {
		bubble(t, func(t *testing.T, a *api) {
			s := newStage(a, memory)
			s.host.kept[positionKey] = []byte(kept)
			a.say("here", 1)
			s.start(t)
			settle(time.Second)
			s.arrived(t, "here×1")
			if a.lists != 1 || s.said.FilterMessageSnippet("position can't be read").Len() != 1 {
				t.Errorf("%q: %d lists, said %v", kept, a.lists, s.said.All())
			}
			s.shutdown(t)
		})
	}
}

func TestAPipelineThatRefusesStopsTheReadingAndLosesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		s := newStage(a, func(c *Config) { memory(c); c.Batch.MaxRecords = 10 })
		s.refuse(errors.New("full"))
		s.start(t)
		settle(time.Second)
		var want []string
		for i := range 2000 {
			a.say(fmt.Sprintf("e%04d", i), 1)
			want = append(want, fmt.Sprintf("e%04d×1", i))
		}
		settle(time.Minute)
		a.mu.Lock()
		wrote := a.wrote
		a.mu.Unlock()
		// A batch, and what buffers on the way hold.
		if wrote > 100 {
			t.Errorf("%d events were read while the pipeline refused", wrote)
		}
		s.refuse(nil)
		settle(time.Minute)
		s.arrived(t, want...)
		if s.counts.retries.Load() == 0 {
			t.Error("nothing was offered again")
		}
		s.shutdown(t)
	})
}

func TestWhatIsRefusedUntilTheEndIsReadByTheNextRun(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		s := newStage(a, memory)
		s.start(t)
		settle(time.Second)
		s.refuse(errors.New("full"))
		a.say("late", 1)
		settle(time.Second)
		began := time.Now()
		s.shutdown(t)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("shutdown took %s", took)
		}
		if got := s.counts.dropped[dropShutdown].Load(); got != 0 {
			t.Errorf("%d dropped though there is a storage", got)
		}
		next := s.again()
		next.start(t)
		settle(time.Second)
		next.arrived(t, "late×1")
		next.shutdown(t)
	})
}

func TestWhatIsRefusedForGoodIsCountedAndPassedBy(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		s := newStage(a, nil)
		s.refuse(consumererror.NewPermanent(errors.New("never")))
		s.start(t)
		a.say("bad", 1)
		settle(time.Second)
		s.refuse(nil)
		a.say("good", 1)
		settle(time.Second)
		s.arrived(t, "good×1")
		if got := s.counts.dropped[dropPermanent].Load(); got != 1 {
			t.Errorf("%d dropped, want 1", got)
		}
		s.shutdown(t)
	})
}

func TestAnAPIServerThatIsAwayIsWaitedForAndSaidOnce(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		a.answer(http.StatusForbidden)
		s := newStage(a, nil)
		s.start(t)
		settle(10 * time.Minute)
		if d := cmp.Diff([]componentstatus.Status{componentstatus.StatusRecoverableError}, s.host.status); d != "" {
			t.Error(d)
		}
		if n := s.said.FilterLevelExact(zap.WarnLevel).Len(); n != 1 {
			t.Errorf("%d warnings, want 1: %v", n, s.said.All())
		}
		a.answer(0)
		a.say("at last", 1)
		settle(time.Minute)
		s.arrived(t, "at last×1")
		if d := cmp.Diff([]componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, s.host.status); d != "" {
			t.Error(d)
		}
		s.shutdown(t)
	})
}

func TestOnlyTheNamespacesThatAreNamedAreRead(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		s := newStage(a, func(c *Config) { c.Namespaces = []string{"live", "other"} })
		s.start(t)
		a.say("one", 1)
		settle(time.Second)
		s.arrived(t, "one×1")
		want := []string{"GET /api/v1/namespaces/live/events", "GET /api/v1/namespaces/other/events"}
		asked := slices.Sorted(maps.Keys(countOf(a.requests)))
		if d := cmp.Diff(want, asked); d != "" {
			t.Error(d)
		}
		s.shutdown(t)
	})
}

func countOf(list []string) map[string]int {
	m := map[string]int{}
	for _, s := range list {
		m[s]++
	}
	return m
}

func elected(c *Config) { c.LeaderElection.Enabled, c.LeaderElection.Namespace = true, "vigie" }

func TestOneOfTwoReadsAndTheOtherGoesOnWhereItStopped(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		first, second := newStage(a, elected), newStage(a, elected)
		first.start(t)
		settle(time.Second)
		second.start(t)
		a.say("one", 1)
		settle(time.Minute)
		first.arrived(t, "one×1")
		second.arrived(t)
		if first.counts.leading.Load() != 1 || second.counts.leading.Load() != 0 {
			t.Error("both lead, or none")
		}
		a.say("two", 1)
		settle(time.Second)
		first.shutdown(t)
		a.say("three", 1)
		settle(5 * time.Second) // given back: no need for the Lease to run out
		first.arrived(t, "two×1")
		second.arrived(t, "three×1")
		if a.lists != 1 {
			t.Errorf("%d lists: the second began again", a.lists)
		}
		second.shutdown(t)
		if h := a.holder("vigie-k8s-events"); h != "" {
			t.Errorf("%q still holds the Lease", h)
		}
	})
}

func TestALeaderThatLostTheLeaseStopsAndOneLeadsWhenItRunsOut(t *testing.T) {
	bubble(t, func(t *testing.T, a *api) {
		first, second := newStage(a, elected), newStage(a, elected)
		first.start(t)
		settle(time.Second)
		second.start(t)
		a.say("one", 1)
		settle(10 * time.Second)
		// A third takes it, and is gone without a word.
		other := "someone-else"
		a.mu.Lock()
		lost := a.leases["vigie-k8s-events"].DeepCopy()
		lost.Spec.HolderIdentity = &other
		a.version++
		lost.ResourceVersion = fmt.Sprint(a.version)
		a.leases["vigie-k8s-events"] = lost
		a.mu.Unlock()
		settle(14 * time.Second)
		if first.counts.leading.Load()+second.counts.leading.Load() != 0 {
			t.Error("it leads though another one holds the Lease")
		}
		a.say("two", 1)
		settle(time.Minute) // it ran out
		if first.counts.leading.Load()+second.counts.leading.Load() != 1 {
			t.Error("none leads, or both")
		}
		got := append(first.names(), second.names()...)
		slices.Sort(got)
		if d := cmp.Diff([]string{"one×1", "two×1"}, got); d != "" {
			t.Error(d)
		}
		first.shutdown(t)
		second.shutdown(t)
	})
}

func TestWithoutAClusterItStartsAndStops(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	synctest.Test(t, func(t *testing.T) {
		cfg := createDefaultConfig()
		r := &eventsReceiver{set: receivertest.NewNopSettings(metadata.Type), config: cfg, next: &pipeline{}}
		h := &host{}
		require.NoError(t, r.Start(t.Context(), h))
		settle(time.Hour)
		if d := cmp.Diff([]componentstatus.Status{componentstatus.StatusRecoverableError}, h.status); d != "" {
			t.Error(d)
		}
		require.NoError(t, r.Shutdown(context.Background()))
		require.NoError(t, r.Shutdown(context.Background()))
	})
}

func TestAStorageThatIsNotThereIsNamed(t *testing.T) {
	s := newStage(newAPIless(), memory)
	require.ErrorContains(t, s.Start(t.Context(), componenttest.NewNopHost()), `no extension "memory"`)
	require.NoError(t, s.Shutdown(t.Context()))
}

func newAPIless() *api { return &api{} }
