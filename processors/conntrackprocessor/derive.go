package conntrackprocessor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/forecast"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/processors/conntrackprocessor/internal/metadata"
)

// derive adds what follows from the walls beside the metrics that they are
// derived from, as a scope of its own.
func (t *touched) derive() {
	if !t.n.kernel.ok && !t.n.ena.ok {
		return
	}
	ms := pmetric.NewMetricSlice()
	nearest := t.n.nearest()
	var latest pcommon.Timestamp
	for _, w := range t.n.walls() {
		at, ok := t.at[w.kind]
		if !ok || !w.ok {
			continue
		}
		latest = max(latest, at)
		if w.kind == kernelWall {
			add(ms, names.ConntrackUtilization, "1", "Share of the table that is in use.", at, w.now.Utilization, "")
		}
		left, growing := w.now.Left()
		if !growing {
			continue
		}
		add(ms, names.ConntrackTimeToExhaustion, "s", "Time until the wall is hit if the growth goes on; 0 while connections are lost. Absent when nothing grows.",
			at, left.Seconds(), w.kind)
		if !w.now.Losing {
			add(ms, names.ConntrackGrowth, "{entry}/s", "Growth towards the wall.", at, w.now.Growth, w.kind)
		}
	}
	for _, w := range t.n.walls() {
		if !w.ok || latest == 0 || nearest == "" {
			continue
		}
		v := 0.0
		if w.kind == nearest {
			v = 1
		}
		add(ms, names.ConntrackWallNearest, "1", "1 on the wall that is hit first.", latest, v, w.kind)
	}
	if ms.Len() > 0 {
		sm := t.rm.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName(metadata.ScopeName)
		ms.MoveAndAppendTo(sm.Metrics())
	}
}

// nearest is the wall that is hit first, or is fullest when none is; empty when
// nothing is known.
func (n *node) nearest() wallKind {
	var known []forecast.Wall
	kinds := map[string]wallKind{}
	for _, w := range n.walls() {
		if w.ok {
			known = append(known, w.now)
			kinds[w.now.Name] = w.kind
		}
	}
	if len(known) == 0 {
		return ""
	}
	forecast.Sort(known)
	return kinds[known[0].Name]
}

// add appends a point to the gauge of that name, which it makes if need be.
func add(ms pmetric.MetricSlice, name, unit, description string, at pcommon.Timestamp, v float64, wall wallKind) {
	var points pmetric.NumberDataPointSlice
	found := false
	for _, m := range ms.All() {
		if m.Name() == name {
			points, found = m.Gauge().DataPoints(), true
		}
	}
	if !found {
		m := ms.AppendEmpty()
		m.SetName(name)
		m.SetUnit(unit)
		m.SetDescription(description)
		points = m.SetEmptyGauge().DataPoints()
	}
	p := points.AppendEmpty()
	p.SetTimestamp(at)
	p.SetDoubleValue(v)
	if wall != "" {
		p.Attributes().PutStr(names.ConntrackWall, string(wall))
	}
}
