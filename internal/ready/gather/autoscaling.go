package gather

import (
	"context"
	"fmt"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/ready"
)

// hpa is an autoscaler and what it scales.
type hpa struct {
	namespace, kind, target string
	ready.HPA
}

func (r *reading) listHPAs(ctx context.Context) error {
	return list(ctx, r.api, "/apis/autoscaling/v2/horizontalpodautoscalers", func() { r.hpas = nil }, func(h *autoscalingv2.HorizontalPodAutoscaler) {
		r.hpas = append(r.hpas, autoscaler(h))
	})
}

// scaledObject is what is read of keda.sh/v1alpha1.
type scaledObject struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Min *int `json:"minReplicaCount"` // KEDA's default: 0
		Max *int `json:"maxReplicaCount"` // 100
	} `json:"spec"`
}

// listScaled reads what KEDA's objects say themselves: the autoscalers that it makes
// have a minimum of 1 where a service scales to nothing.
func (r *reading) listScaled(ctx context.Context) error {
	bounds := map[string][2]int{}
	err := list(ctx, r.api, "/apis/keda.sh/v1alpha1/scaledobjects", func() { clear(bounds) }, func(o *scaledObject) {
		b := [2]int{0, 100}
		for i, given := range []*int{o.Spec.Min, o.Spec.Max} {
			if given != nil {
				b[i] = *given
			}
		}
		bounds[o.Namespace+"/"+o.Name] = b
	})
	if err != nil {
		return err
	}
	for i := range r.hpas {
		h := &r.hpas[i]
		if b, ok := bounds[h.namespace+"/"+h.ScaledObject]; ok && h.ScaledObject != "" {
			h.Min, h.Max, h.ByKEDA = b[0], b[1], true
		}
	}
	return nil
}

func autoscaler(h *autoscalingv2.HorizontalPodAutoscaler) hpa {
	out := hpa{h.Namespace, h.Spec.ScaleTargetRef.Kind, h.Spec.ScaleTargetRef.Name, ready.HPA{
		Name: h.Name, Min: 1, Max: int(h.Spec.MaxReplicas), Current: int(h.Status.CurrentReplicas), Desired: int(h.Status.DesiredReplicas),
	}}
	if h.Spec.MinReplicas != nil {
		out.Min = int(*h.Spec.MinReplicas)
	}
	for _, c := range h.Status.Conditions {
		switch {
		case c.Type == autoscalingv2.ScalingLimited:
			out.Limited = c.Status == corev1.ConditionTrue && c.Reason == "TooManyReplicas"
		case c.Status == corev1.ConditionFalse && (c.Type == autoscalingv2.AbleToScale || c.Type == autoscalingv2.ScalingActive):
			out.Trouble = append(out.Trouble, c.Reason+": "+cut(finding.Clean(c.Message), 200))
		}
	}
	if b := h.Spec.Behavior; b != nil && b.ScaleUp != nil && b.ScaleUp.SelectPolicy != nil {
		out.NoUp = *b.ScaleUp.SelectPolicy == autoscalingv2.DisabledPolicySelect
	}
	for _, o := range h.OwnerReferences {
		if o.Kind == "ScaledObject" && strings.HasPrefix(o.APIVersion, "keda.sh/") {
			out.ScaledObject = o.Name
		}
	}
	for i := range h.Spec.Metrics {
		out.Metrics = append(out.Metrics, metric(&h.Spec.Metrics[i], h.Status.CurrentMetrics))
	}
	return out
}

// metric pairs a target with the value that the autoscaler saw last.
func metric(m *autoscalingv2.MetricSpec, current []autoscalingv2.MetricStatus) ready.HPAMetric {
	name, target := identify(m)
	out := ready.HPAMetric{Name: name, Target: aim(target)}
	for i := range current {
		if is, value := identifyStatus(&current[i]); is == name && value != nil {
			out.Ratio, out.Known = ratio(target, value)
			break
		}
	}
	return out
}

func identify(m *autoscalingv2.MetricSpec) (string, *autoscalingv2.MetricTarget) {
	switch {
	case m.Resource != nil:
		return string(m.Resource.Name), &m.Resource.Target
	case m.ContainerResource != nil:
		return m.ContainerResource.Container + " " + string(m.ContainerResource.Name), &m.ContainerResource.Target
	case m.Pods != nil:
		return m.Pods.Metric.Name, &m.Pods.Target
	case m.Object != nil:
		return m.Object.Metric.Name + " of " + m.Object.DescribedObject.Name, &m.Object.Target
	case m.External != nil:
		return m.External.Metric.Name, &m.External.Target
	}
	return string(m.Type), nil
}

func identifyStatus(m *autoscalingv2.MetricStatus) (string, *autoscalingv2.MetricValueStatus) {
	switch {
	case m.Resource != nil:
		return string(m.Resource.Name), &m.Resource.Current
	case m.ContainerResource != nil:
		return m.ContainerResource.Container + " " + string(m.ContainerResource.Name), &m.ContainerResource.Current
	case m.Pods != nil:
		return m.Pods.Metric.Name, &m.Pods.Current
	case m.Object != nil:
		return m.Object.Metric.Name + " of " + m.Object.DescribedObject.Name, &m.Object.Current
	case m.External != nil:
		return m.External.Metric.Name, &m.External.Current
	}
	return "", nil
}

func ratio(t *autoscalingv2.MetricTarget, v *autoscalingv2.MetricValueStatus) (float64, bool) {
	switch {
	case t == nil:
	case t.AverageUtilization != nil && v.AverageUtilization != nil && *t.AverageUtilization > 0:
		return float64(*v.AverageUtilization) / float64(*t.AverageUtilization), true
	case t.AverageValue != nil && v.AverageValue != nil && t.AverageValue.Sign() > 0:
		return v.AverageValue.AsApproximateFloat64() / t.AverageValue.AsApproximateFloat64(), true
	case t.Value != nil && v.Value != nil && t.Value.Sign() > 0:
		return v.Value.AsApproximateFloat64() / t.Value.AsApproximateFloat64(), true
	}
	return 0, false
}

func aim(t *autoscalingv2.MetricTarget) string {
	switch {
	case t == nil:
	case t.AverageUtilization != nil:
		return fmt.Sprintf("%d %% of the request", *t.AverageUtilization)
	case t.AverageValue != nil:
		return t.AverageValue.String() + " a replica"
	case t.Value != nil:
		return t.Value.String()
	}
	return "no target"
}

func (r *reading) joinHPAs(owned map[string]*workload) {
	for i := range r.hpas {
		h := &r.hpas[i]
		w := owned[h.kind+"/"+h.namespace+"/"+h.target]
		if w != nil {
			w.HPA = &h.HPA
			continue
		}
		if h.kind != "Deployment" && h.kind != "StatefulSet" && r.opts.judged(h.namespace) {
			r.out.OtherHPAs = append(r.out.OtherHPAs, h.namespace+"/"+h.Name+" ("+h.kind+" "+h.target+")")
		}
	}
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
