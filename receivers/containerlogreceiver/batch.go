package containerlogreceiver

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/cri"
	"github.com/vigie-otel/vigie/internal/names"
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

// emit puts a record into the batch. This is the seam for what understands
// bodies: it sees each record once, with its source.
func (r *reader) emit(s *source, rec record) {
	b := r.batch
	if s.inBatch != b.id {
		s.inBatch = b.id
		s.slot = b.open(s)
	}
	if b.records == 0 {
		b.first = r.now
	}
	b.records++
	b.bytes += len(rec.text)

	lr := s.slot.AppendEmpty()
	lr.SetObservedTimestamp(r.observed)
	if rec.time != 0 {
		lr.SetTimestamp(pcommon.Timestamp(rec.time))
	}
	switch {
	case utf8.ValidString(rec.text):
		lr.Body().SetStr(rec.text)
	case r.config.InvalidUTF8 == "bytes":
		lr.Body().SetEmptyBytes().FromRaw([]byte(rec.text))
	default:
		lr.Body().SetStr(strings.ToValidUTF8(rec.text, "\uFFFD"))
	}
	if s.format != cri.Raw {
		lr.Attributes().PutStr(names.LogIostream, rec.stream.String())
	}
	if rec.mark != "" {
		lr.Attributes().PutBool(rec.mark, true)
	}
}

// open makes the place for a source's records: one resource a file and batch.
func (b *batch) open(s *source) slot {
	b.sources = append(b.sources, s)
	rl := b.logs.ResourceLogs().AppendEmpty()
	s.resource.CopyTo(rl.Resource().Attributes())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	return sl.LogRecords()
}

// seal notes how far the files of the batch, and those that nothing is known of
// yet, are read.
func (r *reader) seal() *batch {
	b := r.batch
	b.marks = r.set.Fresh()
	for _, s := range b.sources {
		b.marks = append(b.marks, s.file.Mark(s.safe()))
		s.slot = slot{}
	}
	b.sources = nil
	b.forgotten = r.set.Forgotten()
	b.alive = r.set.ScannedAt()
	return b
}
