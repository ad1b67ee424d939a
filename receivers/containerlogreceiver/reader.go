package containerlogreceiver

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/cri"
	"github.com/vigie-otel/vigie/internal/podlist"
	"github.com/vigie-otel/vigie/internal/tail"
)

const (
	chunkBytes = 64 << 10  // read at once
	visitBytes = 256 << 10 // read of a file before it is another's turn

	// scanGap is how long events of directories are collected, pollScan how often
	// directories are looked through where there is no inotify.
	scanGap  = 50 * time.Millisecond
	pollScan = time.Second

	lagEvery   = time.Second      // how often the lag is summed up
	aliveEvery = 10 * time.Second // how often it is stored that the receiver runs
)

// reader owns the files and the batch that is being made; see doc.go.
type reader struct {
	config *Config
	logger *zap.Logger
	set    *tail.Set
	notify *tail.Notifier // nil: polling
	counts *counts
	spaces *namespaces

	bodies  *bodies
	reading reading       // of files whose pod asks for nothing else
	order   order         // of sacrifice
	pods    *podlist.List // nil: not asked

	out  chan<- *batch
	acks <-chan []tail.Mark

	batch    *batch
	waiting  []*source
	turn     int // whose file comes first
	now      time.Time
	observed pcommon.Timestamp

	left    []*tail.File // have more than was read of them
	sending bool         // the sender has a batch

	scanned, polled, summed, stored time.Time
	logged                          map[string]time.Time
	told                            tail.Stats
}

// newReader makes a reader without its channels.
func newReader(c *Config, logger *zap.Logger, set *tail.Set) (*reader, error) {
	understand, err := newBodies(c)
	if err != nil {
		return nil, err
	}
	how, err := readingOf(c.Parse.Format)
	if err != nil {
		return nil, err
	}
	set.SetSafe(func(f *tail.File) int64 {
		if s, ok := f.Data.(*source); ok && s.epoch == f.Epoch() {
			return s.safe()
		}
		return f.Offset()
	})
	return &reader{
		config: c, logger: logger, set: set, counts: &counts{}, spaces: newNamespaces(), batch: newBatch(1), logged: map[string]time.Time{},
		bodies: understand, reading: how, order: c.Sacrifice.levels(),
	}, nil
}

// run reads until ctx is done, and then hands over what it holds.
func (r *reader) run(ctx context.Context) {
	defer close(r.out)
	tick := time.NewTicker(r.config.PollInterval)
	defer tick.Stop()
	var events <-chan tail.Event
	if r.notify != nil {
		events = r.notify.C
	}
	atOnce := make(chan time.Time)
	close(atOnce)
	for {
		busy := r.round(time.Now())
		if !r.sending && r.due() {
			r.send()
		}
		wait := tick.C
		if busy && !r.full() {
			wait = atOnce
		}
		select {
		case marks := <-r.acks:
			r.accepted(marks)
		case e := <-events:
			r.set.Notice(e)
			r.drain(events)
		case <-wait:
		case <-ctx.Done():
			r.last()
			return
		}
	}
}

// send hands the batch over. The sender is idle, so that out has room.
func (r *reader) send() {
	b := r.seal() // which may still add what was held
	r.counts.emitted.Add(int64(b.records))
	r.out <- b
	r.sending = true
	r.stored = r.now
	r.batch = newBatch(r.batch.id + 1)
}

// accepted takes the sender's word that it is done with a batch.
func (r *reader) accepted(marks []tail.Mark) {
	r.sending = false
	for _, m := range marks {
		r.set.Commit(m, r.now)
	}
}

// drain takes the events that are there already.
func (r *reader) drain(events <-chan tail.Event) {
	for range cap(events) {
		select {
		case e := <-events:
			r.set.Notice(e)
		default:
			return
		}
	}
}

// last hands over the batch and whole records that still wait; fragments are
// read again by the next run.
func (r *reader) last() {
	for _, s := range r.waiting {
		for i := range s.streams {
			r.flushRecord(s, cri.Stream(i))
		}
	}
	if r.sending {
		r.accepted(<-r.acks)
	}
	r.send()
}

// round looks for files if it is time, and reads what there is until the batch
// is full; busy if there is more.
func (r *reader) round(now time.Time) (busy bool) {
	r.now, r.observed = now, pcommon.NewTimestampFromTime(now)
	every := r.config.ScanInterval
	if r.notify == nil {
		every = min(every, pollScan)
	}
	if since := now.Sub(r.scanned); since >= every || r.set.Pending() && since >= scanGap {
		r.set.Scan(now, since >= every)
		r.scanned = now
	}
	ready, ended := r.left, []*tail.File(nil)
	if len(ready) == 0 || now.Sub(r.polled) >= r.config.PollInterval {
		if now.Sub(r.polled) < r.config.PollInterval/2 {
			return false // woken by something else
		}
		ready, ended = r.set.Poll(now)
		r.polled = now
	}
	r.left = r.read(ready)
	if !r.full() {
		r.expire(now)
	}
	for _, f := range ended {
		if s, ok := f.Data.(*source); ok {
			r.flush(s)
		}
		r.set.Finish(f)
	}
	r.counts.files(r.set)
	r.bodies.counted(r.counts)
	if now.Sub(r.summed) >= lagEvery {
		r.summed = now
		r.sum(now)
		r.tell()
	}
	return len(r.left) > 0
}

// read visits files in turn; it gives those that have more.
func (r *reader) read(ready []*tail.File) (left []*tail.File) {
	r.turn++
	for i := range ready {
		f := ready[(i+r.turn)%len(ready)]
		more := true
		if !r.full() {
			var err error
			if more, err = r.visit(f); err != nil {
				r.complain("read", err)
			}
		}
		if more {
			left = append(left, f)
		}
	}
	return left
}

// source is what is kept of a file.
func (r *reader) source(f *tail.File) *source {
	s, ok := f.Data.(*source)
	if !ok {
		s = r.config.newSource(f, r.spaces)
		r.settle(s)
		f.Data = s
	}
	return s
}

// visit reads a file for a while.
func (r *reader) visit(f *tail.File) (more bool, err error) {
	s := r.source(f)
	if s.settled != r.pods.Generation() {
		r.settle(s)
	}
	if s.epoch != f.Epoch() {
		// What is held belongs to no line that will come here.
		if s.holds() && r.set.Pending() {
			return true, nil // the next scan tells whether it was copied
		}
		r.truncated(s)
	}
	if s.off {
		r.flush(s)
		s.space.passed.Add(r.set.Pass(f))
		r.list(s)
		return false, nil
	}
	for read := 0; read < visitBytes; {
		c, err := r.set.Read(f, chunkBytes, r.now)
		if err != nil || c.Text == "" {
			return false, err
		}
		taken, lines := r.take(s, c)
		f.Advance(taken)
		s.space.count(lines, taken)
		read += taken
		if r.full() || !c.More {
			return c.More || taken < len(c.Text), nil
		}
	}
	return true, nil
}

// take puts a chunk's lines into the batch until it is full.
func (r *reader) take(s *source, c tail.Chunk) (taken, lines int) {
	start := s.file.Offset()
	text := c.Text
	for text != "" && !r.full() {
		line, n := text, len(text)
		if end := strings.IndexByte(text, '\n'); end >= 0 {
			line, n = text[:end], end+1
			if end > 0 && line[end-1] == '\r' {
				line = line[:end-1]
			}
		}
		r.line(s, line, start+int64(taken), c.End, r.now)
		taken += n
		lines++
		text = text[n:]
	}
	return taken, lines
}

// due tells whether the batch should leave: it is full, or old, or there is
// something to store.
func (r *reader) due() bool {
	b := r.batch
	switch {
	case r.full():
		return true
	case b.records > 0:
		return r.now.Sub(b.first) >= r.config.Batch.FlushInterval
	}
	// What was given up or passed over is to be marked as read too.
	return (r.set.Unstored() || len(b.sources) > 0) && r.now.Sub(r.stored) >= r.config.Batch.FlushInterval || r.now.Sub(r.stored) >= aliveEvery
}

// tell logs what was lost, or went wrong, since it last did.
func (r *reader) tell() {
	now, then := r.set.Stats, r.told
	r.told = now
	if now.LostBytes > then.LostBytes || now.LostFiles > then.LostFiles {
		r.logger.Warn("Log lines were truncated, deleted or compressed before they were read",
			zap.Int64("bytes", now.LostBytes-then.LostBytes), zap.Int64("truncated_files", now.Truncated-then.Truncated),
			zap.Int64("lost_files", now.LostFiles-then.LostFiles), zap.Int64("compressed_files", now.Compressed-then.Compressed))
	}
	if now.TooMany > then.TooMany {
		r.complain("max_files", fmt.Errorf("%d files are followed already; others are not read", r.set.Len()))
	}
	if err := r.set.Trouble(); err != nil {
		r.complain("files", err)
	}
}

// complain logs a trouble at most once a minute of its kind.
func (r *reader) complain(kind string, err error) {
	if r.now.Sub(r.logged[kind]) >= time.Minute {
		r.logged[kind] = r.now
		r.logger.Warn("container logs: "+kind, zap.Error(err))
	}
}
