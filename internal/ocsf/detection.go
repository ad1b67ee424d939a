package ocsf

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// The class that this package writes.
const (
	Version     = "1.3.0"
	CategoryUID = 2    // Findings
	ClassUID    = 2004 // Detection Finding
)

// Activity is activity_id; type_uid is ClassUID × 100 + Activity.
type Activity int64

// Activities of a finding.
const (
	Create Activity = 1
	Update Activity = 2
	Close  Activity = 3
)

// Severity is severity_id.
type Severity int64

// Severities; OCSF's 0 (unknown), 5 (critical) and 6 (fatal) are not used.
const (
	Informational Severity = 1
	Low           Severity = 2
	Medium        Severity = 3
	High          Severity = 4
)

// Detection is one Detection Finding.
type Detection struct {
	Activity   Activity
	Severity   Severity
	Time       time.Time
	Start, End time.Time // of what was found; End is zero while it goes on
	Message    string
	Confidence float64 // 0–1; written as confidence_score, percent, and confidence_id
	Count      uint64  // events behind the finding
	Finding    FindingInfo
	Resources  []Resource
	// Evidences each fill the data object of one evidence.
	Evidences   []func(pcommon.Map)
	Observables []Observable
	Remediation string
}

// Put writes d into m, which should be empty.
func (d *Detection) Put(m pcommon.Map) {
	m.EnsureCapacity(26)
	d.putClass(m)
	d.putStatus(m)
	putTime(m, "time", d.Time)
	putTime(m, "start_time", d.Start)
	putTime(m, "end_time", d.End)
	putStr(m, "message", d.Message)
	if d.Count > 0 {
		m.PutInt("count", int64(min(d.Count, math.MaxInt32))) // integer_t has 32 bits
	}
	product := m.PutEmptyMap("metadata")
	product.PutStr("version", Version)
	product = product.PutEmptyMap("product")
	product.PutStr("name", "Vigie")
	product.PutStr("vendor_name", "Vigie")
	d.Finding.put(m.PutEmptyMap("finding_info"))
	d.putLists(m)
	if d.Remediation != "" {
		m.PutEmptyMap("remediation").PutStr("desc", d.Remediation)
	}
}

func (d *Detection) putClass(m pcommon.Map) {
	m.PutInt("category_uid", CategoryUID)
	m.PutStr("category_name", "Findings")
	m.PutInt("class_uid", ClassUID)
	m.PutStr("class_name", "Detection Finding")
	name := map[Activity]string{Create: "Create", Update: "Update", Close: "Close"}[d.Activity]
	m.PutInt("activity_id", int64(d.Activity))
	m.PutStr("activity_name", name)
	m.PutInt("type_uid", ClassUID*100+int64(d.Activity))
	m.PutStr("type_name", "Detection Finding: "+name)
	m.PutInt("severity_id", int64(d.Severity))
	m.PutStr("severity", map[Severity]string{
		Informational: "Informational", Low: "Low", Medium: "Medium", High: "High",
	}[d.Severity])
}

// putStatus writes status, confidence and whether somebody should look now.
func (d *Detection) putStatus(m pcommon.Map) {
	id, status := int64(1), "New"
	switch d.Activity {
	case Update:
		id, status = 2, "In Progress"
	case Close:
		id, status = 4, "Resolved"
	}
	m.PutInt("status_id", id)
	m.PutStr("status", status)
	m.PutBool("is_alert", d.Activity == Create)

	id, level := int64(1), "Low"
	switch {
	case d.Confidence >= 0.8:
		id, level = 3, "High"
	case d.Confidence >= 0.5:
		id, level = 2, "Medium"
	}
	m.PutInt("confidence_id", id)
	m.PutStr("confidence", level)
	m.PutInt("confidence_score", int64(math.Round(100*d.Confidence)))
}

func (d *Detection) putLists(m pcommon.Map) {
	if len(d.Resources) > 0 {
		s := m.PutEmptySlice("resources")
		for _, r := range d.Resources {
			o := s.AppendEmpty().SetEmptyMap()
			o.PutStr("name", r.Name)
			putStr(o, "type", r.Type)
		}
	}
	if len(d.Evidences) > 0 {
		s := m.PutEmptySlice("evidences")
		for _, put := range d.Evidences {
			put(s.AppendEmpty().SetEmptyMap().PutEmptyMap("data"))
		}
	}
	if len(d.Observables) > 0 {
		s := m.PutEmptySlice("observables")
		for _, o := range d.Observables {
			o.put(s.AppendEmpty().SetEmptyMap())
		}
	}
}

// putTime writes timestamp_t: milliseconds since the epoch.
func putTime(m pcommon.Map, key string, t time.Time) {
	if !t.IsZero() {
		m.PutInt(key, t.UnixMilli())
	}
}

func putStr(m pcommon.Map, key, v string) {
	if v != "" {
		m.PutStr(key, v)
	}
}
