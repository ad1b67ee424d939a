package headroom

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/vigie-otel/vigie/internal/forecast"
)

// A cluster's walls are no kinds like the others: they are made of several objects'
// series (pods on a node, replicas of an autoscaler) in PromQL, where a kind fits the
// raw samples of one.
const (
	clusterSteps = 30
	clusterStep  = time.Minute
	// clusterEach is how many walls of one sort are told, the worst first.
	clusterEach = 50
)

// clusterKind says how one sort of wall is read. The expressions give one value for
// each set of the labels by. A reading that is older than a minute, four scrapes, is
// none.
type clusterKind struct {
	name, unit string
	by         []string
	used       []string // of these and of limit the first that has values counts
	limit      []string // none: it is 1
	stuck      []string // counts what the limit refuses now
	refused    string   // that it does
	top        string   // at its limit and nothing refused: what that means
	source     string
	missing    string
	instead    string // the sort that is not missing where this one is seen
}

const requested = `sum by (resource) (last_over_time(kube_pod_container_resource_requests{resource=%q,node!=""}[1m])` +
	` and on (namespace, pod, uid) (last_over_time(kube_pod_status_phase{phase=~"Running|Pending"}[1m]) == 1))`

const allocatable = `sum by (resource) (last_over_time(kube_node_status_allocatable{resource=%q}[1m])` +
	` unless on (node) (last_over_time(kube_node_spec_unschedulable[1m]) == 1))`

var clusterSorts = [...]clusterKind{
	{
		name: "Pod addresses", unit: "{address}", by: []string{"node", "instance"},
		used:  []string{`max by (node, instance) (last_over_time(awscni_assigned_ip_addresses[1m]))`},
		limit: []string{`max by (node, instance) (last_over_time(awscni_ip_max[1m])) > 0`, `max by (node, instance) (last_over_time(awscni_total_ip_addresses[1m]))`},
		stuck: []string{`sum by (node, instance) (rate({__name__=~"awscni_no_available_ip_addresses(_total)?"}[2m])) > 0`}, refused: "pods get no address",
		source:  "awscni_assigned_ip_addresses",
		missing: "the VPC CNI's own metrics are not scraped (aws-node's port 61678: awscni_assigned_ip_addresses, awscni_total_ip_addresses)",
		top:     "every address is taken: the next pod here waits",
	},
	{
		name: "Pods on a node", unit: "{pod}", by: []string{"node"},
		used: []string{
			`count by (node) (last_over_time(kube_pod_info{node!=""}[1m]) and on (namespace, pod, uid) (last_over_time(kube_pod_status_phase{phase=~"Running|Pending"}[1m]) == 1))`,
			`max by (node) (last_over_time(kubelet_running_pods{node!=""}[1m]))`,
		},
		limit:   []string{`max by (node) (last_over_time(kube_node_status_allocatable{resource="pods"}[1m]))`},
		source:  "kube_pod_info, kube_node_status_allocatable",
		missing: "kube-state-metrics is not scraped (kube_pod_info, kube_node_status_allocatable)",
		top:     "full: the next pod goes to another node",
	},
	{
		name: "Room on the nodes, CPU", unit: "{cpu}", by: []string{"resource"},
		used: []string{fmt.Sprintf(requested, "cpu")}, limit: []string{fmt.Sprintf(allocatable, "cpu")},
		stuck: []string{`sum(last_over_time(kube_pod_status_unschedulable[1m]))`}, refused: "pods find no node",
		source:  "kube_pod_container_resource_requests, kube_node_status_allocatable, kube_pod_status_unschedulable",
		missing: "kube-state-metrics is not scraped (kube_pod_container_resource_requests, kube_node_status_allocatable)",
		top:     "every core is promised: the next pod needs another node",
	},
	{
		name: "Room on the nodes, memory", unit: "By", by: []string{"resource"},
		used: []string{fmt.Sprintf(requested, "memory")}, limit: []string{fmt.Sprintf(allocatable, "memory")},
		source:  "kube_pod_container_resource_requests, kube_node_status_allocatable",
		missing: "kube-state-metrics is not scraped (kube_pod_container_resource_requests, kube_node_status_allocatable)",
		top:     "all memory is promised: the next pod needs another node",
	},
	{
		name: "Nodes", unit: "{node}", by: []string{},
		used:    []string{`sum(last_over_time(cluster_autoscaler_nodes_count[1m]))`},
		limit:   []string{`max(last_over_time(cluster_autoscaler_max_nodes_count[1m])) > 0`},
		source:  "cluster_autoscaler_nodes_count",
		missing: "neither the cluster autoscaler's nor Karpenter's metrics are scraped (cluster_autoscaler_nodes_count, karpenter_nodepools_usage)",
		top:     "the autoscaler adds no more nodes",
	},
	{
		name: "Nodes, Karpenter's pool", unit: "1", by: []string{"nodepool", "resource_type"},
		used: []string{`max by (nodepool, resource_type) (last_over_time(karpenter_nodepools_usage[1m])) / (max by (nodepool, resource_type) (last_over_time(karpenter_nodepools_limit[1m])) > 0)`,
			`max by (nodepool, resource_type) (last_over_time(karpenter_nodepool_usage[1m])) / (max by (nodepool, resource_type) (last_over_time(karpenter_nodepool_limit[1m])) > 0)`},
		source: "karpenter_nodepools_usage, karpenter_nodepools_limit",
		top:    "the pool adds no more nodes", instead: "Nodes",
	},
	{
		name: "Autoscaler's replicas", unit: "{replica}", by: []string{"namespace", "horizontalpodautoscaler"},
		used:  []string{`max by (namespace, horizontalpodautoscaler) (last_over_time(kube_horizontalpodautoscaler_status_current_replicas[1m]))`},
		limit: []string{`max by (namespace, horizontalpodautoscaler) (last_over_time(kube_horizontalpodautoscaler_spec_max_replicas[1m]))`},
		// TooManyReplicas: it wants more than it may have.
		stuck: []string{`max by (namespace, horizontalpodautoscaler) (last_over_time(kube_horizontalpodautoscaler_status_condition{condition="ScalingLimited",status="true"}[1m])) == 1` +
			` and on (namespace, horizontalpodautoscaler) (last_over_time(kube_horizontalpodautoscaler_status_desired_replicas[1m]) >= on (namespace, horizontalpodautoscaler) last_over_time(kube_horizontalpodautoscaler_spec_max_replicas[1m]))`},
		refused: "it wants more than its maximum",
		source:  "kube_horizontalpodautoscaler_status_current_replicas, kube_horizontalpodautoscaler_spec_max_replicas",
		missing: "kube-state-metrics is not scraped, or the cluster has no HorizontalPodAutoscaler (kube_horizontalpodautoscaler_spec_max_replicas)",
		top:     "at its maximum: more load meets the same pods",
	},
}

// Cluster evaluates the walls of a Kubernetes cluster at a time: pod addresses, pods
// and room on the nodes, nodes, autoscalers. It always returns a report: what fails
// is in Missing. In a cluster of 3,000 pods a reading takes a million samples, and
// what it reads is scraped each 15 s: a caller asks seldom.
func Cluster(ctx context.Context, store Store, at time.Time) Report {
	rep := Report{At: at, Walls: []Wall{}, Missing: []Missing{}}
	for i := range clusterSorts {
		k := &clusterSorts[i]
		walls, err := k.read(ctx, store, at)
		switch {
		case err != nil:
			rep.Missing = append(rep.Missing, Missing{k.name, "could not be read: " + err.Error()})
		case len(walls) == 0 && k.missing != "":
			rep.Missing = append(rep.Missing, Missing{k.name, k.missing})
		case len(walls) > 0 && k.instead != "":
			rep.Missing = slices.DeleteFunc(rep.Missing, func(m Missing) bool { return m.Name == k.instead })
		}
		walls = sort(walls)
		rep.Hidden += max(0, len(walls)-clusterEach)
		rep.Walls = append(rep.Walls, walls[:min(len(walls), clusterEach)]...)
	}
	return rep
}

// With is r with the walls of cluster among its own; neither is changed.
func (r Report) With(cluster Report) Report {
	r.Missing = append(append([]Missing{}, r.Missing...), cluster.Missing...) // never null in JSON
	r.Walls = sort(append(append([]Wall{}, r.Walls...), cluster.Walls...))
	r.Hidden += cluster.Hidden
	if n := len(r.Walls) - MaxWalls; n > 0 {
		r.Hidden, r.Walls = r.Hidden+n, r.Walls[:MaxWalls]
	}
	return r
}

// read evaluates one sort.
func (k *clusterKind) read(ctx context.Context, store Store, at time.Time) ([]Wall, error) {
	limits, err := firstOf(ctx, store, at, k.limit, k.key)
	if err != nil {
		return nil, err
	}
	stuck, err := firstOf(ctx, store, at, k.stuck, k.key)
	if err != nil {
		return nil, err
	}
	var walls []Wall
	for _, expr := range k.used {
		res, err := store.QueryRange(ctx, expr, at.Add(-(clusterSteps-1)*clusterStep), at, clusterStep)
		if err != nil {
			return nil, err
		}
		m, err := res.Matrix()
		if err != nil {
			return nil, err
		}
		for _, s := range m {
			id := k.key(s.Metric)
			limit, ok := limits[id]
			if len(k.limit) == 0 {
				limit, ok = 1, true
			}
			pts := points(s.Floats)
			if n := len(pts); ok && n > 0 && at.Sub(pts[n-1].At) < clusterStep {
				// What counts for the whole has no labels.
				walls = append(walls, k.wall(s.Metric, pts, limit, cmp.Or(stuck[id], stuck[k.key(labels.EmptyLabels())])))
			}
		}
		if len(walls) > 0 {
			break
		}
	}
	return walls, nil
}

func (k *clusterKind) key(l labels.Labels) key {
	var b strings.Builder
	for _, name := range k.by {
		b.WriteString(l.Get(name))
		b.WriteByte(0)
	}
	return key(b.String())
}

// whole reports whether there is one of it in a cluster.
func (k *clusterKind) whole() bool { return len(k.by) == 0 || k.by[0] == "resource" }

// resource names what l is of to a person: the node rather than its address.
func (k *clusterKind) resource(l labels.Labels) string {
	if slices.Contains(k.by, "instance") {
		return cmp.Or(l.Get("node"), l.Get("instance"))
	}
	if k.whole() {
		return "cluster"
	}
	var parts []string
	for _, name := range k.by {
		parts = append(parts, l.Get(name))
	}
	return strings.Join(parts, "/")
}

func (k *clusterKind) wall(l labels.Labels, pts []forecast.Point, limit, stuck float64) Wall {
	used := pts[len(pts)-1].Value
	w := Wall{
		Name: k.name, Resource: k.resource(l), Unit: k.unit, Source: k.source,
		Used: finite(used), Limit: finite(limit), Left: finite(limit - used), Utilization: finite(used / limit),
		Losing: stuck > 0, LossRate: stuck,
	}
	switch p, ok := forecast.Predict(pts, limit); {
	case w.Losing:
		w.MinutesLeft = new(float64)
		w.Why = "hit now: " + k.refused
		if k.whole() {
			w.Why += fmt.Sprintf(" (%.0f)", stuck)
		}
	case used >= limit:
		// Full and nothing is refused: a fact, and no forecast.
		w.Why = k.top
	case ok:
		w.Growing, w.Growth = p.Left > 0, p.Slope
		w.MinutesLeft, w.Earliest, w.Latest = minutes(p.Left), minutes(p.Earliest), minutes(p.Latest)
		w.Why = fmt.Sprintf("grows by %s a minute; full in %s to %s min (95 %%)", round(60*p.Slope), round(p.Earliest.Minutes()), round(p.Latest.Minutes()))
	default:
		w.Why = "does not grow towards its limit"
	}
	return w
}
