package gather

import (
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vigie-otel/vigie/internal/ready"
)

// workload is one, with what only this package needs of it.
type workload struct {
	ready.Workload
	dns bool
}

func (w *workload) key() string { return w.Kind + "/" + w.Namespace + "/" + w.Name }

func (r *reading) listDeployments(ctx context.Context) error {
	return list(ctx, r.api, "/apis/apps/v1/deployments", func() { r.workloads = nil }, func(d *appsv1.Deployment) {
		w := template("Deployment", &d.ObjectMeta, &d.Spec.Template, d.Spec.Replicas, d.Status.ReadyReplicas)
		w.dns = d.Namespace == ready.SystemNamespace && d.Labels["k8s-app"] == "kube-dns"
		r.workloads = append(r.workloads, w)
	})
}

func (r *reading) listStateful(ctx context.Context) error {
	return list(ctx, r.api, "/apis/apps/v1/statefulsets", func() { r.stateful = nil }, func(s *appsv1.StatefulSet) {
		r.stateful = append(r.stateful, template("StatefulSet", &s.ObjectMeta, &s.Spec.Template, s.Spec.Replicas, s.Status.ReadyReplicas))
	})
}

func template(kind string, m *metav1.ObjectMeta, t *corev1.PodTemplateSpec, replicas *int32, running int32) *workload {
	w := &workload{Workload: ready.Workload{
		Kind: kind, Namespace: m.Namespace, Name: m.Name, Services: serviceNames(m, t), Replicas: 1, Ready: int(running),
		Pod: requests(&t.Spec), Labels: t.Labels, Selector: t.Spec.NodeSelector, HostNetwork: t.Spec.HostNetwork,
	}}
	if replicas != nil {
		w.Replicas = int(*replicas)
	}
	for i := range t.Spec.Containers {
		w.Unrequested = w.Unrequested || t.Spec.Containers[i].Resources.Requests.Cpu().IsZero()
	}
	for _, o := range t.Spec.Tolerations {
		w.Tolerations = append(w.Tolerations, ready.Toleration{Key: o.Key, Operator: string(o.Operator), Value: o.Value, Effect: string(o.Effect)})
	}
	a := t.Spec.Affinity
	if a != nil && a.NodeAffinity != nil && a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		for _, term := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
			reqs := []ready.Requirement{}
			for _, e := range term.MatchExpressions {
				reqs = append(reqs, ready.Requirement{Key: e.Key, Operator: string(e.Operator), Values: e.Values})
			}
			w.Affinity = append(w.Affinity, reqs)
		}
	}
	if a != nil && a.PodAntiAffinity != nil {
		for _, term := range a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
			if term.TopologyKey == corev1.LabelHostname && selects(term.LabelSelector, t.Labels) {
				w.OnePerNode = true
			}
		}
	}
	for i := range t.Spec.Containers { // a host port is one a node, too
		w.OnePerNode = w.OnePerNode || slices.ContainsFunc(t.Spec.Containers[i].Ports, func(p corev1.ContainerPort) bool { return p.HostPort > 0 })
	}
	return w
}

// serviceNames are the names by which telemetry may know a workload, in the order
// in which the k8s_attributes processor derives service.name; see the semantic
// conventions' k8s-attributes.
func serviceNames(m *metav1.ObjectMeta, t *corev1.PodTemplateSpec) (out []string) {
	for _, name := range []string{
		t.Annotations["resource.opentelemetry.io/service.name"], t.Labels["app.kubernetes.io/instance"],
		t.Labels["app.kubernetes.io/name"], t.Labels["app"], m.Name,
	} {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func selects(s *metav1.LabelSelector, labels map[string]string) bool {
	if s == nil {
		return false
	}
	sel, err := metav1.LabelSelectorAsSelector(s)
	return err == nil && sel.Matches(set(labels))
}

// set is labels as a selector reads them.
type set map[string]string

func (s set) Has(k string) bool              { _, ok := s[k]; return ok }
func (s set) Get(k string) string            { return s[k] }
func (s set) Lookup(k string) (string, bool) { v, ok := s[k]; return v, ok }

// joinDNS finds CoreDNS and what scales it.
func (r *reading) joinDNS(owned map[string]*workload) {
	d := &r.out.DNS
	for _, w := range r.workloads {
		if !w.dns {
			continue
		}
		*d = ready.DNS{Found: true, Namespace: w.Namespace, Name: w.Name, Replicas: w.Replicas, Ready: w.Ready, Spread: w.Spread}
		if w.HPA != nil {
			d.Autoscaler = "HorizontalPodAutoscaler " + w.HPA.Name
		}
		break
	}
	for _, name := range []string{"coredns-autoscaler", "dns-autoscaler", "kube-dns-autoscaler"} {
		if w := owned["Deployment/"+ready.SystemNamespace+"/"+name]; w != nil && d.Found && w.Ready > 0 {
			d.Autoscaler = "Deployment " + name
		}
	}
	for _, name := range []string{"node-local-dns", "nodelocaldns"} {
		d.NodeLocal = d.NodeLocal || r.tally.daemons[ready.SystemNamespace+"/"+name]
	}
}
