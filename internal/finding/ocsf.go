package finding

import (
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/ocsf"
)

// putOCSF writes f, which is bounded, as an OCSF Detection Finding.
func (f *Finding) putOCSF(m pcommon.Map) {
	d := ocsf.Detection{
		Activity:   activity(f.Status),
		Severity:   f.severity(),
		Time:       f.changedAt(),
		Start:      f.StartedAt,
		End:        f.ClosedAt,
		Message:    f.Sentence(),
		Confidence: f.Confidence,
		Count:      f.Requests,
		Finding: ocsf.FindingInfo{
			UID: f.ID, Title: f.Class.Title(), Desc: f.Sentence(), Types: []string{string(f.Class)},
			Created: f.DetectedAt, Modified: f.changedAt(), FirstSeen: f.StartedAt, LastSeen: f.UpdatedAt,
			Analytic: "vigie/" + string(f.Class), Technique: technique(f.Class),
		},
		Remediation: remediation(f.Rules, f.Mitigation),
	}
	if f.Service != "" {
		d.Resources = []ocsf.Resource{{Name: f.Service, Type: "service"}}
	}
	for _, e := range f.Evidence {
		d.Evidences = append(d.Evidences, e.put)
	}
	for _, a := range f.Actors {
		d.Evidences = append(d.Evidences, a.put)
		d.Observables = append(d.Observables, ocsf.Observable{
			Name: "evidences[].data.value", Type: observable(a.Kind), Label: a.Kind, Value: a.Value,
		})
	}
	d.Put(m)
}

// Sentence says the finding in one line for a person.
func (f *Finding) Sentence() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s, confidence %.0f %%", f.Class.Title(), f.Service, 100*f.Confidence)
	if f.Requests > 0 {
		fmt.Fprintf(&b, ", %d requests", f.Requests)
	}
	fmt.Fprintf(&b, ", since %s", f.StartedAt.UTC().Format(time.TimeOnly))
	if !f.ClosedAt.IsZero() {
		fmt.Fprintf(&b, ", closed at %s", f.ClosedAt.UTC().Format(time.TimeOnly))
	}
	for _, e := range f.Evidence {
		if e.Points != Against && e.Note != "" {
			b.WriteString(": ")
			b.WriteString(e.Note)
			break
		}
	}
	return b.String()
}

func activity(s Status) ocsf.Activity {
	switch s {
	case Open:
		return ocsf.Create
	case Closed:
		return ocsf.Close
	}
	return ocsf.Update
}

// severity is the harm, not the certainty, but a guess is never called high.
func (f *Finding) severity() ocsf.Severity {
	switch {
	case f.Confidence < 0.5:
		return ocsf.Low
	case f.Confidence < 0.8 || f.Class == RetryStorm || f.Class == PathScanning:
		return ocsf.Medium
	}
	return ocsf.High
}

// technique maps a class onto MITRE ATT&CK (enterprise, v15); the zero
// Technique is left out.
func technique(c Class) ocsf.Technique {
	switch c {
	case HTTPFlood, DistributedFlood, CacheBusting:
		return ocsf.Technique{UID: "T1499.002", Name: "Service Exhaustion Flood", Tactic: ocsf.Impact}
	case SYNFlood, Slowloris:
		return ocsf.Technique{UID: "T1499.001", Name: "OS Exhaustion Flood", Tactic: ocsf.Impact}
	case CredentialStuffing:
		return ocsf.Technique{UID: "T1110.004", Name: "Credential Stuffing", Tactic: ocsf.CredentialAccess}
	case PathScanning:
		return ocsf.Technique{UID: "T1595.003", Name: "Wordlist Scanning", Tactic: ocsf.Reconnaissance}
	}
	return ocsf.Technique{}
}

func observable(kind string) ocsf.ObservableType {
	switch kind {
	case KindPrefix:
		return ocsf.ObservableSubnet
	case KindUserAgent:
		return ocsf.ObservableUserAgent
	case KindAccount:
		return ocsf.ObservableUserName
	case KindPath:
		return ocsf.ObservableURL
	}
	return ocsf.ObservableOther
}

func remediation(rules []Rule, m Mitigation) string {
	if len(rules) == 0 {
		return ""
	}
	var b strings.Builder
	for i, r := range rules {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s by %s (covers %.1f %% of the attack, hits %.2f %% of legitimate requests)",
			r.Action, r.Kind, 100*r.Coverage, 100*r.LegitimateHit)
	}
	if m != (Mitigation{}) {
		fmt.Fprintf(&b, "; together %.1f %% and %.2f %%", 100*m.Coverage, 100*m.LegitimateHit)
	}
	return b.String()
}
