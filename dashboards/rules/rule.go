package rules

import "time"

// Severity says whether somebody is woken.
type Severity string

// The severities.
const (
	Critical Severity = "critical" // wakes: viewers are hurt, or will be within minutes
	Warning  Severity = "warning"  // looked at within the hour; on an event day by the war room
)

// Kind says what an alert is about, for Alertmanager's inhibition.
type Kind string

// The kinds.
const (
	KindAttack  Kind = "attack"  // somebody means harm
	KindWall    Kind = "wall"    // a limit is hit, or will be: told even during an attack, which it limits
	KindSymptom Kind = "symptom" // what load does to services and nodes; redundant while an attack is open
	KindFault   Kind = "fault"   // broken in itself, attack or not
	KindVigie   Kind = "vigie"   // Vigie's own: what it does not see or keep
)

// Record is a recording rule.
type Record struct {
	Name   string // level:metric:operation
	Expr   string
	Labels map[string]string
}

// Alert is an alerting rule.
type Alert struct {
	Name     string // also the runbook's
	Expr     string
	For      time.Duration // how long it must hold; 0: one evaluation is enough
	Keep     time.Duration // how long it goes on firing after it held last
	Severity Severity
	Kind     Kind
	Labels   map[string]string // beside severity and kind

	Summary     string // one line, as a notification's title
	Description string // what is, with values, and what happens next
	Dashboard   string // uid of the dashboard to open first
}

// Group is evaluated in order, at one interval.
type Group struct {
	Name     string
	Interval time.Duration
	Records  []Record
	Alerts   []Alert // after the records
}

// File is one rule file, in AMP's words a namespace.
type File struct {
	Name   string // without .yaml
	Groups []Group
}

// AMP's quotas that shape the files: rules a group, the shortest interval, the
// bytes of a file. TestTheFilesFitAMP holds them.
const (
	ampRulesPerGroup = 20
	ampMinInterval   = 30 * time.Second
	ampFileBytes     = 1 << 20
)

// Two intervals: what may end an event is looked at as often as AMP allows.
const (
	quick  = ampMinInterval
	steady = time.Minute
)

// Files returns all rules, in the order in which a person reads them.
func Files() []File {
	return []File{
		attackFile(),
		conntrackFile(),
		serviceFile(),
		nodeFile(),
		workloadFile(),
		controlPlaneFile(),
		vigieFile(),
	}
}

// Alerts returns all alerts of all files. Some names occur more than once, with
// other labels: the windows of a burn rate are one alert to whom it wakes.
func Alerts() []Alert {
	var all []Alert
	for _, f := range Files() {
		for _, g := range f.Groups {
			all = append(all, g.Alerts...)
		}
	}
	return all
}
