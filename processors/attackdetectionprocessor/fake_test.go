package attackdetectionprocessor

import (
	"errors"
	"fmt"
	"time"

	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/request"
)

// fake is a detector that finds the requests for /evil, from the tick after the
// first of them, and closes on Flush.
type fake struct {
	services []string
	status   map[string]*detect.Status
	open     *finding.Finding
	evil     string // service that /evil was asked of
	ticks    []time.Time
	requests []string
	merged   []string
	sent     map[string]uint64
}

func newFake() *fake {
	return &fake{status: map[string]*detect.Status{}, sent: map[string]uint64{}}
}

func (d *fake) Observe(r *request.Request) detect.Mark {
	name := string(r.Service)
	st := d.status[name]
	if st == nil {
		st = &detect.Status{Service: name, Verdict: finding.Normal}
		d.status[name] = st
		d.services = append(d.services, name)
	}
	st.Requests++
	st.Clients = 1
	if r.Status >= 400 {
		st.Errors++
	}
	d.requests = append(d.requests, fmt.Sprintf("%s %v %s %s?%s %d %v", name, r.Client, r.Method, r.Path, r.Query, r.Status, r.Duration))
	if string(r.Path) != "/evil" {
		return detect.Mark{}
	}
	d.evil = name
	if d.open == nil {
		return detect.Mark{}
	}
	st.Suspected++
	return detect.Mark{FindingID: d.open.ID, Suspicion: 0.9}
}

func (d *fake) Tick(now time.Time) []finding.Finding {
	d.ticks = append(d.ticks, now)
	if d.evil == "" || d.open != nil {
		return nil
	}
	d.open = &finding.Finding{ID: "f-1", Class: finding.HTTPFlood, Service: d.evil, Status: finding.Open, Confidence: 0.5, StartedAt: now.Add(-time.Second), DetectedAt: now}
	st := d.status[d.evil]
	st.Verdict, st.Score, st.Findings = finding.Attack, 0.75, []finding.Finding{*d.open}
	st.Evidence = []finding.Evidence{{Dimension: "paths", Value: 1, Points: finding.For}}
	return []finding.Finding{*d.open}
}

func (d *fake) Flush() []finding.Finding {
	if d.open == nil || d.open.Status == finding.Closed {
		return nil
	}
	d.open.Status, d.open.ClosedAt = finding.Closed, d.open.DetectedAt
	return []finding.Finding{*d.open}
}

func (d *fake) Services() []string  { return d.services }
func (d *fake) Stats() detect.Stats { return detect.Stats{Services: len(d.services), Late: 3} }
func (d *fake) Status(s string) (detect.Status, bool) {
	st, ok := d.status[s]
	if !ok {
		return detect.Status{}, false
	}
	return *st, true
}

func (d *fake) AppendSummary(dst []byte, s string) ([]byte, bool) {
	st := d.status[s]
	if st == nil || st.Requests == d.sent[s] {
		return dst, false
	}
	dst = fmt.Appendf(dst, "sketch of %s: %d", s, st.Requests-d.sent[s])
	d.sent[s] = st.Requests
	return dst, true
}

func (d *fake) MergeSummary(b []byte) error {
	if string(b) == "broken" {
		return errors.New("no summary")
	}
	d.merged = append(d.merged, string(b))
	return nil
}
