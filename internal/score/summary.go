package score

import (
	"cmp"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// Row condenses the outcomes of one judge on one scenario and intensity.
type Row struct {
	Scenario, Expect, Judge string
	Intensity               float64
	Runs                    int

	// Without attack.
	FalseFindings int // that opened outside attacks, in all runs
	FalseRuns     int // runs with any
	LegitMarked   float64
	AttackSeconds int // seconds under the verdicts attack and mixed, outside attacks
	CalmSeconds   int
	CrowdSeconds  int

	// Of the attacks.
	Attacks, Found, ClassRight int
	Delay, Close               Spread[time.Duration]
	Precision, Recall          Spread[float64]
	Findings                   float64 // a found attack
	NotClosed                  int
	WithRules                  int
	Coverage, RuleHit          Spread[float64]
	EstCover, EstHit           Spread[float64]
	LiveCover, LiveHit         Spread[float64]
	MixedShare                 float64 // of the seconds under attack after it was found: mixed rather than attack
}

// Spread is a distribution.
type Spread[T cmp.Ordered] struct{ all []T }

func (s *Spread[T]) add(v T) { s.all = append(s.all, v) }

// N is how many values there are.
func (s *Spread[T]) N() int { return len(s.all) }

// At is the value below which the given share lies (nearest rank); the zero
// value when there is none.
func (s *Spread[T]) At(share float64) T {
	var zero T
	if len(s.all) == 0 {
		return zero
	}
	slices.Sort(s.all)
	i := int(share*float64(len(s.all))+0.999999) - 1
	return s.all[min(max(i, 0), len(s.all)-1)]
}

// Summarize condenses outcomes into rows, by scenario, intensity and judge.
func Summarize(outcomes []*Outcome) []*Row {
	type key struct {
		scenario, judge string
		intensity       float64
	}
	rows := map[key]*Row{}
	var out []*Row
	legit := map[*Row][2]int64{}
	for _, o := range outcomes {
		k := key{o.Case.Scenario, o.Judge, o.Case.Intensity}
		r := rows[k]
		if r == nil {
			r = &Row{Scenario: o.Case.Scenario, Expect: o.Expect, Judge: o.Judge, Intensity: o.Case.Intensity}
			rows[k] = r
			out = append(out, r)
		}
		r.Runs++
		r.FalseFindings += len(o.False)
		if len(o.False) > 0 {
			r.FalseRuns++
		}
		n := legit[r]
		legit[r] = [2]int64{n[0] + o.LegitMarked, n[1] + o.Legit}
		for v, seconds := range o.Calm {
			r.CalmSeconds += seconds
			switch v {
			case finding.Attack, finding.Mixed:
				r.AttackSeconds += seconds
			case finding.Crowd:
				r.CrowdSeconds += seconds
			}
		}
		for i := range o.Attacks {
			r.attack(&o.Attacks[i])
		}
	}
	for r, n := range legit {
		r.LegitMarked = float64(n[0]) / float64(max(1, n[1]))
	}
	slices.SortStableFunc(out, func(a, b *Row) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Intensity, b.Intensity))
	})
	return out
}

func (r *Row) attack(a *AttackOutcome) {
	r.Attacks++
	if !a.Found {
		return
	}
	r.Findings = (r.Findings*float64(r.Found) + float64(a.Findings)) / float64(r.Found+1)
	r.Found++
	if string(a.Class) == a.Truth.Class {
		r.ClassRight++
	}
	r.Delay.add(a.Delay)
	if a.Closed {
		r.Close.add(a.Close)
	} else {
		r.NotClosed++
	}
	r.Precision.add(a.Precision())
	if a.After > 0 {
		r.Recall.add(a.Recall())
	}
	if a.HasRules {
		r.WithRules++
		r.Coverage.add(a.Coverage)
		r.RuleHit.add(a.RuleHit)
		r.EstCover.add(a.EstCover)
		r.EstHit.add(a.EstHit)
		r.LiveCover.add(a.LiveCover)
		r.LiveHit.add(a.LiveHit)
	}
}
