package attackdetectionprocessor

import (
	"time"

	"github.com/vigie-otel/vigie/internal/eventclock"
)

const (
	// near is how far a live request's time may lie from the wall clock: it
	// covers agents that were cut off for a while and clocks that are off.
	near = 2 * time.Minute
	// leave is how long there must have been no recent request until older ones
	// are taken for a recording that is played back.
	leave = 5 * time.Second
	// hold is how long a recording may pause until its time moves on without it.
	hold = 3 * time.Second
)

// pace decides by which clock the detector is ticked. Live, that is the wall
// clock: requests may be late or ahead, and a node whose clock is wrong moves
// nothing. When a recording is played back, at whatever speed, it is the time
// of the requests themselves.
type pace struct {
	mode     string // auto, wall or event
	events   eventclock.Clock
	live     bool
	lastNear time.Time // wall: the last request of about now
	moved    time.Time // wall: when event time last entered a new second
	ticked   time.Time // the latest tick
}

// see takes a request's time and the wall clock's. It returns the time under
// which the request is judged, and whether the event clock says that it is time
// to tick, or to begin anew.
func (p *pace) see(nano int64, wall time.Time) (int64, eventclock.Step) {
	if p.mode == "event" {
		return nano, p.recorded(nano, wall)
	}
	at := wall.UnixNano()
	if off := nano - at; p.mode == "wall" || nano == 0 || (off <= int64(near) && off >= -int64(near)) {
		p.lastNear = wall
		step := eventclock.Same
		if !p.live {
			p.live = true
			if wall.Before(p.ticked) { // a recording of the future ended
				p.ticked = time.Time{}
				step = eventclock.Rewound
			}
		}
		if nano == 0 || nano > at {
			nano = at
		}
		return nano, step
	}
	if p.live && wall.Sub(p.lastNear) < leave {
		return nano, eventclock.Same // very late, or ahead: the detector counts it as such
	}
	if p.live {
		p.live = false
		p.events = eventclock.Clock{}
	}
	return nano, p.recorded(nano, wall)
}

func (p *pace) recorded(nano int64, wall time.Time) eventclock.Step {
	step := p.events.See(nano)
	if step == eventclock.Same {
		return step
	}
	p.moved = wall
	if step == eventclock.NewSecond && p.events.Second().Before(p.ticked.Add(-eventclock.Jump)) {
		step = eventclock.Rewound // from live to a recording of the past
	}
	if step == eventclock.Rewound {
		p.ticked = time.Time{}
	}
	return step
}

// second is what to tick after see said NewSecond.
func (p *pace) second() time.Time { return p.tick(p.events.Second()) }

// due is what to tick when the wall clock enters a new second; false if there
// is nothing to tick.
func (p *pace) due(wall time.Time) (time.Time, bool) {
	now := wall.UTC().Truncate(time.Second)
	if !p.live {
		if p.moved.IsZero() {
			return time.Time{}, false
		}
		pause := wall.Sub(p.moved) - hold
		if pause <= 0 {
			return time.Time{}, false
		}
		now = p.events.Second().Add(pause).Truncate(time.Second)
	}
	if !now.After(p.ticked) {
		return time.Time{}, false
	}
	return p.tick(now), true
}

func (p *pace) tick(now time.Time) time.Time {
	if now.After(p.ticked) {
		p.ticked = now
	}
	return now
}
