package report

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/headroom"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// takeFindings keeps those that were going on at some time of the range, the
// first to begin first.
func (r *Report) takeFindings(all []Finding) {
	for _, f := range all {
		f.Bound()
		end := r.To
		switch {
		case f.Status == finding.Closed:
			end = f.ClosedAt
		case f.Stale:
			end = last(&f.Finding)
		}
		begin := f.StartedAt
		if begin.IsZero() {
			begin = f.DetectedAt
		}
		if begin.Before(r.To) && !end.Before(r.From) {
			r.Findings = append(r.Findings, f)
		}
	}
	slices.SortFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	if n := len(r.Findings); n > MaxFindings {
		r.Left["findings"] = n - MaxFindings
		r.Findings = r.Findings[:MaxFindings]
	}
}

// last is when a finding was last spoken of.
func last(f *finding.Finding) time.Time {
	t := f.DetectedAt
	for _, x := range []time.Time{f.UpdatedAt, f.ClosedAt} {
		if x.After(t) {
			t = x
		}
	}
	return t
}

// takeEntries keeps the range's entries and who had which role at its end.
func (r *Report) takeEntries(all []timeline.Entry) {
	roles := map[timeline.Kind]string{}
	for _, e := range all {
		if e.At.After(r.To) {
			continue
		}
		switch e.Kind {
		case timeline.Commander, timeline.Deputy, timeline.Scribe:
			roles[e.Kind] = tidy(e.Text)
		}
		if e.At.Before(r.From) {
			continue
		}
		e.Text, e.Who, e.Service, e.Ref = tidy(e.Text), tidy(e.Who), tidy(e.Service), tidy(e.Ref)
		r.Entries = append(r.Entries, e)
	}
	for _, k := range []timeline.Kind{timeline.Commander, timeline.Deputy, timeline.Scribe} {
		if who := roles[k]; who != "" {
			r.Roles = append(r.Roles, Role{string(k), who})
		}
	}
	slices.SortStableFunc(r.Entries, func(a, b timeline.Entry) int { return a.At.Compare(b.At) })
	if n := len(r.Entries); n > MaxEntries {
		// What people wrote is kept before what machines saw.
		kept := r.Entries[:0]
		spare := n - MaxEntries
		for _, e := range r.Entries {
			if spare > 0 && !e.Kind.Human() {
				spare--
				continue
			}
			kept = append(kept, e)
		}
		kept = kept[:min(len(kept), MaxEntries)]
		r.Left["entries"] = n - len(kept)
		r.Entries = kept
	}
}

// tidy makes a text of people or attackers safe to show and keeps its lines: no
// control characters, nothing that turns the direction of writing.
func tidy(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n', c == '\t':
			return c
		case unicode.IsControl(c), unicode.Is(unicode.Bidi_Control, c):
			return '\uFFFD'
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// WallReached is a wall at its worst moment within the range.
type WallReached struct {
	headroom.Wall
	At      time.Time `json:"at"`
	Reached bool      `json:"reached"` // it refused, or was full
	Near    bool      `json:"near"`    // it was less than ten minutes away, at its growth then
}

// wallMoments is how many moments of a range the walls are read at.
const wallMoments = 24

// readWalls reads the walls at moments that matter: the peak, the beginning and
// end of each finding, and evenly between.
func (r *Report) readWalls(a *asker) {
	worst := map[string]WallReached{}
	var missing map[string]headroom.Missing
	for _, at := range r.moments() {
		if a.ctx.Err() != nil {
			return
		}
		rep := headroom.Read(a.ctx, a.store, at).With(headroom.Cluster(a.ctx, a.store, at))
		seen := map[string]headroom.Missing{}
		for _, m := range rep.Missing {
			if _, always := missing[m.Name]; missing == nil || always {
				seen[m.Name] = m
			}
		}
		missing = seen // what was missing at every moment
		for _, w := range rep.Walls {
			if w.Stale {
				continue
			}
			key := w.Name + "\x00" + w.Resource
			if old, ok := worst[key]; !ok || worse(&w, &old.Wall) {
				worst[key] = WallReached{w, at, reached(&w), near(&w)}
			}
		}
	}
	for _, w := range worst {
		w.Name, w.Resource, w.Why = finding.Clean(w.Name), finding.Clean(w.Resource), finding.Clean(w.Why)
		r.Walls = append(r.Walls, w)
	}
	slices.SortFunc(r.Walls, func(x, y WallReached) int {
		switch {
		case worse(&x.Wall, &y.Wall):
			return -1
		case worse(&y.Wall, &x.Wall):
			return 1
		}
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Resource, y.Resource))
	})
	r.boundWalls()
	for _, m := range missing {
		r.Missing = append(r.Missing, headroom.Missing{Name: finding.Clean(m.Name), Why: finding.Clean(m.Why)})
	}
	slices.SortFunc(r.Missing, func(x, y headroom.Missing) int { return cmp.Compare(x.Name, y.Name) })
}

// boundWalls keeps the worst, and of one name a few: a thousand nodes that are full of
// pods must not hide the one disk.
func (r *Report) boundWalls() {
	const enough, alike = 40, 8
	of, all := map[string]int{}, len(r.Walls)
	r.Walls = slices.DeleteFunc(r.Walls, func(w WallReached) bool {
		of[w.Name]++
		return of[w.Name] > alike
	})
	r.Walls = r.Walls[:min(len(r.Walls), enough)]
	if n := all - len(r.Walls); n > 0 {
		r.Left["walls"] = n
	}
}

func (r *Report) moments() []time.Time {
	all := []time.Time{r.To}
	if !r.Impact.PeakRateAt.IsZero() {
		all = append(all, r.Impact.PeakRateAt)
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		all = append(all, f.StartedAt.Add(15*time.Second), last(&f.Finding))
	}
	all = all[:min(len(all), wallMoments*2/3)]
	parts := time.Duration(wallMoments - len(all) + 1)
	for n := range parts - 1 {
		all = append(all, r.From.Add(r.To.Sub(r.From)*(n+1)/parts))
	}
	all = slices.DeleteFunc(all, func(t time.Time) bool { return t.Before(r.From) || t.After(r.To) })
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, func(a, b time.Time) bool { return b.Sub(a).Abs() < 5*time.Second })
}

// worse reports whether x is nearer to its limit than y: refusing before full,
// full before coming near, then what is used.
func worse(x, y *headroom.Wall) bool {
	if x.Losing != y.Losing {
		return x.Losing
	}
	if reached(x) != reached(y) {
		return reached(x)
	}
	if c := cmp.Compare(far(x), far(y)); c != 0 && !reached(x) {
		return c < 0
	}
	return full(x) > full(y)
}

// far is the minutes to a wall that is really coming; a forecast of hours says
// less than how full it is.
func far(w *headroom.Wall) float64 {
	if !near(w) {
		return nearMinutes
	}
	return *w.MinutesLeft
}

func full(w *headroom.Wall) float64 {
	if w.Utilization == nil {
		return 0
	}
	return *w.Utilization
}

// nearMinutes is when a wall counts as coming: less than it takes to act.
const nearMinutes = 10

func near(w *headroom.Wall) bool { return w.MinutesLeft != nil && *w.MinutesLeft < nearMinutes }

func reached(w *headroom.Wall) bool { return w.Losing || full(w) >= 0.98 }
