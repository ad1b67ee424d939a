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
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor/internal/metadata"
)

// maxQueuedBytes bounds the sketches that wait.
const maxQueuedBytes = 64 << 20

// outlet carries findings and summaries from wherever a tick happened into the
// first logs pipeline.
type outlet struct {
	log    *zap.Logger
	size   int
	scope  string
	origin string

	mu     sync.Mutex
	next   consumer.Logs     // guarded by mu; nil: no logs pipeline
	up     bool              // guarded by mu; next can be called
	found  []finding.Finding // guarded by mu; oldest first
	told   []told            // guarded by mu; oldest first
	bytes  int               // guarded by mu; in told's sketches
	silent bool              // guarded by mu; that nobody listens was said
	counts outcomes          // guarded by mu

	sending sync.Mutex // held while next is called. Before mu.
}

// told is a summary on its way.
type told struct {
	status detect.Status
	at     time.Time
	sketch []byte // nil: none
}

// outcomes counts what became of findings and summaries.
type outcomes struct{ findingsSent, findingsDropped, summariesSent, summariesDropped int64 }

func newOutlet(size int, scope, origin string, log *zap.Logger) *outlet {
	if size == 0 {
		size = 1024
	}
	return &outlet{size: size, scope: scope, origin: origin, log: log}
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
	o.found = append(o.found, fs...)
	if over := len(o.found) - o.size; over > 0 {
		o.found = append(o.found[:0], o.found[over:]...)
		o.counts.findingsDropped += int64(over)
	}
}

// summary queues a service's summary; sketch appends its body.
func (o *outlet) summary(st *detect.Status, now time.Time, sketch func([]byte) ([]byte, bool)) {
	body, _ := sketch(nil)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.next == nil {
		o.counts.summariesDropped++
		return
	}
	o.told = append(o.told, told{*st, now, body})
	o.bytes += len(body)
	drop := 0
	for len(o.told)-drop > o.size || (o.bytes > maxQueuedBytes && drop < len(o.told)-1) {
		o.bytes -= len(o.told[drop].sketch)
		drop++
	}
	if drop > 0 {
		o.told = append(o.told[:0], o.told[drop:]...)
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
	o.counts.findingsDropped += int64(len(o.found))
	o.counts.summariesDropped += int64(len(o.told))
	o.found, o.told, o.bytes = nil, nil, 0
}

// send empties the queue into the pipeline, findings first. What the pipeline
// refuses is counted as dropped and not tried again: the next second has newer
// summaries, whose counts are since the start, and an open finding is told
// again.
func (o *outlet) send(ctx context.Context) {
	o.sending.Lock()
	defer o.sending.Unlock()
	o.mu.Lock()
	found, summaries, next := o.found, o.told, o.next
	if !o.up || len(found)+len(summaries) == 0 {
		o.mu.Unlock()
		return
	}
	o.found, o.told, o.bytes = nil, nil, 0
	o.mu.Unlock()

	err := next.ConsumeLogs(ctx, o.records(found, summaries))
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.counts.findingsDropped += int64(len(found))
		o.counts.summariesDropped += int64(len(summaries))
		o.log.Error("the logs pipeline refused what the detector says", zap.Int("findings", len(found)), zap.Int("summaries", len(summaries)), zap.Error(err))
		return
	}
	o.counts.findingsSent += int64(len(found))
	o.counts.summariesSent += int64(len(summaries))
}

func (o *outlet) records(found []finding.Finding, summaries []told) plog.Logs {
	ld := plog.NewLogs()
	sl := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	sl.Scope().SetName(metadata.ScopeName)
	records := sl.LogRecords()
	records.EnsureCapacity(len(found) + len(summaries))
	for i := range found {
		found[i].ToLogRecord(records.AppendEmpty())
	}
	for i := range summaries {
		t := &summaries[i]
		lr := records.AppendEmpty()
		putSummary(lr, &t.status, o.scope, o.origin, t.at)
		if t.sketch != nil {
			lr.Body().SetEmptyBytes().FromRaw(t.sketch)
		}
	}
	return ld
}

// outcomes returns the counts so far.
func (o *outlet) outcomes() outcomes {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.counts
}
