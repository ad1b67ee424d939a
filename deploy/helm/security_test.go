package helm

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// everyPod calls f with each pod template of each preset.
func everyPod(t *testing.T, f func(t *testing.T, w Workload)) {
	t.Helper()
	for _, preset := range slices.Sorted(maps.Keys(presets(t))) {
		for _, w := range Workloads(render(t, "-f", presets(t)[preset])) {
			t.Run(preset+"/"+w.Name, func(t *testing.T) { f(t, w) })
		}
	}
}

func containers(w Workload) []corev1.Container {
	return append(slices.Clone(w.Pod.Spec.InitContainers), w.Pod.Spec.Containers...)
}

func TestEveryContainerIsAnOrdinaryUserWithNothingToGain(t *testing.T) {
	everyPod(t, func(t *testing.T, w Workload) {
		spec := w.Pod.Spec
		require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, spec.SecurityContext.SeccompProfile.Type)
		require.True(t, *spec.SecurityContext.RunAsNonRoot)
		require.NotZero(t, *spec.SecurityContext.RunAsUser)
		require.False(t, spec.HostPID || spec.HostIPC)
		require.False(t, *spec.EnableServiceLinks)
		for _, c := range containers(w) {
			s := c.SecurityContext
			require.NotNil(t, s, c.Name)
			require.False(t, *s.AllowPrivilegeEscalation, c.Name)
			require.True(t, *s.ReadOnlyRootFilesystem, c.Name)
			require.Nil(t, s.Privileged, c.Name)
			require.Nil(t, s.SeccompProfile, c.Name)
			require.Equal(t, []corev1.Capability{"ALL"}, s.Capabilities.Drop, c.Name)
			agent := w.Name == "vigie-agent"
			if data := agent && c.Name == "data"; data {
				// The one exception: root for a chmod, with no capability.
				require.Zero(t, *s.RunAsUser)
				require.Empty(t, s.Capabilities.Add)
				require.Equal(t, []string{"/vigie-node", "data", "/var/lib/vigie"}, c.Command)
				require.Len(t, c.VolumeMounts, 1)
			} else {
				require.Nil(t, s.RunAsUser, c.Name)
				require.Nil(t, s.RunAsNonRoot, c.Name)
			}
			want := []corev1.Capability(nil)
			if agent && c.Name == "agent" && spec.HostNetwork {
				want = []corev1.Capability{"NET_ADMIN"}
			}
			require.Equal(t, want, s.Capabilities.Add, c.Name)
		}
	})
}

func TestTheHostsNetworkAndItsCapabilityComeWithConntrackOnly(t *testing.T) {
	for conntrack, objects := range map[bool][]runtime.Object{true: render(t), false: render(t, "--set", "agent.conntrack=false")} {
		ds := one[*appsv1.DaemonSet](t, objects, "vigie-agent").Spec.Template.Spec
		require.Equal(t, conntrack, ds.HostNetwork)
		require.Equal(t, conntrack, len(ds.Containers[0].SecurityContext.Capabilities.Add) == 1)
		require.False(t, one[*appsv1.StatefulSet](t, objects, "vigie-gateway").Spec.Template.Spec.HostNetwork)
	}
}

func TestOfTheHostOnlyTheDataDirectoryIsWritable(t *testing.T) {
	allowed := map[string]bool{"/proc": true, "/sys": true, "/var/log/pods": true, "/var/lib/vigie": true, "/var/log/journal": true, "/usr": true}
	everyPod(t, func(t *testing.T, w Workload) {
		hidden := map[string]bool{}
		for _, c := range w.Pod.Spec.Containers {
			for _, m := range c.VolumeMounts {
				if m.Name == "hidden" {
					hidden[m.MountPath] = true
				}
			}
		}
		for _, v := range w.Pod.Spec.Volumes {
			if v.HostPath == nil {
				continue
			}
			path := v.HostPath.Path
			require.Equal(t, "vigie-agent", w.Name, path)
			if path == "/" { // agent.hostRoot: without what other pods keep secret and the runtime's socket
				require.Equal(t, map[string]bool{"/host/var/lib/kubelet": true, "/host/run": true}, hidden)
			} else {
				require.True(t, allowed[path], path)
			}
			for _, c := range containers(w) {
				for _, m := range c.VolumeMounts {
					if m.Name == v.Name {
						require.Equal(t, path != "/var/lib/vigie", m.ReadOnly, "%s: %s", c.Name, m.MountPath)
						require.True(t, path == "/var/lib/vigie" || strings.HasPrefix(m.MountPath, "/host"), m.MountPath)
					}
				}
			}
		}
	})
}

func TestFluentBitsLogsAreNotReadASecondTime(t *testing.T) {
	for _, args := range [][]string{{"-f", "presets/fluentbit.yaml"}, {"--set", "agent.logs=false"}} {
		for _, v := range one[*appsv1.DaemonSet](t, render(t, args...), "vigie-agent").Spec.Template.Spec.Volumes {
			require.NotEqual(t, "logs", v.Name)
		}
	}
}

func TestTheJournalIsReadByWhomItNamesAndByNobodyOtherwise(t *testing.T) {
	without := one[*appsv1.DaemonSet](t, render(t), "vigie-agent").Spec.Template.Spec
	require.Equal(t, []int64{0}, without.SecurityContext.SupplementalGroups)
	objects := render(t, "-f", "presets/journal.yaml")
	with := one[*appsv1.DaemonSet](t, objects, "vigie-agent").Spec.Template.Spec
	require.Equal(t, []int64{0, 999}, with.SecurityContext.SupplementalGroups)
	require.Len(t, with.Volumes, len(without.Volumes)+2)
	require.Equal(t, "kubelet,containerd", enter(t, objects, "vigie-agent").env["VIGIE_JOURNALD"])
	for _, v := range with.Volumes {
		if v.Name == "journal" {
			require.Equal(t, corev1.HostPathDirectory, *v.HostPath.Type, "systemd keeps its journal on disk where the directory is")
		}
	}
}

// rights are rules as text, one right a line.
func rights(rules []rbacv1.PolicyRule) []string {
	var all []string
	for _, r := range rules {
		for _, verb := range r.Verbs {
			for _, u := range r.NonResourceURLs {
				all = append(all, verb+" "+u)
			}
			for _, g := range r.APIGroups {
				for _, res := range r.Resources {
					what := strings.TrimPrefix(g+"/"+res, "/")
					if len(r.ResourceNames) > 0 {
						what += " " + strings.Join(r.ResourceNames, ",")
					}
					all = append(all, verb+" "+what)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

func TestTheRightsAreTheseAndNoOthers(t *testing.T) {
	got := map[string][]string{}
	collect := func(objects []runtime.Object) {
		clear(got)
		for _, o := range objects {
			switch o := o.(type) {
			case *rbacv1.ClusterRole:
				got["cluster "+o.Name] = rights(o.Rules)
			case *rbacv1.Role:
				got[o.Namespace+" "+o.Name] = rights(o.Rules)
			}
		}
	}
	collect(render(t))
	require.Equal(t, map[string][]string{
		"cluster vigie-agent":               {"get nodes/metrics", "get nodes/pods", "get nodes/stats"},
		"cluster vigie-gateway":             {"get /metrics", "list events", "watch events"},
		"vigie vigie-gateway":               {"create coordination.k8s.io/leases", "get coordination.k8s.io/leases vigie-k8s-events", "update coordination.k8s.io/leases vigie-k8s-events"},
		"default vigie-gateway-apiserver":   {"list endpoints", "list pods", "list services", "watch endpoints", "watch pods", "watch services"},
		"kube-system vigie-gateway-coredns": {"list pods", "watch pods"},
	}, got)

	// Whatever is switched on: no wildcard, no Secret, nothing that changes a thing
	// but the Lease.
	for name, path := range presets(t) {
		collect(render(t, "-f", path))
		for role, list := range got {
			for _, right := range list {
				verb, what, _ := strings.Cut(right, " ")
				require.NotContains(t, right, "*", "%s: %s", name, role)
				require.NotContains(t, what, "secrets", "%s: %s", name, role)
				require.NotContains(t, what, "nodes/proxy", "%s: %s", name, role)
				if verb != "get" && verb != "list" && verb != "watch" {
					require.Contains(t, what, "leases", "%s: %s", name, role)
				}
			}
		}
	}
	collect(render(t, "--set", "rbac.kubeletPods=nodes/proxy"))
	require.Contains(t, got["cluster vigie-agent"], "get nodes/proxy")
}

func TestEveryBindingLeadsFromAnAccountToARoleThatIsThere(t *testing.T) {
	for name, path := range presets(t) {
		objects := render(t, "-f", path)
		there := map[string]bool{}
		for _, o := range objects {
			switch o := o.(type) {
			case *rbacv1.ClusterRole:
				there["ClusterRole "+o.Name] = true
			case *rbacv1.Role:
				there["Role "+o.Namespace+"/"+o.Name] = true
			case *corev1.ServiceAccount:
				there["ServiceAccount "+o.Namespace+"/"+o.Name] = true
			}
		}
		check := func(role string, subjects []rbacv1.Subject) {
			require.True(t, there[role], "%s: %s", name, role)
			for _, s := range subjects {
				require.True(t, there["ServiceAccount "+s.Namespace+"/"+s.Name], "%s: %s", name, s.Name)
			}
		}
		for _, o := range objects {
			switch o := o.(type) {
			case *rbacv1.ClusterRoleBinding:
				check("ClusterRole "+o.RoleRef.Name, o.Subjects)
			case *rbacv1.RoleBinding:
				check("Role "+o.Namespace+"/"+o.RoleRef.Name, o.Subjects)
			}
		}
		for _, w := range Workloads(objects) {
			require.True(t, there["ServiceAccount vigie/"+w.Pod.Spec.ServiceAccountName], "%s: %s", name, w.Name)
		}
	}
}

func TestEveryServiceAndPolicyPortIsOneOfItsPods(t *testing.T) {
	for name, path := range presets(t) {
		objects := render(t, "-f", path)
		ports := map[string]bool{} // component/port
		for _, w := range Workloads(objects) {
			for _, c := range w.Pod.Spec.Containers {
				for _, p := range c.Ports {
					ports[w.Pod.Labels["app.kubernetes.io/component"]+"/"+p.Name] = true
					ports[w.Pod.Labels["app.kubernetes.io/component"]+"/"+strconv.Itoa(int(p.ContainerPort))] = true
				}
			}
		}
		for _, o := range objects {
			switch o := o.(type) {
			case *corev1.Service:
				for _, p := range o.Spec.Ports {
					require.True(t, ports[o.Spec.Selector["app.kubernetes.io/component"]+"/"+p.TargetPort.String()], "%s: %s %s", name, o.Name, p.Name)
					// The VPC CNI's network policies want a Service's port to be the container's.
					require.True(t, ports[o.Spec.Selector["app.kubernetes.io/component"]+"/"+strconv.Itoa(int(p.Port))], "%s: %s %d", name, o.Name, p.Port)
				}
			case *networkingv1.NetworkPolicy:
				for _, in := range o.Spec.Ingress {
					for _, p := range in.Ports {
						require.True(t, ports[o.Spec.PodSelector.MatchLabels["app.kubernetes.io/component"]+"/"+p.Port.String()], "%s: %s %s", name, o.Name, p.Port)
					}
				}
			}
		}
	}
}

func TestThePageHasNoPortUnlessItHasAPassword(t *testing.T) {
	for preset, wants := range map[string]bool{"default": false, "amp": false, "warroom": true} {
		has := false
		for _, p := range one[*corev1.Service](t, render(t, "-f", presets(t)[preset]), "vigie-gateway").Spec.Ports {
			has = has || p.Port == 8640
		}
		require.Equal(t, wants, has, preset)
	}
}

func TestAgentsAreOnEveryNodeAndChangeATenthAtATime(t *testing.T) {
	ds := one[*appsv1.DaemonSet](t, render(t), "vigie-agent").Spec
	require.Equal(t, []corev1.Toleration{{Operator: corev1.TolerationOpExists}}, ds.Template.Spec.Tolerations)
	require.Equal(t, "10%", ds.UpdateStrategy.RollingUpdate.MaxUnavailable.StrVal)
	// What changes with its configuration is the pod: it rolls. The gateway's, and the
	// calendar, which is read anew, leave it alone.
	with := func(value string) string {
		return one[*appsv1.DaemonSet](t, render(t, "--set-json", value), "vigie-agent").Spec.Template.Annotations["checksum/config"]
	}
	before := ds.Template.Annotations["checksum/config"]
	require.NotEmpty(t, before)
	require.NotEqual(t, before, with(`agent.config={"exporters":{"debug":{}}}`))
	require.Equal(t, before, with(`gateway.config={"exporters":{"debug":{}}}`))
	require.Equal(t, with(`calendar="events: []"`), with(`calendar="events: [] # none"`))
}

func TestWhyAContainerEndedIsInThePodsStatus(t *testing.T) {
	for _, w := range Workloads(render(t)) {
		for _, c := range containers(w) {
			require.Equal(t, corev1.TerminationMessageFallbackToLogsOnError, c.TerminationMessagePolicy, "%s: %s", w.Name, c.Name)
		}
	}
}

func TestMemoryIsTheContainersLimitAndTheProductDerivesTheRest(t *testing.T) {
	everyPod(t, func(t *testing.T, w Workload) {
		for _, c := range containers(w) {
			require.NotZero(t, c.Resources.Limits.Memory().Value(), c.Name)
			require.Zero(t, c.Resources.Limits.Cpu().Value(), "%s: a CPU limit throttles at kick-off", c.Name)
			for _, e := range c.Env {
				require.NotContains(t, []string{"GOMEMLIMIT", "VIGIE_MEMORY_LIMIT_MIB", "VIGIE_MEMORY_SPIKE_MIB"}, e.Name, "internal/memlimit reads the cgroup")
			}
		}
	})
}

func TestARoleIsNamedToTheAccountThatNeedsIt(t *testing.T) {
	objects := render(t, "-f", "presets/cloudwatch.yaml")
	for _, who := range []string{"agent", "gateway"} {
		sa := one[*corev1.ServiceAccount](t, objects, "vigie-"+who)
		require.Equal(t, fmt.Sprintf("arn:aws:iam::123456789012:role/vigie-%s", who), sa.Annotations["eks.amazonaws.com/role-arn"])
	}
	require.Empty(t, one[*corev1.ServiceAccount](t, render(t), "vigie-agent").Annotations, "Pod Identity needs none")
}

// Helm 3 and kubectl apply merge ports by number alone.
func TestNoListOfPortsThatIsMergedHasANumberTwice(t *testing.T) {
	for name, path := range presets(t) {
		objects := render(t, "-f", path)
		for _, w := range Workloads(objects) {
			for _, c := range w.Pod.Spec.Containers {
				seen := map[int32]bool{}
				for _, p := range c.Ports {
					require.False(t, seen[p.ContainerPort], "%s: %s has %d twice", name, w.Name, p.ContainerPort)
					seen[p.ContainerPort] = true
				}
			}
		}
		for _, o := range objects {
			s, ok := o.(*corev1.Service)
			if !ok || s.Name == "vigie-agent-xray" { // whole or not there
				continue
			}
			seen := map[int32]bool{}
			for _, p := range s.Spec.Ports {
				require.False(t, seen[p.Port], "%s: %s has %d twice", name, s.Name, p.Port)
				seen[p.Port] = true
			}
		}
	}
}

func TestGatewaysSpreadAndGoOneAtATimeAndAreReachedByBothFamilies(t *testing.T) {
	objects := render(t, "--set", "gateway.replicas=2")
	set := one[*appsv1.StatefulSet](t, objects, "vigie-gateway").Spec
	var keys []string
	for _, c := range set.Template.Spec.TopologySpreadConstraints {
		keys = append(keys, c.TopologyKey)
		require.Equal(t, set.Selector.MatchLabels, c.LabelSelector.MatchLabels)
	}
	require.ElementsMatch(t, []string{"kubernetes.io/hostname", "topology.kubernetes.io/zone"}, keys)
	budget := one[*policyv1.PodDisruptionBudget](t, objects, "vigie-gateway").Spec
	require.Equal(t, 1, budget.MaxUnavailable.IntValue())
	require.Equal(t, set.Selector.MatchLabels, budget.Selector.MatchLabels)
	for _, name := range []string{"vigie-gateway", "vigie-gateway-headless"} {
		require.Equal(t, corev1.IPFamilyPolicyPreferDualStack, *one[*corev1.Service](t, objects, name).Spec.IPFamilyPolicy)
	}
	require.Equal(t, "0.0.0.0", enter(t, objects, "vigie-gateway").env["VIGIE_LISTEN"], "which Go listens on with both")
	require.Len(t, set.VolumeClaimTemplates, 1)
}

func TestPriorityIsTheChartsOwnUnlessOneIsNamed(t *testing.T) {
	objects := render(t)
	require.Equal(t, corev1.PreemptLowerPriority, *one[*schedulingv1.PriorityClass](t, objects, "vigie-agent").PreemptionPolicy)
	require.Equal(t, corev1.PreemptNever, *one[*schedulingv1.PriorityClass](t, objects, "vigie-gateway").PreemptionPolicy)
	for _, w := range Workloads(objects) {
		require.Equal(t, w.Name, w.Pod.Spec.PriorityClassName)
	}
	for _, o := range render(t, "--set", "agent.priorityClassName=system-node-critical,gateway.priorityClassName=ours") {
		if p, ok := o.(*schedulingv1.PriorityClass); ok {
			t.Errorf("%s is made for nobody", p.Name)
		}
	}
}
