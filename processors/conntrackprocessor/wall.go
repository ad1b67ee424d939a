package conntrackprocessor

import (
	"fmt"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/forecast"
)

// wallKind is the value of names.ConntrackWall.
type wallKind string

const (
	kernelWall wallKind = "kernel" // nf_conntrack_max
	enaWall    wallKind = "ena"    // the instance's allowance
)

// wallState is one limit of one node. For ENA only what is left is known, so
// that used counts up to a limit of zero.
type wallState struct {
	kind   wallKind
	used   forecast.Track
	lost   forecast.Track // cumulative: early_drop + drop, or conntrack_allowance_exceeded
	limit  float64
	known  bool          // limit
	drops  counters      // parts of lost
	now    forecast.Wall // as of the last judgement
	ok     bool          // now holds something
	losing bool          // at the judgement before
	life   life
}

// counters sums what monotonic series gained since each was first seen, so that
// neither a series that appears late nor one that resets looks like a loss. At
// most 64 series: interfaces.
type counters struct {
	last map[string]float64
	sum  float64
}

func (c *counters) set(key string, v float64) {
	if c.last == nil {
		c.last = map[string]float64{}
	}
	last, known := c.last[key]
	switch {
	case !known && len(c.last) >= 64:
		return
	case known && v >= last:
		c.sum += v - last
	case known:
		c.sum += v // reset
	}
	c.last[key] = v
}

func newWall(k wallKind) *wallState {
	return &wallState{kind: k, known: k == enaWall}
}

// some reports whether the level is known, not only what is lost.
func (w *wallState) some() bool {
	_, ok := w.used.Last()
	return ok
}

// eval computes the wall anew from its series.
func (w *wallState) eval(node string) {
	if !w.known {
		return
	}
	if !w.some() {
		// An ENA driver that is too old to say what is left still says what is lost.
		rate := forecast.LossRate(w.lost.Points())
		w.now, w.ok = forecast.Wall{Name: w.name(), Resource: node, Losing: rate > 0, LossRate: rate}, true
		if rate > 0 {
			w.now.MinutesLeft = new(float64)
		}
		return
	}
	r := forecast.Resource{Name: w.name(), Resource: node, Unit: "{entry}", Used: w.used.Points(), Limit: w.limit, Lost: w.lost.Points()}
	w.now, w.ok = r.Wall()
}

func (w *wallState) name() string {
	if w.kind == enaWall {
		return "ENA conntrack allowance"
	}
	return "nf_conntrack"
}

// judge opens, confirms or lets go the finding of this wall.
func (w *wallState) judge(c *ExhaustionConfig, n *node, now, at time.Time, to func(finding.Finding)) {
	if !c.Enabled || !w.ok {
		return
	}
	left, growing := w.now.Left()
	full := c.Utilization > 0 && w.now.Utilization >= c.Utilization
	dry := w.kind == enaWall && w.some() && w.now.Used >= 0
	fires := w.now.Losing || dry || full || growing && left <= c.Within
	holds := fires || growing && left <= 2*c.Within || c.Utilization > 0 && w.now.Utilization >= 0.9*c.Utilization
	need := 2 // one odd reading opens nothing
	if w.now.Losing {
		need = 1 // viewers are lost already
	}
	opened := w.life.judge(fires, holds, need, now, at, func(f *finding.Finding) { w.fill(f, n) })
	began := w.now.Losing && !w.losing // worse than forecast: not to wait for the next update
	w.losing = w.now.Losing
	if opened || began && w.life.open {
		w.life.tell(now, to)
	}
}

// fill writes the finding's content; identity and life are the life's.
func (w *wallState) fill(f *finding.Finding, n *node) {
	f.Class, f.Service = finding.ConntrackExhaustion, n.name
	if f.ID == "" {
		f.ID = finding.NewID(f.Class, f.Service+"/"+string(w.kind), f.StartedAt, 0)
	}
	f.Confidence = w.confidence()
	f.Evidence = w.evidence()
	f.Actors = append(n.owners.actors(8, n.kernel.now.Used), n.flood.prefixes(8)...)
	if w.now.Losing {
		f.Requests = max(f.Requests, uint64(w.lostSince(f.StartedAt)))
	}
	f.Rules = w.rules()
}

func (w *wallState) confidence() float64 {
	switch {
	case w.now.Losing:
		return 0.99
	case w.now.Utilization >= 0.95:
		return 0.95 // nothing is forecast, it is there
	case w.now.Earliest != nil && w.now.Latest != nil && *w.now.Latest <= 1.5**w.now.Earliest:
		return 0.9 // the band is narrow
	}
	return 0.7
}

// lostSince is what the counters gained since t.
func (w *wallState) lostSince(t time.Time) float64 {
	pts := w.lost.Points()
	for i, p := range pts {
		if !p.At.Before(t) {
			return pts[len(pts)-1].Value - pts[max(i-1, 0)].Value
		}
	}
	return 0
}

func (w *wallState) evidence() []finding.Evidence {
	add := []finding.Evidence{}
	if w.kind == enaWall && w.some() {
		add = append(add, finding.Evidence{
			Dimension: "conntrack_allowance_available", Value: -w.now.Used, Normal: -w.usual(), Unit: "{connection}",
			Points: finding.For, Note: "connections that the instance can still track",
		})
	} else if w.kind == kernelWall {
		add = append(add, finding.Evidence{
			Dimension: "utilization", Value: w.now.Utilization, Normal: w.usual() / max(w.limit, 1),
			Points: finding.For, Note: fmt.Sprintf("%.0f of %.0f entries of the connection-tracking table", w.now.Used, w.limit),
		})
	}
	if w.now.Losing {
		add = append(add, finding.Evidence{
			Dimension: "lost", Value: w.now.LossRate, Unit: "{entry}/s", Points: finding.For, Note: w.lossNote(),
		})
	}
	if left, ok := w.now.Left(); ok && !w.now.Losing {
		add = append(add,
			finding.Evidence{Dimension: "time_to_exhaustion", Value: left.Seconds(), Unit: "s", Points: finding.For,
				Note: fmt.Sprintf("full in %s, between %.0f and %.0f s", left.Round(time.Second), 60**w.now.Earliest, 60**w.now.Latest)},
			finding.Evidence{Dimension: "growth", Value: w.now.Growth, Unit: "{entry}/s", Points: finding.For})
	}
	if !w.now.Losing {
		add = append(add, finding.Evidence{Dimension: "lost", Unit: "{entry}/s", Points: finding.Against, Note: "nothing is lost yet"})
	}
	return add
}

func (w *wallState) lossNote() string {
	if w.kind == enaWall {
		return "packets dropped beyond the allowance"
	}
	return "connections dropped or thrown out of the full table (drop + early_drop)"
}

// usual is the median of the level over the tracked hour.
func (w *wallState) usual() float64 { return forecast.Median(w.used.Points()) }

func (w *wallState) rules() []finding.Rule {
	if w.kind == enaWall {
		return nil // a larger instance, or security groups that do not track: nothing to set
	}
	return []finding.Rule{{
		Kind: "sysctl", Action: "set", Coverage: 1,
		Match: []finding.Condition{{Field: "net.netfilter.nf_conntrack_max", Op: finding.OpEquals, Values: []string{fmt.Sprintf("%.0f", 2*w.limit)}}},
	}}
}
