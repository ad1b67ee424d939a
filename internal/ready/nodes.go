package ready

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// whole is what findings share that are not of one service.
type whole struct {
	room      room
	wanted    []batch
	unknown   []string // services whose need is not known: counted at their autoscaler's maximum
	assumed   *Number  // one that rests on an assumption, if there is one
	growth    float64  // of all requests; 0 where it is not known
	growthWhy string
	nodesNow  int
}

// room judges the nodes and what may be added to them.
func (in *Inputs) roomFindings(h *whole) (out []Finding, patches []Patch) {
	c := &in.Cluster
	if g, ok := c.gap(SourceNodes, SourcePods, SourceDeployments); ok {
		return []Finding{
			{Check: CheckNodes, Subject: "cluster", Status: Unknown, Why: g.Why, Do: g.Do},
			{Check: CheckAutoscaler, Subject: "cluster", Status: Unknown, Why: g.Why, Do: g.Do},
		}, nil
	}
	r := &h.room
	usable := 0
	for i := range c.Nodes {
		if c.Nodes[i].usable() {
			usable++
		}
	}
	f := Finding{Check: CheckNodes, Subject: "cluster", Status: OK}
	f.Number = number(float64(r.asked), "{pod}", Measured, "replicas needed and without a node yet, of %s", some(len(h.wanted), "workload"))
	f.Limit = number(float64(r.onNodes), "{pod}", Read, "first fit by requests on %s", some(usable, "ready node"))
	bound := ""
	if len(h.unknown) > 0 {
		bound = fmt.Sprintf("; %s at their autoscaler's maximum, since their need is unknown", list(h.unknown, 5))
	}
	switch {
	case usable == 0:
		f.Status, f.Why, f.Do = Fail, "no node is ready", "kubectl get nodes"
	case r.asked == 0:
		f.Why = fmt.Sprintf("nothing more is needed on %s%s", some(usable, "node"), bound)
	case r.onNodes == r.asked:
		f.Why = fmt.Sprintf("%s on %s%s", plural2(int(r.asked), "more pod fits", "more pods fit"), some(usable, "node"), bound)
	case r.left() > 0:
		f.Status = Warn
		f.Why = fmt.Sprintf("%s of %s fit on %s; see autoscaler for the others%s", short(float64(r.onNodes)), plural2(int(r.asked), "more pod", "more pods"), some(usable, "node"), bound)
		f.Do = "see autoscaler"
	default:
		f.Status = Warn
		f.Why = fmt.Sprintf("%s of %s fit; %s must be added first, which takes minutes%s", short(float64(r.onNodes)), plural2(int(r.asked), "more pod", "more pods"), newNodes(r), bound)
		f.Do = "prescale early enough that they are there before kick-off"
	}
	if usable < len(c.Nodes) && usable > 0 {
		f.Why += fmt.Sprintf("; %s not ready or cordoned", plural2(len(c.Nodes)-usable, "node is", "nodes are"))
	}
	f.Status = assumed(f.Status, h.assumed)
	out = append(out, f, in.autoscaler(h))
	out = append(out, in.poolFindings()...)
	if len(r.unplaced) > 0 {
		patches = in.poolPatches(h)
	}
	if c.NoRoom > 0 {
		out = append(out, Finding{Check: CheckNodes, Subject: "cluster", Status: Warn,
			Number: number(float64(c.NoRoom), "{pod}", Read, "pods with PodScheduled false, Unschedulable"),
			Why:    fmt.Sprintf("%s already for want of room", plural2(c.NoRoom, "pod waits", "pods wait")),
			Do:     "kubectl get pods -A --field-selector status.phase=Pending"})
	}
	return out, patches
}

func newNodes(r *room) string {
	if n := r.nodes(); n > 0 {
		s := plural2(int(n), "node", "nodes")
		if r.guessed {
			s = "about " + s
		}
		return s
	}
	return "nodes"
}

// autoscaler judges what does not fit on the nodes that are there.
func (in *Inputs) autoscaler(h *whole) Finding {
	c, r := &in.Cluster, &h.room
	f := Finding{Check: CheckAutoscaler, Subject: "cluster", Status: OK}
	rest := r.asked - r.onNodes
	f.Number = number(float64(rest), "{pod}", Measured, "pods for which no node has room")
	seen := c.Karpenter || len(c.Groups) > 0
	g, blind := c.gap(SourceNodePools)
	if !blind && !seen {
		g, blind = c.gap(SourceConfigMaps)
	}
	switch {
	case rest == 0:
		f.Why = "no new node is needed"
		if !seen {
			f.Why += "; no autoscaler of nodes is seen"
		}
	case r.left() == 0:
		f.Limit = number(float64(r.onNew), "{pod}", Read, "within the limits of %s", list(slices.Sorted(maps.Keys(r.newNodes)), 5))
		f.Why = fmt.Sprintf("%s within the limits of %s", newNodes(r), list(slices.Sorted(maps.Keys(r.newNodes)), 5))
		f.Why += "; whether EC2 has them, and its quotas, is not looked at"
		if r.guessed {
			f.Status = Warn
			f.Why += "; the size of new nodes is assumed to be that of other pools"
		}
	case blind && !seen:
		f.Status, f.Why, f.Do = Unknown, g.Why, g.Do
	case !seen:
		f.Status = Unknown
		f.Why = fmt.Sprintf("%s find no node, and neither Karpenter nor the Cluster Autoscaler's status is there", plural2(int(r.left()), "pod", "pods"))
		f.Do = "add nodes by hand, e.g. aws eks update-nodegroup-config --scaling-config desiredSize=…; or accept it with --accept autoscaler if something else adds them"
	default:
		f.Status = Fail
		var names []string
		for _, b := range r.unplaced {
			names = append(names, fmt.Sprintf("%s %d", b.w.ID(), b.count))
		}
		f.Limit = number(float64(r.onNew), "{pod}", Read, "within the limits of the autoscaler")
		f.Why = fmt.Sprintf("%s find no node even with all that the autoscaler may add: %s", plural2(int(r.left()), "pod", "pods"), list(names, 5))
		f.Do = "raise the limits of the NodePool or the maximum of the node group"
		if len(c.Groups) > 0 && len(c.Pools) == 0 {
			f.Do = "aws eks update-nodegroup-config --scaling-config maxSize=…; " + fullGroups(c.Groups)
		}
	}
	f.Status = assumed(f.Status, h.assumed)
	return f
}

func fullGroups(groups []NodeGroup) string {
	var parts []string
	for _, g := range groups {
		parts = append(parts, fmt.Sprintf("%s is at %d of %d", g.Name, g.Target, g.Max))
	}
	return list(parts, 5)
}

// poolFindings are of the pools and groups themselves.
func (in *Inputs) poolFindings() (out []Finding) {
	for i := range in.Cluster.Pools {
		p := &in.Cluster.Pools[i]
		f := Finding{Check: CheckAutoscaler, Subject: "nodepool/" + p.Name, Status: OK}
		f.Number = number(float64(p.Used.CPUMilli)/1000, "{core}", Read, "status.resources of NodePool %s", p.Name)
		f.Why = "ready, without a limit of CPU"
		if p.CPULimit >= 0 {
			f.Limit = number(float64(p.CPULimit)/1000, "{core}", Read, "spec.limits of NodePool %s", p.Name)
			f.Why = fmt.Sprintf("%s of %s in use", short(f.Number.Value), f.Limit)
		}
		switch {
		case p.NotReady != "":
			f.Status, f.Why, f.Do = Fail, "it is not ready: "+p.NotReady, "kubectl describe nodepool "+p.Name
		case p.Consolidates && !p.BudgetsClosed:
			f.Status = Warn
			f.Why += "; it may consolidate nodes in use during the event"
			f.Do = fmt.Sprintf(`until it is over: kubectl patch nodepool %s --type merge -p '{"spec":{"disruption":{"budgets":[{"nodes":"0"}]}}}'`, p.Name)
		}
		out = append(out, f)
	}
	for i := range in.Cluster.Groups {
		g := &in.Cluster.Groups[i]
		f := Finding{Check: CheckAutoscaler, Subject: "nodegroup/" + g.Name, Status: OK}
		f.Number = number(float64(g.Target), "{node}", Read, "cloudProviderTarget in %s", AutoscalerStatus)
		f.Limit = number(float64(g.Max), "{node}", Read, "maxSize in %s", AutoscalerStatus)
		f.Why = fmt.Sprintf("%d of at most %d nodes", g.Target, g.Max)
		switch {
		case !g.Healthy:
			f.Status, f.Why, f.Do = Fail, "the Cluster Autoscaler calls it unhealthy", "kubectl -n kube-system logs deploy/cluster-autoscaler"
		case strings.EqualFold(g.Status, "Backoff"):
			f.Status = Fail
			f.Why = "the Cluster Autoscaler backs off from it: its last scaling up did not work"
			f.Do = "look at the group's activity: capacity, quota, subnet"
		}
		out = append(out, f)
	}
	return out
}

// poolPatches raise the limits of Karpenter's pools to what the packing needs.
func (in *Inputs) poolPatches(h *whole) (out []Patch) {
	free := in.Cluster.pack(h.wanted, true)
	basis := Measured
	if h.assumed != nil || free.guessed {
		basis = Assumed
	}
	for i := range in.Cluster.Pools {
		p := &in.Cluster.Pools[i]
		add := free.added[p.Name]
		if add == (Resources{}) {
			continue
		}
		patch := Patch{APIVersion: "karpenter.sh/v1", Kind: "NodePool", Name: p.Name, Basis: basis,
			Why: fmt.Sprintf("%d more nodes, and a tenth to spare", free.newNodes[p.Name])}
		if need := math.Ceil(float64(p.Used.CPUMilli+add.CPUMilli) * 1.1 / 1000); p.CPULimit >= 0 && need > float64(p.CPULimit)/1000 {
			patch.Set = append(patch.Set, Setting{"spec.limits.cpu", quantity(float64(p.CPULimit) / 1000), short0(need)})
		}
		if need := math.Ceil(float64(p.Used.Memory+add.Memory) * 1.1 / (1 << 30)); p.MemoryLimit >= 0 && need > float64(p.MemoryLimit)/(1<<30) {
			patch.Set = append(patch.Set, Setting{"spec.limits.memory", binary(p.MemoryLimit), short0(need) + "Gi"})
		}
		if need := p.UsedNodes + free.newNodes[p.Name]; p.NodesLimit >= 0 && need > p.NodesLimit {
			patch.Set = append(patch.Set, Setting{"spec.limits.nodes", fmt.Sprint(p.NodesLimit), fmt.Sprint(need)})
		}
		if len(patch.Set) > 0 {
			out = append(out, patch)
		}
	}
	return out
}

// list joins names, the first n of them.
func list(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:n], ", ") + fmt.Sprintf(" and %d more", len(names)-n)
}
