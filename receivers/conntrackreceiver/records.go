package conntrackreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/receivers/conntrackreceiver/internal/metadata"
)

// recorder keeps the flows of one dump that become records: at most limit, and
// those that matter before the others, although a dump comes in no order. It
// keeps its memory from dump to dump.
type recorder struct {
	limit   int
	first   []flow.Flow
	rest    []flow.Flow
	seen    int
	dropped uint64 // over all dumps
}

// add takes a copy of f. A flow that matters may push out one that does not.
func (r *recorder) add(f *flow.Flow, matters bool) {
	r.seen++
	switch {
	case matters && len(r.first) < r.limit:
		r.first = append(r.first, *f)
	case !matters && len(r.first)+len(r.rest) < r.limit:
		r.rest = append(r.rest, *f)
	}
}

// flush turns what was kept into log records and empties the recorder.
func (r *recorder) flush(read time.Time, version string) plog.Logs {
	r.rest = r.rest[:min(len(r.rest), r.limit-len(r.first))]
	out := plog.NewLogs()
	sent := len(r.first) + len(r.rest)
	if sent > 0 {
		scope := out.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
		scope.Scope().SetName(metadata.ScopeName)
		scope.Scope().SetVersion(version)
		records := scope.LogRecords()
		records.EnsureCapacity(sent)
		for _, list := range [...][]flow.Flow{r.first, r.rest} {
			for i := range list {
				list[i].Record(records.AppendEmpty(), read)
			}
		}
	}
	r.dropped += uint64(r.seen - sent)
	r.first, r.rest, r.seen = r.first[:0], r.rest[:0], 0
	return out
}
