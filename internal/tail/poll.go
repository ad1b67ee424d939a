package tail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Poll asks every file that is not quiet for its size. It gives the files that
// have something to read and those that have been read to their end for good:
// the caller gives away what it holds of those and then calls Finish.
func (s *Set) Poll(now time.Time) (ready, ended []*File) {
	s.now = now
	keep := s.active[:0]
	for _, f := range s.active {
		if f.done || f.asleep {
			continue
		}
		if err := s.stat(f); err != nil {
			// Closed, and no descriptor or file is to be had: the next scan knows
			// more.
			keep = append(keep, f)
			continue
		}
		switch {
		case f.size > f.offset:
			if f.stuck != f.size || s.isLast(f, now) {
				ready = append(ready, f)
			}
			keep = append(keep, f)
		case f.Rotated() && now.Sub(f.grewAt) >= s.opts.RotateWait && now.Sub(f.rotatedAt) >= s.opts.RotateWait:
			ended = append(ended, f)
			keep = append(keep, f)
		case s.sleep(f):
		default:
			keep = append(keep, f)
		}
	}
	clear(s.active[len(keep):])
	s.active = keep
	return ready, ended
}

// stat looks at a file's size, and finds out whether it was truncated.
func (s *Set) stat(f *File) error {
	if err := s.ensureOpen(f); err != nil {
		return err
	}
	info, err := f.f.Stat()
	if err != nil {
		return fmt.Errorf("stat %s: %w", f.Path, err)
	}
	size := info.Size()
	// Truncated and written again to the very same size, it has another time.
	same := size == f.size && info.ModTime().Equal(f.mtime)
	f.mtime = info.ModTime()
	if same {
		if f.committed >= size {
			f.caughtUp = s.now
		}
		return nil
	}
	before := f.size
	if size != before {
		f.size, f.grewAt = size, s.now
		if f.goal == 0 {
			f.goal, f.goalAt = size, s.now
		}
	}
	// One look tells whether the file begins as it did and how it goes on: between
	// two it could be truncated, and the new beginning pass for the old one's.
	longer, begins := f.print.extend(f.f, s.scratch[:])
	if size < before || !begins {
		s.shrank(f, before)
		// It may have been truncated since its size was asked for.
		if info, err := f.f.Stat(); err == nil {
			f.size, f.mtime = info.Size(), info.ModTime()
		}
		longer, _ = f.print.extend(f.f, s.scratch[:])
	}
	f.print = longer
	if size == before && f.committed >= f.size {
		f.caughtUp = s.now
	}
	return nil
}

// shrank starts a truncated file over. What had been written and not read may be
// in a copy; until one is found it counts as lost.
func (s *Set) shrank(f *File, before int64) {
	s.Stats.Truncated++
	lost, safe := max(0, before-f.offset), f.offset
	s.Stats.LostBytes += lost
	if s.safe != nil {
		safe = min(safe, s.safe(f))
	}
	if f.print.N > 0 {
		s.truncated = append(s.truncated, stub{name: f.Name, print: f.print, file: f, epoch: f.epoch, offset: safe, lost: lost, at: s.now})
		if len(s.truncated) > 256 {
			s.truncated = s.truncated[1:]
		}
		s.dirty[dirOf(f.Name)] = true
	}
	f.offset, f.committed, f.goal, f.stuck, f.skipping, f.print = 0, 0, 0, 0, false, Fingerprint{}
	f.epoch++
	s.fresh = append(s.fresh, f)
}

// sleep puts a quiet file under a one-shot watch; false if it is to be polled
// on.
func (s *Set) sleep(f *File) bool {
	if s.notify == nil || f.Rotated() || s.now.Sub(f.grewAt) < s.opts.SleepAfter || f.committed < f.size {
		return false
	}
	if err := s.notify.wakeOnce(f); err != nil {
		s.Stats.Watchless++
		s.trouble = err
		f.grewAt = s.now // and ask again later
		return false
	}
	// What was written before the watch was there.
	if info, err := f.f.Stat(); err != nil || info.Size() != f.size {
		return false
	}
	f.asleep = true
	return true
}

// ensureOpen opens a file unless it is open. If that is one too many, the file
// that has been quiet for longest is closed.
func (s *Set) ensureOpen(f *File) error {
	if f.f != nil {
		return nil
	}
	if s.open >= s.opts.MaxOpen && !s.evict() {
		s.Stats.NoOpen++
		s.trouble = fmt.Errorf("open %s: %d files are open already", f.Path, s.open)
		return s.trouble
	}
	file, err := os.Open(f.Path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) { // else it moved, and the next scan finds it
			s.Stats.NoOpen++
			s.trouble = err
		}
		return fmt.Errorf("follow: %w", err)
	}
	if id, err := identifyOpen(file); err != nil || id != f.ID {
		_ = file.Close()
		s.dirty[dirOf(f.Name)] = true // rotated meanwhile: find out where it went
		return fmt.Errorf("open %s: %w", f.Path, fs.ErrNotExist)
	}
	f.f = file
	s.open++
	return nil
}

// evict closes the file that has been quiet for longest, of those that are read
// to their end and can be opened again by their name.
func (s *Set) evict() bool {
	var victim *File
	for _, f := range s.byID {
		if f.f != nil && !f.Rotated() && f.committed >= f.size && (victim == nil || f.grewAt.Before(victim.grewAt)) {
			victim = f
		}
	}
	if victim == nil {
		return false
	}
	if !victim.asleep {
		// The watch is the inode's and outlives the descriptor; without one, the
		// next scan sees whether it grew.
		if s.notify != nil && s.notify.wakeOnce(victim) != nil {
			s.Stats.Watchless++
		}
		victim.asleep = true
	}
	s.close(victim)
	return true
}

// Read gives the next lines of a file, at most about want bytes. The caller
// takes them, or the first of them, with Advance.
func (s *Set) Read(f *File, want int, now time.Time) (Chunk, error) {
	if f.f == nil {
		return Chunk{}, nil
	}
	c, err := s.read(f, want, now)
	if err != nil {
		return Chunk{}, fmt.Errorf("read %s: %w", f.Path, err)
	}
	// Only now is it certain that the bytes are those that belong at the offset:
	// a file that was truncated and has grown again has others there.
	s.now = now
	epoch := f.epoch
	if err := s.stat(f); err != nil {
		return Chunk{}, err
	}
	if f.epoch != epoch {
		return Chunk{}, nil
	}
	return c, nil
}

// Finish closes a file that has ended. It is forgotten once nothing lists it and
// all of it is accepted.
func (s *Set) Finish(f *File) {
	s.close(f)
	f.done = true
	s.release(f)
}

func (s *Set) release(f *File) {
	if f.done && f.gone && f.committed >= f.offset {
		s.remove(f)
	}
}

// Mark is a place in a file, to be committed or stored later.
type Mark struct {
	File   *File
	Offset int64

	epoch uint32 // a truncation in between makes it void
	print Fingerprint
}

// Mark remembers a place in a file.
func (f *File) Mark(offset int64) Mark {
	return Mark{File: f, Offset: offset, epoch: f.epoch, print: f.print}
}

// Checkpoint is what to store once all before the mark is accepted. Safe to call
// from any goroutine.
func (m Mark) Checkpoint(now time.Time) Checkpoint {
	return Checkpoint{ID: m.File.ID, Print: m.print, Offset: m.Offset, Seen: now, Path: m.File.Name}
}

// Commit says that all before the mark was accepted.
func (s *Set) Commit(m Mark, now time.Time) {
	f := m.File
	if m.epoch != f.epoch {
		return
	}
	f.committed = max(f.committed, m.Offset)
	if f.goal > 0 && f.committed >= f.goal {
		f.goal = 0
		if f.goalAt.After(f.caughtUp) {
			f.caughtUp = f.goalAt
		}
	}
	if f.committed >= f.size {
		f.caughtUp = now
	}
	s.release(f)
}

// Unstored tells whether Fresh or Forgotten has something.
func (s *Set) Unstored() bool { return len(s.fresh) > 0 || len(s.forgotten) > 0 }

// Fresh gives marks of files that nothing is stored of yet, and Forgotten the
// files of which nothing is to be stored any more; each only once.
func (s *Set) Fresh() (marks []Mark) {
	for _, f := range s.fresh {
		marks = append(marks, f.Mark(f.committed))
	}
	s.fresh = nil
	return marks
}

// Forgotten gives the files whose checkpoint is to be deleted, once.
func (s *Set) Forgotten() []ID {
	ids := s.forgotten
	s.forgotten = nil
	return ids
}
