package ocsf

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Resource is what is affected.
type Resource struct {
	Name string // required
	Type string
}

// FindingInfo is the object finding_info.
type FindingInfo struct {
	UID                 string // required
	Title, Desc         string
	Types               []string
	Created, Modified   time.Time
	FirstSeen, LastSeen time.Time
	Analytic            string // name of the analytic that found it
	Technique           Technique
}

func (f *FindingInfo) put(m pcommon.Map) {
	m.PutStr("uid", f.UID)
	putStr(m, "title", f.Title)
	putStr(m, "desc", f.Desc)
	if len(f.Types) > 0 {
		s := m.PutEmptySlice("types")
		for _, t := range f.Types {
			s.AppendEmpty().SetStr(t)
		}
	}
	putTime(m, "created_time", f.Created)
	putTime(m, "modified_time", f.Modified)
	putTime(m, "first_seen_time", f.FirstSeen)
	putTime(m, "last_seen_time", f.LastSeen)
	if f.Analytic != "" {
		a := m.PutEmptyMap("analytic")
		a.PutStr("name", f.Analytic)
		a.PutInt("type_id", 2)
		a.PutStr("type", "Behavioral")
	}
	if f.Technique.UID != "" {
		f.Technique.put(m.PutEmptySlice("attacks").AppendEmpty().SetEmptyMap())
	}
}

// Tactic is a tactic of MITRE ATT&CK.
type Tactic struct{ UID, Name string }

// Technique is a technique, or sub-technique, of MITRE ATT&CK (enterprise).
type Technique struct {
	UID, Name string
	Tactic    Tactic
}

func (t Technique) put(m pcommon.Map) {
	m.PutStr("version", "15")
	o := m.PutEmptyMap("tactic")
	o.PutStr("uid", t.Tactic.UID)
	o.PutStr("name", t.Tactic.Name)
	o = m.PutEmptyMap("technique")
	o.PutStr("uid", t.UID)
	o.PutStr("name", t.Name)
}

// ObservableType is observable.type_id.
type ObservableType int64

// Observable types.
const (
	ObservableUserName  ObservableType = 4
	ObservableURL       ObservableType = 6
	ObservableSubnet    ObservableType = 12
	ObservableUserAgent ObservableType = 16
	ObservableOther     ObservableType = 99
)

// Observable points at a value in the event by which other events are found.
type Observable struct {
	Name  string // path of the attribute
	Type  ObservableType
	Label string // what it is, for ObservableOther
	Value string
}

func (o Observable) put(m pcommon.Map) {
	m.PutStr("name", o.Name)
	m.PutInt("type_id", int64(o.Type))
	switch o.Type {
	case ObservableUserName:
		m.PutStr("type", "User Name")
	case ObservableURL:
		m.PutStr("type", "URL String")
	case ObservableSubnet:
		m.PutStr("type", "Subnet")
	case ObservableUserAgent:
		m.PutStr("type", "HTTP User-Agent")
	default:
		putStr(m, "type", o.Label)
	}
	m.PutStr("value", o.Value)
}
