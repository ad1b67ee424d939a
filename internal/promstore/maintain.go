package promstore

import (
	"time"

	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"
)

const (
	blockRange     = 2 * time.Hour // tsdb's smallest block
	upkeepInterval = time.Minute   // as tsdb's own loop
	walCompression = compression.Snappy
	// parkTime is how long tsdb's own loop sleeps before it would write of its
	// own accord: longer than any process lives.
	parkTime = 20 * 365 * 24 * time.Hour
	// resumeFactor keeps writing from flapping at the edge: it resumes with
	// this much more room than it stopped at.
	resumeFactor = 1.25
)

// maintain is the store's own loop: it watches the disk, writes out head chunks
// and compacts while there is room, and repairs after a failed write.
func (s *Store) maintain() {
	tick := time.NewTicker(s.hooks.tick)
	defer tick.Stop()
	last := s.hooks.now()
	var nextTry time.Time
	var backoff time.Duration
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		if !s.room() {
			continue
		}
		now := s.hooks.now()
		if s.failure.Load() != nil {
			// Reopening replays the log: what fails again is tried less and less often.
			if now.Before(nextTry) {
				continue
			}
			s.reopen()
			backoff = min(max(2*backoff, s.hooks.tick), upkeepInterval)
			nextTry = now.Add(backoff)
			continue
		}
		if now.Sub(nextTry) > upkeepInterval {
			backoff = 0
		}
		if now.Sub(last) >= upkeepInterval {
			last = now
			if err := s.upkeep(); err != nil && s.ctx.Err() == nil {
				s.log.Error("compact store; it is tried again in a minute", "dir", s.cfg.Dir, "err", err)
			}
		}
	}
}

// room reports whether there is enough room to write, and notes a change.
func (s *Store) room() bool {
	if s.cfg.MinFreeBytes < 0 {
		return true
	}
	free, err := s.hooks.free(s.cfg.Dir)
	if err != nil {
		return true // a write will tell
	}
	was := s.diskFull.Load()
	need := uint64(s.cfg.MinFreeBytes)
	if was {
		need = uint64(float64(need) * resumeFactor)
	}
	ok := free >= need
	if was != ok || !s.diskFull.CompareAndSwap(was, !ok) {
		return ok
	}
	if ok {
		s.log.Info("store writes again: the disk has room", "dir", s.cfg.Dir, "free_bytes", free)
	} else {
		s.log.Error("store stopped writing: the disk is full; queries go on", "dir", s.cfg.Dir, "free_bytes", free, "needed_bytes", need)
	}
	return ok
}

// upkeep writes full head chunks to disk and compacts what is due. Where the log
// and the head have outgrown half of MaxBytes, the head becomes a block at once:
// size retention deletes blocks, and nothing else shrinks a log.
func (s *Store) upkeep() (err error) {
	defer s.guard(&err)
	if err := s.read(func(db *tsdb.DB) error {
		db.ForceHeadMMap()
		return db.Compact(s.ctx)
	}); err != nil {
		return err
	}
	var oversize bool
	_ = s.read(func(db *tsdb.DB) error {
		oversize = db.Head().Size() > s.cfg.MaxBytes/2
		return nil
	})
	if !oversize {
		return nil
	}
	s.writeMu.Lock() // no append may land in the range that is cut out of the head
	defer s.writeMu.Unlock()
	return s.read(func(db *tsdb.DB) error {
		h := db.Head()
		s.log.Info("compact the head early: log and head outgrew half of max_bytes", "head_bytes", h.Size())
		if err := db.CompactHead(tsdb.NewRangeHead(h, h.MinTime(), h.MaxTime())); err != nil {
			return err
		}
		return db.CompactOOOHead(s.ctx)
	})
}
