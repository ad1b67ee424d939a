package tail

import (
	"os"
	"path/filepath"
	"time"
)

// maxDirs bounds the directories that are looked into.
const maxDirs = 1 << 16

// mtimeSlack is how far a file's time may lie before that of a scan that came
// earlier: the kernel stamps files with the time of its last tick.
const mtimeSlack = 100 * time.Millisecond

// Scan looks for files that came, moved or went: in the directories that were
// noticed, or everywhere (all, the first time, and when events were lost).
func (s *Set) Scan(now time.Time, all bool) {
	s.now = now
	if all || s.all || !s.scanned {
		s.scanAll()
		return
	}
	for dir := range s.dirty {
		delete(s.dirty, dir)
		if bases, ok := s.leaves[dir]; ok {
			s.scanDir(dir, bases)
		}
	}
}

// ScannedAt is when everything was looked at last. Store it with the checkpoints:
// after a restart, files that were written to since then and have none are new.
func (s *Set) ScannedAt() time.Time { return s.fullScan }

// Pending tells whether something was noticed that a Scan should look at.
func (s *Set) Pending() bool { return s.all || len(s.dirty) > 0 }

func (s *Set) scanAll() {
	s.all = false
	s.fullScan = s.now
	if s.since.IsZero() {
		if s.since = s.now; !s.alive.IsZero() {
			s.since = s.alive
		}
		s.since = s.since.Add(-mtimeSlack)
	}
	clear(s.dirty)
	before := s.leaves
	watched := map[string]bool{}
	s.leaves = expand(s.opts.Include, func(dir string) {
		if s.notify == nil || watched[dir] || len(watched) >= maxDirs {
			return
		}
		watched[dir] = true
		// Again at each scan: a directory that was deleted and made anew is
		// another inode.
		if err := s.notify.watchDir(dir); err != nil {
			s.Stats.Watchless++
			s.trouble = err
		}
	})
	for dir, bases := range s.leaves {
		s.scanDir(dir, bases)
	}
	for dir := range before {
		if _, ok := s.leaves[dir]; !ok {
			s.gen++
			s.sweep(dir)
		}
	}
	if !s.scanned {
		s.scanned = true
		s.missing()
	}
	s.forgetTruncated()
}

// entry is a file in a directory.
type entry struct {
	path  string
	name  string
	id    ID
	size  int64
	mtime time.Time
}

func (s *Set) scanDir(dir string, bases []string) {
	s.gen++
	names, err := os.ReadDir(dir)
	if err != nil && len(names) == 0 {
		s.sweep(dir)
		return
	}
	var current, others []entry
	for _, d := range names {
		if d.IsDir() {
			continue
		}
		name := d.Name()
		path := filepath.Join(dir, name)
		matched := matchesAny(bases, name) && !isCompressed(name)
		if matched && s.excluded(path) {
			continue
		}
		info, err := os.Stat(path) // follows links: Docker's logs are behind them
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		id, ok := identify(info)
		if !ok {
			continue
		}
		e := entry{path: path, name: name, id: id, size: info.Size(), mtime: info.ModTime()}
		if matched {
			current = append(current, e)
		} else {
			others = append(others, e)
		}
	}
	for _, e := range others {
		s.known(e)
	}
	for _, e := range current {
		if f := s.known(e); f != nil && f.Rotated() && f.Name == e.path {
			f.rotatedAt, f.gone = time.Time{}, false // renamed back
			s.byPath[e.path] = f
		}
	}
	for _, o := range others { // rotated before the last run ended, finished or not
		if c, ok := s.saved[o.id]; ok && !isCompressed(o.name) {
			s.follow(o, c.Path, true, s.now)
		}
	}
	for _, e := range current {
		s.place(e)
	}
	s.copies(others)
	s.siblings(bases, others)
	s.sweep(dir)
}

// known notes where a file that is followed lies now.
func (s *Set) known(e entry) *File {
	f := s.byID[e.id]
	if f == nil {
		return nil
	}
	f.seen, f.Path, f.gone = s.gen, e.path, false
	if e.size != f.size {
		switch {
		case f.done: // its writer went on with it
			f.done = false
			s.active = append(s.active, f)
		case f.asleep:
			s.wake(f)
		}
	}
	return f
}

// place follows the file that has the name now.
func (s *Set) place(e entry) {
	prev, had := s.byPath[e.path]
	if had && prev.ID == e.id {
		return
	}
	if had {
		s.rotated(prev)
	} else if _, had = s.savedPath[e.path]; had {
		delete(s.savedPath, e.path)
	}
	if f := s.byID[e.id]; f != nil { // another's name before: a glob that takes rotated names too
		if f.Name == e.path || !f.Rotated() {
			s.rename(f, e.path)
		}
		return
	}
	s.follow(e, e.path, had, time.Time{})
}

func (s *Set) rotated(f *File) {
	if f.rotatedAt.IsZero() {
		s.Stats.Rotated++
		f.rotatedAt = s.now
		s.wake(f)
	}
	if s.byPath[f.Name] == f {
		delete(s.byPath, f.Name)
	}
}

// follow begins with a file: where it was left, or at its beginning or end.
func (s *Set) follow(e entry, name string, fromStart bool, rotatedAt time.Time) {
	if len(s.byID) >= s.opts.MaxFiles {
		s.Stats.TooMany++
		return
	}
	f := &File{ID: e.id, Name: name, Path: e.path, grewAt: s.now, caughtUp: s.now, rotatedAt: rotatedAt, seen: s.gen}
	if c, ok := s.saved[e.id]; ok {
		delete(s.saved, e.id)
		if s.resume(f, c, e) {
			s.add(f)
			return
		}
	}
	if !fromStart && !s.opts.FromStart && s.isOld(e) {
		f.offset = e.size
		s.alignEnd(f)
	}
	f.committed = f.offset
	s.add(f)
	s.fresh = append(s.fresh, f)
}

func (s *Set) rename(f *File, name string) {
	if f.Name != name {
		delete(s.byPath, f.Name)
		delete(s.byDir[dirOf(f.Name)], f)
		f.Name = name
		s.inDir(f)
	}
	s.byPath[name] = f
}

func (s *Set) inDir(f *File) {
	dir := dirOf(f.Name)
	if s.byDir[dir] == nil {
		s.byDir[dir] = map[*File]struct{}{}
	}
	s.byDir[dir][f] = struct{}{}
}

func (s *Set) remove(f *File) {
	delete(s.byID, f.ID)
	dir := dirOf(f.Name)
	if delete(s.byDir[dir], f); len(s.byDir[dir]) == 0 {
		delete(s.byDir, dir)
	}
	s.forgotten = append(s.forgotten, f.ID)
}

func (s *Set) add(f *File) {
	s.byID[f.ID] = f
	s.inDir(f)
	if f.rotatedAt.IsZero() {
		s.byPath[f.Name] = f
	}
	s.active = append(s.active, f)
}

// resume goes on at a checkpoint, if the file is still the one it was made of.
func (s *Set) resume(f *File, c Checkpoint, e entry) bool {
	file, err := os.Open(e.path)
	if err != nil {
		f.print, f.offset = c.Print, c.Offset // and stat will check
	} else {
		defer file.Close()
		if !c.Print.of(file, s.scratch[:]) || e.size < c.Offset {
			return c.Path == f.Name && f.rotatedAt.IsZero() && s.startOver(f, c)
		}
		f.print, f.offset = c.Print, c.Offset
	}
	f.committed, f.caughtUp = c.Offset, c.Seen
	return true
}

// startOver begins anew with a file that was truncated while nobody looked, or
// whose inode was reused under the same name. What was lost only a copy or a
// compressed form can tell.
func (s *Set) startOver(f *File, c Checkpoint) bool {
	f.epoch++
	f.caughtUp = c.Seen
	s.fresh = append(s.fresh, f)
	if !s.countCompressed(c) {
		s.Stats.Truncated++
		if c.Print.N > 0 {
			s.truncated = append(s.truncated, stub{name: f.Name, print: c.Print, offset: c.Offset, at: s.now})
		}
	}
	return true
}

// isOld tells whether a file that was never followed is one from before: then
// its end is where to begin. Files that were made while the receiver was not
// running, but had run before, are new.
func (s *Set) isOld(e entry) bool {
	if s.scanned {
		return false
	}
	born, ok := birth(e.path)
	if !s.resumed {
		return !ok || s.opts.Started.IsZero() || born.Before(s.opts.Started.Add(-mtimeSlack))
	}
	return ok && born.Before(s.alive.Add(-mtimeSlack))
}

// alignEnd moves the beginning of a file that is followed from its end to the
// end of a line: its last line may be half written.
func (s *Set) alignEnd(f *File) {
	if f.offset == 0 || s.ensureOpen(f) != nil {
		return
	}
	var last [1]byte
	if _, err := f.f.ReadAt(last[:], f.offset-1); err == nil && last[0] != '\n' {
		f.skipping = true
	}
}

// sweep finds what a directory no longer lists.
func (s *Set) sweep(dir string) {
	for f := range s.byDir[dir] {
		if f.seen == s.gen || f.gone {
			continue
		}
		f.gone = true
		s.rotated(f)
		switch {
		case f.done:
			s.release(f)
		case f.f == nil: // gone before it could be opened (again)
			if f.offset < f.size {
				s.Stats.LostFiles++
				s.Stats.LostBytes += f.size - f.offset
			}
			f.offset = min(f.offset, f.committed)
			s.Finish(f)
		}
	}
}

func dirOf(path string) string { return filepath.Dir(path) }
