package headroom

import (
	"fmt"
	"math"
	"time"

	"github.com/vigie-otel/vigie/internal/forecast"
)

// input is all that is known of one wall.
type input struct {
	kind   *kind
	at     time.Time
	series series
	limit  *float64
	eta    *float64 // seconds, from the processor
	lost   loss
	source string
}

func (in *input) wall() Wall {
	k := in.kind
	w := Wall{Name: k.name, Resource: k.resource(in.series.labels), Unit: k.unit, Source: describe(in.source)}
	pts, bound := in.levels(&w)
	in.age(&w, pts)
	w.LossRate, w.Losing = in.lost.rate, in.lost.losing()
	switch {
	case w.Losing:
		// Pinned at its limit a table does not grow: what is lost goes first.
		w.MinutesLeft = new(float64)
		w.Why = fmt.Sprintf("hit now: %s refused a second", round(w.LossRate))
		w.Source = in.lossSource(w.Source)
	case w.Stale:
		w.Why = fmt.Sprintf("the last reading is %.0f s old: unknown", w.AgeSeconds)
	case len(pts) == 0:
		w.Why = "nothing refused; how much is left is not told"
		w.Source = in.lossSource("")
	default:
		in.forecast(&w, pts, bound)
	}
	return w
}

// levels fills in used, limit and left, and gives the series that grows towards
// bound.
func (in *input) levels(w *Wall) (pts []forecast.Point, bound float64) {
	pts = in.series.points
	if len(pts) == 0 {
		w.Limit = in.limit
		return nil, 0
	}
	last := pts[len(pts)-1].Value
	switch {
	case len(in.kind.share) > 0:
		one := 1.0
		w.Limit, w.Used = &one, finite(max(last, 0))
		bound = 1
	case len(in.kind.left) > 0:
		// What is left falls to zero: turned around, it grows to it.
		w.Left, w.Limit = finite(last), in.limit
		turned := make([]forecast.Point, len(pts))
		for i, p := range pts {
			turned[i] = forecast.Point{At: p.At, Value: -p.Value}
		}
		pts = turned
		if in.limit != nil {
			w.Used = finite(*in.limit - last)
		}
	default:
		w.Used, w.Limit = finite(last), in.limit
		if in.limit != nil {
			bound = *in.limit
		}
	}
	if w.Used != nil && w.Limit != nil && *w.Limit > 0 {
		w.Utilization = finite(*w.Used / *w.Limit)
		w.Left = finite(*w.Limit - *w.Used)
	}
	return pts, bound
}

// age says how old the newest reading is.
func (in *input) age(w *Wall, pts []forecast.Point) {
	newest := in.lost.last
	if n := len(pts); n > 0 {
		newest = pts[n-1].At
		w.Stale = in.at.Sub(newest) > staleAfter(pts)
	}
	w.AgeSeconds = math.Round(max(in.at.Sub(newest).Seconds(), 0)*10) / 10
}

func (in *input) forecast(w *Wall, pts []forecast.Point, bound float64) {
	p, ok := forecast.Predict(pts, bound)
	if ok {
		w.Growing, w.Growth = p.Left > 0, p.Slope
		w.MinutesLeft, w.Earliest, w.Latest = minutes(p.Left), minutes(p.Earliest), minutes(p.Latest)
	}
	if in.eta != nil {
		w.MinutesLeft = finite(*in.eta / 60)
		w.Growing = *in.eta > 0
		w.Source += " and the conntrack processor's forecast"
		// A band around another forecast says nothing of this one.
		if !ok || *w.MinutesLeft < *w.Earliest || *w.MinutesLeft > *w.Latest {
			w.Earliest, w.Latest = nil, nil
		}
	}
	switch {
	case w.MinutesLeft == nil:
		w.Why = "does not grow towards its limit"
	case *w.MinutesLeft == 0:
		w.Why = "at its limit"
	case w.Earliest != nil && w.Growth > 0:
		w.Why = fmt.Sprintf("grows by %s a second; full in %s to %s min (95 %%)", round(w.Growth), round(*w.Earliest), round(*w.Latest))
	default:
		w.Why = fmt.Sprintf("full in %s min at this growth", round(*w.MinutesLeft))
	}
}

func (in *input) lossSource(before string) string {
	s := "the counters of what is refused"
	if len(in.kind.lost) > 0 {
		s = describe(in.kind.lost[0])
		if len(in.kind.lost) > 1 {
			s += " and " + describe(in.kind.lost[1])
		}
	}
	if before != "" {
		return before + ", " + s
	}
	return s
}

// round writes v with three significant digits.
func round(v float64) string {
	if a := math.Abs(v); a >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// finite is nil for what JSON cannot carry.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func minutes(d time.Duration) *float64 {
	m := d.Minutes()
	return &m
}
