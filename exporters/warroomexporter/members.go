package warroomexporter

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// maxKnown bounds the pods that are sorted; a cluster of 1,000 nodes has 30,000.
const maxKnown = 50_000

// member is one that can be chosen. null: not measured.
type member struct {
	Kind     scopeKind `json:"kind"`
	Name     string    `json:"name"` // a pod's is namespace/pod
	Node     string    `json:"node,omitempty"`
	CPU      number    `json:"cpu"`    // cores
	Memory   number    `json:"memory"` // By, working set
	Restarts number    `json:"restarts"`
	Rate     number    `json:"rate"`   // requests a second
	Failed   number    `json:"failed"` // share
	Pods     int       `json:"pods,omitempty"`
}

func newMember(kind scopeKind, name string) *member {
	return &member{Kind: kind, Name: name, CPU: notANumber, Memory: notANumber, Restarts: notANumber, Rate: notANumber, Failed: notANumber}
}

// podsOf are the pods in which a service was seen; of another scope none, since
// the series themselves say what belongs to it.
func podsOf(s scope, seen []identity) (of []identity) {
	if s.kind != services || s.name == "" {
		return nil
	}
	for _, id := range seen {
		if id.Service == s.name && id.Pod != "" && len(of) < 100 {
			of = append(of, id)
		}
	}
	return of
}

// members lists what there is of a kind or, where one is chosen, the pods in it.
func (w *warroom) members(a *asker, s scope, seen []identity, of []identity) ([]member, []string) {
	if s.kind == services && s.name == "" {
		return w.serviceMembers(a, seen)
	}
	in := w.podMembers(a, s, seen, of)
	switch {
	case s.name != "":
		return sorted(in), nil
	case s.kind == pods:
		return sorted(in), nothingOf(len(in), "No pods: an agent on a Kubernetes node brings them (the kubelet's stats, cAdvisor, kube-state-metrics), and so does any record with k8s.namespace.name and k8s.pod.name.")
	case s.kind == namespaces:
		all := gather(in, namespaces, func(m *member) string { ns, _, _ := strings.Cut(m.Name, "/"); return ns })
		for _, r := range a.by("namespace", `kube_namespace_status_phase{phase="Active"} == 1`) {
			upsert(all, namespaces, r.label)
		}
		for _, id := range seen {
			upsert(all, namespaces, id.Namespace)
		}
		return sorted(all), nothingOf(len(all), "No namespaces: an agent on a Kubernetes node brings them (the kubelet's stats, cAdvisor), kube-state-metrics, or any record with k8s.namespace.name.")
	default:
		all := gather(in, nodes, func(m *member) string { return m.Node })
		nodeMembers(a, all, seen)
		return sorted(all), nothingOf(len(all), "No nodes: the host's own metrics bring them (host_stat, on any machine), the kubelet's stats, or any record with k8s.node.name or host.name.")
	}
}

func nothingOf(n int, why string) []string {
	if n > 0 {
		return nil
	}
	return []string{why}
}

func upsert(all map[string]*member, kind scopeKind, name string) *member {
	if name == "" || len(all) >= maxKnown && all[name] == nil {
		return newMember(kind, name) // nobody's
	}
	m := all[name]
	if m == nil {
		m = newMember(kind, name)
		all[name] = m
	}
	return m
}

// podMembers are the pods of a scope with what they use.
func (w *warroom) podMembers(a *asker, s scope, seen, of []identity) map[string]*member {
	all := map[string]*member{}
	t := targetOf(s, of)
	set := func(expr, namespace, pod, node string, to func(*member, number)) {
		for _, r := range a.by(pod, expr) {
			ns := r.labels.Get(namespace)
			if r.label == "" || ns == "" {
				continue
			}
			m := upsert(all, pods, cut(ns, 128)+"/"+r.label)
			if n := r.labels.Get(node); node != "" && n != "" {
				m.Node = cut(n, 128)
			}
			if to != nil {
				to(m, r.value)
			}
		}
	}
	cpu := func(m *member, v number) { m.CPU = v }
	memory := func(m *member, v number) { m.Memory = v }
	restarts := func(m *member, v number) { m.Restarts = v }
	if !t.none {
		// The kubelet's own word is the last: it goes over what cAdvisor says.
		set(fmt.Sprintf(`sum by (namespace, pod, node) (rate(container_cpu_usage_seconds_total{%s}[1m]))`, t.container()), "namespace", "pod", "node", cpu)
		set(fmt.Sprintf(`sum by (namespace, pod, node) (container_memory_working_set_bytes{%s})`, t.container()), "namespace", "pod", "node", memory)
		set(fmt.Sprintf(`max by (k8s_namespace_name, k8s_pod_name, k8s_node_name) (k8s_pod_cpu_usage{%s})`, t.kubelet), "k8s_namespace_name", "k8s_pod_name", "k8s_node_name", cpu)
		set(fmt.Sprintf(`max by (k8s_namespace_name, k8s_pod_name, k8s_node_name) (k8s_pod_memory_working_set_bytes{%s})`, t.kubelet), "k8s_namespace_name", "k8s_pod_name", "k8s_node_name", memory)
		set(fmt.Sprintf(`max by (namespace, pod, node) (kube_pod_info{%s})`, t.state), "namespace", "pod", "node", nil)
		set(t.restarts(`sum by (namespace, pod) (kube_pod_container_status_restarts_total{%s})`), "namespace", "pod", "", restarts)
	}
	for i := range seen {
		if id := &seen[i]; id.Pod != "" && id.Namespace != "" && s.has(id) {
			if m := upsert(all, pods, id.Namespace+"/"+id.Pod); m.Node == "" {
				m.Node = id.Node
			}
		}
	}
	return all
}

// nodeMembers adds the machines, with or without Kubernetes on them.
func nodeMembers(a *asker, all map[string]*member, seen []identity) {
	for _, q := range []struct {
		label, expr string
		to          func(*member, number)
	}{
		{"node", `max by (node) (kube_node_info)`, nil},
		{"instance", `sum by (instance) (rate(system_cpu_time_seconds_total{state!="idle"}[1m]))`, func(m *member, v number) { m.CPU = v }},
		{"instance", `max by (instance) (system_memory_limit_bytes) - max by (instance) (system_linux_memory_available_bytes)`, func(m *member, v number) { m.Memory = v }},
		{"k8s_node_name", `max by (k8s_node_name) (k8s_node_cpu_usage)`, func(m *member, v number) { m.CPU = v }},
		{"k8s_node_name", `max by (k8s_node_name) (k8s_node_memory_working_set_bytes)`, func(m *member, v number) { m.Memory = v }},
	} {
		for _, r := range a.by(q.label, q.expr) {
			if m := upsert(all, nodes, r.label); q.to != nil {
				q.to(m, r.value)
			}
		}
	}
	for _, id := range seen {
		upsert(all, nodes, id.Node)
	}
}

// serviceMembers are who has a verdict, who sends spans, and who writes logs.
func (w *warroom) serviceMembers(a *asker, seen []identity) ([]member, []string) {
	all := map[string]*member{}
	name := func(l labels.Labels) string { return cut(cmp.Or(l.Get("service_name"), l.Get("job")), 128) }
	const calls = `traces_span_metrics_calls_total{span_kind="SPAN_KIND_SERVER"%s}[1m]`
	for _, r := range a.by("service_name", fmt.Sprintf("sum by (service_name, job) (rate("+calls+"))", "")) {
		upsert(all, services, name(r.labels)).Rate = r.value
	}
	failed := map[string]number{}
	for _, r := range a.by("service_name", fmt.Sprintf("sum by (service_name, job) (rate("+calls+"))", `,http_response_status_code=~"[45].."`)) {
		failed[name(r.labels)] = r.value
	}
	for n, m := range all {
		if m.Rate > 0 {
			m.Failed = failed[n] / m.Rate
		}
	}
	for _, v := range a.rows() { // the detector's own count is of all requests
		m := upsert(all, services, v.Service)
		m.Rate = v.Rate
		if v.Rate > 0 {
			m.Failed = v.Errors / v.Rate
		}
	}
	in := map[string]map[string]struct{}{}
	for _, id := range seen {
		upsert(all, services, id.Service)
		if id.Pod == "" {
			continue
		}
		if in[id.Service] == nil {
			in[id.Service] = map[string]struct{}{}
		}
		in[id.Service][id.Namespace+"/"+id.Pod] = struct{}{}
	}
	for service, p := range in {
		upsert(all, services, service).Pods = len(p)
	}
	return sorted(all), nothingOf(len(all), "No services: requests that the detector judges bring them, and so does any record or span with service.name.")
}

// gather sums pods up into what they are in.
func gather(in map[string]*member, kind scopeKind, by func(*member) string) map[string]*member {
	all := map[string]*member{}
	for _, p := range in {
		m := upsert(all, kind, by(p))
		m.Pods++
		m.CPU, m.Memory, m.Restarts = plus(m.CPU, p.CPU), plus(m.Memory, p.Memory), plus(m.Restarts, p.Restarts)
	}
	return all
}

// plus adds what is known.
func plus(a, b number) number {
	switch {
	case isNaN(a):
		return b
	case isNaN(b):
		return a
	}
	return a + b
}

// sorted puts the busiest first: by requests, then processor, memory and name.
func sorted(all map[string]*member) []member {
	out := make([]member, 0, len(all))
	for _, m := range all {
		out = append(out, *m)
	}
	known := func(v number) float64 {
		if isNaN(v) {
			return math.Inf(-1)
		}
		return float64(v)
	}
	slices.SortFunc(out, func(a, b member) int {
		return cmp.Or(
			cmp.Compare(known(b.Rate), known(a.Rate)), cmp.Compare(known(b.CPU), known(a.CPU)),
			cmp.Compare(known(b.Memory), known(a.Memory)), strings.Compare(a.Name, b.Name),
		)
	})
	return out
}
