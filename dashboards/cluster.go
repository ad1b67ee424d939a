package dashboards

import (
	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

const (
	noKarpenter = "only where Karpenter makes the nodes"
	noKEDA      = "only where KEDA scales"
	noVolumes   = "only where pods have persistent volumes"
)

// Cluster is an EKS cluster as a whole.
func Cluster() p.Dashboard {
	return page("vigie-cluster", "EKS cluster",
		"Is the cluster whole, and is there room for the pods that autoscalers are about to ask for?",
		[]p.Row{
			{Panels: []p.Panel{
				number("Nodes ready", "Nodes whose kubelet reports Ready. Compare with what it was an hour ago.", plain(p.Green), sum("", sel(metrics.NodeCondition, is("condition", "Ready"), is("status", "true"))), 3, 5),
				number("Nodes not ready", "Nodes that do not report Ready. Pods there are moved after five minutes: look at the node, or drain it.", bad(1, 1), sum("", sel(metrics.NodeCondition, is("condition", "Ready"), isnt("status", "true"))), 3, 5),
				number("Pods running", "Pods that run, in the chosen namespaces.", plain(p.Sky), sum("", sel(metrics.PodPhase, ofNamespace, is("phase", "Running"))), 3, 5),
				number("Pods pending", "Pods that wait for a place. More than a minute: no node has room, see Requested and the autoscaler below.", bad(1, 5), sum("", sel(metrics.PodPhase, ofNamespace, is("phase", "Pending"))), 3, 5),
				number("Pods failed", "Pods that ended in failure and are still listed.", bad(1, 3), sum("", sel(metrics.PodPhase, ofNamespace, is("phase", "Failed"))), 3, 5),
				number("Deployments short", "Deployments with fewer available replicas than they ask for.", bad(1, 1), "count("+sel(metrics.DeploymentUnavailable, ofNamespace)+" > 0) or vector(0)", 3, 5),
				requested("cpu", "CPU requested", 3, 5), requested("memory", "Memory requested", 3, 5),
			}},
			{Title: "Room", Panels: []p.Panel{roomCPU(12, 8), roomMemory(12, 8), podsByNode(8, 8), podsByNamespace(8, 8), nodesOverTime(8, 8)}},
			{Title: "Trouble", Panels: []p.Panel{conditions(8, 7), waiting(8, 7), volumes(8, 7)}},
			{Title: "What makes nodes", Panels: []p.Panel{karpenterQueue(8, 7), karpenterClaims(8, 7), karpenterPools(8, 7)}},
		}, namespace())
}

func number(title, description string, thresholds []p.Threshold, expr string, w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: title, Description: description, W: w, H: h, Unit: "short", Decimals: p.P(0), NoValue: "0", Thresholds: thresholds,
		Queries: []p.Query{ask(expr, title)}}
}

func requested(resource, title string, w, h int) p.Panel {
	r := is("resource", resource)
	return p.Panel{Kind: p.Stat, Title: title, W: w, H: h, Unit: "percentunit", Decimals: p.P(0), Thresholds: bad(0.8, 0.95),
		Description: "Share of what nodes offer that pods have reserved, used or not. Over 95 % new pods wait for new nodes: add nodes before kick-off.",
		Queries:     []p.Query{ask(sum("", sel(metrics.PodRequests, r))+" / "+sum("", sel(metrics.NodeAllocatable, r)), "requested")}}
}

func capacity(q p.Panel) p.Panel {
	q.Styles = []p.Style{{Match: "offered", Color: p.Grey, Dashed: true}, {Match: "requested", Color: p.Orange}, {Match: "used", Color: p.Sky}}
	return q
}

func roomCPU(w, h int) p.Panel {
	r := is("resource", "cpu")
	return capacity(line("Processors: offered, requested, used", "Cores that nodes offer, that pods reserve, and that they use. Requested near offered: pods wait. Used far below requested: requests are too large.", "short", w, h,
		ask(sum("", sel(metrics.NodeAllocatable, r)), "offered"), ask(sum("", sel(metrics.PodRequests, r)), "requested"),
		ask(sum("", rate(metrics.ContainerCPU, isnt("container", ""))), "used")))
}

func roomMemory(w, h int) p.Panel {
	r := is("resource", "memory")
	return capacity(line("Memory: offered, requested, used", "Memory that nodes offer, that pods reserve, and that they use. Used above requested: pods live on what others reserved, and are evicted first.", "bytes", w, h,
		ask(sum("", sel(metrics.NodeAllocatable, r)), "offered"), ask(sum("", sel(metrics.PodRequests, r)), "requested"),
		ask(sum("", sel(metrics.ContainerMemory, isnt("container", ""))), "used")))
}

func podsByNode(w, h int) p.Panel {
	return p.Panel{Kind: p.Bars, Title: "Pods, of what a node may have", W: w, H: h, Unit: "percentunit", Min: p.P(0.0), Max: p.P(1.0), Decimals: p.P(0), Thresholds: bad(0.8, 0.95),
		Description: "Pods on each node of those it may have, which the instance type's network addresses limit. Full nodes refuse pods whatever their processors do.",
		Queries: []p.Query{now(top(10, "count by (node) ("+sel(metrics.PodInfo)+") / on (node) "+
			over("max", "node", sel(metrics.NodeAllocatable, is("resource", "pods")))), "{{node}}")}}
}

func podsByNamespace(w, h int) p.Panel {
	return stack("Pods running by namespace", "Where the pods are. A step is a rollout or an autoscaler.", "short", w, h,
		ask(sum("namespace", sel(metrics.PodPhase, ofNamespace, is("phase", "Running"))), "{{namespace}}"))
}

func nodesOverTime(w, h int) p.Panel {
	return line("Nodes", "Nodes that are there, ready, and closed to new pods. The gap is being made, broken, or drained.", "short", w, h,
		ask("count("+sel(metrics.NodeInfo)+")", "there"),
		ask(sum("", sel(metrics.NodeCondition, is("condition", "Ready"), is("status", "true"))), "ready"),
		ask(sum("", sel(metrics.NodeUnscheduled)), "closed to pods"))
}

func conditions(w, h int) p.Panel {
	return p.Panel{Kind: p.Table, Title: "Nodes in trouble", W: w, H: h, NoValue: "none",
		Description: "Nodes that are not ready, or short of disk, memory or process ids. Drain the node; if it does not come back in five minutes, end its instance.",
		Columns:     map[string]string{"node": "Node", "condition": "Condition", "status": "Is", "Value": ""},
		Queries: []p.Query{when(now(over("max", "node, condition, status", sel(metrics.NodeCondition, isnt("condition", "Ready"), is("status", "true")))+" == 1 or "+
			over("max", "node, condition, status", sel(metrics.NodeCondition, is("condition", "Ready"), isnt("status", "true")))+" == 1", ""), "none while all nodes are well")}}
}

func waiting(w, h int) p.Panel {
	return p.Panel{Kind: p.Table, Title: "Containers that can't start", W: w, H: h, NoValue: "none",
		Description: "Containers that wait, and why. CrashLoopBackOff: read its last log. ImagePullBackOff: the registry or the name. ContainerCreating for minutes: no address left, or a volume is attached elsewhere.",
		Columns:     map[string]string{"namespace": "Namespace", "pod": "Pod", "container": "Container", "reason": "Why", "Value": ""},
		Queries:     []p.Query{when(now(over("max", "namespace, pod, container, reason", sel(metrics.PodWaiting, ofNamespace))+" == 1", ""), "none while all containers start")}}
}

func volumes(w, h int) p.Panel {
	by := "namespace, persistentvolumeclaim"
	return p.Panel{Kind: p.Bars, Title: "Volumes in use", W: w, H: h, Unit: "percentunit", Min: p.P(0.0), Max: p.P(1.0), Decimals: p.P(0), Thresholds: bad(0.8, 0.9), NoValue: "no volumes",
		Description: "How full persistent volumes are. Over 90 %: grow the claim, most storage classes can while it is in use.",
		Queries: []p.Query{when(now(top(8, "1 - "+over("min", by, sel(metrics.VolumeAvailable, ofNamespace))+" / "+
			over("min", by, sel(metrics.VolumeCapacity, ofNamespace))), "{{persistentvolumeclaim}}"), noVolumes)}}
}

func karpenterQueue(w, h int) p.Panel {
	return line("Pods that wait for Karpenter", "Pods in Karpenter's queue. It should empty within a minute: else a node pool is at its limit, or the instance type is sold out.", "short", w, h,
		when(ask(sum("", sel(metrics.KarpenterPending)), "waiting"), noKarpenter))
}

func karpenterClaims(w, h int) p.Panel {
	return line("Nodes made and taken in 5 min", "Nodes that Karpenter began and gave up, by pool. Both at once for minutes is churn: turn consolidation off for the event.", "short", w, h,
		when(ask(sum("nodepool", increase("5m", metrics.KarpenterNodeClaims)), "{{nodepool}} made"), noKarpenter),
		when(ask(sum("nodepool", increase("5m", metrics.KarpenterDisrupted)), "{{nodepool}} taken"), noKarpenter))
}

func karpenterPools(w, h int) p.Panel {
	by := "nodepool, resource_type"
	return p.Panel{Kind: p.Bars, Title: "Pools, of their limit", W: w, H: h, Unit: "percentunit", Min: p.P(0.0), Max: p.P(1.0), Decimals: p.P(0), Thresholds: bad(0.8, 0.95), NoValue: "no limits",
		Description: "What a node pool uses of its limit. At 100 % Karpenter makes no more nodes, however many pods wait.",
		Queries:     []p.Query{when(now(top(8, over("max", by, sel(metrics.KarpenterUsage))+" / "+over("max", by, sel(metrics.KarpenterLimit))), "{{nodepool}} {{resource_type}}"), noKarpenter)}}
}
