package report

import (
	"fmt"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/headroom"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// advise draws from the report what to mend, the gravest first. Each piece names
// what says so; none is a guess about what is not in the report.
func (r *Report) advise() {
	r.adviseWalls()
	r.adviseFindings()
	r.adviseBudget()
	r.adviseSight()
	r.adviseRoom()
}

func (r *Report) advice(link, what, why string, args ...any) {
	const enough = 40
	if len(r.Fix) < enough {
		r.Fix = append(r.Fix, Advice{what, fmt.Sprintf(why, args...), link})
	}
}

func (r *Report) adviseWalls() {
	for i := range r.Walls {
		w := &r.Walls[i]
		switch {
		case w.Reached:
			r.advice("#walls", "Give "+w.Name+" of "+w.Resource+" more room", "reached at %s: %s", clock(w.At), state(&w.Wall))
		case w.Near:
			r.advice("#walls", "Watch "+w.Name+" of "+w.Resource, "came near at %s: %s", clock(w.At), w.Why)
		}
	}
}

// state is how a wall stood that was reached.
func state(w *headroom.Wall) string {
	if w.Losing || w.Utilization == nil {
		return w.Why
	}
	return percentOf(*w.Utilization) + " of it was used"
}

func (r *Report) adviseFindings() {
	const slow, enough, crowd = 30 * time.Second, 0.5, 0.01
	for i := range r.Findings {
		f := &r.Findings[i]
		name := fmt.Sprintf("%s on %s", f.Class.Title(), f.Service)
		if told := f.DetectedAt.Sub(f.StartedAt); told > slow {
			r.advice("#f-"+f.ID, "Find "+name+" earlier", "it was told %s after it began: replay the evening's log with vigie detect", short(told))
		}
		switch m := f.Mitigation; {
		case !f.Class.Attack():
		case len(f.Rules) == 0:
			r.advice("#f-"+f.ID, "Have an answer to "+name, "no rule could be proposed that stops it and spares the crowd%s", because(m.Note))
		case m.Coverage > 0 && m.Coverage < enough:
			r.advice("#f-"+f.ID, "Have a second answer to "+name, "the proposed rules together stop an estimated %.0f %% of it%s", 100*m.Coverage, because(m.Note))
		case m.LegitimateHit > crowd:
			r.advice("#f-"+f.ID, "Narrow the rules against "+name, "they would stop an estimated %.1f %% of the crowd too", 100*m.LegitimateHit)
		default:
			r.advice("#f-"+f.ID, "Keep a rule ready against "+name, "the proposed rules stop an estimated %.0f %% of it and %.2g %% of the crowd", 100*coverage(&f.Finding), 100*m.LegitimateHit)
		}
		if f.Stale {
			r.advice("#f-"+f.ID, "Find out how "+name+" ended", "nothing was heard of it since %s: the detector or the room was restarted", clock(last(&f.Finding)))
		}
	}
}

// coverage is what the rules stop together, or the best of them where that is not
// told.
func coverage(f *finding.Finding) float64 {
	best := f.Mitigation.Coverage
	for i := range f.Rules {
		if f.Mitigation.Coverage == 0 {
			best = max(best, f.Rules[i].Coverage)
		}
	}
	return best
}

func because(note string) string {
	if note == "" {
		return ""
	}
	return ": " + note
}

func (r *Report) adviseBudget() {
	if u := r.Impact.BudgetUsed; u.Known() && u > 1 {
		r.advice("#impact", "Bring errors down, or say that the objective is another", "%.1f times the error budget was used: %.2f %% of the requests failed where %.2f %% may", float64(u), 100*float64(r.Impact.ErrorShare), 100*(1-r.SLO))
	}
	crowded := Seconds(0)
	for _, c := range r.Course {
		if c.Verdict == finding.Crowd && r.Event == "" {
			crowded += Seconds(c.To.Sub(c.From).Seconds())
		}
	}
	if crowded >= 60 {
		r.advice("#course", "Enter the event into the calendar", "%s of crowd came without an event that announces it", short(crowded.Duration()))
	}
}

func (r *Report) adviseSight() {
	for _, c := range r.Course {
		if c.Verdict == "" && c.To.Sub(c.From) >= 5*time.Second {
			r.advice("#course", "See without gaps", "%s to %s there is no verdict: the detector, the network or the room was away", clock(c.From), clock(c.To))
		}
	}
	if n := len(r.Missing); n > 0 {
		names := ""
		for i, m := range r.Missing {
			if i > 0 {
				names += "; "
			}
			if i == 6 {
				names += "…"
				break
			}
			names += m.Name
		}
		r.advice("#walls", fmt.Sprintf("See the %d walls that were not seen", n), "%s", names)
	}
	if !r.Impact.WorstP99.Known() {
		r.advice("#impact", "Measure answer times", "nothing sent http.server.request.duration as a histogram")
	}
}

func (r *Report) adviseRoom() {
	grave, commander := false, len(r.Roles) > 0 && r.Roles[0].Role == string(timeline.Commander)
	notes := 0
	for i := range r.Entries {
		switch e := &r.Entries[i]; e.Kind {
		case timeline.Severity:
			grave = grave || e.Text == "sev1" || e.Text == "sev2"
		case timeline.Commander:
			commander = commander || e.Text != ""
		case timeline.Note:
			notes++
		}
	}
	if grave && !commander {
		r.advice("#timeline", "Name an incident commander", "the severity was sev1 or sev2 and nobody led")
	}
	if r.Impact.Attack > 0 && notes == 0 {
		r.advice("#timeline", "Write down what is decided", "%s of attack and not one note", short(r.Impact.Attack.Duration()))
	}
}
