package calendar

import (
	"math"
	"time"
)

// Calendar is an immutable set of events; nil is one without events. It is safe
// for concurrent use.
type Calendar struct {
	events []Event // by kick-off
}

// Events lists the events by kick-off. The caller must not change them.
func (c *Calendar) Events() []Event {
	if c == nil {
		return nil
	}
	return c.events
}

// Band is what the calendar knows of a service's rate at a time.
type Band struct {
	// Factor multiplies the highest rate that is no surprise; 1 when the calendar
	// has nothing to say, never below. The lowest is left as it is: people may
	// stay away from an event.
	Factor float64
	Event  string // the event that widens most; "" when none
	Phase  Phase
	Push   string // the push notification that is being felt; "" when none
}

// Expectation says how far up the rate of a service may go at that time. Of
// several events at once the factors above 1 add up: each brings its own people.
func (c *Calendar) Expectation(service string, at time.Time) Band {
	band := Band{Factor: 1}
	widest := 0.0
	for i := range c.Events() {
		e := &c.events[i]
		if !e.Touches(service) {
			continue
		}
		factor, push := e.factorAt(at)
		if factor <= 1 {
			continue
		}
		band.Factor += factor - 1
		if factor > widest {
			widest = factor
			band.Event, band.Phase, band.Push = e.Name, e.PhaseAt(at), push
		}
	}
	band.Factor = min(band.Factor, maxFactor)
	return band
}

// factorAt rises from 1 to the peak in the hour before kick-off and falls back
// after full-time, both evenly in the logarithm, as audiences do; in between it
// holds, since a goal may come at any moment. The peak is reached 15 minutes
// before kick-off, where the measured ramps are already at their steepest.
func (e *Event) factorAt(at time.Time) (factor float64, push string) {
	const early = 15 * time.Minute
	share := 0.0
	switch e.PhaseAt(at) {
	case PhaseNone:
	case PhasePre:
		share = min(1, float64(at.Sub(e.KickOff.Add(-Before)))/float64(Before-early))
	case PhasePost:
		share = 1 - float64(at.Sub(e.FullTime))/float64(After)
	default:
		share = 1
	}
	factor = math.Pow(e.peak(), share)
	widest := 1.0
	for i := range e.Push {
		p := &e.Push[i]
		if since := at.Sub(p.At); since >= 0 && since < PushHold && p.Factor > widest {
			widest, push = p.Factor, p.Name
		}
	}
	return factor * widest, push
}

// Phase is the event clock: the event nearest to its height at that time and
// where it stands. A running event goes before one that is about to begin, that
// before one that is over; nil and PhaseNone when no event is near.
func (c *Calendar) Phase(at time.Time) (*Event, Phase) {
	var best *Event
	phase, rank := PhaseNone, 0
	for i := range c.Events() {
		e := &c.events[i]
		p := e.PhaseAt(at)
		r := 3
		switch p {
		case PhaseNone:
			continue
		case PhasePre:
			r = 2
		case PhasePost:
			r = 1
		}
		if r > rank {
			best, phase, rank = e, p, r
		}
	}
	return best, phase
}

// Next is the first event that kicks off after that time; nil when none does.
func (c *Calendar) Next(at time.Time) *Event {
	for i := range c.Events() {
		if e := &c.events[i]; e.KickOff.After(at) {
			return e
		}
	}
	return nil
}
