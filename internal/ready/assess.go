package ready

import (
	"fmt"
	"time"

	"github.com/vigie-otel/vigie/internal/calendar"
)

// lead is how long before kick-off a prescaling should stand: the calendar's hour,
// in which the audience arrives, and time for nodes and caches.
const lead = calendar.Before + 30*time.Minute

// Assess judges. It needs an Event; everything else may be missing, and what needs
// it is unknown.
func Assess(in Inputs) Result {
	r := Result{Format: 1, At: in.At, Findings: []Finding{}, Services: []Need{}, Patches: []Patch{}}
	if in.Event == nil {
		r.Findings = append(r.Findings, Finding{Check: CheckCalendar, Status: Unknown, Subject: "calendar",
			Why: "no event to judge", Do: "put one into the calendar, with name and kick_off"})
		r.settle()
		return r
	}
	r.Event = event(in.Event)
	r.Findings = append(r.Findings, in.calendarFindings()...)
	r.Findings = append(r.Findings, in.metricsFinding())
	targets, found := in.scope()
	r.Findings = append(r.Findings, found...)
	if len(targets) > MaxServices {
		r.Hidden, targets = len(targets)-MaxServices, targets[:MaxServices]
		r.Findings = append(r.Findings, Finding{Check: CheckDemand, Status: Unknown, Subject: "cluster",
			Why: fmt.Sprintf("%d services beyond the first %d are not judged", r.Hidden, MaxServices), Do: "choose with --namespace, or by services of the event"})
	}
	r.Findings = append(r.Findings, in.gapFindings(len(targets))...)

	h := whole{nodesNow: len(in.Cluster.Nodes)}
	asked := map[string]Resources{}
	for _, t := range targets {
		need, fs, patch := in.service(t)
		for _, f := range fs {
			need.Status = worse(need.Status, f.Status)
		}
		if patch != nil && len(patch.Set) > 0 {
			r.Patches = append(r.Patches, *patch)
		}
		h.count(&need, t.workload, asked)
		r.Services = append(r.Services, need)
		r.Findings = append(r.Findings, fs...)
	}
	h.wanted = in.wanted(r.Services)
	h.room = in.Cluster.pack(h.wanted, false)
	h.grow(r.Services)
	if _, ok := in.Cluster.gap(SourceQuotas); !ok {
		r.Findings = append(r.Findings, in.quotas(asked)...)
	}
	fs, patches := in.roomFindings(&h)
	r.Findings, r.Patches = append(r.Findings, fs...), append(r.Patches, patches...)
	r.Findings = append(r.Findings, in.addresses(&h))
	r.Findings = append(r.Findings, in.walls(&h)...)
	fs, dns := in.dns(&h)
	r.Findings = append(r.Findings, fs...)
	if dns != nil {
		r.Patches = append(r.Patches, *dns)
	}
	r.Findings = append(r.Findings, in.rules())
	for i := range r.Patches {
		r.Patches[i].Command = r.Patches[i].command()
	}
	r.settle()
	return r
}

func event(e *calendar.Event) *Event {
	out := &Event{Name: e.Name, KickOff: e.KickOff, FullTime: e.FullTime, ExpectedAudience: e.ExpectedAudience, UsualAudience: e.UsualAudience,
		Push: []Push{}, ApplyBefore: e.KickOff.Add(-lead), UndoAfter: e.FullTime.Add(calendar.After)}
	for _, p := range e.Push {
		out.Push = append(out.Push, Push{p.Name, p.At, p.Factor})
	}
	return out
}

// service judges one.
func (in *Inputs) service(t target) (Need, []Finding, *Patch) {
	need, fs := in.need(t.workload, t.service, t.expected)
	scale, patch := in.replicas(t.workload, &need)
	fs = append(fs, scale...)
	fs = append(fs, health(t.workload)...)
	fs = append(fs, in.pods(t.workload)...)
	fs = append(fs, in.budgets(t.workload)...)
	if t.workload.Unrequested {
		fs = append(fs, Finding{Check: CheckNodes, Status: Warn, Subject: t.workload.ID(),
			Why: "a container asks for no CPU: the scheduler packs its pods without regard to what they use, and so does this reckoning",
			Do:  "set resources.requests.cpu of each container"})
	}
	return need, fs, patch
}

// count adds what a service asks of the cluster.
func (h *whole) count(n *Need, w *Workload, asked map[string]Resources) {
	switch {
	case n.Needed != nil && n.Needed.Basis == Assumed:
		h.assumed = n.Needed
	case n.Needed == nil:
		h.unknown = append(h.unknown, w.ID())
	}
	if extra := int64(n.wants(w)) - int64(w.Replicas); extra > 0 {
		a := asked[w.Namespace]
		asked[w.Namespace] = a.plus(w.Pod.onePod(), extra)
	}
}

// wants is how many replicas to make room for: the need, at least what is there;
// where it is unknown, all that the autoscaler may ask for.
func (n *Need) wants(w *Workload) int {
	switch {
	case n.Needed != nil:
		return max(int(n.Needed.Value), w.Replicas)
	case w.HPA != nil:
		return max(w.HPA.Max, w.Replicas)
	}
	return w.Replicas
}

// wanted are the pods that have no node yet.
func (in *Inputs) wanted(needs []Need) (out []batch) {
	byID := map[string]*Workload{}
	for i := range in.Cluster.Workloads {
		byID[in.Cluster.Workloads[i].Kind+"/"+in.Cluster.Workloads[i].ID()] = &in.Cluster.Workloads[i]
	}
	for i := range needs {
		n := &needs[i]
		w := byID[n.Kind+"/"+n.Namespace+"/"+n.Workload]
		if count := int64(n.wants(w) - w.Replicas + w.NoRoom); count > 0 {
			out = append(out, batch{w, count})
		}
	}
	return out
}

// grow works out how many times today's requests all services together will get,
// and what of it stays on each node.
func (h *whole) grow(needs []Need) {
	now, then, missing := 0.0, 0.0, []string{}
	for i := range needs {
		n := &needs[i]
		if n.growth == 0 {
			missing = append(missing, n.Namespace+"/"+n.Workload)
			continue
		}
		now, then = now+n.Now.Value, then+n.Peak.Value
		if n.Peak.Basis == Assumed {
			h.assumed = n.Peak
		}
	}
	if now == 0 {
		h.growthWhy = "how many times today's requests the event brings is unknown, since no service has both a measured rate and a peak"
		return
	}
	h.growth = then / now
	h.growthWhy = fmt.Sprintf("%s times today's requests (%s/s)", short(h.growth), short(now))
	if len(missing) > 0 {
		h.growthWhy += ", without " + list(missing, 3)
	}
}

func (in *Inputs) calendarFindings() (out []Finding) {
	e := in.Event
	for _, p := range in.Problems {
		out = append(out, Finding{Check: CheckCalendar, Status: Warn, Subject: "calendar", Why: p, Do: "mend it"})
	}
	f := Finding{Check: CheckCalendar, Subject: e.Name, Status: OK}
	if e.ExpectedAudience > 0 {
		f.Number = number(float64(e.ExpectedAudience), "{viewer}", Given, "expected_audience in the calendar")
	}
	in4 := e.KickOff.Sub(in.At).Round(time.Minute)
	f.Why = fmt.Sprintf("kick-off %s, in %s; %s", e.KickOff.Format("2006-01-02 15:04 MST"), clock(in4), audience(e))
	if in4 < 0 {
		f.Why = fmt.Sprintf("kick-off was %s; %s", e.KickOff.Format("2006-01-02 15:04 MST"), audience(e))
	}
	said := e.Factor > 0 || (e.ExpectedAudience > 0 && e.UsualAudience > 0)
	switch {
	case in.At.After(e.FullTime.Add(calendar.After)):
		f.Status, f.Why, f.Do = Unknown, "it is over", "choose another with --event"
	case !said && !in.allGiven():
		f.Status = Warn
		f.Do = "say expected_audience and usual_audience, or factor"
	case in4 > 0 && in4 < lead:
		f.Status = Warn
		f.Why += fmt.Sprintf("; a prescaling should have stood at %s", e.KickOff.Add(-lead).Format("15:04"))
		f.Do = "apply what is below at once"
	}
	return append(out, f)
}

// allGiven is whether the expectations leave nothing to the calendar's factor.
func (in *Inputs) allGiven() bool {
	for i := range in.Expected {
		if e := &in.Expected[i]; e.Peak == 0 && (e.RequestsPerViewer == 0 || in.Event.ExpectedAudience == 0) {
			return false
		}
	}
	return len(in.Expected) > 0
}

func clock(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 72*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

func (in *Inputs) metricsFinding() Finding {
	m := &in.Metrics
	f := Finding{Check: CheckMetrics, Subject: m.Source, Status: OK}
	switch {
	case m.Gap != nil:
		f.Subject, f.Status, f.Why, f.Do = "metrics", Unknown, m.Gap.Why, m.Gap.Do
	case len(m.Rates) == 0:
		f.Status = Unknown
		f.Why = "no requests of any service are measured (vigie.traffic.requests, nor traces.span.metrics.calls)"
		f.Do = "send access logs or traces through Vigie; docs/ready.md says what is read"
	case len(m.Errors) > 0:
		f.Status = Unknown
		f.Why = fmt.Sprintf("%s: %s", plural2(len(m.Errors), "query failed", "queries failed"), m.Errors[0])
		f.Do = "look at that server's log"
	default:
		f.Number = number(float64(len(m.Rates)), "{service}", Measured, "over %s at %s", minutes(m.Window), m.At.Format("15:04 MST"))
		f.Why = fmt.Sprintf("requests of %s are measured", plural2(len(m.Rates), "service", "services"))
	}
	return f
}

// gapFindings tell once what the API server did not give, where no other finding
// does.
func (in *Inputs) gapFindings(targets int) (out []Finding) {
	c := &in.Cluster
	tell := func(check Check, sources ...Source) {
		seen := map[string]bool{}
		for _, s := range sources {
			if g, ok := c.Gaps[s]; ok && !seen[g.Why] {
				seen[g.Why] = true
				out = append(out, Finding{Check: check, Status: Unknown, Subject: "cluster", Why: g.Why, Do: g.Do})
			}
		}
	}
	tell(CheckDemand, SourceDeployments, SourceStateful)
	tell(CheckHPAMax, SourceHPAs)
	tell(CheckPods, SourcePods)
	tell(CheckPDB, SourcePDBs)
	tell(CheckQuota, SourceQuotas)
	for _, o := range c.OtherHPAs {
		out = append(out, Finding{Check: CheckHPAMax, Status: Unknown, Subject: o,
			Why: "it scales neither a Deployment nor a StatefulSet: what its pods need is not read", Do: "look at it by hand; then --accept hpa_max"})
	}
	_, blind := c.gap(SourceDeployments, SourceStateful)
	if targets == 0 && !blind {
		why := "no workload has an autoscaler, measured requests or an expectation"
		if c.Unjudged+len(c.Workloads) > 0 {
			why = fmt.Sprintf("none of %d workloads that the event touches has an autoscaler, measured requests or an expectation", len(c.Workloads))
		}
		out = append(out, Finding{Check: CheckDemand, Status: Unknown, Subject: "cluster", Why: why,
			Do: "look at --namespace and the event's services; name them in a file for --per-replica"})
	}
	return out
}
