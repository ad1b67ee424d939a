package emf

import (
	"strings"
	"time"
)

// The format's limits.
const (
	maxMetrics    = 100 // in a directive
	maxDimensions = 30  // in a set
	maxValues     = 100 // in a member
	maxName       = 250 // characters of a metric's or a dimension's name
	maxValue      = 1024
	// maxDocument is far under what an event may hold, and over what anything
	// but very many histograms reaches.
	maxDocument = 256 << 10
)

// Options of a Converter.
type Options struct {
	// Namespace where no rule has one.
	Namespace string
	// Rules in order; the first that matches a metric's name holds.
	Rules []Rule
	// DropUnmatched leaves out metrics that no rule matches.
	DropUnmatched bool
	// ResourceDimensions join the data point's attributes where a rule has no
	// dimensions.
	ResourceDimensions []string
	// Properties are attributes that are written as plain members: no dimension,
	// but there in Logs Insights.
	Properties []string
	// MaxSeries bounds the cumulative series that are remembered.
	MaxSeries int
	// Stale is after how long without a point a series is forgotten.
	Stale time.Duration
	// Budget is asked for each metric under each set of dimensions; nil allows all.
	Budget Budget
}

// Budget bounds what is written.
type Budget interface {
	// Begin and End enclose the questions of one batch.
	Begin(now time.Time)
	End()
	// Allow reports whether a metric may be written, by a hash of its namespace,
	// name and dimensions.
	Allow(metric uint64, name string) bool
}

// Rule says how metrics are written.
type Rule struct {
	// Metrics are names; * stands for any characters.
	Metrics []string
	// Namespace instead of the Options'; empty for that.
	Namespace string
	// Dimensions are the sets; a set that the data point or its resource lacks an
	// attribute of is left out. Empty: one set, as without a rule.
	Dimensions [][]string
	// HighResolution keeps values by the second.
	HighResolution bool
	// Unit instead of the metric's own, a name of CloudWatch's.
	Unit string
	// Drop leaves the metrics out.
	Drop bool
}

// maxCached bounds the metrics that are remembered; beyond it all are forgotten
// and made anew.
const maxCached = 20_000

// rule returns the rule for a name, nil for none.
func (c *Converter) rule(name string) *Rule {
	for i := range c.o.Rules {
		if matchesAny(c.o.Rules[i].Metrics, name) {
			return &c.o.Rules[i]
		}
	}
	return nil
}

func matchesAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if matches(p, name) {
			return true
		}
	}
	return false
}

// matches compares with a pattern in which * stands for any characters.
func matches(pattern, name string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	name = name[len(head):]
	for {
		var part string
		part, rest, star = strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(name, part)
		}
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
}
