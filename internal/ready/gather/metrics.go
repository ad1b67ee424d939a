package gather

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/headroom"
	"github.com/vigie-otel/vigie/internal/ready"
)

// Window is what rates are taken over, and how far back the highest of a node
// counts.
const Window = 15 * time.Minute

// Requests of a service, as counters: what Vigie counted in access logs and spans,
// then what the span metrics say. Names as the store has them; a test feeds the
// OpenTelemetry names and reads these.
var requestsOf = [...]struct{ selector, shown string }{ //nolint:gochecknoglobals // a constant table
	{`vigie_traffic_requests_total`, "vigie.traffic.requests"},
	{`traces_span_metrics_calls_total{span_kind="SPAN_KIND_SERVER"}`, "traces.span.metrics.calls of servers"},
}

// Kernel tables: Vigie's receiver, host_metrics, the node exporter.
var tables = [...]struct{ used, limit string }{ //nolint:gochecknoglobals // a constant table
	{"system_network_conntrack_usage", "system_network_conntrack_limit"},
	{"system_network_conntrack_count", "system_network_conntrack_max"},
	{"node_nf_conntrack_entries", "node_nf_conntrack_entries_limit"},
}

// asking is one round of queries.
type asking struct {
	store headroom.Store
	at    time.Time
	out   ready.Metrics
	err   error // the first query's, which says whether there is anybody
	asked int
}

// Metrics asks for what the event needs. A server that does not answer is a Gap; a
// query that fails is one of Errors.
func Metrics(ctx context.Context, store headroom.Store, source string, cal *calendar.Calendar, e *calendar.Event, at time.Time) ready.Metrics {
	a := &asking{store: store, at: at}
	a.out = ready.Metrics{Source: source, Window: Window, At: at, Rates: map[string]ready.Rate{}}
	for _, m := range requestsOf {
		now := a.by(ctx, fmt.Sprintf("sum by (service_name) (rate(%s[%s]))", m.selector, promTime(Window)), at, "service_name")
		if a.err != nil {
			a.out.Gap = &ready.Gap{Why: "metrics could not be read: " + a.err.Error(), Do: "give the gateway's address with --metrics, e.g. through kubectl -n vigie port-forward pod/vigie-gateway-0 8640"}
			return a.out
		}
		for service, v := range now {
			if _, known := a.out.Rates[service]; !known && service != "" {
				a.out.Rates[service] = ready.Rate{Now: &v, Metric: m.shown}
			}
		}
	}
	for _, m := range requestsOf {
		a.usual(ctx, m.selector, m.shown, cal, e)
	}
	a.conntrack(ctx)
	a.ena(ctx)
	if v := a.by(ctx, fmt.Sprintf(`histogram_quantile(0.99, sum by (le) (rate(coredns_dns_request_duration_seconds_bucket[%s])))`, promTime(Window)), at, "none"); len(v) == 1 {
		p99 := v[""]
		a.out.DNSP99 = &p99
	}
	rep := headroom.Read(ctx, store, at)
	for _, w := range rep.Walls {
		if w.Name == "Connection tracking, kernel table" || w.Unit == "{connection}" || w.Stale {
			continue // judged on its own
		}
		a.out.Walls = append(a.out.Walls, ready.Wall{Name: w.Name, Resource: w.Resource, Why: w.Why, Utilization: w.Utilization, MinutesLeft: w.MinutesLeft, Losing: w.Losing})
	}
	return a.out
}

// by asks for a vector and gives its values by one label. What is no number is
// left out.
func (a *asking) by(ctx context.Context, expr string, at time.Time, label string) map[string]float64 {
	out := map[string]float64{}
	a.each(ctx, expr, at, func(l labels.Labels, v float64) { out[l.Get(label)] = v })
	return out
}

func (a *asking) each(ctx context.Context, expr string, at time.Time, fn func(labels.Labels, float64)) {
	res, err := a.store.Query(ctx, expr, at)
	if a.asked++; err != nil {
		if a.asked == 1 {
			a.err = err
		}
		if len(a.out.Errors) < 5 {
			a.out.Errors = append(a.out.Errors, err.Error())
		}
		return
	}
	v, err := res.Vector()
	if err != nil {
		a.out.Errors = append(a.out.Errors, err.Error())
		return
	}
	for _, s := range v {
		if !math.IsNaN(s.F) && !math.IsInf(s.F, 0) {
			fn(s.Metric, s.F)
		}
	}
}

// usual asks for the highest five minutes of the event's hours on an earlier day
// without an event: a week before, two, three, then a day before. Access logs and
// spans count differently: now and usual of a service are by the same metric.
func (a *asking) usual(ctx context.Context, selector, shown string, cal *calendar.Calendar, e *calendar.Event) {
	const day = 24 * time.Hour
	length := (e.FullTime.Sub(e.KickOff) + 15*time.Minute).Round(time.Minute)
	expr := fmt.Sprintf("max_over_time(sum by (service_name) (rate(%s[5m]))[%s:1m])", selector, promTime(length))
	for _, step := range []time.Duration{7 * day, day} {
		end := e.FullTime.Add(-step)
		if late := end.Sub(a.at); late > 0 { // whole steps back, until it has been
			end = end.Add(-(late + step - 1).Truncate(step))
		}
		for asked := 0; asked < 3 && a.at.Sub(end) <= 4*step; end = end.Add(-step) {
			if _, phase := cal.Phase(end.Add(-length / 2)); phase != calendar.PhaseNone {
				continue // another event's hour is not a usual one
			}
			asked++
			for service, v := range a.by(ctx, expr, end, "service_name") {
				r := a.out.Rates[service]
				if service != "" && r.Usual == nil && v > 0 && (r.Metric == "" || r.Metric == shown) {
					r.Usual, r.UsualAt, r.Metric = &v, end, shown
					a.out.Rates[service] = r
				}
			}
		}
	}
}

// maxCPU bounds the workloads whose CPU is asked for one by one.
const maxCPU = 50

// CPU asks cAdvisor's metrics what workloads without an autoscaler use, of those
// whose requests are measured.
func CPU(ctx context.Context, store headroom.Store, m *ready.Metrics, workloads []ready.Workload) {
	if m.Gap != nil {
		return
	}
	a := &asking{store: store, at: m.At, out: *m, asked: 1}
	a.out.CPU = map[string]float64{}
	for i := range workloads {
		w := &workloads[i]
		if w.HPA != nil || !slices.ContainsFunc(w.Services, func(s string) bool { return m.Rates[s].Now != nil }) {
			continue
		}
		// By how Kubernetes names pods; a name alone would take cart-worker for cart.
		pods := w.Name + "-[a-z0-9]+-[a-z0-9]{5}"
		if w.Kind == "StatefulSet" {
			pods = w.Name + "-[0-9]+"
		}
		expr := fmt.Sprintf(`sum(rate(container_cpu_usage_seconds_total{namespace=%q,pod=~%q,container!="",container!="POD"}[%s]))`, w.Namespace, pods, promTime(m.Window))
		for _, cores := range a.by(ctx, expr, m.At, "none") {
			a.out.CPU[w.ID()] = cores
		}
		if a.asked > maxCPU {
			break
		}
	}
	*m = a.out
}

func (a *asking) conntrack(ctx context.Context) {
	w := promTime(Window)
	found := map[string]*ready.Table{}
	for _, t := range tables {
		used := a.by(ctx, fmt.Sprintf("max by (instance) (max_over_time(%s[%s]))", t.used, w), a.at, "instance")
		if len(used) == 0 {
			continue
		}
		limit := a.by(ctx, fmt.Sprintf("max by (instance) (last_over_time(%s[%s]))", t.limit, w), a.at, "instance")
		for node, v := range used {
			if found[node] == nil {
				found[node] = &ready.Table{Node: node, Used: v, Limit: limit[node]}
			}
		}
	}
	for _, lost := range []string{"system_network_conntrack_packet_dropped_total", "system_network_conntrack_entry_early_dropped_total"} {
		for node, v := range a.by(ctx, fmt.Sprintf("sum by (instance) (rate(%s[%s]))", lost, w), a.at, "instance") {
			if t := found[node]; t != nil {
				t.Dropped += v
			}
		}
	}
	for _, t := range found {
		a.out.Tables = append(a.out.Tables, *t)
	}
	slices.SortFunc(a.out.Tables, func(x, y ready.Table) int { return cmp.Compare(x.Node, y.Node) })
}

func (a *asking) ena(ctx context.Context) {
	w := promTime(Window)
	type key struct{ node, device string }
	left := map[key]float64{}
	a.each(ctx, fmt.Sprintf("min by (instance, network_interface_name) (min_over_time(aws_ena_conntrack_allowance_available[%s]))", w), a.at, func(l labels.Labels, v float64) {
		left[key{l.Get("instance"), l.Get("network_interface_name")}] = v
	})
	a.each(ctx, fmt.Sprintf("sum by (instance, network_interface_name, aws_ena_allowance) (rate(aws_ena_allowance_exceeded_total[%s]))", w), a.at, func(l labels.Labels, v float64) {
		x := ready.Allowance{Node: l.Get("instance"), Interface: l.Get("network_interface_name"), Name: l.Get("aws_ena_allowance"), Exceeded: v}
		if v, ok := left[key{x.Node, x.Interface}]; ok && x.Name == "conntrack" {
			x.Left = &v
		}
		a.out.ENA = append(a.out.ENA, x)
	})
	slices.SortFunc(a.out.ENA, func(x, y ready.Allowance) int {
		return cmp.Or(cmp.Compare(x.Node, y.Node), cmp.Compare(x.Interface, y.Interface), cmp.Compare(x.Name, y.Name))
	})
}

// promTime is a duration as PromQL writes it.
func promTime(d time.Duration) string { return fmt.Sprintf("%ds", int64(d.Seconds())) }
