package configstate

import (
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Hash tells configurations apart. The zero value is that of none.
type Hash [32]byte

// String is short enough for a log line and long enough to compare by eye.
func (h Hash) String() string { return hex.EncodeToString(h[:6]) }

// Number is the same 48 bits as a metric's value, which a float64 holds exactly.
func (h Hash) Number() float64 {
	var b [8]byte
	copy(b[2:], h[:6])
	return float64(binary.BigEndian.Uint64(b[:]))
}

// Snapshot is the state at one moment.
type Snapshot struct {
	Running Hash      // of what runs
	Since   time.Time // when that was started
	// Problem is why what is configured does not run; nil when it does.
	Problem error
	// Applied, Refused and Reverted count what became of later configurations: it
	// runs; it was not valid; it was valid and did not start.
	Applied, Refused, Reverted int64
}

// State is safe for concurrent use. Make one with New.
type State struct {
	mu      sync.Mutex
	now     Snapshot      // guarded by mu
	changed chan struct{} // guarded by mu; closed at each change
	log     *zap.Logger   // guarded by mu
}

// New is the state before anything runs. Until SetLogger it logs to fallback.
func New(fallback *zap.Logger) *State {
	if fallback == nil {
		fallback = zap.NewNop()
	}
	return &State{changed: make(chan struct{}), log: fallback}
}

// Now is the state, and a channel that is closed when it is no longer so.
func (s *State) Now() (Snapshot, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now, s.changed
}

// SetLogger takes the logger that the running configuration asks for.
func (s *State) SetLogger(l *zap.Logger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = l
}

// Logger is the newest one.
func (s *State) Logger() *zap.Logger {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log
}

// Started says that what is configured runs, from the start.
func (s *State) Started(h Hash) {
	s.change(func(n *Snapshot) { n.Running, n.Since, n.Problem = h, time.Now(), nil })
}

// Kept says that an earlier configuration runs from the start, and why.
func (s *State) Kept(h Hash, problem error) {
	s.change(func(n *Snapshot) { n.Running, n.Since, n.Problem = h, time.Now(), problem })
}

// Applied says that a later configuration runs now.
func (s *State) Applied(h Hash) {
	s.change(func(n *Snapshot) {
		n.Running, n.Since, n.Problem = h, time.Now(), nil
		n.Applied++
	})
}

// Refused says that a later configuration is not valid; what runs goes on.
func (s *State) Refused(problem error) {
	s.change(func(n *Snapshot) {
		n.Problem = problem
		n.Refused++
	})
}

// Reverted says that a later configuration was valid and did not start, and that
// an earlier one runs again.
func (s *State) Reverted(h Hash, problem error) {
	s.change(func(n *Snapshot) {
		n.Running, n.Since, n.Problem = h, time.Now(), problem
		n.Reverted++
	})
}

// Withdrawn says that what is configured is what runs again.
func (s *State) Withdrawn() { s.change(func(n *Snapshot) { n.Problem = nil }) }

func (s *State) change(f func(*Snapshot)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.now)
	close(s.changed)
	s.changed = make(chan struct{})
}
