package detectcmd

import (
	"encoding/json"
	"io"
	"slices"

	"github.com/vigie-otel/vigie/internal/finding"
)

// maxFinal bounds the findings that are kept for the summary and the rules.
// Those past it are printed and counted all the same.
const maxFinal = 1000

// findings prints findings as JSON lines, and keeps their final states.
type findings struct {
	w       *json.Encoder
	changes bool
	print   bool
	final   []finding.Finding
	open    int
	closed  int
	err     error
}

func newFindings(w io.Writer, changes, print bool) *findings {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &findings{w: e, changes: changes, print: print}
}

// take takes what a tick returned. Every finding is closed in the end, since
// the detector's Flush closes what is open.
func (f *findings) take(changed []finding.Finding) {
	for i := range changed {
		ended := changed[i].Status == finding.Closed
		switch {
		case ended:
			f.open--
			f.closed++
		case changed[i].Status == finding.Open:
			f.open++
		}
		if !ended && !f.changes {
			continue
		}
		c := own(&changed[i])
		c.Bound()
		if ended && len(f.final) < maxFinal {
			f.final = append(f.final, c)
		}
		if f.print && f.err == nil {
			f.err = f.w.Encode(&c)
		}
	}
}

// own copies a finding, which is the detector's until the next tick.
func own(f *finding.Finding) finding.Finding {
	c := *f
	// Appended to empty slices, so that nothing reads [] and not null.
	c.Evidence = append([]finding.Evidence{}, f.Evidence...)
	c.Actors = append([]finding.Actor{}, f.Actors...)
	c.Rules = append([]finding.Rule{}, f.Rules...)
	for i := range c.Rules {
		match := slices.Clone(c.Rules[i].Match)
		for j := range match {
			match[j].Values = slices.Clone(match[j].Values)
		}
		c.Rules[i].Match = match
	}
	return c
}

// byStart lists the final states in the order in which the findings began.
func (f *findings) byStart() []finding.Finding {
	out := slices.Clone(f.final)
	slices.SortStableFunc(out, func(a, b finding.Finding) int { return a.StartedAt.Compare(b.StartedAt) })
	return out
}
