package ready

import (
	"slices"
	"strconv"
)

// matches is whether labels meet all of the requirements.
func matches(reqs []Requirement, labels map[string]string) bool {
	for _, r := range reqs {
		if !r.met(labels) {
			return false
		}
	}
	return true
}

func (r *Requirement) met(labels map[string]string) bool {
	v, ok := labels[r.Key]
	switch r.Operator {
	case "In":
		return ok && slices.Contains(r.Values, v)
	case "NotIn":
		return !ok || !slices.Contains(r.Values, v)
	case "Exists":
		return ok
	case "DoesNotExist":
		return !ok
	case "Gt", "Lt":
		if !ok || len(r.Values) != 1 {
			return false
		}
		a, err := strconv.ParseInt(v, 10, 64)
		b, err2 := strconv.ParseInt(r.Values[0], 10, 64)
		return err == nil && err2 == nil && (r.Operator == "Gt" && a > b || r.Operator == "Lt" && a < b)
	}
	return false
}

// runsOn is whether the scheduler may put a pod of w there, by node selector,
// required affinity and taints.
func (w *Workload) runsOn(n *Node) bool {
	for k, v := range w.Selector {
		if n.Labels[k] != v {
			return false
		}
	}
	if len(w.Affinity) > 0 && !slices.ContainsFunc(w.Affinity, func(term []Requirement) bool { return matches(term, n.Labels) }) {
		return false
	}
	return w.tolerates(n.Taints)
}

func (w *Workload) tolerates(taints []Taint) bool {
	for _, t := range taints {
		if t.Effect == "PreferNoSchedule" {
			continue
		}
		if !slices.ContainsFunc(w.Tolerations, func(o Toleration) bool { return o.covers(t) }) {
			return false
		}
	}
	return true
}

func (o Toleration) covers(t Taint) bool {
	if o.Effect != "" && o.Effect != t.Effect {
		return false
	}
	if o.Key == "" {
		return o.Operator == "Exists"
	}
	return o.Key == t.Key && (o.Operator == "Exists" || o.Value == t.Value)
}

// offers is whether nodes of a pool could meet w. A requirement of the pool on a
// key leaves its values; a key that the pool does not name is well-known to
// Karpenter or cannot be had: well-known ones begin with these.
func (p *NodePool) offers(w *Workload) bool {
	if !w.tolerates(p.Taints) {
		return false
	}
	for k, v := range w.Selector {
		if !p.may(Requirement{k, "In", []string{v}}) {
			return false
		}
	}
	return len(w.Affinity) == 0 || slices.ContainsFunc(w.Affinity, func(term []Requirement) bool {
		return !slices.ContainsFunc(term, func(r Requirement) bool { return !p.may(r) })
	})
}

// may is whether a node of the pool could meet one requirement of a pod.
func (p *NodePool) may(r Requirement) bool {
	if v, ok := p.Labels[r.Key]; ok {
		return r.met(map[string]string{r.Key: v})
	}
	if r.Key == "karpenter.sh/nodepool" {
		return r.met(map[string]string{r.Key: p.Name})
	}
	named := false
	for _, own := range p.Requirements {
		if own.Key != r.Key {
			continue
		}
		named = true
		if own.Operator == "In" && !slices.ContainsFunc(own.Values, func(v string) bool { return r.met(map[string]string{r.Key: v}) }) {
			return false
		}
		if own.Operator == "NotIn" && r.Operator == "In" && !slices.ContainsFunc(r.Values, func(v string) bool { return !slices.Contains(own.Values, v) }) {
			return false
		}
		if own.Operator == "DoesNotExist" && (r.Operator == "In" || r.Operator == "Exists") {
			return false
		}
	}
	return named || r.Operator == "NotIn" || r.Operator == "DoesNotExist" || wellKnown(r.Key)
}

// wellKnown labels are Karpenter's to give, of whatever value an instance has.
func wellKnown(key string) bool {
	switch key {
	case "kubernetes.io/arch", "kubernetes.io/os", "kubernetes.io/hostname", "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
		"node.kubernetes.io/instance-type", "karpenter.sh/capacity-type", "topology.k8s.aws/zone-id":
		return true
	}
	const own = "karpenter.k8s.aws/"
	return len(key) > len(own) && key[:len(own)] == own
}
