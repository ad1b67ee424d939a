package detectcmd

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/request"
)

// A detector judges in the order of arrival, and what comes more than a few
// seconds late counts for little. Logs that were merged from several servers,
// or shuffled by whoever published them, would be nothing but late lines: they
// are put in the order of their time stamps first, which is the order in which
// a streaming processor would have met them. Lines keep their numbers.

const (
	// lookBytes is how much is looked at to see whether a log is in order.
	lookBytes = 32 << 20
	// sortBytes is how much may be held to be sorted.
	sortBytes = 2 << 30
	// disorder is the share of late lines above which a log is sorted. A log in
	// order has next to none; requests that end late are logged when they end.
	disorder = 0.02
	// lookPause ends the look at standard input when nothing comes: somebody
	// follows a growing log.
	lookPause = time.Second
)

// sorting says whether lines are put in order.
type sorting uint8

const (
	sortAuto sorting = iota
	sortAlways
	sortNever
)

// held are blocks that were read ahead.
type held struct {
	blocks []block
	bytes  int
	ended  bool // there are no more
}

// hold reads up to limit bytes ahead.
func (h *held) hold(src *source, limit int, pause <-chan time.Time) {
	for !h.ended && h.bytes < limit {
		select {
		case b, ok := <-src.blocks:
			if !ok {
				h.ended = true
				return
			}
			h.blocks = append(h.blocks, b)
			h.bytes += len(b.data)
		case <-pause:
			return
		}
	}
}

// lineOf is a line's place and time.
type lineOf struct {
	nano   int64
	number uint64
	file   int
	data   []byte
}

// lateShare is the share of lines that would come too late for their second.
func (s *session) lateShare(h *held, lateness time.Duration) float64 {
	late, n, newest := 0, 0, int64(0)
	s.each(h, func(l lineOf) {
		if l.nano == 0 {
			return
		}
		n++
		if l.nano < newest-int64(lateness) {
			late++
		}
		newest = max(newest, l.nano)
	})
	return float64(late) / float64(max(n, 1))
}

// each tells the place and time of all lines held. A line without a time has
// the one of the line before.
func (s *session) each(h *held, visit func(lineOf)) {
	var p *accesslog.Parser
	var r request.Request
	file, number, last := -1, uint64(0), int64(0)
	for _, b := range h.blocks {
		if b.tooLong {
			number++
			continue
		}
		if b.file != file {
			file, last = b.file, 0
			p, _ = accesslog.New(s.format, s.parse) // the options were good once
		}
		for data := b.data; len(data) > 0; {
			var line []byte
			line, data = nextLine(data)
			number++
			if p.Parse(line, &r) == nil && r.UnixNano != 0 {
				last = r.UnixNano
			}
			visit(lineOf{last, number, file, line})
		}
	}
}

// sorted judges what is held in the order of time.
func (s *session) sorted(h *held) error {
	var lines []lineOf
	s.each(h, func(l lineOf) { lines = append(lines, l) })
	slices.SortStableFunc(lines, func(a, b lineOf) int { return cmp.Compare(a.nano, b.nano) })
	parsers := make([]*accesslog.Parser, len(s.files))
	for i, l := range lines {
		if parsers[l.file] == nil {
			p, err := accesslog.New(s.format, s.parse)
			if err != nil {
				return err
			}
			parsers[l.file] = p
		}
		s.parser = parsers[l.file]
		s.lines = l.number
		s.line(l.data)
		if i%4096 == 0 {
			s.progress.note(s)
		}
	}
	s.lines = 0
	for _, b := range h.blocks {
		if b.tooLong {
			s.lines++
			s.tooLong++
		} else {
			s.lines += uint64(bytes.Count(b.data, []byte{'\n'}))
			if n := len(b.data); n > 0 && b.data[n-1] != '\n' {
				s.lines++
			}
		}
	}
	s.parser = nil
	for i, p := range parsers {
		if p != nil {
			s.parsers = append(s.parsers, parsed{s.files[i], p.Format(), p.Stats()})
		}
	}
	return nil
}

// nextLine cuts the first line off.
func nextLine(data []byte) (line, rest []byte) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return data[:i], data[i+1:]
	}
	return data, nil
}
