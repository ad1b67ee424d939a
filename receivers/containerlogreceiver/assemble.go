package containerlogreceiver

import (
	"time"

	"github.com/vigie-otel/vigie/internal/cri"
	"github.com/vigie-otel/vigie/internal/multiline"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/tail"
)

// line takes one line of a file, which begins at start.
func (r *reader) line(s *source, text string, start int64, end tail.End, now time.Time) {
	if s.format == cri.Unknown {
		s.format = cri.Recognise(text)
	}
	s.join = s.joins()
	l := cri.Line{Text: text}
	var err error
	switch s.format {
	case cri.CRI:
		l, err = cri.Split(text)
	case cri.Docker:
		l, err = cri.SplitDocker(text)
	}
	if err != nil {
		// It is passed on as it is: a broken line may be what is looked for.
		r.counts.malformed.Add(1)
		l = cri.Line{Text: text}
	}
	a := &s.streams[l.Stream]
	cut := end == tail.Cut
	if l.Partial && !cut {
		if a.line.held {
			r.counts.cut.Add(int64(a.line.add("", l.Text, r.config.MaxLineBytes, now)))
		} else {
			a.line.open(l.Text, l.Time, start, now)
		}
		r.wait(s)
		return
	}
	if a.line.held {
		r.counts.cut.Add(int64(a.line.add("", l.Text, r.config.MaxLineBytes, now)))
		l.Time, start, cut = a.line.time, a.line.start, cut || a.line.cut
		l.Text = a.line.take()
	}
	if over := len(l.Text) - r.config.MaxLineBytes; over > 0 {
		r.counts.cut.Add(int64(over))
		l.Text, cut = l.Text[:r.config.MaxLineBytes], true
	}
	mark := ""
	switch {
	case cut:
		mark = names.LogTruncated
	case end == tail.Unterm:
		mark = names.LogIncomplete
	}
	if !s.join || mark != "" {
		r.flushRecord(s, l.Stream)
		a.joiner.Reset()
		r.emit(s, record{text: l.Text, time: l.Time, stream: l.Stream, mark: mark})
		return
	}
	r.joined(s, l, start, now)
}

// joined takes a whole line of a stream whose traces are joined.
func (r *reader) joined(s *source, l cri.Line, start int64, now time.Time) {
	a := &s.streams[l.Stream]
	if a.record.held && a.record.parts >= r.config.Multiline.MaxLines {
		r.flushRecord(s, l.Stream)
		a.joiner.Reset()
	}
	switch verdict := a.joiner.Next(l.Text); {
	case verdict&multiline.Continue != 0 && a.record.held:
		r.counts.cut.Add(int64(a.record.add("\n", l.Text, r.config.MaxLineBytes, now)))
	case verdict&multiline.Wait != 0:
		r.flushRecord(s, l.Stream)
		a.record.open(l.Text, l.Time, start, now)
		r.wait(s)
	default:
		r.flushRecord(s, l.Stream)
		r.emit(s, record{text: l.Text, time: l.Time, stream: l.Stream})
	}
}

// flushRecord gives away the record that waits for more lines.
func (r *reader) flushRecord(s *source, stream cri.Stream) {
	a := &s.streams[stream]
	if !a.record.held {
		return
	}
	mark := ""
	if a.record.cut {
		mark = names.LogTruncated
	}
	at, trace := a.record.time, a.record.parts > 1
	r.emit(s, record{text: a.record.take(), time: at, stream: stream, mark: mark, trace: trace})
}

// flushLine gives away fragments whose end never came.
func (r *reader) flushLine(s *source, stream cri.Stream) {
	a := &s.streams[stream]
	if !a.line.held {
		return
	}
	r.flushRecord(s, stream)
	a.joiner.Reset()
	at := a.line.time
	r.emit(s, record{text: a.line.take(), time: at, stream: stream, mark: names.LogIncomplete})
}

// flush gives away all that a file's streams hold.
func (r *reader) flush(s *source) {
	for i := range s.streams {
		r.flushRecord(s, cri.Stream(i))
		r.flushLine(s, cri.Stream(i))
		s.streams[i].joiner.Reset()
	}
}

// truncated is for a source whose file was truncated, once it was looked for a
// copy. A copy is read on from where no line was half done, and has what is held;
// else that is all there is of its lines.
func (r *reader) truncated(s *source) {
	if s.file.Copied(s.epoch) {
		for i := range s.streams {
			a := &s.streams[i]
			a.line.take()
			a.record.take()
			a.joiner.Reset()
		}
	} else {
		r.flush(s)
	}
	s.epoch = s.file.Epoch()
}

// wait lists a source for expire.
func (r *reader) wait(s *source) {
	if !s.waiting {
		s.waiting = true
		r.waiting = append(r.waiting, s)
	}
}

// expire gives away what has waited long enough.
func (r *reader) expire(now time.Time) {
	keep := r.waiting[:0]
	for _, s := range r.waiting {
		for i := range s.streams {
			a := &s.streams[i]
			if a.record.held && now.Sub(a.record.since) >= r.config.Multiline.Timeout {
				r.flushRecord(s, cri.Stream(i))
				a.joiner.Reset()
			}
			if w := r.config.UnterminatedWait; a.line.held && w > 0 && now.Sub(a.line.since) >= w {
				r.flushLine(s, cri.Stream(i))
			}
		}
		if s.waiting = s.holds(); s.waiting {
			keep = append(keep, s)
		}
	}
	clear(r.waiting[len(keep):])
	r.waiting = keep
}
