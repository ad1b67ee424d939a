package awsclient

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
)

const (
	attempt  = 15 * time.Second // one walk along the chain
	minPause = time.Second
	maxPause = 30 * time.Second
)

// Source gives one component its configuration.
type Source struct {
	settings Settings
	log      *zap.Logger
	resolve  func(context.Context, Settings) (aws.Config, error) // Resolve, but in tests

	cancel context.CancelFunc
	done   sync.WaitGroup
	ready  chan struct{} // closed once cfg is there

	mu     sync.Mutex
	host   component.Host // guarded by mu; nil before Start
	cfg    aws.Config     // guarded by mu until ready is closed
	failed *NotReadyError // guarded by mu; why cfg is not there
	state  Kind           // guarded by mu; what was told last
	told   error          // guarded by mu
	quiet  bool           // guarded by mu; shut down: nothing is told any more
}

// New returns a source that has not begun; log gets one line a state change.
func New(s Settings, log *zap.Logger) *Source {
	return &Source{settings: s, log: log, resolve: Resolve, ready: make(chan struct{}), failed: notReady(errStarting)}
}

// Start begins in the background and returns at once. host is told the state; it
// may be nil.
func (s *Source) Start(host component.Host) {
	s.mu.Lock()
	s.host = host
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.done.Go(func() { s.run(ctx) })
}

// Shutdown ends the goroutine. It is safe before Start and twice.
func (s *Source) Shutdown() {
	s.mu.Lock()
	s.quiet = true
	s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
	s.done.Wait()
}

// Ready is closed once Config has an answer.
func (s *Source) Ready() <-chan struct{} { return s.ready }

// Config returns the configuration, or at once a NotReadyError. It never asks
// the network.
func (s *Source) Config() (aws.Config, error) {
	select {
	case <-s.ready:
		return s.cfg, nil
	default:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return aws.Config{}, s.failed
}

// Wait is Config that waits until ctx is done.
func (s *Source) Wait(ctx context.Context) (aws.Config, error) {
	select {
	case <-s.ready:
	case <-ctx.Done():
	}
	return s.Config()
}

// State returns what was told last: Fine and nil when all is well.
func (s *Source) State() (Kind, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.told
}

// Told takes in how a call ended: err nil after one that worked, else as Explain
// worded it. Health and the log hear of it when the kind differs from the last.
// Throttling and invalid data are a call's own matter and leave the state as it
// is.
func (s *Source) Told(err error) {
	kind := KindOf(err)
	if kind == Throttled || kind == Invalid {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tellLocked(kind, err)
}

func (s *Source) run(ctx context.Context) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		once, cancel := context.WithTimeout(ctx, attempt)
		cfg, err := s.resolve(once, s.settings)
		cancel()
		if ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		if err == nil {
			s.cfg = cfg
			s.tellLocked(Fine, nil)
			s.mu.Unlock()
			close(s.ready)
			return
		}
		var missing *NotReadyError
		if !errors.As(err, &missing) {
			missing = notReady(err)
		}
		s.failed = missing
		s.tellLocked(Credentials, missing)
		s.mu.Unlock()

		// Jitter: a thousand agents start together when a node group does.
		wait := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
	}
}

// tellLocked reports a change of state, once. mu is held, so that what is told
// arrives in order.
func (s *Source) tellLocked(kind Kind, err error) {
	if s.quiet || (kind == s.state && sameHint(err, s.told)) {
		return
	}
	before := s.state
	s.state, s.told = kind, err
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if err != nil {
		event = componentstatus.NewRecoverableErrorEvent(err)
		s.log.Warn("AWS cannot be used; data waits in the queue.", zap.Error(err))
	} else if before != Fine {
		s.log.Info("AWS can be used again.")
	}
	if s.host != nil {
		componentstatus.ReportStatus(s.host, event)
	}
}

// sameHint reports whether two errors of one kind call for the same act. Request
// ids and attempt counts in the SDK's text make every error differ.
func sameHint(a, b error) bool {
	x, isX := errors.AsType[*NotReadyError](a)
	y, isY := errors.AsType[*NotReadyError](b)
	if isX && isY {
		return x.Hint == y.Hint
	}
	return isX == isY
}
