package ready

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// MaxServices bounds the services of a result.
const MaxServices = 500

// target is a workload and the service that it is.
type target struct {
	workload *Workload
	service  string
	expected *Expectation
}

// scope finds the workloads that the event touches: those that the expectations
// name, those whose requests are measured, and those with an autoscaler. The rest
// is not judged.
func (in *Inputs) scope() (targets []target, findings []Finding) {
	byID := map[string]*Workload{}
	byService := map[string][]*Workload{}
	for i := range in.Cluster.Workloads {
		w := &in.Cluster.Workloads[i]
		byID[w.ID()] = w
		for _, s := range slices.Compact(slices.Sorted(slices.Values(w.Services))) {
			byService[s] = append(byService[s], w)
		}
	}
	taken := map[*Workload]bool{}
	for i := range in.Expected {
		e := &in.Expected[i]
		if !in.Event.Touches(e.Service) {
			findings = append(findings, Finding{Check: CheckDemand, Status: Unknown, Subject: e.Service,
				Why: fmt.Sprintf("the expectations name %s (line %d), which the event's services leave out", e.Service, e.Line),
				Do:  "add it to the event's services in the calendar, or take it out of the expectations"})
			continue
		}
		w, f := pick(e, byID, byService)
		if _, blind := in.Cluster.gap(SourceDeployments, SourceStateful); w == nil && blind {
			continue // told once, for the cluster
		}
		if w == nil {
			findings = append(findings, f)
			continue
		}
		taken[w] = true
		targets = append(targets, target{w, e.Service, e})
	}
	for i := range in.Cluster.Workloads {
		w := &in.Cluster.Workloads[i]
		if taken[w] {
			continue
		}
		service, measured, twins := in.serviceOf(w, byService)
		switch {
		case !in.Event.Touches(service), !measured && w.HPA == nil:
		case measured && len(twins) > 1:
			findings = append(findings, Finding{Check: CheckDemand, Status: Unknown, Subject: w.ID(),
				Why: fmt.Sprintf("%s is the name of %s: whose requests are measured is not known", service, strings.Join(twins, ", ")),
				Do:  "say workload: namespace/name for it in a file for --per-replica"})
		default:
			targets = append(targets, target{w, service, nil})
		}
	}
	findings = append(findings, in.unmet(byService)...)
	findings = append(findings, in.homeless(byService)...)
	slices.SortStableFunc(targets, func(a, b target) int { return cmp.Compare(a.workload.ID(), b.workload.ID()) })
	return targets, findings
}

// pick is the workload that an expectation means.
func pick(e *Expectation, byID map[string]*Workload, byService map[string][]*Workload) (*Workload, Finding) {
	f := Finding{Check: CheckDemand, Status: Unknown, Subject: e.Service}
	if e.Workload != "" {
		if w := byID[e.Workload]; w != nil {
			return w, f
		}
		f.Why = fmt.Sprintf("no Deployment or StatefulSet %s is there, which the expectations name on line %d", e.Workload, e.Line)
		f.Do = "mend the name, or look at --namespace"
		return nil, f
	}
	found := byService[e.Service]
	switch len(found) {
	case 1:
		return found[0], f
	case 0:
		f.Why = fmt.Sprintf("no Deployment or StatefulSet has the name of service %s", e.Service)
		f.Do = "say workload: namespace/name for it in the expectations"
		return nil, f
	}
	var names []string
	for _, w := range found {
		if w.Name == e.Service { // its own name goes before a label's
			names = append(names, w.ID())
		}
	}
	if len(names) == 1 {
		return byID[names[0]], f
	}
	f.Why = fmt.Sprintf("service %s could be %s", e.Service, strings.Join(ids(found), ", "))
	f.Do = "say workload: namespace/name for it in the expectations"
	return nil, f
}

func ids(ws []*Workload) (out []string) {
	for _, w := range ws {
		out = append(out, w.ID())
	}
	slices.Sort(out)
	return out
}

// serviceOf is the name under which a workload's requests are measured, else its
// likeliest. twins are the workloads that share a measured name.
func (in *Inputs) serviceOf(w *Workload, byService map[string][]*Workload) (name string, measured bool, twins []string) {
	for _, s := range w.Services {
		if _, ok := in.Metrics.Rates[s]; ok {
			return s, true, ids(byService[s])
		}
	}
	if len(w.Services) > 0 {
		return w.Services[0], false, nil
	}
	return w.Name, false, nil
}

// homeless are services whose requests are measured and that no workload is: they
// are part of the event, and nobody judges them.
func (in *Inputs) homeless(byService map[string][]*Workload) (out []Finding) {
	if _, ok := in.Cluster.gap(SourceDeployments, SourceStateful); ok {
		return nil // told once, for the cluster
	}
	for _, s := range slices.Sorted(maps.Keys(in.Metrics.Rates)) {
		r := in.Metrics.Rates[s]
		named := slices.ContainsFunc(in.Expected, func(e Expectation) bool { return e.Service == s })
		if named || len(byService[s]) > 0 || in.Cluster.Elsewhere[s] || !in.Event.Touches(s) || r.Now == nil || *r.Now < leastRate {
			continue
		}
		if len(out) == 20 {
			break
		}
		out = append(out, Finding{Check: CheckDemand, Status: Unknown, Subject: s,
			Number: number(*r.Now, "{request}/s", Measured, "measured over %s, %s", minutes(in.Metrics.Window), r.Metric),
			Why:    fmt.Sprintf("%s/s of it are measured, and no Deployment or StatefulSet has its name", short(*r.Now)),
			Do:     "say workload: namespace/name for it in a file for --per-replica; or name the event's services in the calendar, without it"})
	}
	return out
}

// unmet are names of the event that no workload has: a typing error there would
// leave a service out in silence.
func (in *Inputs) unmet(byService map[string][]*Workload) (out []Finding) {
	if _, blind := in.Cluster.gap(SourceDeployments, SourceStateful); blind {
		return nil // told once, for the cluster
	}
	for _, pattern := range in.Event.Services {
		only := *in.Event
		only.Services = []string{pattern}
		met := slices.ContainsFunc(in.Expected, func(e Expectation) bool { return only.Touches(e.Service) })
		for s := range byService {
			met = met || only.Touches(s)
		}
		if met {
			continue
		}
		out = append(out, Finding{Check: CheckDemand, Status: Unknown, Subject: pattern,
			Why: fmt.Sprintf("the event names services %q, and no workload has such a name", pattern),
			Do:  "mend the calendar, look at --namespace, or say workload: in a file for --per-replica"})
	}
	return out
}
