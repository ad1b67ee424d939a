package gather

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/vigie-otel/vigie/internal/ready"
)

func (r *reading) listNodes(ctx context.Context) error {
	return list(ctx, r.api, "/api/v1/nodes", func() { r.nodes = nil }, func(n *corev1.Node) {
		if n.Labels["eks.amazonaws.com/compute-type"] == "fargate" {
			return // takes one pod, which is there already
		}
		r.nodes = append(r.nodes, node(n))
	})
}

func node(n *corev1.Node) ready.Node {
	out := ready.Node{
		Name: n.Name, Labels: n.Labels, Cordoned: n.Spec.Unschedulable,
		Capacity: amounts(n.Status.Capacity), Allocatable: amounts(n.Status.Allocatable),
	}
	for _, t := range n.Spec.Taints {
		out.Taints = append(out.Taints, ready.Taint{Key: t.Key, Value: t.Value, Effect: string(t.Effect)})
	}
	for _, c := range n.Status.Conditions {
		out.Ready = out.Ready || c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	}
	out.PodCIDR, _ = netip.ParsePrefix(n.Spec.PodCIDR) // none with the VPC CNI
	for _, a := range n.Status.Addresses {
		if ip, err := netip.ParseAddr(a.Address); err == nil && a.Type == corev1.NodeInternalIP && !out.Address.IsValid() {
			out.Address = ip
		}
	}
	return out
}

func amounts(l corev1.ResourceList) ready.Resources {
	return ready.Resources{CPUMilli: l.Cpu().MilliValue(), Memory: l.Memory().Value(), Pods: l.Pods().Value()}
}

// tally is what is kept of pods: sums, not the pods.
type tally struct {
	byNode  map[string]*usage
	byOwner map[string]*waiting
	noRoom  int
	daemons map[string]bool // DaemonSets that have a pod, as namespace/name
}

type usage struct{ used, daemons ready.Resources }

// waiting is of one workload's pods. Its nodes are bounded by its replicas.
type waiting struct {
	pending, noRoom int
	oldest          time.Duration
	nodes           map[string]bool
}

func (r *reading) listPods(ctx context.Context) error {
	return list(ctx, r.api, "/api/v1/pods", func() {
		r.tally = tally{byNode: map[string]*usage{}, byOwner: map[string]*waiting{}, daemons: map[string]bool{}}
	}, r.pod)
}

func (r *reading) pod(p *corev1.Pod) {
	if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return // holds nothing any more
	}
	t := &r.tally
	kind, name := owner(p)
	if node := p.Spec.NodeName; node != "" {
		u := t.byNode[node]
		if u == nil {
			u = &usage{}
			t.byNode[node] = u
		}
		asks := requests(&p.Spec)
		u.used = add(u.used, asks)
		if kind == "DaemonSet" {
			u.daemons = add(u.daemons, asks)
			t.daemons[p.Namespace+"/"+name] = true
		}
	}
	key := kind + "/" + p.Namespace + "/" + name
	w := t.byOwner[key]
	if w == nil && (kind == "Deployment" || kind == "StatefulSet") {
		w = &waiting{nodes: map[string]bool{}}
		t.byOwner[key] = w
	}
	if w != nil && p.Spec.NodeName != "" {
		w.nodes[p.Spec.NodeName] = true
	}
	if p.Status.Phase != corev1.PodPending {
		return
	}
	homeless := slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable
	})
	if homeless {
		t.noRoom++
	}
	if w == nil {
		return
	}
	w.pending++
	if homeless {
		w.noRoom++
	}
	w.oldest = max(w.oldest, r.opts.Now.Sub(p.CreationTimestamp.Time))
}

func add(a, b ready.Resources) ready.Resources {
	return ready.Resources{CPUMilli: a.CPUMilli + b.CPUMilli, Memory: a.Memory + b.Memory, Pods: a.Pods + b.Pods}
}

// owner is the workload of a pod. A Deployment's is told by its ReplicaSet's name,
// less the hash that the pod carries, so that no ReplicaSet is read: clusters have
// ten times as many of them as Deployments.
func owner(p *corev1.Pod) (kind, name string) {
	for _, o := range p.OwnerReferences {
		if o.Controller == nil || !*o.Controller {
			continue
		}
		if o.Kind == "ReplicaSet" {
			if of, ok := strings.CutSuffix(o.Name, "-"+p.Labels["pod-template-hash"]); ok {
				return "Deployment", of
			}
		}
		return o.Kind, o.Name
	}
	return "", ""
}

// requests is what the scheduler counts for a pod: its containers and sidecars, or
// an init container that asks for more, and the overhead. A pod counts as one.
func requests(s *corev1.PodSpec) ready.Resources {
	var run, begin ready.Resources
	for i := range s.InitContainers {
		c := &s.InitContainers[i]
		asks := amounts(c.Resources.Requests)
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			run = add(run, asks)
			begin = most(begin, run)
			continue
		}
		begin = most(begin, add(run, asks))
	}
	for i := range s.Containers {
		run = add(run, amounts(s.Containers[i].Resources.Requests))
	}
	out := add(most(run, begin), amounts(s.Overhead))
	if s.Resources != nil { // of the pod as a whole
		if q, ok := s.Resources.Requests[corev1.ResourceCPU]; ok {
			out.CPUMilli = q.MilliValue()
		}
		if q, ok := s.Resources.Requests[corev1.ResourceMemory]; ok {
			out.Memory = q.Value()
		}
	}
	out.Pods = 1
	return out
}

func most(a, b ready.Resources) ready.Resources {
	return ready.Resources{CPUMilli: max(a.CPUMilli, b.CPUMilli), Memory: max(a.Memory, b.Memory)}
}

// milli and whole read a quantity of an object that has no Go type here; -1 where
// there is none.
func milli(q *resource.Quantity) int64 {
	if q == nil {
		return -1
	}
	return q.MilliValue()
}

func whole(q *resource.Quantity) int64 {
	if q == nil {
		return -1
	}
	return q.Value()
}
