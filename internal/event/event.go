package event

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// Event is one thing that happened, or is announced to. All times are UTC.
type Event struct {
	ID        string
	Kind      string
	Title     string // at most finding.MaxString bytes
	Text      string // at most MaxText bytes
	Service   string // empty: all
	Who       string
	Ref       string    // id of a finding
	StartedAt time.Time // required
	EndedAt   time.Time // zero for an instant
}

// The kinds that Of makes. FromEntry takes the log book's own.
const (
	KindMatch = "match" // the whole of a calendar's event, kick-off to full time
	KindPhase = "phase" // half-time, extra time
	KindPush  = "push"  // a push notification
)

// MaxText bounds Text, in bytes: what a note of the log book may have.
const MaxText = 2000

// ErrNotEvent says that a log record is something else.
var ErrNotEvent = errors.New("log record is not an event")

// NewID names an event: 16 hexadecimal digits of its parts and nothing else, so
// that a restart, or a second gateway, gives the same event the same name.
func NewID(parts ...string) string {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], xxh3.Hash(b))
	return hex.EncodeToString(id[:])
}

// Bound brings e within the limits and makes it safe to print and store.
func (e *Event) Bound() {
	for _, s := range []*string{&e.ID, &e.Kind, &e.Title, &e.Service, &e.Who, &e.Ref} {
		*s = finding.Clean(*s)
	}
	e.Text = cleanText(e.Text)
	e.StartedAt, e.EndedAt = e.StartedAt.UTC(), e.EndedAt.UTC()
	if e.EndedAt.Before(e.StartedAt) {
		e.EndedAt = time.Time{}
	}
}

// cleanText cleans a text of several lines, which finding.Clean would join and
// cut: it goes through in pieces that are shorter than Clean's limit.
func cleanText(s string) string {
	if len(s) > 4*MaxText {
		s = s[:4*MaxText]
	}
	var b strings.Builder
	for line := range strings.Lines(s) {
		text := strings.TrimSuffix(line, "\n")
		for piece := range slices.Chunk([]rune(text), finding.MaxString/4) {
			b.WriteString(finding.Clean(string(piece)))
		}
		b.WriteString(line[len(text):])
	}
	if s = b.String(); len(s) > MaxText {
		s = strings.ToValidUTF8(s[:MaxText], "")
	}
	return s
}

// Is reports whether the record says that it is an event.
func Is(r plog.LogRecord) bool {
	if r.EventName() != "" {
		return r.EventName() == names.EventEvent
	}
	v, ok := r.Attributes().Get(names.EventName)
	return ok && v.Type() == pcommon.ValueTypeStr && v.Str() == names.EventEvent
}

// ToLogRecord writes a bounded copy of e.
func (e Event) ToLogRecord(r plog.LogRecord) {
	e.Bound()
	at := pcommon.NewTimestampFromTime(e.StartedAt)
	r.SetTimestamp(at)
	r.SetObservedTimestamp(at)
	r.SetEventName(names.EventEvent)
	r.SetSeverityNumber(plog.SeverityNumberInfo)
	r.SetSeverityText(r.SeverityNumber().String())
	r.Body().SetStr(e.Title)

	a := r.Attributes()
	a.EnsureCapacity(10)
	a.PutStr(names.EventName, names.EventEvent)
	for _, f := range []struct{ key, value string }{
		{names.EventID, e.ID}, {names.EventKind, e.Kind}, {names.EventTitle, e.Title}, {names.EventText, e.Text},
		{names.EventService, e.Service}, {names.EventWho, e.Who}, {names.EventRef, e.Ref},
	} {
		if f.value != "" {
			a.PutStr(f.key, f.value)
		}
	}
	a.PutStr(names.EventStartedAt, e.StartedAt.Format(time.RFC3339Nano))
	if !e.EndedAt.IsZero() {
		a.PutStr(names.EventEndedAt, e.EndedAt.Format(time.RFC3339Nano))
	}
}

// FromLogRecord reads an event back, bounded. ErrNotEvent means that the record
// never claimed to be one; any other error names what is wrong.
func FromLogRecord(r plog.LogRecord) (Event, error) {
	if !Is(r) {
		return Event{}, ErrNotEvent
	}
	str := func(key string) string {
		if v, ok := r.Attributes().Get(key); ok && v.Type() == pcommon.ValueTypeStr {
			return v.Str()
		}
		return ""
	}
	when := func(key string) time.Time {
		t, err := time.Parse(time.RFC3339Nano, str(key))
		if err != nil {
			return time.Time{}
		}
		return t
	}
	e := Event{
		ID: str(names.EventID), Kind: str(names.EventKind), Title: str(names.EventTitle), Text: str(names.EventText),
		Service: str(names.EventService), Who: str(names.EventWho), Ref: str(names.EventRef),
		StartedAt: when(names.EventStartedAt), EndedAt: when(names.EventEndedAt),
	}
	var errs []error
	if e.ID == "" {
		errs = append(errs, fmt.Errorf("%s is missing", names.EventID))
	}
	if e.Title == "" {
		errs = append(errs, fmt.Errorf("%s is missing", names.EventTitle))
	}
	if e.StartedAt.IsZero() {
		errs = append(errs, fmt.Errorf("%s must be an RFC 3339 time", names.EventStartedAt))
	}
	if err := errors.Join(errs...); err != nil {
		return Event{}, fmt.Errorf("read event: %w", err)
	}
	e.Bound()
	return e, nil
}
