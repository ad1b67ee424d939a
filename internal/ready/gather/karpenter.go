package gather

import (
	"context"
	"net/http"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/ready"
)

// amountsOf is a resource list of a CRD. Karpenter writes quantities as text or as
// numbers.
type amountsOf map[string]*resource.Quantity

// nodePool is what is read of karpenter.sh/v1.
type nodePool struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Template struct {
			Metadata struct {
				Labels map[string]string `json:"labels"`
			} `json:"metadata"`
			Spec struct {
				Taints       []corev1.Taint `json:"taints"`
				Requirements []struct {
					Key      string   `json:"key"`
					Operator string   `json:"operator"`
					Values   []string `json:"values"`
				} `json:"requirements"`
				NodeClassRef struct {
					Kind string `json:"kind"`
					Name string `json:"name"`
				} `json:"nodeClassRef"`
			} `json:"spec"`
		} `json:"template"`
		Weight     int       `json:"weight"`
		Limits     amountsOf `json:"limits"`
		Disruption struct {
			Policy  string `json:"consolidationPolicy"`
			After   string `json:"consolidateAfter"`
			Budgets []struct {
				Nodes    string   `json:"nodes"`
				Schedule string   `json:"schedule"`
				Reasons  []string `json:"reasons"`
			} `json:"budgets"`
		} `json:"disruption"`
	} `json:"spec"`
	Status struct {
		Resources  amountsOf          `json:"resources"`
		Conditions []metav1.Condition `json:"conditions"`
	} `json:"status"`
}

// listPools reads Karpenter's pools; a cluster without Karpenter has none, which
// is no gap.
func (r *reading) listPools(ctx context.Context) error {
	err := list(ctx, r.api, "/apis/karpenter.sh/v1/nodepools", func() { r.out.Pools = nil }, func(p *nodePool) {
		r.out.Pools = append(r.out.Pools, p.pool())
	})
	if is(err, http.StatusNotFound) {
		return nil
	}
	r.out.Karpenter = err == nil
	return err
}

func (p *nodePool) pool() ready.NodePool {
	t := &p.Spec.Template
	out := ready.NodePool{
		Name: p.Name, Labels: t.Metadata.Labels, Weight: p.Spec.Weight, NodeClass: t.Spec.NodeClassRef.Name,
		CPULimit: milli(p.Spec.Limits["cpu"]), MemoryLimit: whole(p.Spec.Limits["memory"]), NodesLimit: whole(p.Spec.Limits["nodes"]),
		Used:      ready.Resources{CPUMilli: max(milli(p.Status.Resources["cpu"]), 0), Memory: max(whole(p.Status.Resources["memory"]), 0)},
		UsedNodes: max(whole(p.Status.Resources["nodes"]), 0),
		// Karpenter's own default is to consolidate what is underutilised at once.
		Consolidates: p.Spec.Disruption.Policy != "WhenEmpty" && p.Spec.Disruption.After != "Never",
	}
	for _, x := range t.Spec.Taints {
		out.Taints = append(out.Taints, ready.Taint{Key: x.Key, Value: x.Value, Effect: string(x.Effect)})
	}
	for _, q := range t.Spec.Requirements {
		out.Requirements = append(out.Requirements, ready.Requirement{Key: q.Key, Operator: q.Operator, Values: q.Values})
	}
	for _, b := range p.Spec.Disruption.Budgets {
		if (b.Nodes == "0" || b.Nodes == "0%") && b.Schedule == "" && len(b.Reasons) == 0 {
			out.BudgetsClosed = true
		}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == "Ready" && c.Status != metav1.ConditionTrue {
			out.NotReady = c.Reason + " " + cut(finding.Clean(c.Message), 200)
		}
	}
	return out
}

// getCNI reads how the VPC CNI takes addresses; a cluster without it has none.
func (r *reading) getCNI(ctx context.Context) error {
	d, err := one[appsv1.DaemonSet](ctx, r.api, "/apis/apps/v1/namespaces/"+ready.SystemNamespace+"/daemonsets/aws-node")
	if is(err, http.StatusNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	c := &r.out.CNI
	c.Found = true
	for i := range d.Spec.Template.Spec.Containers {
		for _, e := range d.Spec.Template.Spec.Containers[i].Env {
			switch e.Name {
			case "ENABLE_PREFIX_DELEGATION":
				c.Prefixes = e.Value == "true"
			case "ENABLE_IPv6":
				c.IPv6 = e.Value == "true"
			case "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG":
				c.Custom = e.Value == "true"
			case "WARM_IP_TARGET":
				c.WarmIPs, _ = strconv.Atoi(e.Value) // 0 where it is none
			}
		}
	}
	return nil
}
