package ready

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Shares of a node's table at which it is tight, and at which it is as good as
// full: beyond nine tenths a second's burst fills it.
const (
	tight  = 0.7
	nearly = 0.9
)

// each is what stays of the growth on a node, once there are more nodes.
func (h *whole) each() float64 {
	then := float64(h.nodesNow) + float64(h.room.nodes())
	if h.growth == 0 || then == 0 || h.nodesNow == 0 {
		return h.growth
	}
	return h.growth * float64(h.nodesNow) / then
}

// noMetrics is said once in full, by the finding of the metrics themselves.
const noMetrics = "the metrics could not be read"

// walls judges what each node's connection tracking has left for the event.
func (in *Inputs) walls(h *whole) (out []Finding) {
	m := &in.Metrics
	if m.Gap != nil {
		for _, c := range []Check{CheckConntrack, CheckENA} {
			out = append(out, Finding{Check: c, Subject: "cluster", Status: Unknown, Why: noMetrics, Do: "see metrics"})
		}
		return out
	}
	out = append(out, in.conntrack(h), in.ena(h))
	return append(out, in.near()...)
}

func (in *Inputs) conntrack(h *whole) Finding {
	m := &in.Metrics
	f := Finding{Check: CheckConntrack, Subject: "cluster", Status: OK}
	var tables []Table
	for _, t := range m.Tables {
		if t.Limit > 0 || t.Dropped > 0 {
			tables = append(tables, t)
		}
	}
	if len(tables) == 0 {
		f.Status = Unknown
		f.Why = "no node tells system.network.conntrack.usage and .limit"
		f.Do = "run the conntrack receiver in the agents"
		return f
	}
	slices.SortStableFunc(tables, func(a, b Table) int {
		return cmp.Or(cmp.Compare(b.Dropped, a.Dropped), cmp.Compare(b.share(), a.share()), cmp.Compare(a.Node, b.Node))
	})
	worst, each := tables[0], h.each()
	f.Subject = "node " + worst.Node
	f.Limit = number(worst.Limit, "{entry}", Measured, "system.network.conntrack.limit")
	f.Number = number(worst.Used, "{entry}", Measured, "highest over %s at %s", minutes(m.Window), m.At.Format("15:04 MST"))
	of := fmt.Sprintf("%s of %s on the fullest of %s", short(worst.Used), short(worst.Limit), some(len(tables), "node"))
	raise := func(then float64) string {
		// Twice what is expected, in the steps that people write.
		n := math.Pow(2, math.Ceil(math.Log2(max(then, 1)/tight)))
		return fmt.Sprintf("raise net.netfilter.nf_conntrack_max to %.0f (kube-proxy's conntrack.min, or a sysctl of the node's image; about %s), or spread the pods over more nodes", n, size(n*320))
	}
	switch {
	case worst.Dropped > 0:
		f.Status = Fail
		f.Why = fmt.Sprintf("%s loses %s connections a second for want of room now; %s", worst.Node, short(worst.Dropped), of)
		f.Do = raise(max(worst.Used*max(each, 1), worst.Limit))
	case worst.share() >= nearly:
		f.Status, f.Why, f.Do = Fail, of+" already", raise(worst.Used*max(each, 1))
	case h.growth == 0:
		f.Status, f.Why, f.Do = Unknown, of+" now; "+h.growthWhy, "see demand"
	default:
		then := worst.Used * max(each, 1)
		over := 0
		for _, t := range tables {
			if t.Limit > 0 && t.Used*max(each, 1) > t.Limit {
				over++
			}
		}
		f.Number = number(then, "{entry}", Measured, "%s now (highest over %s) × %s: %s, over %s then", short(worst.Used), minutes(m.Window), short(max(each, 1)), h.growthWhy, some(h.nodesNow+int(h.room.nodes()), "node"))
		f.Why = fmt.Sprintf("%s; with %s, %s at the peak", of, h.growthWhy, short(then))
		switch {
		case over > 0:
			f.Status, f.Do = Fail, raise(then)
			f.Why += fmt.Sprintf("; over the limit on %s", some(over, "node"))
		case then > tight*worst.Limit:
			f.Status, f.Do = Warn, raise(then)
		}
		f.Status = assumed(f.Status, h.assumed)
	}
	return in.unseenNodes(f, len(m.Tables))
}

// unseenNodes keeps an ok from covering nodes that tell nothing.
func (in *Inputs) unseenNodes(f Finding, told int) Finding {
	if g, ok := in.Cluster.gap(SourceNodes); ok && (f.Status == OK || f.Status == Warn) {
		f.Status, f.Why, f.Do = Unknown, f.Why+"; whether each node tells its own is not known: "+g.Why, g.Do
	}
	if n := len(in.Cluster.Nodes); told < n && (f.Status == OK || f.Status == Warn) {
		f.Status = Unknown
		f.Why += fmt.Sprintf("; %s tell nothing", plural2(n-told, "node", "nodes"))
		f.Do = "let an agent run on each node (tolerations), with the conntrack receiver"
	}
	return f
}

func (t Table) share() float64 {
	if t.Limit <= 0 {
		return 0
	}
	return t.Used / t.Limit
}

func (in *Inputs) ena(h *whole) Finding {
	m := &in.Metrics
	f := Finding{Check: CheckENA, Subject: "cluster", Status: OK}
	if len(m.ENA) == 0 {
		f.Status = Unknown
		f.Why = "no node tells aws.ena.allowance.exceeded: no ENA interface, or the ena receiver does not run"
		f.Do = "run the ena receiver in the agents; --accept ena where there are no ENA interfaces"
		return f
	}
	slices.SortStableFunc(m.ENA, func(a, b Allowance) int {
		return cmp.Or(cmp.Compare(b.Exceeded, a.Exceeded), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Name, b.Name))
	})
	if a := m.ENA[0]; a.Exceeded > 0 {
		f.Status, f.Subject = Fail, "node "+a.Node
		f.Number = number(a.Exceeded, "{packet}/s", Measured, "aws.ena.allowance.exceeded over %s", minutes(m.Window))
		f.Why = fmt.Sprintf("its %s allowance refuses %s packets a second now, on %s", a.Name, short(a.Exceeded), a.Interface)
		f.Do = "larger instances (their allowances grow with them), or the pods on more nodes"
		return f
	}
	// What is left of the allowance against what the kernel's table will grow by:
	// both count tracked connections of the instance.
	used := map[string]float64{}
	for _, t := range m.Tables {
		used[t.Node] = t.Used
	}
	extra := max(h.each()-1, 0)
	worst, worstShare, told := Allowance{}, -1.0, 0
	for _, a := range m.ENA {
		u, ok := used[a.Node]
		if a.Left == nil || !ok || h.growth == 0 {
			continue
		}
		told++
		if share := u * extra / max(*a.Left, 1); share > worstShare {
			worst, worstShare = a, share
		}
	}
	switch {
	case h.growth == 0:
		f.Status, f.Why, f.Do = Unknown, "nothing is refused now; "+h.growthWhy, "see demand"
	case told == 0:
		f.Status = Warn
		f.Why = "nothing is refused now; how much is left the driver does not tell (conntrack_allowance_available comes with 2.8.1)"
		f.Do = "a newer driver; until then look at the instance type's documented limits"
	default:
		more := used[worst.Node] * extra
		f.Subject = "node " + worst.Node
		f.Number = number(more, "{connection}", Measured, "%s tracked now × %s more", short(used[worst.Node]), short(extra))
		f.Limit = number(*worst.Left, "{connection}", Measured, "aws.ena.conntrack.allowance.available on %s", worst.Interface)
		f.Why = fmt.Sprintf("%s more connections at the peak, %s left of the allowance; packets and bandwidth are refused nowhere now, and how much of them is left is not told", short(more), short(*worst.Left))
		switch {
		case more > *worst.Left:
			f.Status, f.Do = Fail, "larger instances, or the pods on more nodes"
		default:
			f.Status, f.Do = Warn, "compare bytes and packets a second with the instance type's baseline"
		}
		f.Status = assumed(f.Status, h.assumed)
	}
	return f
}

// near are other limits that are in trouble before the event.
func (in *Inputs) near() (out []Finding) {
	for _, w := range in.Metrics.Walls {
		if !w.Losing && (w.Utilization == nil || *w.Utilization < nearly) {
			continue
		}
		f := Finding{Check: CheckWalls, Subject: w.Resource, Status: Warn, Why: w.Name + ": " + w.Why, Do: "look at the page's walls"}
		if w.Losing {
			f.Status = Fail
		}
		if w.Utilization != nil {
			f.Number = number(*w.Utilization, "1", Measured, "now")
		}
		if out = append(out, f); len(out) == 20 {
			break
		}
	}
	return out
}
