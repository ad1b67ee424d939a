package apitest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// YAML reads objects that are divided by lines of three hyphens.
func YAML(t testing.TB, text string) (out []Object) {
	t.Helper()
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var o Object
		err := dec.Decode(&o)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if o != nil {
			out = append(out, o)
		}
	}
}

// paths of a kind's list over all namespaces.
var paths = map[string]string{ //nolint:gochecknoglobals // a constant table
	"Node": "/api/v1/nodes", "Pod": "/api/v1/pods", "Service": "/api/v1/services", "ResourceQuota": "/api/v1/resourcequotas",
	"Deployment": "/apis/apps/v1/deployments", "StatefulSet": "/apis/apps/v1/statefulsets",
	"HorizontalPodAutoscaler": "/apis/autoscaling/v2/horizontalpodautoscalers", "PodDisruptionBudget": "/apis/policy/v1/poddisruptionbudgets",
	"ScaledObject": "/apis/keda.sh/v1alpha1/scaledobjects",
	"NodePool":     "/apis/karpenter.sh/v1/nodepools", "EC2NodeClass": "/apis/karpenter.k8s.aws/v1/ec2nodeclasses",
	"ENIConfig": "/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs",
}

// Put adds objects to the lists and paths that they belong to.
func (s *Server) Put(t testing.TB, objects ...Object) {
	t.Helper()
	byPath := map[string][]Object{}
	for _, o := range objects {
		kind, _ := o["kind"].(string)
		meta, _ := o["metadata"].(map[string]any)
		switch path, ok := paths[kind]; {
		case ok:
			byPath[path] = append(byPath[path], o)
		case kind == "ConfigMap":
			s.Objects[fmt.Sprintf("/api/v1/namespaces/%v/configmaps/%v", meta["namespace"], meta["name"])] = o
		case kind == "DaemonSet":
			s.Objects[fmt.Sprintf("/apis/apps/v1/namespaces/%v/daemonsets/%v", meta["namespace"], meta["name"])] = o
		default:
			t.Fatalf("no path for kind %q", kind)
		}
	}
	for path, more := range byPath {
		old := s.Lists[path]
		for i := range old.Len {
			more = append([]Object{old.At(old.Len - 1 - i)}, more...)
		}
		s.Lists[path] = Of(more...)
	}
}
