package containerlogreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/applog"
	"github.com/vigie-otel/vigie/internal/cri"
	"github.com/vigie-otel/vigie/internal/tail"
	"github.com/vigie-otel/vigie/receivers/containerlogreceiver/internal/metadata"
)

type slot = plog.LogRecordSlice

// batch is what leaves at once: the records, and how far their files are read
// when they are accepted.
type batch struct {
	id      uint64
	logs    plog.Logs
	records int
	bytes   int // of bodies
	first   time.Time
	sources []*source // that have records in it

	marks     []tail.Mark // to be stored when it is accepted
	forgotten []tail.ID   // to be deleted from the storage
	alive     time.Time   // when all files were looked at
}

func newBatch(id uint64) *batch { return &batch{id: id, logs: plog.NewLogs()} }

func (r *reader) full() bool {
	return r.batch.records >= r.config.Batch.MaxRecords || r.batch.bytes >= r.config.Batch.MaxBytes
}

// emit puts a record into the batch, unless it is given up.
func (r *reader) emit(s *source, rec record) {
	text, isText := r.config.valid(rec.text)
	rec.text = text
	understood := &applog.Record{}
	if isText {
		understood = r.bodies.understand(s, &rec)
	}
	r.list(s)
	if r.sacrifice(s, understood) {
		return
	}
	b := r.batch
	if !s.opened {
		s.opened, s.slot = true, b.open(s)
	}
	if b.records == 0 {
		b.first = r.now
	}
	b.records++
	b.bytes += len(rec.text)

	lr := s.slot.AppendEmpty()
	lr.SetObservedTimestamp(r.observed)
	r.bodies.put(lr, &rec, understood, s.format != cri.Raw)
	if !isText {
		lr.Body().SetEmptyBytes().FromRaw([]byte(rec.text))
	}
}

// list notes that the batch, when it is accepted, says how far a source is read.
func (r *reader) list(s *source) {
	if s.inBatch != r.batch.id {
		s.inBatch, s.opened = r.batch.id, false
		r.batch.sources = append(r.batch.sources, s)
	}
}

// open makes the place for a source's records: one resource a file and batch.
func (b *batch) open(s *source) slot {
	rl := b.logs.ResourceLogs().AppendEmpty()
	s.resource.CopyTo(rl.Resource().Attributes())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	return sl.LogRecords()
}

// seal notes how far the files of the batch, and those that nothing is known of
// yet, are read.
func (r *reader) seal() *batch {
	if r.set.Pending() {
		// A file that was truncated must not be stored as begun anew before its copy
		// is known as one: the next run would take the copy for a new file.
		r.set.Scan(r.now, false)
	}
	// What is held of a truncated file without a copy must not come later than the
	// mark which says that it begins anew.
	for _, s := range r.waiting {
		if s.epoch != s.file.Epoch() {
			r.truncated(s)
		}
	}
	b := r.batch
	b.marks = r.set.Fresh()
	for _, s := range b.sources {
		b.marks = append(b.marks, s.file.Mark(s.safe()))
		s.slot, s.opened = slot{}, false
	}
	b.sources = nil
	b.forgotten = r.set.Forgotten()
	b.alive = r.set.ScannedAt()
	return b
}
