package configs

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/stretchr/testify/require"
)

// A pod of one container as cAdvisor tells it: the container, the pause container,
// the pod's own cgroup, and those above it. Of each thing one series is left: the
// container's, but for the network, which is the pause container's.
func TestWhatCAdvisorSaysOfAPodIsKeptOnce(t *testing.T) {
	jobs, _ := shape(t, "agent", everything).Get("receivers::prometheus/node::config::scrape_configs").([]any)
	require.NotEmpty(t, jobs)
	var rules []*relabel.Config
	for _, r := range jobs[0].(map[string]any)["metric_relabel_configs"].([]any) {
		rules = append(rules, rule(t, r))
	}
	of := map[string][]string{
		"container": {"id", "/kubepods/pod1/c1", "name", "c1", "image", "shop:1", "namespace", "shop", "pod", "cart", "container", "main"},
		"pause":     {"id", "/kubepods/pod1/c0", "name", "c0", "image", "pause:3", "namespace", "shop", "pod", "cart"},
		"pod":       {"id", "/kubepods/pod1", "namespace", "shop", "pod", "cart"},
		"slice":     {"id", "/kubepods"},
		"root":      {"id", "/"},
	}
	var got []string
	told := func(name string, by []string, more ...string) {
		for _, cgroup := range by {
			series := labels.NewBuilder(labels.FromStrings(slices.Concat([]string{"__name__", name}, of[cgroup], more)...))
			if relabel.ProcessBuilder(series, rules...) {
				got = append(got, series.Labels().String())
			}
		}
	}
	all := []string{"container", "pause", "pod", "slice", "root"}
	for _, name := range []string{
		"container_cpu_usage_seconds_total", "container_memory_working_set_bytes", "container_oom_events_total", "container_processes",
		"container_tasks_state", // not asked for
	} {
		told(name, all)
	}
	told("container_fs_writes_bytes_total", all, "device", "/dev/nvme0n1")
	told("container_network_receive_bytes_total", []string{"pause", "root"}, "interface", "eth0")
	told("machine_memory_bytes", []string{"none"})
	const cart = `namespace="shop", pod="cart"`
	want := []string{
		`{__name__="container_cpu_usage_seconds_total", container="main", ` + cart + `}`,
		`{__name__="container_memory_working_set_bytes", container="main", ` + cart + `}`,
		`{__name__="container_oom_events_total", container="main", ` + cart + `}`,
		`{__name__="container_processes", container="main", ` + cart + `}`,
		`{__name__="container_fs_writes_bytes_total", container="main", device="/dev/nvme0n1", ` + cart + `}`,
		`{__name__="container_network_receive_bytes_total", interface="eth0", ` + cart + `}`,
		`{__name__="machine_memory_bytes"}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
