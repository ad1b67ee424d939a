package containerlogreceiver

import (
	"time"

	"github.com/vigie-otel/vigie/internal/applog"
)

// class is what a record is worth when not all can be had.
type class uint8

const (
	classDebug class = iota // and trace
	classInfo               // and notice
	classUnknown
	classWarn
	classError // and worse
	classAccess
	classes
)

var classNames = [classes]string{"debug", "info", "unknown", "warn", "error", "access"} //nolint:gochecknoglobals // a constant table

func (c class) String() string { return classNames[c] }

func classOf(r *applog.Record) class {
	switch n := r.Severity; {
	case r.Kind == applog.Access, r.Request:
		return classAccess
	case n == 0:
		return classUnknown
	case n < applog.Info:
		return classDebug
	case n < applog.Warn:
		return classInfo
	case n < applog.Error:
		return classWarn
	}
	return classError
}

// pressure is why a namespace's records are given up.
type pressure uint8

const (
	pressureTime  pressure = iota // its lag in time
	pressureBytes                 // its lag in bytes
	pressures
)

func (p pressure) String() string { return [pressures]string{"lag_time", "lag_bytes"}[p] }

// order is, by class, from which level of pressure on it is given up; 0: never.
type order [classes]int

func (c *Sacrifice) levels() (o order) {
	for i, name := range c.Order {
		for k, known := range classNames {
			if name == known {
				o[k] = i + 1
			}
		}
	}
	return o
}

// level is how many classes a namespace that is so far behind gives up.
func (c *Sacrifice) level(lag int64, behind time.Duration) (level int, why pressure) {
	if c.AfterLag > 0 {
		level = int(min(behind/c.AfterLag, time.Duration(classes)))
	}
	if c.AfterBytes > 0 {
		if by := int(min(lag/c.AfterBytes, int64(classes))); by > level {
			return by, pressureBytes
		}
	}
	return level, pressureTime
}

// sacrifice tells whether a record is given up, and counts it.
func (r *reader) sacrifice(s *source, rec *applog.Record) bool {
	if s.space.level == 0 {
		return false
	}
	c := classOf(rec)
	if from := r.order[c]; from == 0 || s.space.level < from {
		return false
	}
	s.space.sacrificed[c][s.space.why].Add(1)
	return true
}
