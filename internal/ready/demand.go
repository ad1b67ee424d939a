package ready

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/calendar"
)

// How far today's load may be from an autoscaler's target and still say what a
// replica carries there.
const (
	// leastLoad: below a twentieth of the target what a replica uses is mostly its
	// own idling.
	leastLoad = 0.05
	// farLoad: an extrapolation of more than five times is an assumption.
	farLoad = 0.2
	// leastRate is the lowest rate of a service from which anything is derived,
	// {request}/s.
	leastRate = 1
	// mostReplicas is a need beyond which a unit was mistaken.
	mostReplicas = 1e5
)

// peak is what the event asks of a service at its height. why says what is
// missing where it is nil.
func (in *Inputs) peak(service string, e *Expectation, r Rate) (usual, peak *Number, push, why string) {
	if r.Usual != nil {
		usual = number(*r.Usual, "{request}/s", Measured, "highest 5 min at the event's hour on %s, %s", r.UsualAt.Format("2006-01-02"), r.Metric)
	}
	if usual == nil && r.Now != nil {
		usual = number(*r.Now, "{request}/s", Assumed, "measured over %s at %s, %s, and assumed to be usual at the event's hour, since no earlier day is known", minutes(in.Metrics.Window), in.Metrics.At.Format("15:04 MST"), r.Metric)
	}
	factor := in.factor(service)
	push = factor.push
	switch {
	case e != nil && e.Peak > 0:
		return usual, number(e.Peak, "{request}/s", Given, "given in the expectations, line %d", e.Line), push, ""
	case e != nil && e.RequestsPerViewer > 0 && in.Event.ExpectedAudience > 0:
		v := e.RequestsPerViewer * float64(in.Event.ExpectedAudience) * factor.pushTimes
		source := fmt.Sprintf("%s/s a viewer, given in the expectations, × %s expected by the calendar",
			short(e.RequestsPerViewer), short(float64(in.Event.ExpectedAudience)))
		basis := Given
		if push != "" {
			source += fmt.Sprintf(" × %s for %s", short(factor.pushTimes), push)
			if factor.pushAssumed {
				source, basis = source+" (the calendar's default)", Assumed
			}
		}
		return usual, &Number{v, "{request}/s", basis, source}, push, ""
	case e != nil && e.RequestsPerViewer > 0:
		return usual, nil, push, "requests_per_viewer is given, and the calendar's expected_audience is not"
	case usual == nil:
		return nil, nil, push, "nothing is measured of it, and no peak is given"
	case usual.Value < leastRate:
		return usual, nil, push, fmt.Sprintf("%s/s at the event's usual hour is too little to multiply", short(usual.Value))
	}
	return usual, &Number{usual.Value * factor.times, "{request}/s", weaker(usual.Basis, factor.basis), usual.Source + " × " + factor.source}, push, ""
}

// growth is what a calendar multiplies a service's usual rate by.
type growth struct {
	times       float64
	basis       Basis
	source      string
	push        string  // the notification in force at the height; "" where there is none
	pushTimes   float64 // its share of times, 1 without one
	pushAssumed bool    // the calendar's default
}

// factor is the calendar's greatest over the event: at kick-off and at each push
// notification, with other events that run then.
func (in *Inputs) factor(service string) growth {
	e := in.Event
	from, to := e.KickOff.Add(-calendar.Before), e.FullTime.Add(calendar.After)
	moments := []time.Time{e.KickOff}
	for _, other := range in.Calendar.Events() {
		for _, p := range other.Push {
			if !p.At.Before(from) && p.At.Before(to) {
				moments = append(moments, p.At)
			}
		}
	}
	best := calendar.Band{Factor: 1}
	var at time.Time
	for _, m := range moments {
		if b := in.Calendar.Expectation(service, m); b.Factor > best.Factor {
			best, at = b, m
		}
	}
	g := growth{times: best.Factor, basis: Measured, pushTimes: 1, push: best.Push}
	g.source = short(best.Factor) + " by the calendar: " + audience(e)
	if said := e.Factor > 0 || (e.ExpectedAudience > 0 && e.UsualAudience > 0); !said {
		g.basis = Assumed
	}
	for i := range e.Push {
		if p := &e.Push[i]; best.Push == p.Name && p.At.Equal(at) {
			g.pushTimes = p.Factor
		}
	}
	if g.push != "" {
		g.source += fmt.Sprintf(", and %s at %s", g.push, at.Format("15:04"))
		// A file that says just the default can't be told from one that says nothing.
		if g.pushTimes == calendar.DefaultPushFactor {
			g.basis, g.pushAssumed = Assumed, true
			g.source += fmt.Sprintf(" (× %d, the calendar's default)", calendar.DefaultPushFactor)
		}
	}
	return g
}

func audience(e *calendar.Event) string {
	switch {
	case e.Factor > 0:
		return fmt.Sprintf("its factor %s", short(e.Factor))
	case e.ExpectedAudience > 0 && e.UsualAudience > 0:
		return fmt.Sprintf("%s expected over %s usual", short(float64(e.ExpectedAudience)), short(float64(e.UsualAudience)))
	}
	return fmt.Sprintf("assumed, since it says neither factor nor usual_audience (its default %d)", calendar.DefaultFactor)
}

// perReplica is what one replica carries at its autoscaler's target.
func perReplica(w *Workload, e *Expectation, r Rate, m *Metrics) (n *Number, why string) {
	if e != nil && e.PerReplica > 0 {
		return number(e.PerReplica, "{request}/s", Given, "given in the expectations, line %d", e.Line), ""
	}
	if r.Now == nil {
		return nil, "its rate is not measured"
	}
	if w.HPA == nil {
		return byCPU(w, *r.Now, m)
	}
	h := w.HPA
	ratio, metric := 0.0, HPAMetric{}
	for _, x := range h.Metrics {
		if x.Known && x.Ratio > ratio { // the autoscaler goes by the greatest
			ratio, metric = x.Ratio, x
		}
	}
	switch {
	case metric.Name == "":
		return nil, "the autoscaler shows no value of its metrics"
	case h.Current < 1 || *r.Now < leastRate:
		return nil, fmt.Sprintf("%s/s now is too little to derive it from", short(*r.Now))
	case ratio < leastLoad:
		return nil, fmt.Sprintf("its load is %s %% of the target (%s) now, too little to derive it from", short(100*ratio), metric.Name)
	}
	v := *r.Now / (float64(h.Current) * ratio)
	basis := Measured
	source := fmt.Sprintf("measured over %s at %s: %s/s on %s at %s %% of the target (%s, %s)", minutes(m.Window), m.At.Format("15:04 MST"),
		short(*r.Now), some(h.Current, "replica"), short(100*ratio), metric.Name, metric.Target)
	if ratio < farLoad {
		basis = Assumed
		source += "; that far from the target it is an assumption"
	}
	return &Number{v, "{request}/s", basis, source}, ""
}

// assumedTarget is the share of its CPU request at which a replica counts as full
// where no autoscaler says so.
const assumedTarget = 0.7

// byCPU takes CPU for the measure of a workload without an autoscaler.
func byCPU(w *Workload, rate float64, m *Metrics) (n *Number, why string) {
	used, ok := m.CPU[w.ID()]
	request := float64(w.Pod.CPUMilli) / 1000
	switch {
	case !ok || request == 0 || w.Unrequested:
		return nil, "it has no autoscaler whose target would say what a replica carries, nor CPU use against a request"
	case w.Ready < 1 || rate < leastRate:
		return nil, fmt.Sprintf("%s/s now is too little to derive it from", short(rate))
	}
	share := used / (float64(w.Ready) * request)
	if share < leastLoad*assumedTarget {
		return nil, fmt.Sprintf("it uses %s %% of its CPU request now, too little to derive it from", short(100*share))
	}
	return number(rate/float64(w.Ready)*assumedTarget/share, "{request}/s", Assumed,
		"measured over %s at %s: %s/s on %s at %s %% of their CPU request (container_cpu_usage_seconds_total); %s %% is the target, which is assumed",
		minutes(m.Window), m.At.Format("15:04 MST"), short(rate), some(w.Ready, "replica"), short(100*share), short(100*assumedTarget)), ""
}

// need works out a service; its findings follow.
func (in *Inputs) need(w *Workload, service string, e *Expectation) (Need, []Finding) {
	r := in.Metrics.Rates[service]
	n := Need{Service: service, Namespace: w.Namespace, Kind: w.Kind, Workload: w.Name, Status: OK}
	if r.Now != nil {
		n.Now = number(*r.Now, "{request}/s", Measured, "measured over %s at %s, %s", minutes(in.Metrics.Window), in.Metrics.At.Format("15:04 MST"), r.Metric)
	}
	n.Replicas = number(float64(w.Replicas), "{replica}", Read, "%s %s", w.Kind, w.ID())
	if w.HPA != nil {
		n.Min, n.Max = &w.HPA.Min, &w.HPA.Max
	}
	var noPeak, noShare string
	n.Usual, n.Peak, n.push, noPeak = in.peak(service, e, r)
	n.PerReplica, noShare = perReplica(w, e, r, &in.Metrics)
	if n.Peak != nil && r.Now != nil && *r.Now >= leastRate {
		n.growth = n.Peak.Value / *r.Now
	}
	f := Finding{Check: CheckDemand, Subject: w.ID(), Number: n.Peak}
	var missing []string
	if n.Peak == nil {
		missing = append(missing, "peak: "+noPeak)
	}
	if n.PerReplica == nil {
		missing = append(missing, "per replica: "+noShare)
	}
	if len(missing) > 0 {
		f.Status = Unknown
		f.Why = "how many replicas the event needs is unknown: " + joined(missing)
		f.Do = fmt.Sprintf("say peak and per_replica of %s in a file for --per-replica%s", service, in.metricsHint())
		return n, []Finding{f}
	}
	needed := math.Ceil(n.Peak.Value/n.PerReplica.Value - 1e-9)
	if needed > mostReplicas {
		f.Status = Unknown
		f.Why = fmt.Sprintf("%s over %s a replica are %s replicas, which nobody means", n.Peak, n.PerReplica, short(needed))
		f.Do = "look at peak, requests_per_viewer and per_replica; all are in requests a second"
		return n, []Finding{f}
	}
	n.Needed = number(max(needed, 1), "{replica}", weaker(n.Peak.Basis, n.PerReplica.Basis), "%s over %s a replica", n.Peak, n.PerReplica)
	f.Status = assumed(OK, n.Needed)
	f.Why = fmt.Sprintf("%s at the peak over %s a replica: %s needed, %d there", n.Peak, n.PerReplica, n.Needed, w.Replicas)
	if f.Status == Warn {
		f.Do = "replace what is assumed: expected_audience, usual_audience and push factors in the calendar; peak and per_replica in a file for --per-replica"
	}
	return n, []Finding{f}
}

func (in *Inputs) metricsHint() string {
	if in.Metrics.Gap != nil {
		return ", or let the metrics be read"
	}
	return ""
}

func minutes(d time.Duration) string { return fmt.Sprintf("%.0f min", d.Minutes()) }

func joined(parts []string) string {
	out := ""
	for i, p := range slices.Compact(parts) {
		if i > 0 {
			out += "; "
		}
		out += p
	}
	return out
}
