package conntrackreceiver

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/conntrack/tally"
	"github.com/vigie-otel/vigie/internal/flow"
)

// readStats is T0: usage, limit and counters, and what reading has cost. It
// returns whether the table jumped since the last reading.
func (r *conntrackReceiver) readStats(ctx context.Context) (jumped bool) {
	var (
		usage conntrack.Usage
		err   error
	)
	r.spent[tierStats].cpu += r.src.cpu(func() {
		usage, r.cpus, err = r.src.stats(r.cpus[:0])
	})
	r.errs.about("usage of the table", "its metrics are absent", err)
	if err != nil {
		return false
	}
	jumped = r.counted && usage.Count >= r.count+jump
	r.count, r.counted = usage.Count, true
	now := pcommon.NewTimestampFromTime(time.Now())
	r.recordUsage(now, usage)
	if len(r.cpus) > 0 {
		r.recordCounters(now, r.sums.Add(r.cpus))
	}
	r.recordSelf(now)
	r.send(ctx, r.mb.Emit())
	return jumped
}

// readHalfOpen is T1: the entries that are not assured.
func (r *conntrackReceiver) readHalfOpen(ctx context.Context) time.Duration {
	cost, ok := r.read(ctx, tierHalfOpen, conntrack.NotAssured(), func(f *flow.Flow) {
		if f.HalfOpen() {
			r.records.add(f, true)
		} else if f.NAT() {
			r.records.add(f, false)
		}
	})
	if !r.told && r.src.filters() == conntrack.FilterUserSpace {
		r.told = true
		r.set.Logger.Info("conntrack: this kernel does not filter dumps by status (Linux 5.15 does), so half-open flows cost a dump of the whole table")
	}
	if ok {
		r.recordHalfOpen(pcommon.NewTimestampFromTime(time.Now()))
		r.send(ctx, r.mb.Emit())
	}
	return cost
}

// readFull is T2: everything.
func (r *conntrackReceiver) readFull(ctx context.Context) time.Duration {
	cost, ok := r.read(ctx, tierFull, conntrack.Filter{}, func(f *flow.Flow) {
		if !f.HalfOpen() { // those are T1's
			r.records.add(f, f.NAT())
		}
	})
	if ok {
		now := pcommon.NewTimestampFromTime(time.Now())
		r.recordOwners(now) // first: it emits a resource for each pod
		r.recordMix(now)
		r.send(ctx, r.mb.Emit())
	}
	return cost
}

// read runs one dump into the tally and the recorder, and sends the records. It
// returns the CPU time that it took, and whether the tally can be reported.
func (r *conntrackReceiver) read(ctx context.Context, t tier, x conntrack.Filter, record func(*flow.Flow)) (cost time.Duration, ok bool) {
	var err error
	cost = r.src.cpu(func() { err = r.fill(ctx, x, record) })
	r.spent[t].cpu += cost
	r.spent[t].entries += r.tally.Totals().Entries
	if ctx.Err() != nil {
		return cost, false
	}
	// An interrupted dump is a good estimate, and the next comes soon.
	if errors.Is(err, conntrack.ErrInterrupted) || errors.Is(err, conntrack.ErrMalformed) {
		r.set.Logger.Debug("conntrack: incomplete dump")
		err = nil
	}
	if !errors.Is(err, conntrack.ErrNoModule) && !errors.Is(err, conntrack.ErrNamespaceGone) { // T0 has told that
		r.errs.about("entries of the table (states, owners, half-open flows)", "usage and drops go on", err)
	}
	if r.logs != nil {
		r.sendRecords(ctx)
	}
	return cost, err == nil
}

// fill reads what passes x. A namespace without entries is not dumped: the
// kernel would walk the table of all namespaces to find none.
func (r *conntrackReceiver) fill(ctx context.Context, x conntrack.Filter, record func(*flow.Flow)) (err error) {
	r.refreshLocals()
	r.tally.Reset(r.locals)
	usage, _, err := r.src.stats(nil)
	if err != nil || usage.Count == 0 {
		return err
	}
	records := r.logs != nil && r.cfg.MaxRecords > 0
	for f, e := range r.src.dump(ctx, x) {
		if e != nil {
			err = e
			continue
		}
		r.tally.Add(f)
		if records {
			record(f)
		}
	}
	return err
}

// refreshLocals reads which addresses are ours; on an error the old ones stay.
func (r *conntrackReceiver) refreshLocals() {
	a, err := r.src.addresses()
	if errors.Is(err, conntrack.ErrNamespaceGone) {
		return // told by whoever reads the table
	}
	r.errs.about("local addresses", "owners are told by NAT rules only", err)
	if err == nil {
		r.locals = tally.NewLocals(a, r.pods)
	}
}

func (r *conntrackReceiver) sendRecords(ctx context.Context) {
	ld := r.records.flush(time.Now(), r.set.BuildInfo.Version)
	n := ld.LogRecordCount()
	if n == 0 {
		return
	}
	octx := r.obs.StartLogsOp(ctx)
	err := r.logs.ConsumeLogs(octx, ld)
	r.obs.EndLogsOp(octx, "ctnetlink", n, err)
	r.errs.about("flow records for the pipeline", "the next dump tries again", err)
}
