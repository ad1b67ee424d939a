package ready

import (
	"fmt"
	"math"
	"strings"
	"time"
)

const (
	// spare is what an autoscaler's maximum should have above the need: its target
	// is an average, and a zone can fail.
	spare = 1.25
	// patience is how long a pod may wait for a node before it is a failure.
	patience = 5 * time.Minute
	// surge is the factor of a push notification that no autoscaler follows: it
	// comes within seconds, and pods take a minute.
	surge = 2
)

// replicas judges whether a service may grow to its need, and whether it begins
// with enough.
func (in *Inputs) replicas(w *Workload, n *Need) (out []Finding, patch *Patch) {
	if _, ok := in.Cluster.gap(SourceHPAs); ok && w.HPA == nil {
		return nil, nil // told once, for the cluster
	}
	if w.HPA == nil {
		return in.fixed(w, n)
	}
	h := w.HPA
	limit := number(float64(h.Max), "{replica}", Read, "maxReplicas of HorizontalPodAutoscaler %s/%s", w.Namespace, h.Name)
	floor := number(float64(h.Min), "{replica}", Read, "minReplicas of HorizontalPodAutoscaler %s/%s", w.Namespace, h.Name)
	if h.ByKEDA {
		limit = number(float64(h.Max), "{replica}", Read, "maxReplicaCount of ScaledObject %s/%s", w.Namespace, h.ScaledObject)
		floor = number(float64(h.Min), "{replica}", Read, "minReplicaCount of ScaledObject %s/%s", w.Namespace, h.ScaledObject)
	}
	top := Finding{Check: CheckHPAMax, Subject: w.ID(), Number: n.Needed, Limit: limit}
	low := Finding{Check: CheckHPAMin, Subject: w.ID(), Number: n.Needed, Limit: floor}
	if n.Needed == nil {
		top.Status, low.Status = Unknown, Unknown
		top.Why = fmt.Sprintf("it may grow to %d; how many the event needs is unknown", h.Max)
		low.Why = fmt.Sprintf("it begins with at least %d; how many the event needs is unknown", h.Min)
		top.Do, low.Do = "see demand", "see demand"
		return []Finding{top, low}, nil
	}
	need := int(n.Needed.Value)
	ceiling := max(h.Max, int(math.Ceil(n.Needed.Value*spare)))
	switch {
	case need > h.Max:
		top.Status = assumed(Fail, n.Needed)
		top.Why = fmt.Sprintf("%d are needed, and it stops at %d: each would carry %s times its target", need, h.Max, short(n.Needed.Value/float64(h.Max)))
		top.Do = fmt.Sprintf("raise the maximum to %d", ceiling)
	case float64(h.Max) < n.Needed.Value*spare:
		top.Status = Warn
		top.Why = fmt.Sprintf("%d needed of at most %d: less than a quarter to spare", need, h.Max)
		top.Do = fmt.Sprintf("raise the maximum to %d", ceiling)
	default:
		top.Status = assumed(OK, n.Needed)
		top.Why = fmt.Sprintf("%d needed of at most %d", need, h.Max)
	}
	pushed := n.push != "" && in.factor(n.Service).pushTimes >= surge
	switch {
	case need <= h.Min:
		low.Status = assumed(OK, n.Needed)
		low.Why = fmt.Sprintf("at least %s there before it begins, of %d needed", are(h.Min), need)
	case pushed:
		low.Status = assumed(Fail, n.Needed)
		low.Why = fmt.Sprintf("%s multiplies requests within seconds; %d are needed at once, and only %s certain", n.push, need, are(h.Min))
		low.Do = fmt.Sprintf("prescale: minimum %d until it is over", need)
	default:
		low.Status = Warn
		low.Why = fmt.Sprintf("%d are needed, and only %s certain: the rest comes as fast as metrics, the scheduler and new nodes allow", need, are(h.Min))
		low.Do = fmt.Sprintf("prescale: minimum %d until it is over", need)
	}
	if need > h.Min || ceiling > h.Max {
		patch = autoscalerPatch(w, max(need, h.Min), ceiling, low.Why)
		patch.Basis = n.Needed.Basis
	}
	return []Finding{top, low}, patch
}

// fixed judges a service that nothing scales.
func (in *Inputs) fixed(w *Workload, n *Need) (out []Finding, patch *Patch) {
	f := Finding{Check: CheckReplicas, Subject: w.ID(), Number: n.Needed, Limit: n.Replicas}
	if n.Needed == nil {
		f.Status, f.Do = Unknown, "see demand; or give it a HorizontalPodAutoscaler"
		f.Why = fmt.Sprintf("%d and no autoscaler; how many the event needs is unknown", w.Replicas)
		return []Finding{f}, nil
	}
	need := int(n.Needed.Value)
	if need <= w.Replicas {
		f.Status = assumed(OK, n.Needed)
		f.Why = fmt.Sprintf("%s there of %d needed; nothing scales it", are(w.Replicas), need)
		return []Finding{f}, nil
	}
	f.Status = assumed(Fail, n.Needed)
	f.Why = fmt.Sprintf("%d are needed, %s there, and nothing scales it", need, are(w.Replicas))
	f.Do = fmt.Sprintf("scale it to %d, or give it a HorizontalPodAutoscaler", need)
	patch = replicasPatch(w, need, f.Why)
	patch.Basis = n.Needed.Basis
	return []Finding{f}, patch
}

// health judges the autoscaler itself.
func health(w *Workload) []Finding {
	h := w.HPA
	if h == nil {
		return nil
	}
	f := Finding{Check: CheckHPAHealth, Subject: w.ID(), Status: OK}
	f.Number = number(float64(h.Current), "{replica}", Read, "status of HorizontalPodAutoscaler %s/%s", w.Namespace, h.Name)
	known := false
	for _, m := range h.Metrics {
		known = known || m.Known
	}
	switch {
	case len(h.Trouble) > 0:
		f.Status = Fail
		f.Why = "it does not scale: " + strings.Join(h.Trouble, "; ")
		f.Do = "look at metrics-server or the metrics adapter, and at the requests of each container"
	case h.NoUp:
		f.Status = Fail
		f.Why = "behavior.scaleUp.selectPolicy is Disabled: it never adds a replica"
		f.Do = "set it to Max"
	case h.Limited && h.Current >= h.Max:
		f.Status = Warn
		f.Why = fmt.Sprintf("it is at its maximum of %d already, and wants more", h.Max)
		f.Do = "raise the maximum"
	case !known:
		f.Status = Unknown
		f.Why = "it shows no value of its metrics: whether it can scale is not known"
		f.Do = "look at metrics-server or the metrics adapter"
	default:
		f.Why = fmt.Sprintf("it sees its metrics and wants %d", h.Desired)
	}
	return []Finding{f}
}

// pods judges what waits and what is not ready.
func (in *Inputs) pods(w *Workload) []Finding {
	f := Finding{Check: CheckPods, Subject: w.ID(), Status: OK}
	f.Number = number(float64(w.Ready), "{replica}", Read, "readyReplicas of %s %s", w.Kind, w.ID())
	f.Limit = number(float64(w.Replicas), "{replica}", Read, "replicas of %s %s", w.Kind, w.ID())
	_, blind := in.Cluster.gap(SourcePods)
	switch {
	case w.NoRoom > 0:
		f.Status = Warn
		if w.OldestWait >= patience {
			f.Status = Fail
		}
		f.Why = fmt.Sprintf("%s, the longest %s: no node has room for them", plural2(w.NoRoom, "pod waits", "pods wait"), minutes(w.OldestWait))
		f.Do = "kubectl -n " + w.Namespace + " describe pod: its events say what is missing"
	case w.Pending > 0:
		f.Status = Warn
		f.Why = fmt.Sprintf("%s to start, the longest %s", plural2(w.Pending, "pod waits", "pods wait"), minutes(w.OldestWait))
		f.Do = "kubectl -n " + w.Namespace + " get events"
	case w.Ready < w.Replicas:
		f.Status = Warn
		f.Why = fmt.Sprintf("%d of %d are ready", w.Ready, w.Replicas)
		f.Do = "kubectl -n " + w.Namespace + " get pods"
	case blind:
		return nil // told once, for the cluster
	case w.Spread == 1 && w.Replicas > 1:
		f.Status = Warn
		f.Why = fmt.Sprintf("all %d are on one node: it takes the service with it", w.Replicas)
		f.Do = "give it topologySpreadConstraints over kubernetes.io/hostname and topology.kubernetes.io/zone"
	default:
		f.Why = fmt.Sprintf("%d of %d are ready, none waits", w.Ready, w.Replicas)
	}
	return []Finding{f}
}

// are is "1 is" or "3 are".
func are(n int) string {
	if n == 1 {
		return "1 is"
	}
	return short(float64(n)) + " are"
}

func plural2(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return short(float64(n)) + " " + many
}

// budgets judges what may be evicted: too little blocks drains, nothing at all
// lets a consolidation take every pod in the middle of the match.
func (in *Inputs) budgets(w *Workload) []Finding {
	if _, ok := in.Cluster.gap(SourcePDBs); ok {
		return nil // told once, for the cluster
	}
	f := Finding{Check: CheckPDB, Subject: w.ID(), Status: OK}
	var mine []*Budget
	for i := range in.Cluster.Budgets {
		if b := &in.Cluster.Budgets[i]; b.Namespace == w.Namespace && (b.Everything || b.Selector != nil && matches(b.Selector, w.Labels)) {
			mine = append(mine, b)
		}
	}
	if len(mine) == 0 {
		f.Status = Warn
		f.Why = "no PodDisruptionBudget: a drain or a consolidation may take all its pods at once"
		f.Do = "give it one with maxUnavailable: 10%"
		return []Finding{f}
	}
	if len(mine) > 1 {
		f.Status = Warn
		f.Why = fmt.Sprintf("%d PodDisruptionBudgets (%s, %s) select its pods: evictions fail", len(mine), mine[0].Name, mine[1].Name)
		f.Do = "keep one"
		return []Finding{f}
	}
	b := mine[0]
	f.Number = number(float64(b.Allowed), "{pod}", Read, "disruptionsAllowed of PodDisruptionBudget %s/%s", b.Namespace, b.Name)
	if b.Allowed > 0 || b.Expected == 0 {
		f.Why = fmt.Sprintf("%s lets %s go at a time", b.Name, some(b.Allowed, "pod"))
		return []Finding{f}
	}
	f.Status = Warn
	f.Why = fmt.Sprintf("%s allows no disruption (%d healthy, %d must stay): a node under it can be neither drained nor replaced", b.Name, b.Healthy, b.Desired)
	f.Do = "more replicas, or maxUnavailable: 10% instead"
	if b.Healthy < b.Desired {
		f.Do = "make its pods healthy first"
	}
	return []Finding{f}
}

// quotas judges whether a namespace may hold what its services need.
func (in *Inputs) quotas(asked map[string]Resources) (out []Finding) {
	for i := range in.Cluster.Quotas {
		q := &in.Cluster.Quotas[i]
		a, ok := asked[q.Namespace]
		if !ok || a.Pods == 0 {
			continue
		}
		f := Finding{Check: CheckQuota, Subject: q.Namespace, Status: OK, Why: fmt.Sprintf("%s has room for %s more", q.Name, some(int(a.Pods), "pod"))}
		for _, r := range []struct {
			what, unit string
			need, left float64
		}{{"pods", "{pod}", float64(a.Pods), float64(q.Pods)}, {"CPU", "{core}", float64(a.CPUMilli) / 1000, float64(q.CPUMilli) / 1000}, {"memory", "By", float64(a.Memory), float64(q.Memory)}} {
			if r.left < 0 || r.need <= r.left {
				continue
			}
			f.Status = Fail
			f.Number = number(r.need, r.unit, Read, "what %s more ask for", some(int(a.Pods), "pod"))
			f.Limit = number(r.left, r.unit, Read, "left of ResourceQuota %s/%s", q.Namespace, q.Name)
			f.Why = fmt.Sprintf("%s of %s are needed, and the quota %s leaves %s", f.Number, r.what, q.Name, f.Limit)
			f.Do = "raise the quota, at least until it is over"
			break
		}
		out = append(out, f)
	}
	return out
}
