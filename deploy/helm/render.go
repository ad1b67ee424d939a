package helm

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// Chart renders the chart in a directory.
type Chart struct {
	Helm    string // program
	Dir     string
	Release string // default vigie, in the namespace vigie
}

// Tool finds helm, or gets it (tools.sh).
func Tool() (string, error) {
	get := exec.Command("./tools.sh") //nolint:noctx // ends by itself
	var said bytes.Buffer
	get.Stderr = &said
	out, err := get.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	return filepath.Join(strings.TrimSpace(string(out)), "helm"), nil
}

// Text is what helm renders, with arguments such as --set or -f behind; an error
// has helm's own words.
func (c Chart) Text(args ...string) ([]byte, error) {
	release := c.Release
	if release == "" {
		release = "vigie"
	}
	render := exec.Command(c.Helm, append([]string{"template", release, c.Dir, "--namespace", "vigie"}, args...)...) //nolint:gosec,noctx // a test's own
	render.Env = append(os.Environ(), "HELM_CACHE_HOME="+os.TempDir(), "HELM_CONFIG_HOME="+os.TempDir(), "HELM_DATA_HOME="+os.TempDir())
	var said bytes.Buffer
	render.Stderr = &said
	out, err := render.Output()
	if err != nil {
		return nil, errors.New(strings.TrimSpace(said.String()))
	}
	return out, nil
}

// Objects are what helm renders, read strictly.
func (c Chart) Objects(args ...string) ([]runtime.Object, error) {
	text, err := c.Text(args...)
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Parse reads objects out of YAML documents; a field that a kind doesn't have is
// an error, as with kubectl apply --validate=strict.
func Parse(text []byte) ([]runtime.Object, error) {
	var all []runtime.Object
	for doc := range strings.SplitSeq("\n"+string(text), "\n---") {
		var kind struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := yaml.Unmarshal([]byte(doc), &kind); err != nil {
			return nil, fmt.Errorf("%w in:\n%s", err, doc)
		}
		if kind.Kind == "" {
			continue
		}
		o, err := empty(kind.APIVersion + " " + kind.Kind)
		if err != nil {
			return nil, err
		}
		if err := yaml.UnmarshalStrict([]byte(doc), o); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.Kind, err)
		}
		all = append(all, o)
	}
	return all, nil
}

func empty(kind string) (runtime.Object, error) {
	switch kind {
	case "v1 Namespace":
		return &corev1.Namespace{}, nil
	case "v1 ConfigMap":
		return &corev1.ConfigMap{}, nil
	case "v1 Service":
		return &corev1.Service{}, nil
	case "v1 ServiceAccount":
		return &corev1.ServiceAccount{}, nil
	case "apps/v1 DaemonSet":
		return &appsv1.DaemonSet{}, nil
	case "apps/v1 StatefulSet":
		return &appsv1.StatefulSet{}, nil
	case "apps/v1 Deployment":
		return &appsv1.Deployment{}, nil
	case "networking.k8s.io/v1 NetworkPolicy":
		return &networkingv1.NetworkPolicy{}, nil
	case "policy/v1 PodDisruptionBudget":
		return &policyv1.PodDisruptionBudget{}, nil
	case "rbac.authorization.k8s.io/v1 ClusterRole":
		return &rbacv1.ClusterRole{}, nil
	case "rbac.authorization.k8s.io/v1 ClusterRoleBinding":
		return &rbacv1.ClusterRoleBinding{}, nil
	case "rbac.authorization.k8s.io/v1 Role":
		return &rbacv1.Role{}, nil
	case "rbac.authorization.k8s.io/v1 RoleBinding":
		return &rbacv1.RoleBinding{}, nil
	case "scheduling.k8s.io/v1 PriorityClass":
		return &schedulingv1.PriorityClass{}, nil
	}
	return nil, fmt.Errorf("a kind that the chart has not had: %s", kind)
}

// Workload is a pod template and whose it is.
type Workload struct {
	Name string
	Pod  corev1.PodTemplateSpec
}

// Workloads are the pod templates among the objects.
func Workloads(objects []runtime.Object) []Workload {
	var all []Workload
	for _, o := range objects {
		switch o := o.(type) {
		case *appsv1.DaemonSet:
			all = append(all, Workload{o.Name, o.Spec.Template})
		case *appsv1.StatefulSet:
			all = append(all, Workload{o.Name, o.Spec.Template})
		case *appsv1.Deployment:
			all = append(all, Workload{o.Name, o.Spec.Template})
		}
	}
	return all
}
