package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An agent on a node of 110 pods, whose API server answers nobody: everything that
// it collects comes, with the pods' names, and the API server is not asked at all.
// Then the kubelet has bad days.
func TestAnAgentKnowsItsNodeByTheKubeletAlone(t *testing.T) {
	n, g := newNode(t, 110, 20), newNodeGateway(t)
	env := append(append(nowhere(t), n.env()...), "VIGIE_GATEWAY_ENDPOINT="+g.addr)
	p := start(t, t.TempDir(), env, n.args(t, "receivers.kubelet_stats.collection_interval=1s", "receivers.pod_scrape.interval=2s", "receivers.pod_scrape.timeout=2s",
		"extensions.kubelet_pods.interval=1s", "extensions.kubelet_pods.timeout=1s", "receivers.container_log.start_at=beginning")...)
	healthz := "http://" + p.health + "/healthz?verbose"
	took := within(t, 20*time.Second, "health", p, func() bool { code, _ := get(healthz); return code == http.StatusOK })
	t.Logf("healthy after %s", took.Round(time.Millisecond))
	n.logOf(t, 7, "hello from a pod")

	for _, name := range []string{
		"k8s.pod.cpu.time", "k8s.pod.memory.working_set", "k8s.volume.available", "k8s.node.memory.working_set", // kubelet_stats
		"container_cpu_usage_seconds_total", "kubelet_running_pods", // cAdvisor, the kubelet itself
		"orders_total",                           // pods that ask
		"system.cpu.time", "system.memory.usage", // the host
		"system.network.conntrack.limit", "vigie.kubelet_pods.pods", // conntrack, and Vigie's own
	} {
		within(t, 45*time.Second, name+" at the gateway", p, func() bool { return g.since(name, time.Time{}) })
	}
	// The pods are known by now, and of the third that its logs are to be left alone.
	n.logOf(t, 3, "nobody's business")
	n.logOf(t, 7, "hello again")
	within(t, 15*time.Second, "the log of a pod", p, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.logs[podName(7)+" app007"] == 2
	})
	g.mu.Lock()
	require.False(t, g.bodies["nobody's business"])
	orders, point, pod := g.metrics["orders_total"], g.points["orders_total"], g.metrics["k8s.pod.cpu.time"]
	cadvisor := g.points["container_cpu_usage_seconds_total"]
	g.mu.Unlock()
	for _, res := range []map[string]any{orders, pod} {
		name, _ := res["k8s.pod.name"].(string)
		if want := strings.SplitN(name, "-", 2)[0]; want == "" || res["k8s.deployment.name"] != want {
			t.Errorf("of %q: %v", name, res)
		}
	}
	if orders["service.name"] != orders["k8s.deployment.name"] || point["pod"] != orders["k8s.pod.name"] {
		t.Errorf("a scraped pod: %v %v", orders, point)
	}
	if cadvisor["pod"] == nil || cadvisor["id"] != nil {
		t.Errorf("cAdvisor: %v", cadvisor)
	}
	if c := strings.Count(p.output(), "A pod is not scraped"); c != 1 {
		t.Errorf("the hostile pod is named %d times", c)
	}

	for _, bad := range []int{http.StatusUnauthorized, http.StatusServiceUnavailable, -1} {
		n.say(bad)
		within(t, 15*time.Second, "the kubelet's refusal in health", p, func() bool {
			code, body := get(healthz)
			return code == http.StatusOK && strings.Contains(body, "ask the kubelet for its pods")
		})
		before, text := time.Now(), fmt.Sprintf("while the kubelet says %d", bad)
		n.logOf(t, 7, text)
		// What needs no kubelet goes on, and pods are scraped where they were.
		for _, name := range []string{"system.memory.usage", "orders_total"} {
			within(t, 20*time.Second, fmt.Sprintf("%s while the kubelet says %d", name, bad), p, func() bool { return g.since(name, before.Add(2*time.Second)) })
		}
		within(t, 15*time.Second, "the log meanwhile", p, func() bool {
			g.mu.Lock()
			defer g.mu.Unlock()
			return g.bodies[text]
		})
		n.say(0)
		within(t, 15*time.Second, "health without a problem", p, func() bool {
			code, body := get(healthz)
			return code == http.StatusOK && !strings.Contains(body, "ask the kubelet for its pods")
		})
		within(t, 15*time.Second, "the kubelet's metrics again", p, func() bool { return g.since("k8s.pod.cpu.time", before) })
	}
	if c := n.asked.Load(); c != 0 {
		t.Errorf("the API server was asked %d times", c)
	}
	if lines := strings.Count(p.output(), "\n"); lines > 400 {
		t.Errorf("the log has %d lines:\n%s", lines, p.output())
	}
	t.Logf("the kubelet listed its pods %d times, pods were scraped %d times, the API server was asked %d times", n.lists.Load(), n.scraped.Load(), n.asked.Load())
	require.NoError(t, p.end(t, 20*time.Second))
}

// What a pod logs is not lost to a disk that is full when the agent starts or while
// it runs: the agent stays up, says so, and reads on when there is room.
func TestAFullDiskUnderTheAgentIsSaidAndLosesNoLog(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("mounting a tmpfs takes CAP_SYS_ADMIN: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	n, g := newNode(t, 3, 1), newNodeGateway(t)
	env := append(append(nowhere(t), n.env()...), "VIGIE_GATEWAY_ENDPOINT="+g.addr)
	p := start(t, filepath.Join(disk, "vigie"), env, n.args(t, "receivers.container_log.start_at=beginning")...)
	health := "http://" + p.health + "/healthz"
	within(t, 20*time.Second, "health", p, func() bool { code, _ := get(health); return code == http.StatusOK })

	ballast := filepath.Join(disk, "ballast")
	f, err := os.Create(ballast)
	require.NoError(t, err)
	block := make([]byte, 64<<10)
	for {
		if _, err := f.Write(block); err != nil {
			break
		}
	}
	require.NoError(t, f.Close())
	for i := range 50 {
		n.logOf(t, 0, fmt.Sprintf("written while the disk is full %d", i))
		time.Sleep(50 * time.Millisecond)
	}
	if code, body := get(health); code != http.StatusOK {
		t.Errorf("health while the disk is full: %d %s", code, body)
	}
	require.NoError(t, os.Remove(ballast))
	missing := func() (which []int) {
		g.mu.Lock()
		defer g.mu.Unlock()
		for i := range 50 {
			if !g.bodies[fmt.Sprintf("written while the disk is full %d", i)] {
				which = append(which, i)
			}
		}
		return which
	}
	deadline := time.After(60 * time.Second)
	for len(missing()) > 0 {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-deadline:
			t.Fatalf("missing are %v\n%s", missing(), p.output())
		}
	}
	require.NoError(t, p.end(t, 20*time.Second))
}
