package conntrackprocessor

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/ledger"
	"github.com/vigie-otel/vigie/processors/conntrackprocessor/internal/metadata"
)

// told is a finding on its way, with the resource that it is about. Both are
// the outlet's own copies.
type told struct {
	resource pcommon.Resource
	f        finding.Finding
}

// outlet carries findings from wherever they are found, above all from the
// metrics pipeline, into the first logs pipeline.
type outlet struct {
	tel  *telemetry
	log  *zap.Logger
	led  *ledger.Tally // nil: nobody keeps books
	max  int
	wake chan struct{} // capacity 1: something is queued

	mu     sync.Mutex
	next   consumer.Logs // guarded by mu; nil: no logs pipeline
	up     bool          // guarded by mu; next can be called
	queue  []told        // guarded by mu; oldest first, at most max
	silent bool          // guarded by mu; that there is no pipeline was said

	sending sync.Mutex // held while next is called: send and close take turns. Before mu.
}

func newOutlet(size int, tel *telemetry, log *zap.Logger) *outlet {
	return &outlet{tel: tel, log: log, max: size, wake: make(chan struct{}, 1)}
}

func (o *outlet) claim(next consumer.Logs) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.next != nil {
		return false
	}
	o.next = next
	return true
}

// put queues a finding. It never blocks: when the queue is full the oldest
// goes, since a newer state of a finding says all that an older one did.
func (o *outlet) put(resource pcommon.Resource, f finding.Finding) {
	r := pcommon.NewResource()
	resource.CopyTo(r)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.next == nil {
		if !o.silent {
			o.silent = true
			o.log.Warn("findings are not delivered: add this processor to a logs pipeline", zap.String("finding", f.Sentence()))
		}
		o.dropped(1)
		return
	}
	if len(o.queue) == o.max {
		o.queue = append(o.queue[:0], o.queue[1:]...)
		o.dropped(1)
	}
	o.queue = append(o.queue, told{r, f})
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outlet) dropped(n int) {
	o.tel.ConntrackFindingsDropped.Add(context.Background(), int64(n))
}

func (o *outlet) open() {
	o.mu.Lock()
	o.up = true
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// close sends what is left and detaches the pipeline.
func (o *outlet) close(ctx context.Context) {
	o.send(ctx)
	o.sending.Lock() // a send that is under way ends first
	defer o.sending.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.up = false
	o.dropped(len(o.queue))
	o.queue = nil
}

// send empties the queue into the pipeline. What is refused for now waits for
// the next tick; what is refused for good is counted.
func (o *outlet) send(ctx context.Context) {
	o.sending.Lock()
	defer o.sending.Unlock()
	o.mu.Lock()
	batch, next := o.queue, o.next
	if !o.up || len(batch) == 0 {
		o.mu.Unlock()
		return
	}
	o.queue = nil
	o.mu.Unlock()

	err := next.ConsumeLogs(ctx, records(batch))
	switch {
	case err == nil:
		o.tel.ConntrackFindingsSent.Add(ctx, int64(len(batch)))
		o.led.Made(len(batch))
	case consumererror.IsPermanent(err) || ctx.Err() != nil:
		o.log.Error("the logs pipeline refused findings", zap.Int("findings", len(batch)), zap.Error(err))
		o.dropped(len(batch))
	default:
		o.log.Warn("the logs pipeline refused findings for now", zap.Int("findings", len(batch)), zap.Error(err))
		o.mu.Lock()
		o.queue = append(batch, o.queue...)
		if over := len(o.queue) - o.max; over > 0 {
			o.queue = o.queue[over:]
			o.dropped(over)
		}
		o.mu.Unlock()
	}
}

func records(batch []told) plog.Logs {
	ld := plog.NewLogs()
	for _, t := range batch {
		rl := ld.ResourceLogs().AppendEmpty()
		t.resource.CopyTo(rl.Resource())
		sl := rl.ScopeLogs().AppendEmpty()
		sl.Scope().SetName(metadata.ScopeName)
		t.f.ToLogRecord(sl.LogRecords().AppendEmpty())
	}
	return ld
}
