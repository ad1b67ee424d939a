package forecast

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// lossWindow is over how long a loss is averaged, and so how long a wall counts
// as hit after the last loss. Where readings are farther apart, the last two
// count.
const lossWindow = 15 * time.Second

// LossRate is what a cumulative counter of losses says is lost now, a second.
func LossRate(lost []Point) float64 {
	w := lossWindow
	if n := len(lost); n > 1 {
		w = max(w, lost[n-1].At.Sub(lost[n-2].At))
	}
	rate, _ := CounterRate(lost, w)
	return rate
}

// Resource is what runs into a wall: its series and its limit.
type Resource struct {
	Name     string // "nf_conntrack", "ena conntrack allowance", "memory", …
	Resource string // whose: node, pod, device
	Unit     string // UCUM
	Used     []Point
	Limit    float64 // the newest; it may change at run time
	// Lost counts what was refused or thrown out for want of room, cumulatively:
	// for conntrack the sum of drop and early_drop. drop alone misses 95 % of it.
	// Nil where nothing counts it.
	Lost []Point
}

// Wall is a limit and how far off it is.
type Wall struct {
	Name        string  `json:"name"`
	Resource    string  `json:"resource"`
	Unit        string  `json:"unit,omitempty"`
	Used        float64 `json:"used"`
	Limit       float64 `json:"limit"`
	Utilization float64 `json:"utilization"` // Used over Limit; 0 where the limit is not positive
	Growth      float64 `json:"growth"`      // units a second; 0 where no growth is certain
	// MinutesLeft is nil where nothing grows towards the limit, 0 while it loses.
	MinutesLeft *float64 `json:"minutes_left"`
	Earliest    *float64 `json:"earliest_minutes,omitempty"`
	Latest      *float64 `json:"latest_minutes,omitempty"`
	Losing      bool     `json:"losing"`
	LossRate    float64  `json:"loss_rate,omitempty"` // units a second
}

// Wall evaluates a resource. ok is false without a single point.
//
// While the table is pinned at its limit its count does not grow, and only what
// is lost tells that it is hit: so a loss goes before any slope.
func (r *Resource) Wall() (w Wall, ok bool) {
	if len(r.Used) == 0 {
		return Wall{}, false
	}
	w = Wall{Name: r.Name, Resource: r.Resource, Unit: r.Unit, Limit: r.Limit, Used: r.Used[len(r.Used)-1].Value}
	if r.Limit > 0 {
		w.Utilization = w.Used / r.Limit
	}
	if rate := LossRate(r.Lost); rate > 0 {
		w.Losing, w.LossRate, w.MinutesLeft = true, rate, new(float64)
		return w, true
	}
	if p, ok := Predict(r.Used, r.Limit); ok {
		w.Growth = p.Slope
		w.MinutesLeft, w.Earliest, w.Latest = minutes(p.Left), minutes(p.Earliest), minutes(p.Latest)
	}
	return w, true
}

// Left is the time to the wall; ok is false where nothing grows towards it.
func (w *Wall) Left() (d time.Duration, ok bool) {
	if w.MinutesLeft == nil {
		return 0, false
	}
	return time.Duration(*w.MinutesLeft * float64(time.Minute)), true
}

// Sort orders walls worst first: what loses now, by its share of the limit;
// then by minutes left; then what does not grow, by utilization; ties by name.
func Sort(walls []Wall) {
	slices.SortStableFunc(walls, func(a, b Wall) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			cmp.Compare(lossShare(b), lossShare(a)),
			cmp.Compare(minutesOr(a), minutesOr(b)),
			cmp.Compare(b.Utilization, a.Utilization),
			cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Resource, b.Resource),
		)
	})
}

func rank(w Wall) int {
	switch {
	case w.Losing:
		return 0
	case w.MinutesLeft != nil:
		return 1
	}
	return 2
}

func lossShare(w Wall) float64 {
	if !w.Losing || w.Limit <= 0 {
		return w.LossRate
	}
	return w.LossRate / w.Limit
}

func minutesOr(w Wall) float64 {
	if w.MinutesLeft == nil {
		return math.Inf(1)
	}
	return *w.MinutesLeft
}

func minutes(d time.Duration) *float64 {
	m := d.Minutes()
	return &m
}
