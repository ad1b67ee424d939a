package conntrackprocessor

import (
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// silence closes a finding that nobody confirms or denies: the receiver is
// gone. It is longer than any receiver's interval that could confirm it.
const silence = 2 * time.Minute

// life carries one finding from open to closed. Between the two bars of its
// owner (fires, holds) it keeps what it is.
type life struct {
	f    finding.Finding
	open bool

	hits     int       // judgements in a row that fired
	firstHit time.Time // event time of the first of them
	held     time.Time // clock: the last judgement that held
	heldAt   time.Time // event time of the same
	judged   time.Time // clock: the last judgement of any kind
	toldAt   time.Time // clock
	changed  bool      // since it was told
}

// judge takes one judgement: fires is above the upper bar, holds above the
// lower. A finding opens after need judgements in a row that fire. fill writes
// what is known now into the finding; it is called when there is something to
// tell.
func (l *life) judge(fires, holds bool, need int, now, at time.Time, fill func(*finding.Finding)) (opened bool) {
	l.judged = now
	if holds {
		l.held, l.heldAt = now, at
	}
	if !fires {
		l.hits = 0
	} else if l.hits++; l.hits == 1 {
		l.firstHit = at
	}
	switch {
	case l.open && holds:
		l.f.UpdatedAt = at
		fill(&l.f)
		l.changed = true
	case !l.open && l.hits >= need:
		l.open, l.held, l.heldAt = true, now, at
		l.f = finding.Finding{Status: finding.Open, StartedAt: l.firstHit, DetectedAt: at, UpdatedAt: at}
		fill(&l.f)
		return true
	}
	return false
}

// tell sends the finding and remembers that it did.
func (l *life) tell(now time.Time, to func(finding.Finding)) {
	l.toldAt, l.changed = now, false
	to(l.f)
	if l.f.Status == finding.Open {
		l.f.Status = finding.Update
	}
}

// expire tells an open finding again when it changed and every is over, and
// closes it when nothing held for quiet, or nothing judged for mute.
func (l *life) expire(now time.Time, quiet, mute, every time.Duration, to func(finding.Finding)) {
	if !l.open {
		return
	}
	over := now.Sub(l.held)
	switch {
	case over >= quiet && l.judged.After(l.held), now.Sub(l.judged) >= mute:
		if silent := now.Sub(l.judged); silent >= mute && mute > quiet {
			l.f.Evidence = append(l.f.Evidence, finding.Evidence{
				Dimension: "silence", Value: silent.Seconds(), Unit: "s", Points: finding.Against, Note: "closed for want of readings",
			})
		}
		l.open, l.hits = false, 0
		l.f.Status = finding.Closed
		l.f.ClosedAt = l.heldAt.Add(over)
		l.tell(now, to)
	case every > 0 && l.changed && now.Sub(l.toldAt) >= every:
		l.tell(now, to)
	}
}
