package finding

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/names"
)

// ErrNotFinding says that a log record is something else: branch on it to pass
// the record on.
var ErrNotFinding = errors.New("log record is not a finding")

// Is reports whether the record says that it is a finding, at the price of one
// look at its event name.
func Is(r plog.LogRecord) bool {
	if r.EventName() == names.EventFinding {
		return true
	}
	v, ok := r.Attributes().Get(names.EventName)
	return ok && v.Type() == pcommon.ValueTypeStr && v.Str() == names.EventFinding
}

// ToLogRecord writes a bounded copy of f: its fields as attributes, its OCSF
// form as body. f itself is left as it is. The record's time is when the
// finding last changed, in event time.
func (f *Finding) ToLogRecord(r plog.LogRecord) {
	g := f.clone(MaxRecordValues)
	g.bound(MaxRecordValues)

	at := pcommon.NewTimestampFromTime(g.changedAt())
	r.SetTimestamp(at)
	r.SetObservedTimestamp(at)
	r.SetEventName(names.EventFinding)
	r.SetSeverityNumber(g.logSeverity())
	r.SetSeverityText(r.SeverityNumber().String())

	a := r.Attributes()
	a.EnsureCapacity(12)
	a.PutStr(names.EventName, names.EventFinding) // for consumers older than the EventName field
	a.PutStr(names.FindingID, g.ID)
	a.PutStr(names.FindingStatus, string(g.Status))
	a.PutStr(names.FindingClass, string(g.Class))
	a.PutStr(names.FindingService, g.Service)
	a.PutDouble(names.FindingConfidence, g.Confidence)
	putTime(a, names.FindingStartedAt, g.StartedAt)
	putTime(a, names.FindingDetectedAt, g.DetectedAt)
	putTime(a, names.FindingUpdatedAt, g.UpdatedAt)
	putTime(a, names.FindingClosedAt, g.ClosedAt)
	a.PutInt(names.FindingRequests, int64(min(g.Requests, 1<<63-1)))
	g.putLists(a)
	g.putMitigation(a)
	putPacked(a, f.Rules)

	g.putOCSF(r.Body().SetEmptyMap())
}

func (f *Finding) putLists(a pcommon.Map) {
	ev := a.PutEmptySlice(names.FindingEvidence)
	for _, e := range f.Evidence {
		e.put(ev.AppendEmpty().SetEmptyMap())
	}
	ac := a.PutEmptySlice(names.FindingActors)
	for _, x := range f.Actors {
		x.put(ac.AppendEmpty().SetEmptyMap())
	}
	ru := a.PutEmptySlice(names.FindingRules)
	for _, x := range f.Rules {
		x.put(ru.AppendEmpty().SetEmptyMap())
	}
}

func (f *Finding) putMitigation(a pcommon.Map) {
	if f.Mitigation == (Mitigation{}) {
		return
	}
	m := a.PutEmptyMap(names.FindingMitigation)
	m.PutDouble("coverage", f.Mitigation.Coverage)
	m.PutDouble("legitimate_hit", f.Mitigation.LegitimateHit)
	if f.Mitigation.Note != "" {
		m.PutStr("note", f.Mitigation.Note)
	}
}

// changedAt is the event time of the state that f is in.
func (f *Finding) changedAt() time.Time {
	switch {
	case f.Status == Closed && !f.ClosedAt.IsZero():
		return f.ClosedAt
	case f.Status == Update && !f.UpdatedAt.IsZero():
		return f.UpdatedAt
	}
	return f.DetectedAt
}

func (f *Finding) logSeverity() plog.SeverityNumber {
	switch {
	case f.Status == Closed:
		return plog.SeverityNumberInfo
	case f.Class.Attack() || f.Class == ConntrackExhaustion:
		return plog.SeverityNumberError
	}
	return plog.SeverityNumberWarn
}

func putTime(m pcommon.Map, key string, t time.Time) {
	if !t.IsZero() {
		m.PutStr(key, t.Format(time.RFC3339Nano))
	}
}

func (e Evidence) put(m pcommon.Map) {
	m.PutStr("dimension", e.Dimension)
	m.PutDouble("value", e.Value)
	m.PutDouble("normal", e.Normal)
	if e.Unit != "" {
		m.PutStr("unit", e.Unit)
	}
	m.PutStr("points", string(e.Points))
	if e.Note != "" {
		m.PutStr("note", e.Note)
	}
}

func (a Actor) put(m pcommon.Map) {
	m.PutStr("kind", a.Kind)
	m.PutStr("value", a.Value)
	m.PutDouble("share", a.Share)
	if a.Lift != 0 {
		m.PutDouble("lift", a.Lift)
	}
	m.PutDouble("errors", a.Errors)
	putTime(m, "first_seen", a.FirstSeen)
}

func (r Rule) put(m pcommon.Map) {
	m.PutStr("kind", r.Kind)
	match := m.PutEmptySlice("match")
	for _, c := range r.Match {
		cm := match.AppendEmpty().SetEmptyMap()
		cm.PutStr("field", c.Field)
		cm.PutStr("op", c.Op)
		vs := cm.PutEmptySlice("values")
		vs.EnsureCapacity(len(c.Values))
		for _, v := range c.Values {
			vs.AppendEmpty().SetStr(v)
		}
		if c.More > 0 {
			cm.PutInt("more", int64(c.More))
		}
	}
	m.PutStr("action", r.Action)
	m.PutDouble("coverage", r.Coverage)
	m.PutDouble("legitimate_hit", r.LegitimateHit)
}

// FromLogRecord reads a finding back. ErrNotFinding means that the record never
// claimed to be one; any other error names the attribute that is wrong. The
// result is bounded, whoever sent it, and shares no memory with the record.
func FromLogRecord(r plog.LogRecord) (Finding, error) {
	if !Is(r) {
		return Finding{}, ErrNotFinding
	}
	rd := reader{m: r.Attributes()}
	f := Finding{
		ID:         rd.str(names.FindingID),
		Class:      Class(rd.str(names.FindingClass)),
		Service:    rd.str(names.FindingService),
		Status:     Status(rd.str(names.FindingStatus)),
		Confidence: rd.num(names.FindingConfidence),
		StartedAt:  rd.time(names.FindingStartedAt),
		DetectedAt: rd.time(names.FindingDetectedAt),
		UpdatedAt:  rd.time(names.FindingUpdatedAt),
		ClosedAt:   rd.time(names.FindingClosedAt),
		Requests:   rd.count(names.FindingRequests),
		Evidence:   list(rd, names.FindingEvidence, MaxEvidence, reader.evidence),
		Actors:     list(rd, names.FindingActors, MaxActors, reader.actor),
		Rules:      list(rd, names.FindingRules, MaxRules, reader.rule),
		Mitigation: rd.mitigation(),
	}
	var errs []error
	if f.ID == "" {
		errs = append(errs, fmt.Errorf("%s is missing", names.FindingID))
	}
	if !f.Class.Valid() {
		errs = append(errs, fmt.Errorf("%s is no class that is known (got %q)", names.FindingClass, Clean(string(f.Class))))
	}
	if !f.Status.Valid() {
		errs = append(errs, fmt.Errorf("%s must be open, update or closed (got %q)", names.FindingStatus, Clean(string(f.Status))))
	}
	if f.StartedAt.IsZero() {
		errs = append(errs, fmt.Errorf("%s must be an RFC 3339 time", names.FindingStartedAt))
	}
	if err := errors.Join(errs...); err != nil {
		return Finding{}, fmt.Errorf("read finding: %w", err)
	}
	f.Bound()
	return f, nil
}
