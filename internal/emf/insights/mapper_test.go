package insights

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/emf"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

var kickoff = time.Date(2026, 7, 11, 20, 0, 0, 0, time.UTC)

// told is one source metric: its name, value and labels; resource labels begin
// with r/.
func told(md pmetric.Metrics, at time.Time, name string, v float64, labels ...string) {
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("k8s.cluster.name", "final")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetDoubleValue(v)
	p.SetTimestamp(pcommon.NewTimestampFromTime(at))
	for i := 0; i < len(labels); i += 2 {
		if key := labels[i]; len(key) > 2 && key[:2] == "r/" {
			rm.Resource().Attributes().PutStr(key[2:], labels[i+1])
		} else {
			p.Attributes().PutStr(key, labels[i+1])
		}
	}
}

// shown is what CloudWatch makes of a batch: value by name and dimensions.
func shown(t *testing.T, m *Mapper, c *emf.Converter, md pmetric.Metrics, now time.Time) map[string]float64 {
	t.Helper()
	out, _ := m.Map(md, now)
	found := map[string]float64{}
	c.Convert(out, now, func(_ pcommon.Map, _ int, _ int64, _ int, doc string) {
		metrics, err := awsfake.ParseEMF(doc, now)
		require.NoError(t, err, doc)
		for _, x := range metrics {
			require.Equal(t, "ContainerInsights", x.Namespace)
			key := x.Name
			for _, d := range []string{"ClusterName", "Namespace", "PodName", "Service", "NodeName", "InstanceId"} {
				if v, ok := x.Dimensions[d]; ok {
					key += " " + d + "=" + v
				}
			}
			found[key] = x.Value()
		}
	})
	return found
}

func converter() *emf.Converter {
	return emf.New(emf.Options{Namespace: Namespace, Rules: Rules(), DropUnmatched: true, Properties: Properties(), MaxSeries: 10, Stale: time.Hour}, kickoff)
}

func TestTheKubeletsFiguresBecomeNodeAndPodMetrics(t *testing.T) {
	m, c := New(Options{NodeCPUs: 4}), converter()
	scrape := func(at time.Time, bytes float64) map[string]float64 {
		md := pmetric.NewMetrics()
		node := []string{"r/k8s.node.name", "n1", "r/host.id", "i-1"}
		for name, v := range map[string]float64{
			"k8s.node.cpu.usage": 1, "k8s.node.memory.working_set": 6e9, "k8s.node.memory.available": 2e9,
			"k8s.node.filesystem.usage": 25e9, "k8s.node.filesystem.capacity": 100e9,
		} {
			told(md, at, name, v, node...)
		}
		told(md, at, "k8s.node.network.io", 10*bytes, append(node, "interface", "eth0", "direction", "receive")...)
		told(md, at, "k8s.node.network.io", bytes, append(node, "interface", "eth0", "direction", "transmit")...)
		pod := []string{"r/k8s.node.name", "n1", "r/k8s.pod.name", "api-5d4f8c7b9-x2x4z", "r/k8s.namespace.name", "live", "r/k8s.service.name", "api"}
		told(md, at, "k8s.pod.cpu.usage", 0.5, pod...)
		told(md, at, "k8s.pod.memory.working_set", 2e9, pod...)
		told(md, at, "k8s.pod.memory_limit_utilization", 0.75, pod...)
		told(md, at, "k8s.pod.network.io", bytes, append(pod, "direction", "receive")...)
		told(md, at, "k8s.pod.network.io", 2*bytes, append(pod, "direction", "transmit")...)
		told(md, at, "http.server.request.duration", 1)
		return shown(t, m, c, md, at)
	}
	first := scrape(kickoff, 1000)
	require.NotContains(t, first, "node_network_total_bytes ClusterName=final", "a rate takes two")
	got := scrape(kickoff.Add(10*time.Second), 2000)
	want := map[string]float64{"node_cpu_usage_total ClusterName=final": 1000, "node_cpu_limit ClusterName=final": 4000,
		"node_memory_working_set ClusterName=final": 6e9, "node_memory_limit ClusterName=final": 8e9}
	for name, v := range map[string]float64{"node_cpu_utilization": 25, "node_memory_utilization": 75, "node_filesystem_utilization": 25, "node_network_total_bytes": 1100} {
		want[name+" ClusterName=final"] = v
		want[name+" ClusterName=final NodeName=n1 InstanceId=i-1"] = v
	}
	for name, v := range map[string]float64{"pod_cpu_utilization": 12.5, "pod_memory_utilization": 25, "pod_memory_utilization_over_pod_limit": 75, "pod_network_rx_bytes": 100, "pod_network_tx_bytes": 200} {
		for _, dims := range []string{"", " Namespace=live", " Namespace=live Service=api", " Namespace=live PodName=api"} {
			want[name+" ClusterName=final"+dims] = v
		}
	}
	require.Empty(t, cmp.Diff(want, got))
}

func TestCAdvisorTellsTheSameWhereTheKubeletsReceiverIsNotThere(t *testing.T) {
	m, c := New(Options{}), converter()
	scrape := func(at time.Time, seconds float64) map[string]float64 {
		md := pmetric.NewMetrics()
		node := []string{"r/k8s.node.name", "n1"}
		told(md, at, "machine_cpu_cores", 2, node...)
		told(md, at, "machine_memory_bytes", 8e9, node...)
		told(md, at, "kubelet_running_pods", 7, node...)
		told(md, at, "kubelet_running_containers", 9, append(node, "container_state", "running")...)
		told(md, at, "kubelet_running_containers", 3, append(node, "container_state", "exited")...)
		told(md, at, "container_cpu_usage_seconds_total", seconds, append(node, "id", "/")...)
		told(md, at, "container_cpu_usage_seconds_total", seconds/10, append(node, "id", "/kubepods/x", "namespace", "live", "pod", "db-0")...)
		told(md, at, "container_cpu_usage_seconds_total", seconds/20, append(node, "id", "/kubepods/x/y", "namespace", "live", "pod", "db-0", "container", "db")...)
		told(md, at, "container_memory_working_set_bytes", 4e9, append(node, "id", "/")...)
		told(md, at, "container_memory_working_set_bytes", 2e9, append(node, "id", "/kubepods/x", "namespace", "live", "pod", "db-0")...)
		told(md, at, "container_fs_usage_bytes", 10, append(node, "id", "/", "device", "a")...)
		told(md, at, "container_fs_usage_bytes", 20, append(node, "id", "/", "device", "b")...)
		told(md, at, "container_fs_limit_bytes", 50, append(node, "id", "/", "device", "a")...)
		told(md, at, "container_fs_limit_bytes", 50, append(node, "id", "/", "device", "b")...)
		return shown(t, m, c, md, at)
	}
	scrape(kickoff, 1000)
	got := scrape(kickoff.Add(30*time.Second), 1030)
	for key, want := range map[string]float64{
		"node_cpu_utilization": 50, "node_memory_utilization": 50, "node_filesystem_utilization": 30, "node_number_of_running_pods": 7, "node_number_of_running_containers": 9,
		"pod_cpu_utilization": 5, "pod_memory_utilization": 25,
	} {
		require.InDelta(t, want, got[key+" ClusterName=final"], 1e-9, key)
	}
	require.InDelta(t, 5, got["pod_cpu_utilization ClusterName=final Namespace=live PodName=db-0"], 1e-9)
	require.NotContains(t, fmt.Sprint(got), "InstanceId=", "no instance is known, so no metric by instance")
}

func TestTheHostsCountOfCPUsIsTheNodes(t *testing.T) {
	m, c := New(Options{}), converter()
	md := pmetric.NewMetrics()
	told(md, kickoff, "system.cpu.logical.count", 16, "r/k8s.node.name", "n1")
	told(md, kickoff, "k8s.node.cpu.usage", 4, "r/k8s.node.name", "n1")
	require.Equal(t, 25.0, shown(t, m, c, md, kickoff)["node_cpu_utilization ClusterName=final"])
}

func TestTheKubeletsFiguresGoBeforeCAdvisors(t *testing.T) {
	m, c := New(Options{NodeCPUs: 4}), converter()
	md := pmetric.NewMetrics()
	told(md, kickoff, "k8s.node.memory.working_set", 6e9, "r/k8s.node.name", "n1")
	told(md, kickoff, "container_memory_working_set_bytes", 1, "r/k8s.node.name", "n1", "id", "/")
	require.Equal(t, 6e9, shown(t, m, c, md, kickoff)["node_memory_working_set ClusterName=final"])
}

// clusterState is a scrape of kube-state-metrics: three nodes of which one is
// under pressure and one not ready, and pods.
func clusterState(at time.Time, restarts float64, gone bool) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for i, node := range []string{"n1", "n2", "n3"} {
		told(md, at, "kube_node_info", 1, "node", node, "provider_id", fmt.Sprintf("aws:///eu-west-3a/i-%d", i))
		told(md, at, "kube_node_status_capacity", 4, "node", node, "resource", "cpu")
		told(md, at, "kube_node_status_capacity", 16e9, "node", node, "resource", "memory")
		for _, status := range []string{"true", "false", "unknown"} {
			ready := map[string]string{"n1": "true", "n2": "true", "n3": "unknown"}[node]
			told(md, at, "kube_node_status_condition", b2f(status == ready), "node", node, "condition", "Ready", "status", status)
			told(md, at, "kube_node_status_condition", b2f((status == "true") == (node == "n2") && status != "unknown"), "node", node, "condition", "MemoryPressure", "status", status)
		}
	}
	pods := []string{"api-5d4f8c7b9-x2x4z", "api-5d4f8c7b9-z9z9z", "job-1"}
	if gone {
		pods = pods[:1]
	}
	for _, pod := range pods {
		phase := map[bool]string{true: "Succeeded", false: "Running"}[pod == "job-1"]
		for _, p := range []string{"Pending", "Running", "Succeeded", "Failed", "Unknown"} {
			told(md, at, "kube_pod_status_phase", b2f(p == phase), "namespace", "live", "pod", pod, "phase", p)
		}
		told(md, at, "kube_pod_info", 1, "namespace", "live", "pod", pod, "node", "n1", "created_by_kind", "ReplicaSet", "created_by_name", "api-5d4f8c7b9")
		for _, container := range []string{"app", "proxy"} {
			labels := []string{"namespace", "live", "pod", pod, "container", container, "node", "n1"}
			told(md, at, "kube_pod_container_info", 1, labels...)
			told(md, at, "kube_pod_container_resource_requests", 0.5, append(labels, "resource", "cpu", "unit", "core")...)
			told(md, at, "kube_pod_container_resource_requests", 2e9, append(labels, "resource", "memory", "unit", "byte")...)
			told(md, at, "kube_pod_container_status_restarts_total", restarts, labels...)
		}
		told(md, at, "kube_pod_container_resource_limits", 1, "namespace", "live", "pod", pod, "container", "app", "resource", "cpu")
	}
	told(md, at, "kube_endpoint_address", 1, "namespace", "live", "endpoint", "api", "ip", "10.0.0.1", "ready", "true")
	told(md, at, "kube_endpoint_address", 1, "namespace", "live", "endpoint", "api", "ip", "10.0.0.2", "ready", "true")
	told(md, at, "kube_endpoint_address", 1, "namespace", "live", "endpoint", "api", "ip", "10.0.0.3", "ready", "false")
	return md
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestKubeStateMetricsGiveTheClustersCountsAndWhatIsReserved(t *testing.T) {
	m, c := New(Options{}), converter()
	shown(t, m, c, clusterState(kickoff, 3, false), kickoff)
	at := kickoff.Add(30 * time.Second)
	got := shown(t, m, c, clusterState(at, 5, false), at)
	for key, want := range map[string]float64{
		"cluster_node_count ClusterName=final":                                          3,
		"cluster_failed_node_count ClusterName=final":                                   2,
		"cluster_number_of_running_pods ClusterName=final":                              2,
		"namespace_number_of_running_pods ClusterName=final Namespace=live":             2,
		"service_number_of_running_pods ClusterName=final Namespace=live Service=api":   2,
		"node_cpu_reserved_capacity ClusterName=final NodeName=n1 InstanceId=i-0":       50,
		"node_memory_reserved_capacity ClusterName=final NodeName=n1 InstanceId=i-0":    50,
		"pod_cpu_reserved_capacity ClusterName=final Namespace=live PodName=api":        25,
		"pod_number_of_container_restarts ClusterName=final Namespace=live PodName=api": 4,
	} {
		require.Contains(t, got, key)
		require.Equal(t, want, got[key], key)
	}

	// A pod that is gone is not counted; the scrape in which it went may have come
	// in parts, so it takes one more.
	for range 2 {
		at = at.Add(30 * time.Second)
		got = shown(t, m, c, clusterState(at, 5, true), at)
	}
	require.Equal(t, 1.0, got["cluster_number_of_running_pods ClusterName=final"])
}

func TestAPodOfWhichOneContainerHasNoLimitHasNone(t *testing.T) {
	m, c := New(Options{}), converter()
	shown(t, m, c, clusterState(kickoff, 0, false), kickoff)
	md := pmetric.NewMetrics()
	told(md, kickoff, "k8s.pod.cpu.usage", 0.5, "r/k8s.pod.name", "api-5d4f8c7b9-x2x4z", "r/k8s.namespace.name", "live", "r/k8s.node.name", "n1")
	got := shown(t, m, c, md, kickoff)
	require.Equal(t, 12.5, got["pod_cpu_utilization ClusterName=final Namespace=live PodName=api"])
	require.NotContains(t, fmt.Sprint(got), "over_pod_limit")
}

func TestWhatIsRememberedIsBoundedAndForgotten(t *testing.T) {
	m := New(Options{Limit: 10})
	send := func(at time.Time, from int) int {
		md := pmetric.NewMetrics()
		for i := range 20 {
			told(md, at, "k8s.pod.cpu.usage", 1, "r/k8s.pod.name", fmt.Sprint("pod", from+i), "r/k8s.namespace.name", "live")
		}
		_, ignored := m.Map(md, at)
		return ignored
	}
	require.Equal(t, 10, send(kickoff, 0))
	require.Len(t, m.pods, 10)
	send(kickoff.Add(10*time.Minute), 100)
	require.Empty(t, m.pods)
	require.Equal(t, 10, send(kickoff.Add(11*time.Minute), 100))
}

func TestReplicasShareTheirWorkloadsName(t *testing.T) {
	for pod, want := range map[string]string{
		"api-5d4f8c7b9-x2x4z": "api", "fluent-bit-x2x4z": "fluent-bit", "db-0": "db-0", "one": "one", "sign-in-service": "sign-in-service",
	} {
		require.Equal(t, want, workload("", pod), pod)
	}
	require.Equal(t, "api", ownerOf("ReplicaSet", "api-5d4f8c7b9", "x"))
	require.Equal(t, "db-0", ownerOf("StatefulSet", "db", "db-0"))
}
