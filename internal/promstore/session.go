package promstore

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/tsdb"
)

// session is one opening of the database: a repair ends one and begins another.
type session struct {
	db  *tsdb.DB
	reg *returnable // tsdb's own metrics

	// abandoned means that tsdb panicked: whoever panicked may hold the locks of
	// a series for ever. Nobody enters any more, nobody waits for those inside,
	// and it is never closed: closing takes those locks. Its memory and its two
	// sleeping goroutines stay until the process ends.
	abandoned atomic.Bool

	mu     sync.RWMutex // held for reading by whoever uses db, for writing to close it
	closed bool         // guarded by mu
}

// openSession opens the database. The caller holds writeMu or is Open.
func (s *Store) openSession() error {
	start := s.hooks.now()
	s.limits.reset()
	s.cache.clear()
	ses := &session{reg: &returnable{Registerer: s.reg.Registerer}}
	repairs := &repairs{}
	var err error
	ses.db, err = tsdb.Open(s.cfg.Dir, slog.New(quiet{s.log.Handler(), repairs}), ses.reg, s.options(), nil)
	if err != nil {
		ses.reg.giveBack()
		return s.explain("open", err)
	}
	ses.db.DisableCompactions() // see doc.go: the maintenance loop does it
	s.limits.arm()
	s.session.Store(ses)
	s.log.Info("store open", "dir", s.cfg.Dir, "series", ses.db.Head().NumSeries(), "blocks", len(ses.db.Blocks()),
		"repaired", repairs.seen.Load(), "took", s.hooks.now().Sub(start).Round(time.Millisecond))
	return nil
}

// closeSession ends the session, if there is one, once nobody is in it. The
// caller holds writeMu. tsdb panics when a chunk does not fit on the disk; what
// the chunk holds is in the log, so that costs nothing but time at the next start.
func (s *Store) closeSession() (err error) {
	ses := s.session.Swap(nil)
	if ses == nil {
		return nil
	}
	defer ses.reg.giveBack()
	if ses.abandoned.Load() {
		return nil
	}
	ses.mu.Lock()
	defer ses.mu.Unlock()
	ses.closed = true
	defer func() {
		if p := recover(); p != nil {
			s.log.Warn("close store: the last chunks stay in the log, the disk did not take them", "dir", s.cfg.Dir, "err", p)
		}
	}()
	return ses.db.Close()
}

// read runs fn with the database, which stays open while fn runs.
func (s *Store) read(fn func(*tsdb.DB) error) error {
	ses, err := s.enter()
	if err != nil {
		return err
	}
	defer ses.mu.RUnlock()
	return fn(ses.db)
}

// enter returns the session with its mu held for reading.
func (s *Store) enter() (*session, error) {
	ses := s.session.Load()
	if ses == nil || ses.abandoned.Load() {
		return nil, s.absent()
	}
	ses.mu.RLock()
	if ses.closed {
		ses.mu.RUnlock()
		return nil, s.absent()
	}
	return ses, nil
}

// absent says why there is no database.
func (s *Store) absent() error {
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	return fmt.Errorf("%w: %s is being repaired", ErrUnavailable, s.cfg.Dir)
}

// whose tells a query that the store's end cut short from one that its caller gave up.
func (s *Store) whose(err error) error {
	if kind, _ := classify(err); kind == "canceled" && s.ctx.Err() != nil {
		return ErrClosed
	}
	return err
}

// guard turns a panic of tsdb into a failure that reopening repairs: its writers
// of head chunks panic when the disk refuses a write.
func (s *Store) guard(err *error) {
	p := recover()
	if p == nil {
		return
	}
	if ses := s.session.Load(); ses != nil {
		ses.abandoned.Store(true)
	}
	cause, ok := p.(error)
	if !ok {
		cause = fmt.Errorf("%v", p)
	}
	*err = s.fail(fmt.Errorf("write head chunks: %w", cause))
}

// fail notes that the database must be opened again before it is written to. A
// log record that was half written would make the next replay drop all that
// follows it, so nothing may follow it.
func (s *Store) fail(cause error) error {
	kind := ErrUnavailable
	if full(cause) {
		kind = ErrDiskFull
	}
	err := fmt.Errorf("%w: %w", kind, cause)
	if s.failure.CompareAndSwap(nil, &err) {
		s.log.Error("store stopped writing; it is repaired when there is room", "dir", s.cfg.Dir, "err", err)
	}
	return err
}

// reopen closes the database and opens it again, which repairs its log.
func (s *Store) reopen() {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	if err := s.closeSession(); err != nil {
		s.log.Warn("close store before repair", "dir", s.cfg.Dir, "err", err)
	}
	if err := s.openSession(); err != nil {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		s.failure.Store(&err)
		s.log.Error("open store again; it is tried again soon", "dir", s.cfg.Dir, "err", err)
		return
	}
	s.failure.Store(nil)
	s.tel.reopens.Inc()
}

// queryContext is ctx that also ends with the store, and in time: the engine's
// own timeout begins only once a query has its slot.
func (s *Store) queryContext(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	stop := context.AfterFunc(s.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}
