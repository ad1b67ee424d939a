package attackdetectionprocessor

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/ledger"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor/internal/metadata"
)

// maxQueuedBytes bounds the sketches that wait.
const maxQueuedBytes = 64 << 20

// outlet carries findings and summaries from wherever a tick happened into the
// first logs pipeline.
type outlet struct {
	log    *zap.Logger
	led    *ledger.Tally // nil: nobody keeps books
	size   int
	scope  string
	origin string

	// Records are written when they are queued, not when they are sent: what the
	// detector hands out is its own until the next tick.
	mu     sync.Mutex
	next   consumer.Logs       // guarded by mu; nil: no logs pipeline
	up     bool                // guarded by mu; next can be called
	found  plog.LogRecordSlice // guarded by mu; findings, oldest first
	told   plog.LogRecordSlice // guarded by mu; summaries, oldest first
	sizes  []int               // guarded by mu; of told's sketches
	bytes  int                 // guarded by mu; the sum of sizes
	silent bool                // guarded by mu; that nobody listens was said
	counts outcomes            // guarded by mu

	sending sync.Mutex // held while next is called. Before mu.
}

// outcomes counts what became of findings and summaries.
type outcomes struct{ findingsSent, findingsDropped, summariesSent, summariesDropped int64 }

func newOutlet(size int, scope, origin string, log *zap.Logger) *outlet {
	if size == 0 {
		size = 1024
	}
	return &outlet{size: size, scope: scope, origin: origin, log: log, found: plog.NewLogRecordSlice(), told: plog.NewLogRecordSlice()}
}

// claim makes next the pipeline that gets what the detector says. The first
// pipeline is it; others pass their own records only, or all would be told
// twice.
func (o *outlet) claim(next consumer.Logs) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.next != nil {
		return false
	}
	o.next = next
	return true
}

// findings queues what a tick found. It never blocks.
func (o *outlet) findings(fs []finding.Finding) {
	if len(fs) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.next == nil {
		o.counts.findingsDropped += int64(len(fs))
		if !o.silent {
			o.silent = true
			o.log.Warn("findings are not delivered: add this processor to a logs pipeline",
				zap.String("finding", fs[0].ID), zap.String("class", string(fs[0].Class)), zap.String("service", finding.Clean(fs[0].Service)))
		}
		return
	}
	for i := range fs {
		lr := o.found.AppendEmpty()
		fs[i].ToLogRecord(lr)
		lr.Attributes().PutStr(names.FindingScope, o.scope)
	}
	if over := o.found.Len() - o.size; over > 0 {
		dropFirst(o.found, over)
		o.counts.findingsDropped += int64(over)
	}
}

func dropFirst(records plog.LogRecordSlice, n int) {
	records.RemoveIf(func(plog.LogRecord) bool { n--; return n >= 0 })
}

// summary queues a service's summary; sketch appends its body.
func (o *outlet) summary(st *detect.Status, on moment, now time.Time, sketch func([]byte) ([]byte, bool)) {
	body, _ := sketch(nil)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.next == nil {
		o.counts.summariesDropped++
		return
	}
	lr := o.told.AppendEmpty()
	putSummary(lr, st, o.scope, o.origin, now)
	on.put(lr.Attributes())
	if len(body) > 0 {
		lr.Body().SetEmptyBytes().FromRaw(body)
	}
	o.sizes = append(o.sizes, len(body))
	o.bytes += len(body)
	drop := 0
	for len(o.sizes)-drop > o.size || (o.bytes > maxQueuedBytes && drop < len(o.sizes)-1) {
		o.bytes -= o.sizes[drop]
		drop++
	}
	if drop > 0 {
		o.sizes = append(o.sizes[:0], o.sizes[drop:]...)
		dropFirst(o.told, drop)
		o.counts.summariesDropped += int64(drop)
	}
}

func (o *outlet) open() {
	o.mu.Lock()
	o.up = true
	o.mu.Unlock()
}

// close sends what is left and detaches the pipeline.
func (o *outlet) close(ctx context.Context) {
	o.send(ctx)
	o.sending.Lock() // a send that is under way ends first
	defer o.sending.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.up = false
	found, summaries, _ := o.takeLocked()
	o.counts.findingsDropped += int64(found)
	o.counts.summariesDropped += int64(summaries)
}

// send empties the queue into the pipeline, findings first. What the pipeline
// refuses is counted as dropped and not tried again: the next second has newer
// summaries, whose counts are since the start, and an open finding is told
// again.
func (o *outlet) send(ctx context.Context) {
	o.sending.Lock()
	defer o.sending.Unlock()
	o.mu.Lock()
	next := o.next
	if !o.up || o.found.Len()+o.told.Len() == 0 {
		o.mu.Unlock()
		return
	}
	found, summaries, ld := o.takeLocked()
	o.mu.Unlock()

	err := next.ConsumeLogs(ctx, ld)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.counts.findingsDropped += int64(found)
		o.counts.summariesDropped += int64(summaries)
		o.log.Error("the logs pipeline refused what the detector says", zap.Int("findings", found), zap.Int("summaries", summaries), zap.Error(err))
		return
	}
	o.led.Made(found + summaries)
	o.counts.findingsSent += int64(found)
	o.counts.summariesSent += int64(summaries)
}

// takeLocked empties the queue.
func (o *outlet) takeLocked() (found, summaries int, ld plog.Logs) {
	found, summaries = o.found.Len(), o.told.Len()
	ld = plog.NewLogs()
	sl := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	o.found.MoveAndAppendTo(sl.LogRecords())
	o.told.MoveAndAppendTo(sl.LogRecords())
	o.sizes, o.bytes = o.sizes[:0], 0
	return found, summaries, ld
}

// outcomes returns the counts so far.
func (o *outlet) outcomes() outcomes {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.counts
}
