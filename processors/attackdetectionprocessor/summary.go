package attackdetectionprocessor

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

const (
	scopeAgent   = "agent"
	scopeCluster = "cluster"

	summaryVersion = 1
)

// putSummary writes a service's status into a record's attributes. The counts
// are since the detector began, so that a reader that missed a record has missed
// nothing; origin tells detectors apart.
func putSummary(lr plog.LogRecord, st *detect.Status, scope, origin string, now time.Time) {
	at := pcommon.NewTimestampFromTime(now)
	lr.SetTimestamp(at)
	lr.SetObservedTimestamp(at)
	lr.SetEventName(names.EventSummary)
	a := lr.Attributes()
	a.EnsureCapacity(14)
	a.PutStr(names.EventName, names.EventSummary) // for consumers older than the EventName field
	a.PutInt(names.AttackSummaryFormat, summaryVersion)
	a.PutStr(names.SummaryScope, scope)
	a.PutStr(names.SummaryOrigin, origin)
	a.PutStr(names.ServiceName, finding.Clean(st.Service))
	verdict := st.Verdict
	if !verdict.Valid() {
		verdict = finding.Unknown
	}
	a.PutStr(names.AttackVerdict, string(verdict))
	a.PutDouble(names.AttackScore, st.Score)
	a.PutDouble(names.FindingConfidence, st.Confidence)
	a.PutInt(names.TrafficRequests, int64(st.Requests))
	a.PutInt(names.TrafficErrors, int64(st.Errors))
	a.PutInt(names.AttackSuspected, int64(st.Suspected))
	a.PutInt(names.TrafficClients, int64(st.Clients))
	a.PutDouble(names.TrafficRate, st.Rate)
	if st.Expected > 0 {
		a.PutDouble(names.TrafficExpected, st.Expected)
	}
	if len(st.Findings) > 0 {
		open := a.PutEmptyMap(names.AttackFindings)
		for i := range st.Findings {
			class := string(st.Findings[i].Class)
			if n, ok := open.Get(class); ok {
				n.SetInt(n.Int() + 1)
			} else {
				open.PutInt(class, 1)
			}
		}
	}
	if verdict != finding.Normal {
		putEvidence(a, st.Evidence)
	}
}

// moment is where the calendar's event stands; the zero value: none is near.
type moment struct{ event, phase string }

func (m moment) put(a pcommon.Map) {
	if m.event != "" {
		a.PutStr(names.CalendarEvent, finding.Clean(m.event))
		a.PutStr(names.CalendarPhase, m.phase)
	}
}

// putEvidence says why, in the shape that findings have.
func putEvidence(a pcommon.Map, evidence []finding.Evidence) {
	if len(evidence) == 0 {
		return
	}
	list := a.PutEmptySlice(names.FindingEvidence)
	for _, e := range evidence[:min(len(evidence), finding.MaxEvidence)] {
		m := list.AppendEmpty().SetEmptyMap()
		m.PutStr("dimension", finding.Clean(e.Dimension))
		m.PutDouble("value", e.Value)
		m.PutDouble("normal", e.Normal)
		if e.Unit != "" {
			m.PutStr("unit", e.Unit)
		}
		m.PutStr("points", string(e.Points))
		if e.Note != "" {
			m.PutStr("note", finding.Clean(e.Note))
		}
	}
}
