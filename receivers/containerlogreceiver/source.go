package containerlogreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/cri"
	"github.com/vigie-otel/vigie/internal/multiline"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/tail"
)

// source is a file's half-done lines, and what is the same for all its records.
type source struct {
	file     *tail.File
	who      container
	format   cri.Format
	epoch    uint32
	resource pcommon.Map
	space    *namespace
	streams  [cri.Streams]assembly
	waiting  bool // listed in reader.waiting

	// As configured, or as the pod asks; see reader.settle.
	reading   reading
	multiline string
	join      bool
	off       bool   // not to be read
	settled   uint64 // the list of pods that this is of

	inBatch uint64 // the batch that lists it
	opened  bool   // slot is there
	slot    slot
}

// assembly makes records of a stream's lines, in two steps: fragments become a
// line, lines become a record.
type assembly struct {
	line   piece // fragments so far
	record piece // lines so far
	joiner multiline.Joiner
}

// piece is text that is not whole yet.
type piece struct {
	held  bool
	text  string // while it is of one part, which is most often
	buf   []byte // else
	cut   bool   // it was longer than the limit
	parts int
	time  int64 // of its first part
	start int64 // in the file
	since time.Time
}

// record is what becomes a log record.
type record struct {
	text   string
	time   int64 // ns; 0: unknown
	stream cri.Stream
	mark   string // attribute that tells of a cut or missing end; "" for none
	trace  bool   // several lines, of a stack trace
}

func (c *Config) newSource(f *tail.File, spaces *namespaces) *source {
	s := &source{file: f, epoch: f.Epoch(), resource: pcommon.NewMap()}
	for _, known := range []cri.Format{cri.CRI, cri.Docker, cri.Raw} {
		if c.Format == known.String() {
			s.format = known
		}
	}
	who, ok := identify(f.Name)
	if ok {
		who.put(s.resource)
	}
	if c.IncludeFilePath {
		s.resource.PutStr(names.LogFilePath, f.Name)
	}
	s.who, s.space = who, spaces.get(who.namespace)
	return s
}

// safe is how far the file is read when all that was given away is accepted:
// half-done lines are to be read again.
func (s *source) safe() int64 {
	at := s.file.Offset()
	for i := range s.streams {
		a := &s.streams[i]
		if a.line.held {
			at = min(at, a.line.start)
		}
		if a.record.held {
			at = min(at, a.record.start)
		}
	}
	return at
}

func (s *source) holds() bool {
	for i := range s.streams {
		if s.streams[i].line.held || s.streams[i].record.held {
			return true
		}
	}
	return false
}

// open begins a piece.
func (p *piece) open(text string, at, start int64, now time.Time) {
	*p = piece{held: true, text: text, buf: p.buf[:0], parts: 1, time: at, start: start, since: now}
}

// add puts a part behind the others, up to a limit of bytes; it gives how many
// did not fit.
func (p *piece) add(glue, text string, limit int, now time.Time) (cut int) {
	if p.parts == 1 {
		p.buf = append(p.buf[:0], p.text...)
		p.text = ""
	}
	p.parts++
	p.since = now
	room := limit - len(p.buf)
	if len(glue)+len(text) <= room {
		p.buf = append(append(p.buf, glue...), text...)
		return 0
	}
	p.cut = true
	if room <= len(glue) {
		return len(text)
	}
	room -= len(glue)
	p.buf = append(append(p.buf, glue...), text[:room]...)
	return len(text) - room
}

// take ends a piece. A large buffer is given back.
func (p *piece) take() string {
	p.held = false
	text := p.text
	if p.parts > 1 {
		text = string(p.buf)
	}
	p.text = ""
	if cap(p.buf) > 64<<10 {
		p.buf = nil
	}
	return text
}
