package warroomexporter

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/headroom"
)

func wallOf(t *testing.T, rep headroom.Report, name, resource string) headroom.Wall {
	t.Helper()
	i := slices.IndexFunc(rep.Walls, func(w headroom.Wall) bool { return w.Name == name && w.Resource == resource })
	require.GreaterOrEqual(t, i, 0, "no %s of %s in %+v; missing %+v", name, resource, rep.Walls, rep.Missing)
	return rep.Walls[i]
}

// state is kube-state-metrics'.
func state(name string, value func(float64) float64, attrs ...string) series {
	return series{name, "", false, attrs, value}
}

func autoscaler(name string, current func(float64) float64, desired, most, limited float64) []series {
	of := []string{"namespace", "live", "horizontalpodautoscaler", name}
	return []series{
		state("kube_horizontalpodautoscaler_status_current_replicas", current, of...),
		state("kube_horizontalpodautoscaler_status_desired_replicas", steady(desired), of...),
		state("kube_horizontalpodautoscaler_spec_max_replicas", steady(most), of...),
		state("kube_horizontalpodautoscaler_status_condition", steady(limited), append(slices.Clone(of), "condition", "ScalingLimited", "status", "true")...),
	}
}

func TestAnAutoscalerIsForecastAndOneAtItsMaximumSaysWhetherItWantsMore(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	at := time.Now()
	// One more replica a minute: 20 of 30.
	tell(t, w, at, "kube-state-metrics", "ksm", autoscaler("growing", func(ago float64) float64 { return float64(int(20 - ago/60)) }, 20, 30, 0)...)
	tell(t, w, at, "kube-state-metrics", "ksm", autoscaler("full", steady(12), 12, 12, 0)...)
	tell(t, w, at, "kube-state-metrics", "ksm", autoscaler("starved", steady(8), 8, 8, 1)...)
	tell(t, w, at, "kube-state-metrics", "ksm", autoscaler("idle", steady(2), 2, 10, 1)...)
	rep := headroomOf(t, base+"/api/warroom/headroom")
	growing := wallOf(t, rep, "Autoscaler's replicas", "live/growing")
	require.NotNil(t, growing.MinutesLeft, growing.Why)
	require.InDelta(t, 10, *growing.MinutesLeft, 3)
	full := wallOf(t, rep, "Autoscaler's replicas", "live/full")
	require.False(t, full.Losing)
	require.Nil(t, full.MinutesLeft)
	require.InDelta(t, 1, *full.Utilization, 0)
	require.Contains(t, full.Why, "at its maximum")
	starved := wallOf(t, rep, "Autoscaler's replicas", "live/starved")
	require.True(t, starved.Losing)
	require.Equal(t, "live/starved", rep.Walls[0].Resource, "the worst first")
	require.False(t, wallOf(t, rep, "Autoscaler's replicas", "live/idle").Losing, "limited from below is not at a wall")
}

func TestPodsAddressesAndRoomOnTheNodesAreWalls(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	at := time.Now()
	var all []series
	for i := range 20 {
		node, pod := []string{"node-a", "node-b"}[i/16], fmt.Sprint("p", i)
		phase := []string{"Running", "Succeeded"}[i%16/15] // the last of node-a is over
		all = append(all,
			state("kube_pod_info", steady(1), "namespace", "live", "pod", pod, "uid", pod, "node", node),
			state("kube_pod_status_phase", steady(1), "namespace", "live", "pod", pod, "uid", pod, "phase", phase),
			state("kube_pod_container_resource_requests", steady(0.5), "namespace", "live", "pod", pod, "uid", pod, "container", "c", "node", node, "resource", "cpu", "unit", "core"),
			state("kube_pod_container_resource_requests", steady(1e9), "namespace", "live", "pod", pod, "uid", pod, "container", "c", "node", node, "resource", "memory", "unit", "byte"))
	}
	for _, node := range []string{"node-a", "node-b", "node-away"} {
		all = append(all,
			state("kube_node_status_allocatable", steady(29), "node", node, "resource", "pods", "unit", "integer"),
			state("kube_node_status_allocatable", steady(8), "node", node, "resource", "cpu", "unit", "core"),
			state("kube_node_status_allocatable", steady(16e9), "node", node, "resource", "memory", "unit", "byte"),
			state("kube_node_spec_unschedulable", steady(map[bool]float64{true: 1}[node == "node-away"]), "node", node))
	}
	all = append(all, state("kube_pod_status_unschedulable", steady(1), "namespace", "live", "pod", "waits", "uid", "w"))
	tell(t, w, at, "kube-state-metrics", "ksm", all...)
	tell(t, w, at, "aws-node", "10.0.1.7:61678",
		state("awscni_assigned_ip_addresses", func(ago float64) float64 { return 200 - ago/60*2 }, "node", "node-a"),
		state("awscni_total_ip_addresses", steady(220), "node", "node-a"), state("awscni_ip_max", steady(250), "node", "node-a"))
	rep := headroomOf(t, base+"/api/warroom/headroom")
	require.InDelta(t, 15.0/29, *wallOf(t, rep, "Pods on a node", "node-a").Utilization, 0.001, "what is over takes no place")
	require.InDelta(t, 4.0/29, *wallOf(t, rep, "Pods on a node", "node-b").Utilization, 0.001)
	addresses := wallOf(t, rep, "Pod addresses", "node-a")
	require.InDelta(t, 250, *addresses.Limit, 0, "what the instance may have, not what it has now")
	require.InDelta(t, 25, *addresses.MinutesLeft, 5)
	cpu := wallOf(t, rep, "Room on the nodes, CPU", "cluster")
	require.InDelta(t, 9.5/16, *cpu.Utilization, 0.001, "a node that takes no pods is no room")
	require.True(t, cpu.Losing)
	require.Contains(t, cpu.Why, "pods find no node (1)")
	require.False(t, wallOf(t, rep, "Room on the nodes, memory", "cluster").Losing)
	for _, m := range rep.Missing {
		require.NotContains(t, []string{"Pod addresses", "Nodes and autoscalers", "Pods on a node"}, m.Name)
	}
}

func TestWithoutAClusterEachOfItsWallsSaysWhatIsMissing(t *testing.T) {
	_, base := roomOf(t, testConfig(t))
	_, body, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/headroom"))
	require.Contains(t, body, `"walls":[]`, "the page reads a list")
	var missing []string
	for _, m := range headroomOf(t, base+"/api/warroom/headroom").Missing {
		require.NotEmpty(t, m.Why)
		require.NotContains(t, missing, m.Name, "once")
		missing = append(missing, m.Name)
	}
	require.Subset(t, missing, []string{"Pod addresses", "Pods on a node", "Room on the nodes, CPU", "Nodes", "Autoscaler's replicas"})
}

func TestAClusterWhoseTellerFellSilentHasNoWallsRatherThanOldOnes(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	tell(t, w, time.Now().Add(-2*time.Minute), "kube-state-metrics", "ksm", autoscaler("gone", steady(5), 5, 10, 0)...)
	pool := []string{"nodepool", "default", "resource_type", "nodes"}
	tell(t, w, time.Now().Add(-2*time.Minute), "karpenter", "k", state("karpenter_nodepools_usage", steady(4), pool...), state("karpenter_nodepools_limit", steady(10), pool...))
	rep := headroomOf(t, base+"/api/warroom/headroom")
	require.Empty(t, rep.Walls)
}

func TestKarpentersPoolsStandForTheNodes(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	pool := []string{"nodepool", "default", "resource_type", "nodes"}
	tell(t, w, time.Now(), "karpenter", "k", state("karpenter_nodepools_usage", steady(4), pool...), state("karpenter_nodepools_limit", steady(10), pool...))
	rep := headroomOf(t, base+"/api/warroom/headroom")
	require.InDelta(t, 0.4, *wallOf(t, rep, "Nodes, Karpenter's pool", "default/nodes").Utilization, 0.001)
	for _, m := range rep.Missing {
		require.NotEqual(t, "Nodes", m.Name)
	}
}
