package conntrackprocessor

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/flow"
)

// logs reads flow records out of ld, takes them away if so configured, and
// resolves the addresses of all other records. Only the instance's own pipeline
// feeds what is learnt.
func (in *instance) logs(ld plog.Logs, own bool) {
	now := time.Now()
	drop := in.cfg.FlowRecords == DropFlowRecords
	resolve := !in.nat.empty()
	ld.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		batch := flows{in: in, res: rl.Resource(), now: now, learn: own}
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
			had := sl.LogRecords().Len()
			sl.LogRecords().RemoveIf(func(r plog.LogRecord) bool {
				switch {
				case flow.IsRecord(r):
					batch.add(r)
					return drop
				case resolve && !strings.HasPrefix(r.EventName(), "vigie."):
					in.resolve(r.Attributes())
				}
				return false
			})
			return had > 0 && sl.LogRecords().Len() == 0
		})
		batch.done()
		return rl.ScopeLogs().Len() == 0
	})
}

// flows are the flow records of one resource in one call. The engine is locked
// from the first of them to done.
type flows struct {
	in    *instance
	res   pcommon.Resource
	now   time.Time
	learn bool

	locked             bool
	n                  *node // nil: too many nodes, or nothing yet
	f                  flow.Flow
	read, broken, late int64
}

func (b *flows) add(r plog.LogRecord) {
	if !b.learn {
		return
	}
	if !b.locked {
		b.locked = true
		b.in.eng.mu.Lock()
		b.n = b.in.eng.nodeOf(b.res, b.now)
	}
	if err := b.f.ReadRecord(r); err != nil {
		b.broken++
		return
	}
	b.in.nat.add(&b.f, b.now)
	at := r.Timestamp().AsTime()
	if r.Timestamp() == 0 {
		at = b.now
	}
	if b.n != nil && b.n.flood.add(&b.f, at) {
		b.late++
		return
	}
	if b.n != nil && b.f.HalfOpen() {
		b.n.flood.recorded = b.now
	}
	b.read++
}

// done judges what was learnt and unlocks.
func (b *flows) done() {
	if !b.locked {
		return
	}
	if b.n != nil {
		b.n.flood.judge(b.now, b.n.teller(b.in.eng))
		if skipped := b.n.flood.half.skipped; skipped > 0 {
			b.n.flood.half.skipped = 0
			b.in.tel.ConntrackOverflow.Add(context.Background(), int64(skipped), b.in.tel.targets)
		}
	}
	b.in.eng.mu.Unlock()
	ctx, tel := context.Background(), b.in.tel
	if b.read > 0 {
		tel.ConntrackFlowRecords.Add(ctx, b.read, tel.read)
	}
	if b.broken > 0 {
		tel.ConntrackFlowRecords.Add(ctx, b.broken, tel.broken)
	}
	if b.late > 0 {
		tel.ConntrackFlowRecords.Add(ctx, b.late, tel.late)
	}
}
