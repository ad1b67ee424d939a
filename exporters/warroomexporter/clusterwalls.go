package warroomexporter

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/vigie-otel/vigie/internal/forecast"
	"github.com/vigie-otel/vigie/internal/headroom"
)

// A cluster's walls are read here and not in internal/headroom: they are made of
// several objects' series (pods on a node, replicas of an autoscaler) in PromQL,
// where internal/headroom fits the raw samples of one.
const (
	clusterSteps = 30
	clusterStep  = time.Minute
	// clusterEach: kube-state-metrics is scraped as often, and in a cluster of 3,000
	// pods a reading takes a million samples.
	clusterEach = 15 * time.Second
	// clusterFresh: a reading that is older is none. Four scrapes.
	clusterFresh = "1m"
	// clusterKinds is how many walls of one kind are told, the worst first.
	clusterKinds = 50
)

// clusterWall says how one kind is read. The expressions give one value for each
// set of the labels by; %s stands for clusterFresh.
type clusterWall struct {
	name, unit string
	used       []string // the first that has values counts
	limit      []string
	// stuck counts what the limit refuses now; refused says so.
	stuck, refused string
	by             []string
	source         string
	missing        string
	top            string // at its limit and nothing refused: what that means
}

const requested = `sum by (resource) (last_over_time(kube_pod_container_resource_requests{resource=%q,node!=""}[%%[1]s])` +
	` and on (namespace, pod, uid) (last_over_time(kube_pod_status_phase{phase=~"Running|Pending"}[%%[1]s]) == 1))`

const allocatable = `sum by (resource) (last_over_time(kube_node_status_allocatable{resource=%q}[%%[1]s])` +
	` unless on (node) (last_over_time(kube_node_spec_unschedulable[%%[1]s]) == 1))`

// ifAny keeps an answer of none from being an answer of zero: what the cluster
// does not tell is not "no pod waits".
const unschedulable = `(sum(last_over_time(kube_pod_status_unschedulable[%[1]s])) or vector(0)) and on () (count(kube_pod_info) > 0)`

var clusterWalls = [...]clusterWall{
	{
		name: "Pod addresses", unit: "{address}", by: []string{"node", "instance"},
		used:  []string{`max by (node, instance) (last_over_time(awscni_assigned_ip_addresses[%[1]s]))`},
		limit: []string{`max by (node, instance) (last_over_time(awscni_ip_max[%[1]s])) > 0`, `max by (node, instance) (last_over_time(awscni_total_ip_addresses[%[1]s]))`},
		stuck: `sum by (node, instance) (rate({__name__=~"awscni_no_available_ip_addresses(_total)?"}[2m])) > 0`, refused: "pods get no address",
		source:  "awscni_assigned_ip_addresses",
		missing: "the VPC CNI's own metrics are not scraped (aws-node's port 61678: awscni_assigned_ip_addresses, awscni_total_ip_addresses)",
		top:     "every address is taken: the next pod here waits",
	},
	{
		name: "Pods on a node", unit: "{pod}", by: []string{"node"},
		used: []string{
			`count by (node) (last_over_time(kube_pod_info{node!=""}[%[1]s]) and on (namespace, pod, uid) (last_over_time(kube_pod_status_phase{phase=~"Running|Pending"}[%[1]s]) == 1))`,
			`max by (node) (last_over_time(kubelet_running_pods{node!=""}[%[1]s]))`,
		},
		limit:   []string{`max by (node) (last_over_time(kube_node_status_allocatable{resource="pods"}[%[1]s]))`},
		source:  "kube_pod_info, kube_node_status_allocatable",
		missing: "kube-state-metrics is not scraped (kube_pod_info, kube_node_status_allocatable)",
		top:     "full: the next pod goes to another node",
	},
	{
		name: "Room on the nodes, CPU", unit: "{cpu}", by: []string{"resource"},
		used: []string{fmt.Sprintf(requested, "cpu")}, limit: []string{fmt.Sprintf(allocatable, "cpu")},
		stuck: unschedulable, refused: "pods find no node",
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
		used:    []string{`sum(last_over_time(cluster_autoscaler_nodes_count[%[1]s]))`},
		limit:   []string{`max(last_over_time(cluster_autoscaler_max_nodes_count[%[1]s])) > 0`},
		source:  "cluster_autoscaler_nodes_count",
		missing: "neither the cluster autoscaler's nor Karpenter's metrics are scraped (cluster_autoscaler_nodes_count, karpenter_nodepools_usage)",
		top:     "the autoscaler adds no more nodes",
	},
	{
		name: "Nodes, Karpenter's pool", unit: "1", by: []string{"nodepool", "resource_type"},
		used: []string{`max by (nodepool, resource_type) (last_over_time(karpenter_nodepools_usage[%[1]s])) / (max by (nodepool, resource_type) (last_over_time(karpenter_nodepools_limit[%[1]s])) > 0)`,
			`max by (nodepool, resource_type) (last_over_time(karpenter_nodepool_usage[%[1]s])) / (max by (nodepool, resource_type) (last_over_time(karpenter_nodepool_limit[%[1]s])) > 0)`},
		source: "karpenter_nodepools_usage, karpenter_nodepools_limit",
		top:    "the pool adds no more nodes",
	},
	{
		name: "Autoscaler's replicas", unit: "{replica}", by: []string{"namespace", "horizontalpodautoscaler"},
		used:  []string{`max by (namespace, horizontalpodautoscaler) (last_over_time(kube_horizontalpodautoscaler_status_current_replicas[%[1]s]))`},
		limit: []string{`max by (namespace, horizontalpodautoscaler) (last_over_time(kube_horizontalpodautoscaler_spec_max_replicas[%[1]s]))`},
		// TooManyReplicas: it wants more than it may have.
		stuck: `max by (namespace, horizontalpodautoscaler) (last_over_time(kube_horizontalpodautoscaler_status_condition{condition="ScalingLimited",status="true"}[%[1]s])) == 1` +
			` and on (namespace, horizontalpodautoscaler) (last_over_time(kube_horizontalpodautoscaler_status_desired_replicas[%[1]s]) >= on (namespace, horizontalpodautoscaler) last_over_time(kube_horizontalpodautoscaler_spec_max_replicas[%[1]s]))`,
		refused: "it wants more than its maximum",
		source:  "kube_horizontalpodautoscaler_status_current_replicas, kube_horizontalpodautoscaler_spec_max_replicas",
		missing: "kube-state-metrics is not scraped, or the cluster has no HorizontalPodAutoscaler (kube_horizontalpodautoscaler_spec_max_replicas)",
		top:     "at its maximum: more load meets the same pods",
	},
}

// readCluster reads the cluster's walls.
func readCluster(ctx context.Context, store headroom.Store, at time.Time) headroom.Report {
	rep := headroom.Report{At: at}
	karpenter := false
	for i := range clusterWalls {
		k := &clusterWalls[i]
		walls, err := k.read(&asker{ctx: ctx, store: store, at: at})
		switch {
		case err != nil:
			rep.Missing = append(rep.Missing, headroom.Missing{Name: k.name, Why: "could not be read: " + err.Error()})
		case len(walls) == 0 && k.missing != "":
			rep.Missing = append(rep.Missing, headroom.Missing{Name: k.name, Why: k.missing})
		}
		karpenter = karpenter || len(walls) > 0 && strings.Contains(k.name, "Karpenter")
		worstFirst(walls)
		rep.Hidden += max(0, len(walls)-clusterKinds)
		rep.Walls = append(rep.Walls, walls[:min(len(walls), clusterKinds)]...)
	}
	if karpenter {
		rep.Missing = slices.DeleteFunc(rep.Missing, func(m headroom.Missing) bool { return m.Name == "Nodes" })
	}
	return rep
}

// withCluster puts the cluster's walls among those of the machines.
func withCluster(rep, cluster headroom.Report) headroom.Report {
	// What internal/headroom says it does not read is read here.
	rep.Missing = slices.DeleteFunc(slices.Clone(rep.Missing), func(m headroom.Missing) bool {
		return m.Name == "Pod addresses" || m.Name == "Nodes and autoscalers"
	})
	rep.Missing = append(rep.Missing, cluster.Missing...)
	rep.Walls = append(append([]headroom.Wall{}, rep.Walls...), cluster.Walls...) // never null in JSON
	rep.Hidden += cluster.Hidden
	worstFirst(rep.Walls)
	if n := len(rep.Walls) - headroom.MaxWalls; n > 0 {
		rep.Hidden, rep.Walls = rep.Hidden+n, rep.Walls[:headroom.MaxWalls]
	}
	return rep
}

// read evaluates one kind.
func (k *clusterWall) read(a *asker) ([]headroom.Wall, error) {
	limits := map[string]float64{}
	for _, expr := range k.limit {
		for _, r := range a.by("", withFresh(expr)) {
			limits[k.key(r.labels)] = float64(r.value)
		}
		if len(limits) > 0 {
			break
		}
	}
	stuck := map[string]float64{}
	if k.stuck != "" {
		for _, r := range a.by("", withFresh(k.stuck)) {
			stuck[k.key(r.labels)] = float64(r.value)
		}
	}
	var walls []headroom.Wall
	for _, expr := range k.used {
		for _, s := range a.ranges(withFresh(expr), clusterSteps, clusterStep) {
			id := k.key(s.labels)
			limit, ok := limits[id]
			if len(k.limit) == 0 {
				limit, ok = 1, true
			}
			if n := len(s.points); ok && n > 0 && a.at.Sub(s.points[n-1].At) < clusterStep {
				// What counts for the whole has no labels.
				walls = append(walls, k.wall(s, limit, cmp.Or(stuck[id], stuck[k.key(labels.EmptyLabels())])))
			}
		}
		if len(walls) > 0 || a.err != nil {
			break
		}
	}
	return walls, a.err
}

// withFresh fills in how old a reading may be, where the expression asks for it.
func withFresh(expr string) string {
	if !strings.Contains(expr, "%[1]s") {
		return expr
	}
	return fmt.Sprintf(expr, clusterFresh)
}

func (k *clusterWall) key(l labels.Labels) string {
	var b strings.Builder
	for _, name := range k.by {
		b.WriteString(l.Get(name))
		b.WriteByte(0)
	}
	return b.String()
}

// resource names what l is of to a person: the node rather than its address.
func (k *clusterWall) resource(l labels.Labels) string {
	if slices.Contains(k.by, "instance") {
		return cmp.Or(l.Get("node"), l.Get("instance"))
	}
	if len(k.by) == 0 || k.by[0] == "resource" {
		return "cluster"
	}
	var parts []string
	for _, name := range k.by {
		parts = append(parts, cut(l.Get(name), 128))
	}
	return strings.Join(parts, "/")
}

func (k *clusterWall) wall(s run, limit, stuck float64) headroom.Wall {
	used := s.points[len(s.points)-1].Value
	w := headroom.Wall{
		Name: k.name, Resource: k.resource(s.labels), Unit: k.unit, Source: k.source,
		Used: finite(used), Limit: finite(limit), Left: finite(limit - used), Utilization: finite(used / limit),
		Losing: stuck > 0, LossRate: stuck,
	}
	switch p, ok := forecast.Predict(s.points, limit); {
	case w.Losing:
		w.MinutesLeft = new(float64)
		w.Why = "hit now: " + k.refused
		if k.by[0] == "resource" {
			w.Why += fmt.Sprintf(" (%.0f)", stuck)
		}
	case used >= limit:
		// Full and nothing is refused: a fact, and no forecast.
		w.Why = k.top
	case ok:
		w.Growing, w.Growth = p.Left > 0, p.Slope
		w.MinutesLeft, w.Earliest, w.Latest = finite(p.Left.Minutes()), finite(p.Earliest.Minutes()), finite(p.Latest.Minutes())
		w.Why = fmt.Sprintf("grows by %s a minute; full in %s to %s min (95 %%)", short(60*p.Slope), short(p.Earliest.Minutes()), short(p.Latest.Minutes()))
	default:
		w.Why = "does not grow towards its limit"
	}
	return w
}

func short(v float64) string {
	if math.Abs(v) >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// finite is nil for what JSON cannot carry.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// worstFirst orders walls as internal/forecast orders its own: what loses now, then
// the nearest in time, then the fullest.
func worstFirst(walls []headroom.Wall) {
	or := func(v *float64, none float64) float64 {
		if v == nil {
			return none
		}
		return *v
	}
	losing := func(w *headroom.Wall) int {
		if w.Losing {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(walls, func(a, b headroom.Wall) int {
		return cmp.Or(
			cmp.Compare(losing(&a), losing(&b)),
			cmp.Compare(or(a.MinutesLeft, math.Inf(1)), or(b.MinutesLeft, math.Inf(1))),
			cmp.Compare(or(b.Utilization, -1), or(a.Utilization, -1)),
			strings.Compare(a.Name+a.Resource, b.Name+b.Resource),
		)
	})
}
