package tail

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"
)

// File is one log file, under whatever name. Its exported fields are the
// caller's to read; Data is the caller's own.
type File struct {
	ID   ID
	Name string // the path under which it matched: it tells whose logs they are
	Path string // where it lies now
	Data any

	f     *os.File // nil while it is closed to spare a descriptor
	print Fingerprint

	offset    int64     // up to here lines were taken
	committed int64     // up to here they were accepted
	size      int64     // as last seen
	stuck     int64     // the size at which the rest was an unfinished line
	epoch     uint32    // how often it was truncated
	copied    uint32    // 1 + the last epoch whose copy was found
	mtime     time.Time // the file system's, when size was seen
	grewAt    time.Time // when size last changed
	caughtUp  time.Time // when all that there was had last been accepted
	goal      int64     // a size that it had, and when: a file that never rests is
	goalAt    time.Time // known to be accepted up to then; 0: none is waited for

	rotatedAt time.Time // zero while it has its name
	gone      bool      // no directory lists it any more
	done      bool      // rotated or gone, and read to its end
	asleep    bool      // quiet: a one-shot watch will wake it
	skipping  bool      // within the rest of a line that was cut
	seen      uint64    // the scan that last saw it
}

// Offset is up to where lines were taken.
func (f *File) Offset() int64 { return f.offset }

// Rotated tells whether the file lost its name to another or was deleted.
func (f *File) Rotated() bool { return !f.rotatedAt.IsZero() || f.gone }

// Epoch is how often the file was truncated: pieces held from before belong to
// no line after it.
func (f *File) Epoch() uint32 { return f.epoch }

// Copied tells whether what the file was in an epoch that is over has been found in
// a copy, which is read on from where no line was half done.
func (f *File) Copied(epoch uint32) bool { return f.copied == epoch+1 }

// Advance takes n bytes of what Read gave.
func (f *File) Advance(n int) { f.offset += int64(n) }

// Pass goes over what there is to read without reading it; it gives how many
// bytes that were.
func (s *Set) Pass(f *File) (bytes int64) {
	if bytes = f.size - f.offset; bytes <= 0 || f.f == nil {
		return 0
	}
	f.offset = f.size
	s.alignEnd(f)
	return bytes
}

// Chunk is a piece of a file.
type Chunk struct {
	Text string // whole lines, each with its newline; or one line without (see End)
	End  End
	More bool // there is more to read at once
}

// End tells why a chunk's only line has no newline.
type End uint8

// Ends.
const (
	Whole  End = iota // it has: all lines are whole
	Cut               // longer than MaxLine; its rest will be skipped
	Unterm            // the file ends there, and nothing came for a while
)

// read gives the next lines, at most about want bytes; an empty text when there
// are none. The text is the caller's: buf is only passed through.
func (s *Set) read(f *File, want int, now time.Time) (Chunk, error) {
	for {
		have := f.size - f.offset
		if have <= 0 {
			return Chunk{}, nil
		}
		n := int(min(have, int64(want)))
		if cap(s.buf) < n {
			s.buf = make([]byte, n)
		}
		n, err := f.f.ReadAt(s.buf[:n], f.offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return Chunk{}, err
		}
		b := s.buf[:n]
		more := int64(n) < have && n > 0
		if f.skipping {
			end := bytes.IndexByte(b, '\n')
			if end < 0 {
				s.Stats.CutBytes += int64(n)
				f.offset += int64(n)
				continue
			}
			s.Stats.CutBytes += int64(end)
			f.offset += int64(end) + 1
			f.skipping = false
			continue
		}
		if end := bytes.LastIndexByte(b, '\n'); end >= 0 {
			return Chunk{Text: string(b[:end+1]), More: more}, nil
		}
		switch {
		case n > s.opts.MaxLine:
			f.skipping = true
			return Chunk{Text: string(b[:s.opts.MaxLine]), End: Cut, More: true}, nil
		case more && n > 0:
			want = min(want*4, s.opts.MaxLine+1) // a long line: look further
		case n > 0 && s.isLast(f, now):
			return Chunk{Text: string(b), End: Unterm}, nil
		default:
			f.stuck = f.size
			return Chunk{}, nil
		}
	}
}

// isLast tells whether an unterminated line at the end is to be taken as it is:
// its writer has been silent for long, or has another file by now.
func (s *Set) isLast(f *File, now time.Time) bool {
	quiet := now.Sub(f.grewAt)
	if f.Rotated() {
		return quiet >= s.opts.RotateWait
	}
	return s.opts.UnterminatedWait > 0 && quiet >= s.opts.UnterminatedWait
}
