package tail

import (
	"time"
)

// Options say which files a Set follows and how. All must be set but where it
// says so.
type Options struct {
	Include []string               // globs of absolute paths; "**" is any depth, up to 8
	Exclude []string               // globs of absolute paths
	Skip    func(path string) bool // excludes a path on other grounds; may be nil

	FromStart bool      // read files that are there at the very first start from their beginning
	Started   time.Time // files born after it are not of those; zero: all are that the first scan finds

	MaxFiles int // files known at a time
	MaxOpen  int // descriptors open at a time
	MaxLine  int // bytes; the rest of a longer line is skipped

	RotateWait       time.Duration // how long a rotated file must be silent before it is closed
	UnterminatedWait time.Duration // how long a last line without newline waits; 0: for ever
	SleepAfter       time.Duration // how long a file must be silent before a watch guards it
}

// Stats count what happened to files since the start.
type Stats struct {
	Rotated    int64 // files that lost their name to another or were deleted
	Truncated  int64 // files that shrank
	Recovered  int64 // bytes of truncated files that were found in a copy beside them
	LostBytes  int64 // bytes known to have been written and not readable any more
	LostFiles  int64 // files gone, or compressed, before they were read to their end
	CutBytes   int64 // bytes of lines over MaxLine
	Compressed int64 // of LostFiles: those whose compressed form was seen
	TooMany    int64 // scans in which a file was left out because of MaxFiles
	NoOpen     int64 // openings that failed, for want of descriptors or permission
	Watchless  int64 // watches that inotify refused
}

// Set is the files that match. Not safe for concurrent use.
type Set struct {
	Stats Stats

	opts   Options
	notify *Notifier // nil: polling
	now    time.Time

	byID   map[ID]*File
	byPath map[string]*File // those that have their name
	byDir  map[string]map[*File]struct{}
	active []*File // to be polled: all but sleeping and done ones
	open   int

	saved     map[ID]Checkpoint     // from the last run, not claimed yet
	savedPath map[string]Checkpoint // the latest of each path
	alive     time.Time             // the last run knew all files of before this
	resumed   bool                  // there was a last run
	scanned   bool                  // there was a scan in this one

	since    time.Time // rotated files written to after this, and not known, were missed
	leaves   leaves
	gen      uint64
	fullScan time.Time
	dirty    map[string]bool // directories to look at again
	all      bool            // look at all of them

	fresh     []*File           // files whose first checkpoint is not stored yet
	forgotten []ID              // files whose checkpoint is to be deleted
	safe      func(*File) int64 // nil: all that was taken
	truncated []stub            // to be looked for in copies

	trouble error // the last opening or watch that failed

	buf     []byte
	scratch [fingerprintMax]byte
}

// SetSafe gives the set a word on up to where a file need not be read again if it
// is truncated: the beginning of its first line that is half done. Without one that
// is all that was taken. It is called by Poll and Read.
func (s *Set) SetSafe(safe func(*File) int64) { s.safe = safe }

// stub is what is left of a file that was truncated.
type stub struct {
	name   string
	print  Fingerprint
	file   *File // nil: it was truncated while nobody looked
	epoch  uint32
	offset int64 // read up to here, and no line half done
	lost   int64 // bytes that count as lost until its copy is found
	at     time.Time
}

// New makes a Set that goes on where saved says; alive is the last run's
// ScannedAt. notify may be nil.
func New(opts Options, notify *Notifier, saved []Checkpoint, alive time.Time) *Set {
	s := &Set{
		opts: opts, notify: notify,
		byID: map[ID]*File{}, byPath: map[string]*File{}, byDir: map[string]map[*File]struct{}{},
		saved: map[ID]Checkpoint{}, savedPath: map[string]Checkpoint{},
		alive: alive, resumed: len(saved) > 0 || !alive.IsZero(),
		dirty: map[string]bool{}, all: true,
	}
	for _, c := range saved {
		s.saved[c.ID] = c
		// Of several with one path all but one were rotated; the latest file is
		// the one that was written last.
		if p, ok := s.savedPath[c.Path]; !ok || c.Seen.After(p.Seen) {
			s.savedPath[c.Path] = c
		}
	}
	return s
}

// Files gives all files that are known, in no order.
func (s *Set) Files(yield func(*File) bool) {
	for _, f := range s.byID {
		if !yield(f) {
			return
		}
	}
}

// Trouble is the last opening or watching that failed since it was asked for
// last; nil if none did. Stats count them.
func (s *Set) Trouble() error {
	err := s.trouble
	s.trouble = nil
	return err
}

// Len is how many files are known.
func (s *Set) Len() int { return len(s.byID) }

// Open is how many descriptors are open.
func (s *Set) Open() int { return s.open }

// Lag is how many bytes of a file were not accepted yet, and since when; the
// size is as of the last Poll.
func (f *File) Lag() (bytes int64, since time.Time) {
	return max(0, f.size-f.committed), f.caughtUp
}

// Notice takes an event of the Notifier.
func (s *Set) Notice(e Event) {
	switch {
	case e.All:
		s.all = true
	case e.Wake != nil:
		s.wake(e.Wake)
	default:
		if _, leaf := s.leaves[e.Dir]; leaf {
			s.dirty[e.Dir] = true
		} else {
			s.all = true
		}
	}
}

func (s *Set) wake(f *File) {
	if f.asleep && !f.done {
		f.asleep = false
		s.active = append(s.active, f)
	}
}

// Close closes all files.
func (s *Set) Close() {
	for _, f := range s.byID {
		s.close(f)
	}
}

func (s *Set) close(f *File) {
	if f.f != nil {
		_ = f.f.Close()
		f.f = nil
		s.open--
	}
}
