package detectcmd

import (
	"time"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
)

// Limits of what is kept of the verdicts' course.
const (
	maxCourses = 256
	maxTurns   = 200 // changes of one service's verdict
)

// course follows the verdict of each service.
type course struct {
	services map[string]*serviceCourse
	order    []string
}

type serviceCourse struct {
	turns []turn
	more  int // turns past maxTurns
	held  map[finding.Verdict]time.Duration
	last  time.Time
	now   finding.Verdict
	total detect.Status // as of the end
	base  detect.Status // counts of detectors before a restart
}

// turn is a change of the verdict.
type turn struct {
	at             time.Time
	verdict        finding.Verdict
	rate, expected float64
}

// see looks at all services after a tick.
func (c *course) see(d judge, now time.Time) {
	for _, name := range d.Services() {
		st, ok := d.Status(name)
		if !ok {
			continue
		}
		s := c.of(name)
		if s == nil {
			continue
		}
		if !s.last.IsZero() && now.After(s.last) {
			s.held[s.now] += now.Sub(s.last)
		}
		s.last = now
		if st.Verdict == s.now && len(s.turns) > 0 {
			continue
		}
		s.now = st.Verdict
		if len(s.turns) == maxTurns {
			s.more++
			continue
		}
		s.turns = append(s.turns, turn{now, st.Verdict, st.Rate, st.Expected})
	}
}

func (c *course) of(name string) *serviceCourse {
	if s := c.services[name]; s != nil {
		return s
	}
	if len(c.order) == maxCourses {
		return nil
	}
	if c.services == nil {
		c.services = make(map[string]*serviceCourse)
	}
	s := &serviceCourse{held: make(map[finding.Verdict]time.Duration)}
	c.services[name] = s
	c.order = append(c.order, name)
	return s
}

// end keeps the counts of a detector that has no more to say.
func (c *course) end(d judge) {
	for _, name := range d.Services() {
		st, ok := d.Status(name)
		s := c.of(name)
		if !ok || s == nil {
			continue
		}
		s.base.Requests += st.Requests
		s.base.Errors += st.Errors
		s.base.Suspected += st.Suspected
		s.total, s.last = st, time.Time{}
		s.total.Requests, s.total.Errors, s.total.Suspected = s.base.Requests, s.base.Errors, s.base.Suspected
	}
}
