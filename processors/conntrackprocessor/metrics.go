package conntrackprocessor

import (
	"fmt"
	"net/netip"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/names"
)

// Names under which hostmetrics gives the same as .usage and .limit.
const (
	hostCount = "system.network.conntrack.count"
	hostMax   = "system.network.conntrack.max"
)

// touched is a resource whose wall has a new reading.
type touched struct {
	n  *node
	rm pmetric.ResourceMetrics
	at map[wallKind]pcommon.Timestamp
}

// metrics reads what md says of connection tracking and adds what follows from
// it. All is read first and judged then: owners may come after usage.
func (in *instance) metrics(md pmetric.Metrics) {
	e, now := in.eng, time.Now()
	var todo []touched
	floods := map[*node]time.Time{}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, rm := range md.ResourceMetrics().All() {
		b := batch{e: e, now: now, t: touched{rm: rm}}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				b.read(m)
			}
		}
		if !b.halfOpenAt.IsZero() {
			floods[b.t.n] = b.halfOpenAt
		}
		if b.finish() {
			todo = append(todo, b.t)
		}
	}
	for _, t := range todo {
		for _, w := range t.n.walls() {
			if at, ok := t.at[w.kind]; ok {
				w.eval(t.n.name)
				w.judge(&e.cfg.Exhaustion, t.n, now, at.AsTime(), t.n.teller(e))
			}
		}
	}
	for _, t := range todo {
		t.derive()
	}
	for n, at := range floods {
		n.flood.judgeMetrics(now, at, n.teller(e))
	}
}

// batch reads the metrics of one resource.
type batch struct {
	e    *engine
	now  time.Time
	t    touched
	over bool // the resource found no room

	halfOpenAt time.Time // of the half-open counts, if there are any

	used, limit, available, enaLost reading
}

// reading is a value with its time.
type reading struct {
	v  float64
	at pcommon.Timestamp
}

func (r *reading) set(p pmetric.NumberDataPoint, now time.Time) {
	*r = reading{value(p), stamp(p, now)}
}

func (b *batch) node() *node {
	if b.t.n == nil && !b.over {
		b.t.n = b.e.nodeOf(b.t.rm.Resource(), b.now)
		b.over = b.t.n == nil
	}
	return b.t.n
}

func (b *batch) read(m pmetric.Metric) {
	points := pointsOf(m)
	if points.Len() == 0 {
		return
	}
	switch m.Name() {
	case names.ConntrackUsage:
		b.used.set(points.At(0), b.now)
	case names.ConntrackLimit:
		b.limit.set(points.At(0), b.now)
	case hostCount:
		if b.used.at == 0 {
			b.used.set(points.At(0), b.now)
		}
	case hostMax:
		if b.limit.at == 0 {
			b.limit.set(points.At(0), b.now)
		}
	case names.ConntrackPacketDropped, names.ConntrackEarlyDropped, names.ENAAllowanceExceeded:
		b.lost(m.Name(), points)
	case names.ENAConntrackAvailable:
		for _, p := range points.All() {
			// The allowance is the instance's; an interface may lag behind another.
			if v := value(p); b.available.at == 0 || v < b.available.v {
				b.available.set(p, b.now)
			}
		}
	case names.ConntrackOwnerEntries, names.ConntrackHalfOpen, names.ConntrackHalfOpenSources:
		b.owned(m.Name(), points)
	}
}

func (b *batch) lost(name string, points pmetric.NumberDataPointSlice) {
	n := b.node()
	if n == nil {
		return
	}
	for i, p := range points.All() {
		if name != names.ENAAllowanceExceeded {
			n.kernel.drops.set(fmt.Sprint(name, i), value(p))
		} else if a, ok := p.Attributes().Get(names.ENAAllowance); ok && a.AsString() == "conntrack" {
			n.ena.drops.set(text(p, names.NetworkInterfaceName), value(p))
			b.enaLost = reading{n.ena.drops.sum, stamp(p, b.now)}
		}
	}
}

// owned takes what the receiver counted by owner. Only targets (address:port,
// receive) matter to floods.
func (b *batch) owned(name string, points pmetric.NumberDataPointSlice) {
	n := b.node()
	if n == nil {
		return
	}
	for _, p := range points.All() {
		owner := text(p, names.ConntrackOwner)
		if name == names.ConntrackOwnerEntries {
			n.owners.set(uint64(stamp(p, b.now)), owner, value(p))
		}
		if name == names.ConntrackHalfOpen {
			b.halfOpenAt = stamp(p, b.now).AsTime()
		}
		ap, err := netip.ParseAddrPort(owner)
		if err != nil || text(p, names.NetworkIODirection) != "receive" {
			continue
		}
		n.flood.observe(name, endOf(ap), value(p), stamp(p, b.now).AsTime())
	}
}

// finish puts the readings into their series, and reports whether there are any.
func (b *batch) finish() bool {
	if b.used.at == 0 && b.available.at == 0 && b.enaLost.at == 0 || b.node() == nil {
		return false
	}
	n := b.t.n
	b.t.at = map[wallKind]pcommon.Timestamp{}
	if b.used.at != 0 {
		n.kernel.used.Add(b.used.at.AsTime(), b.used.v)
		n.kernel.lost.Add(b.used.at.AsTime(), n.kernel.drops.sum)
		b.t.at[kernelWall] = b.used.at
		if b.limit.at != 0 && b.limit.v > 0 {
			n.kernel.limit, n.kernel.known = b.limit.v, true
		}
	}
	if b.enaLost.at != 0 {
		n.ena.lost.Add(b.enaLost.at.AsTime(), b.enaLost.v)
		b.t.at[enaWall] = b.enaLost.at
	}
	if b.available.at != 0 {
		n.ena.used.Add(b.available.at.AsTime(), -b.available.v)
		b.t.at[enaWall] = b.available.at
	}
	return true
}

func pointsOf(m pmetric.Metric) pmetric.NumberDataPointSlice {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints()
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints()
	}
	return pmetric.NewNumberDataPointSlice()
}

func value(p pmetric.NumberDataPoint) float64 {
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(p.IntValue())
	}
	return p.DoubleValue()
}

func stamp(p pmetric.NumberDataPoint, now time.Time) pcommon.Timestamp {
	if p.Timestamp() == 0 {
		return pcommon.NewTimestampFromTime(now)
	}
	return p.Timestamp()
}

func text(p pmetric.NumberDataPoint, key string) string {
	if v, ok := p.Attributes().Get(key); ok {
		return v.AsString()
	}
	return ""
}
