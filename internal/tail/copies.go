package tail

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"time"
)

// copyWait is how long after a truncation its copy may appear. Copytruncate
// copies first, so it is there already unless its name is.
const copyWait = time.Minute

// copies looks for what was truncated in the files beside it: copytruncate has
// copied it before. What it finds is followed where the original was left, and
// is lost no more.
func (s *Set) copies(others []entry) {
	for i := 0; i < len(s.truncated); i++ {
		t := s.truncated[i]
		for _, o := range others {
			if !isRotated(o.name, filepath.Base(t.name)) || isCompressed(o.name) || dirOf(o.path) != dirOf(t.name) ||
				s.byID[o.id] != nil || !startsWith(o.path, t.print, s.scratch[:]) {
				continue
			}
			if len(s.byID) < s.opts.MaxFiles {
				// Followed even if nothing of it is missing, so that it is known.
				at := min(t.offset, o.size)
				f := &File{ID: o.id, Name: t.name, Path: o.path, print: t.print, offset: at, committed: at,
					grewAt: s.now, caughtUp: s.now, rotatedAt: s.now, seen: s.gen}
				s.add(f)
				s.fresh = append(s.fresh, f)
				s.Stats.Recovered += o.size - at
				s.Stats.LostBytes -= min(o.size-at, t.lost)
				if t.file != nil {
					t.file.copied = t.epoch + 1
				}
			}
			s.truncated = append(s.truncated[:i], s.truncated[i+1:]...)
			i--
			break
		}
	}
}

// copyGap is how long a file that may be a copy in the making is left alone.
const copyGap = 2 * time.Second

// siblings follows rotated files that had a name that matches, and lost it
// before anyone looked: between two scans, or between two runs.
func (s *Set) siblings(bases []string, others []entry) {
	for _, o := range others {
		if s.byID[o.id] != nil || o.mtime.Before(s.since) || o.size == 0 || isCompressed(o.name) {
			continue
		}
		base, ok := baseOf(o.name, bases)
		if !ok {
			continue
		}
		name := filepath.Join(dirOf(o.path), base)
		if s.excluded(name) || s.isCopy(name, o) {
			continue
		}
		s.Stats.Rotated++
		s.follow(o, name, true, s.now)
	}
}

// isCopy tells whether a file begins as one that is followed does, or may do so
// when it is written: copytruncate is about to truncate that one.
func (s *Set) isCopy(name string, o entry) bool {
	for f := range s.byDir[dirOf(name)] {
		if f.Name != name || f.print.N == 0 {
			continue
		}
		if o.size < int64(f.print.N) && s.now.Sub(o.mtime) < copyGap || startsWith(o.path, f.print, s.scratch[:]) {
			return true
		}
	}
	return false
}

func (s *Set) excluded(path string) bool {
	return matchesAny(s.opts.Exclude, path) || s.opts.Skip != nil && s.opts.Skip(path)
}

func (s *Set) forgetTruncated() {
	keep := s.truncated[:0]
	for _, t := range s.truncated {
		if s.now.Sub(t.at) < copyWait {
			keep = append(keep, t)
		}
	}
	s.truncated = keep
}

func startsWith(path string, p Fingerprint, scratch []byte) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return p.of(f, scratch)
}

// missing counts, after the first scan, the files of the last run that are no
// more: they were deleted or compressed. Whether all of a deleted one had been
// read, nobody knows.
func (s *Set) missing() {
	for id, c := range s.saved {
		delete(s.saved, id)
		s.forgotten = append(s.forgotten, id)
		s.countCompressed(c)
	}
}

// countCompressed counts what a compressed file holds beyond its checkpoint;
// false if there is no compressed form.
func (s *Set) countCompressed(c Checkpoint) bool {
	plain, ok := s.compressedSize(c)
	if ok && plain > c.Offset {
		s.Stats.LostFiles++
		s.Stats.Compressed++
		s.Stats.LostBytes += plain - c.Offset
	}
	return ok
}

// compressedSize finds the compressed form of a file beside it, by its first
// bytes, and gives its plain size, modulo 4 GiB (RFC 1952, ISIZE).
func (s *Set) compressedSize(c Checkpoint) (int64, bool) {
	if c.Print.N == 0 {
		return 0, false
	}
	dir, base := filepath.Split(c.Path)
	names, _ := os.ReadDir(dir)
	for _, d := range names {
		if filepath.Ext(d.Name()) != ".gz" || !isRotated(d.Name(), base) {
			continue
		}
		if size, ok := gzipOf(filepath.Join(dir, d.Name()), c.Print); ok {
			return size, true
		}
	}
	return 0, false
}

func gzipOf(path string, p Fingerprint) (int64, bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return 0, false
	}
	head := make([]byte, p.N)
	if _, err := io.ReadFull(z, head); err != nil {
		return 0, false
	}
	if !p.of(bytesAt(head), make([]byte, fingerprintMax)) {
		return 0, false
	}
	info, err := f.Stat()
	if err != nil || info.Size() < 18 {
		return 0, false
	}
	var tail [4]byte
	if _, err := f.ReadAt(tail[:], info.Size()-4); err != nil {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint32(tail[:])), true
}

// bytesAt is an io.ReaderAt of bytes, from their beginning.
type bytesAt []byte

func (b bytesAt) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
