package gather

import (
	"context"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/vigie-otel/vigie/internal/ready"
)

func (r *reading) listBudgets(ctx context.Context) error {
	return list(ctx, r.api, "/apis/policy/v1/poddisruptionbudgets", func() { r.out.Budgets = nil }, func(b *policyv1.PodDisruptionBudget) {
		out := ready.Budget{
			Namespace: b.Namespace, Name: b.Name, Allowed: int(b.Status.DisruptionsAllowed),
			Desired: int(b.Status.DesiredHealthy), Healthy: int(b.Status.CurrentHealthy), Expected: int(b.Status.ExpectedPods),
		}
		if s := b.Spec.Selector; s != nil {
			out.Everything = len(s.MatchLabels)+len(s.MatchExpressions) == 0
			for k, v := range s.MatchLabels {
				out.Selector = append(out.Selector, ready.Requirement{Key: k, Operator: "In", Values: []string{v}})
			}
			for _, e := range s.MatchExpressions {
				out.Selector = append(out.Selector, ready.Requirement{Key: e.Key, Operator: string(e.Operator), Values: e.Values})
			}
		}
		r.out.Budgets = append(r.out.Budgets, out)
	})
}

func (r *reading) listQuotas(ctx context.Context) error {
	return list(ctx, r.api, "/api/v1/resourcequotas", func() { r.out.Quotas = nil }, func(q *corev1.ResourceQuota) {
		if len(q.Spec.Scopes) > 0 || q.Spec.ScopeSelector != nil {
			return // of some pods alone: which, a template does not tell
		}
		r.out.Quotas = append(r.out.Quotas, ready.Quota{
			Namespace: q.Namespace, Name: q.Name,
			CPUMilli: left(q, milli, corev1.ResourceRequestsCPU, corev1.ResourceCPU),
			Memory:   left(q, whole, corev1.ResourceRequestsMemory, corev1.ResourceMemory),
			Pods:     left(q, whole, corev1.ResourcePods, "count/pods"),
		})
	})
}

// left is the least that any of the names leaves; -1 where none is limited.
func left(q *corev1.ResourceQuota, read func(*resource.Quantity) int64, names ...corev1.ResourceName) int64 {
	out := int64(-1)
	for _, n := range names {
		hard, ok := q.Status.Hard[n]
		if !ok {
			continue
		}
		used := q.Status.Used[n]
		if v := max(read(&hard)-read(&used), 0); out < 0 || v < out {
			out = v
		}
	}
	return out
}

func (r *reading) countServices(ctx context.Context) (err error) {
	r.out.Services, err = count(ctx, r.api, "/api/v1/services")
	return err
}

// getConfigMaps reads kube-proxy's mode and the Cluster Autoscaler's status. One
// that is not there is no gap: EKS has the one, a kubeadm cluster the other, a
// cluster with Karpenter none.
func (r *reading) getConfigMaps(ctx context.Context) error {
	for _, name := range ready.ConfigMaps() {
		cm, err := one[corev1.ConfigMap](ctx, r.api, "/api/v1/namespaces/"+ready.SystemNamespace+"/configmaps/"+name)
		switch {
		case is(err, http.StatusNotFound):
			continue
		case err != nil:
			return err
		case name == ready.AutoscalerStatus:
			r.out.Groups = nodeGroups(cm.Data["status"])
		case !r.out.ProxyKnown:
			r.out.ProxyMode, r.out.ProxyKnown = proxyMode(cm.Data)
		}
	}
	return nil
}

// proxyMode is the mode of a kube-proxy configuration; empty means iptables on
// Linux.
func proxyMode(data map[string]string) (string, bool) {
	for _, text := range data {
		if !strings.Contains(text, "KubeProxyConfiguration") {
			continue
		}
		for line := range strings.Lines(text) {
			if v, ok := strings.CutPrefix(line, "mode:"); ok {
				if v = strings.Trim(strings.TrimSpace(v), `"'`); v != "" {
					return cut(v, 20), true
				}
			}
		}
		return "iptables", true
	}
	return "", false
}
