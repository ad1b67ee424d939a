package timeline

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vigie-otel/vigie/internal/finding"
)

// Kind is what an entry is about.
type Kind string

// The kinds. Those of Kind.Human are entered by a person.
const (
	Note      Kind = "note"
	Severity  Kind = "severity" // sev1, sev2, sev3, none
	Commander Kind = "commander"
	Deputy    Kind = "deputy"
	Scribe    Kind = "scribe"

	Verdict Kind = "verdict" // a service's verdict turned
	Opened  Kind = "finding_opened"
	Closed  Kind = "finding_closed"
	Phase   Kind = "phase" // the calendar's event entered a phase
	Server  Kind = "server"
	Deploy  Kind = "deploy"  // something was released
	Scaling Kind = "scaling" // a workload has more or fewer replicas
	Event   Kind = "event"   // what others tell: a push notification, a change
)

// Human reports whether a person enters entries of this kind.
func (k Kind) Human() bool {
	switch k {
	case Note, Severity, Commander, Deputy, Scribe:
		return true
	}
	return false
}

// Severities are the values of a Severity entry.
func Severities() []string { return []string{"none", "sev3", "sev2", "sev1"} }

// MaxText bounds the text of an entry, in bytes.
const MaxText = 2000

// Entry is one line of the log book.
type Entry struct {
	Seq     uint64    `json:"seq"` // grows by one each entry; given by Add
	At      time.Time `json:"at"`
	Kind    Kind      `json:"kind"`
	Service string    `json:"service,omitempty"`
	Text    string    `json:"text"`
	Who     string    `json:"who,omitempty"` // who entered it; empty for what a machine saw
	Ref     string    `json:"ref,omitempty"` // the finding's id
}

// ErrInvalid is what Add answers for an entry that a person must mend.
var ErrInvalid = errors.New("invalid entry")

// check brings the entry within its limits.
func (e *Entry) check() error {
	switch e.Kind {
	case Note, Commander, Deputy, Scribe, Verdict, Opened, Closed, Phase, Server, Deploy, Scaling, Event:
	case Severity:
		ok := false
		for _, s := range Severities() {
			ok = ok || e.Text == s
		}
		if !ok {
			return fmt.Errorf("%w: severity must be one of %s (got %q)", ErrInvalid, strings.Join(Severities(), ", "), finding.Clean(e.Text))
		}
	default:
		return fmt.Errorf("%w: kind must be note, severity, commander, deputy or scribe (got %q)", ErrInvalid, finding.Clean(string(e.Kind)))
	}
	if len(e.Text) > MaxText {
		return fmt.Errorf("%w: text must be at most %d bytes (got %d)", ErrInvalid, MaxText, len(e.Text))
	}
	if !utf8.ValidString(e.Text) {
		return fmt.Errorf("%w: text must be UTF-8", ErrInvalid)
	}
	// An empty name gives the role back; an empty note says nothing.
	if e.Text = strings.TrimSpace(e.Text); e.Text == "" && (e.Kind == Note || !e.Kind.Human()) {
		return fmt.Errorf("%w: text must not be empty", ErrInvalid)
	}
	e.Service, e.Who, e.Ref = finding.Clean(e.Service), finding.Clean(e.Who), finding.Clean(e.Ref)
	e.At = e.At.UTC()
	return nil
}
