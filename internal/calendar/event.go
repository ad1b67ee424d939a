package calendar

import (
	"path"
	"time"
)

// Event is one announced event.
type Event struct {
	Name string
	// Services that it touches, as path.Match patterns on the service name; empty
	// means all.
	Services []string

	KickOff    time.Time
	HalfTime   time.Time // begins; default KickOff + 47 min
	SecondHalf time.Time // begins; default HalfTime + 15 min
	ExtraTime  time.Time // begins; zero when there is none
	FullTime   time.Time // default 50 min after the last period began (33 in extra time)

	// ExpectedAudience and UsualAudience are people at once, at the event and at
	// the same hour without one; 0 means not said.
	ExpectedAudience, UsualAudience int64
	// Factor is how many times its usual rate a service may reach at the height
	// of the event; 0 means ExpectedAudience / UsualAudience, or DefaultFactor
	// where those are not said.
	Factor float64

	Push []Push
	Line int // in the file, 1-based
}

// Push is a planned push notification: many phones light up at once.
type Push struct {
	At       time.Time
	Name     string
	Audience int64   // devices addressed; 0 means not said
	Factor   float64 // times the rate that the event itself explains; default DefaultPushFactor
}

// The widening where an event says nothing else. The steepest hour of the 1998
// World Cup's 33 match days grew 5.57×; sign-ins on a modern platform are
// steeper, hence the room above it.
const (
	DefaultFactor     = 8
	DefaultPushFactor = 4
	maxFactor         = 1000
)

// How long before and after an event its traffic differs, and how long a push
// notification is felt.
const (
	Before   = 60 * time.Minute
	After    = 45 * time.Minute
	PushHold = 10 * time.Minute
)

// Touches reports whether the event concerns the service.
func (e *Event) Touches(service string) bool {
	if len(e.Services) == 0 {
		return true
	}
	for _, pattern := range e.Services {
		if ok, _ := path.Match(pattern, service); ok { // Parse has refused bad patterns
			return true
		}
	}
	return false
}

// peak is how many times the usual rate the event explains at its height.
func (e *Event) peak() float64 {
	switch {
	case e.Factor > 0:
		return e.Factor
	case e.ExpectedAudience > 0 && e.UsualAudience > 0:
		return max(1, float64(e.ExpectedAudience)/float64(e.UsualAudience))
	default:
		return DefaultFactor
	}
}

// Phase is where an event stands.
type Phase string

// The phases in their order. PhaseNone: no event is near.
const (
	PhaseNone       Phase = ""
	PhasePre        Phase = "pre"
	PhaseFirstHalf  Phase = "first_half"
	PhaseHalfTime   Phase = "half_time"
	PhaseSecondHalf Phase = "second_half"
	PhaseExtraTime  Phase = "extra_time"
	PhasePost       Phase = "post"
)

// PhaseAt is where the event stands at that time. A period includes its first
// instant and excludes its last.
func (e *Event) PhaseAt(at time.Time) Phase {
	switch {
	case at.Before(e.KickOff.Add(-Before)), !at.Before(e.FullTime.Add(After)):
		return PhaseNone
	case at.Before(e.KickOff):
		return PhasePre
	case at.Before(e.HalfTime):
		return PhaseFirstHalf
	case at.Before(e.SecondHalf):
		return PhaseHalfTime
	case !at.Before(e.FullTime):
		return PhasePost
	case !e.ExtraTime.IsZero() && !at.Before(e.ExtraTime):
		return PhaseExtraTime
	default:
		return PhaseSecondHalf
	}
}
