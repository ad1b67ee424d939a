package conntrackreceiver

import (
	"context"
	"net/netip"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/conntrack/tally"
	"github.com/vigie-otel/vigie/receivers/conntrackreceiver/internal/metadata"
)

func (r *conntrackReceiver) recordUsage(now pcommon.Timestamp, u conntrack.Usage) {
	r.mb.RecordSystemNetworkConntrackUsageDataPoint(now, int64(u.Count))
	r.mb.RecordSystemNetworkConntrackCountDataPoint(now, int64(u.Count))
	if u.Limit > 0 {
		r.mb.RecordSystemNetworkConntrackLimitDataPoint(now, int64(u.Limit))
		r.mb.RecordSystemNetworkConntrackMaxDataPoint(now, int64(u.Limit))
	}
}

func (r *conntrackReceiver) recordCounters(now pcommon.Timestamp, s conntrack.Stats) {
	r.mb.RecordSystemNetworkConntrackPacketDroppedDataPoint(now, int64(s.Drop))
	r.mb.RecordSystemNetworkConntrackEntryEarlyDroppedDataPoint(now, int64(s.EarlyDrop))
	r.mb.RecordSystemNetworkConntrackInsertFailedDataPoint(now, int64(s.InsertFailed))
}

// recordSelf tells what reading has cost and lost.
func (r *conntrackReceiver) recordSelf(now pcommon.Timestamp) {
	for t, attr := range [...]metadata.AttributeVigieConntrackTier{
		tierStats:    metadata.AttributeVigieConntrackTierStats,
		tierHalfOpen: metadata.AttributeVigieConntrackTierHalfOpen,
		tierFull:     metadata.AttributeVigieConntrackTierFull,
	} {
		r.mb.RecordVigieConntrackReadCPUTimeDataPoint(now, r.spent[t].cpu.Seconds(), attr)
		if tier(t) != tierStats {
			r.mb.RecordVigieConntrackReadEntriesDataPoint(now, int64(r.spent[t].entries), attr)
		}
	}
	if r.logs != nil {
		r.mb.RecordVigieConntrackRecordsDroppedDataPoint(now, int64(r.records.dropped))
	}
	if r.cfg.Events.Enabled {
		r.mb.RecordVigieConntrackEntryCreatedDataPoint(now, int64(r.counter.created.Load()))
		r.mb.RecordVigieConntrackEventsLostDataPoint(now, int64(r.counter.lost.Load()))
	}
}

func (r *conntrackReceiver) recordMix(now pcommon.Timestamp) {
	for _, m := range r.tally.Mix() {
		r.mb.RecordSystemNetworkConntrackEntriesDataPoint(now, int64(m.Entries), m.Transport,
			metadata.MapAttributeNetworkType[m.Type], m.State)
	}
}

// recordOwners reports the largest owners. "other" is always there, so that
// the sum is the table.
func (r *conntrackReceiver) recordOwners(now pcommon.Timestamp) {
	top, rest := r.tally.Top(r.cfg.TopOwners)
	r.byPod(top, func(o tally.OwnerCount) {
		r.mb.RecordVigieConntrackOwnerEntriesDataPoint(now, int64(o.Entries), o.String(), direction(o))
	})
	r.mb.RecordVigieConntrackOwnerEntriesDataPoint(now, int64(rest.Entries), rest.String(), direction(rest))
}

// recordHalfOpen reports the owners with the most half-open flows. "other" is
// always there: its zero is how a flood is seen to end.
func (r *conntrackReceiver) recordHalfOpen(now pcommon.Timestamp) {
	record := func(o tally.OwnerCount) {
		r.mb.RecordVigieConntrackHalfOpenEntriesDataPoint(now, int64(o.HalfOpen), o.String(), direction(o))
		r.mb.RecordVigieConntrackHalfOpenSourcePrefixesDataPoint(now, int64(o.Prefixes), o.String(), direction(o))
	}
	top, rest := r.tally.TopHalfOpen(r.cfg.TopOwners)
	r.byPod(top, record)
	record(rest)
}

// byPod records the owners that are pods, each under a resource with its
// k8s.pod.ip, and leaves the others for the resource without.
func (r *conntrackReceiver) byPod(owners []tally.OwnerCount, record func(tally.OwnerCount)) {
	pods := make(map[netip.Addr][]tally.OwnerCount)
	var order []netip.Addr
	var others []tally.OwnerCount
	for _, o := range owners {
		if o.Kind != tally.Pod && o.Kind != tally.Backend {
			others = append(others, o)
			continue
		}
		addr := o.End.Addr()
		if pods[addr] == nil {
			order = append(order, addr)
		}
		pods[addr] = append(pods[addr], o)
	}
	rb := r.mb.NewResourceBuilder()
	for _, addr := range order {
		for _, o := range pods[addr] {
			record(o)
		}
		rb.SetK8sPodIP(addr.String())
		r.mb.EmitForResource(metadata.WithResource(rb.Emit()))
	}
	for _, o := range others {
		record(o)
	}
}

func direction(o tally.OwnerCount) metadata.AttributeNetworkIoDirection {
	if o.Target || !o.End.Addr().IsValid() {
		return metadata.AttributeNetworkIoDirectionReceive
	}
	return metadata.AttributeNetworkIoDirectionTransmit
}

func (r *conntrackReceiver) send(ctx context.Context, md pmetric.Metrics) {
	n := md.DataPointCount()
	if r.metrics == nil || n == 0 {
		return
	}
	octx := r.obs.StartMetricsOp(ctx)
	err := r.metrics.ConsumeMetrics(octx, md)
	r.obs.EndMetricsOp(octx, "ctnetlink", n, err)
	r.errs.about("way for metrics into the pipeline", "the next reading tries again", err)
}
