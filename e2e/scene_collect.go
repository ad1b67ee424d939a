//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// nodeMetrics: what the agent sees of its node, and the gateway of the cluster, is
// in the gateway's store.
func (e *env) nodeMetrics(ctx context.Context) error {
	for _, a := range []struct{ what, query string }{
		{"kubelet's pods have their series", `count by (k8s_pod_name) (k8s_pod_memory_working_set_bytes{k8s_namespace_name="shop"})`},
		{"kubelet's containers have theirs", `count by (k8s_pod_name, k8s_container_name) (container_memory_working_set_bytes{k8s_namespace_name="shop"})`},
		{"cAdvisor's series bear their pods", `count by (pod) (container_cpu_usage_seconds_total{namespace="shop", pod!=""})`},
		{"annotated pods are scraped", `shop_requests_total{code="200"} > 0`},
		{"the API server is scraped", `count by (job) (apiserver_request_total)`},
		{"the host's metrics are there", `count by (instance) (system_memory_usage_bytes)`},
	} {
		_ = e.becomes(ctx, a.what, 90*time.Second, func(ctx context.Context) (string, error) {
			found, err := e.query(ctx, a.query)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d series, such as %s", len(found), found[0].short()), nil
		})
	}
	_ = e.becomes(ctx, "every pod of the node is among kubelet's and cAdvisor's", time.Minute, func(ctx context.Context) (string, error) {
		running, err := e.cluster.Client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=e2e-1,status.phase=Running"})
		if err != nil {
			return "", err
		}
		kubelet, err := e.query(ctx, `count by (k8s_pod_name) (k8s_pod_memory_working_set_bytes)`)
		if err != nil {
			return "", err
		}
		cadvisor, err := e.query(ctx, `count by (pod) (container_cpu_usage_seconds_total{pod!=""})`)
		if err != nil {
			return "", err
		}
		seen := map[string]int{}
		for _, s := range append(kubelet, cadvisor...) {
			seen[s.Metric["k8s_pod_name"]+s.Metric["pod"]]++
		}
		for _, p := range running.Items {
			if seen[p.Name] != 2 {
				return "", fmt.Errorf("%s is in %d of the two", p.Name, seen[p.Name])
			}
		}
		return strconv.Itoa(len(running.Items)) + " pods", nil
	})
	_ = e.becomes(ctx, "the cluster's events arrive", time.Minute, func(context.Context) (string, error) {
		events := e.sink.clusterEvents()
		for _, reason := range []string{"Scheduled", "Created", "Started"} {
			if events[reason] < 3 { // of the agent, the gateway and the numbers at least
				return "", fmt.Errorf("%d of reason %s: %v", events[reason], reason, events)
			}
		}
		return fmt.Sprint(events), nil
	})
	return nil
}

// connections: who uses the node's connection table, and who is behind a Service.
func (e *env) connections(ctx context.Context) error {
	shop, err := e.pod(ctx, "shop", "app=shop", "")
	if err != nil {
		return err
	}
	_ = e.becomes(ctx, "connections are charged to the pod behind the Service", 90*time.Second, func(context.Context) (string, error) {
		n, err := e.sink.owned(shop.Name, shop.Status.PodIP+":8080")
		if err == nil && n < 1 {
			err = fmt.Errorf("%v entries", n)
		}
		return fmt.Sprintf("%v entries of %s", n, shop.Name), err
	})
	_ = e.becomes(ctx, "a span that names the Service gets the pod behind its address", 90*time.Second, func(context.Context) (string, error) {
		span := e.sink.span("watch")
		if span == nil {
			return "", fmt.Errorf("no span of the viewers has arrived")
		}
		if span["server.address"] != "10.96.100.1" || span["vigie.nat.backend.address"] != shop.Status.PodIP || span["vigie.nat.backend.port"] != "8080" {
			return "", fmt.Errorf("the shop is %s, the span says %v", shop.Status.PodIP, span)
		}
		if span["k8s.pod.name"] == "" || span["k8s.namespace.name"] != "shop" {
			return "", fmt.Errorf("the span does not bear its pod: %v", span)
		}
		return "10.96.100.1:80 is " + span["vigie.nat.backend.address"] + ":8080", nil
	})
	return nil
}

// allLines stops the writers that are there and asserts that every line they ever
// wrote is behind the gateway.
func (e *env) allLines(ctx context.Context) error {
	writers, err := e.pods(ctx, "numbers", "", "")
	if err != nil {
		return err
	}
	if len(writers) == 0 {
		e.line(0, "there are writers to ask", "", errors.New("no pod in the namespace numbers"))
	}
	for i := range writers {
		e.stopAndCount(ctx, &writers[i])
	}
	requests, err := e.sink.read()
	e.line(0, "all that the gateway sent could be read", fmt.Sprintf("%d requests", requests), err)
	return nil
}

// written asks a writer how many lines there are; with POST it stops first.
func (e *env) written(ctx context.Context, p *corev1.Pod, stop bool) (int, error) {
	request := e.cluster.Client.CoreV1().RESTClient().Get()
	path := "written"
	if stop {
		request, path = e.cluster.Client.CoreV1().RESTClient().Post(), "stop"
	}
	out, err := request.Namespace(p.Namespace).Resource("pods").Name(p.Name + ":8080").SubResource("proxy").Suffix(path).DoRaw(ctx)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(out))
}

func (e *env) stopAndCount(ctx context.Context, p *corev1.Pod) {
	last, err := e.written(ctx, p, true)
	if err != nil {
		e.line(0, "a writer of "+p.Name+" can be asked", "", err)
		return
	}
	if last > 20_000 { // 5 MB at least
		rotated, err := e.rotations(p, last)
		e.line(0, "the kubelet has rotated the files of "+p.Name, rotated, err)
	}
	_ = e.becomes(ctx, "every line of "+p.Name+" arrives, whole, with its pod's identity", time.Minute, func(context.Context) (string, error) {
		err := e.sink.whole(p.Name, 1, last)
		_, twice := e.sink.arrived(p.Name)
		return fmt.Sprintf("%d of %d, %d of them more than once", last, last, twice), err
	})
}

// rotations says how many rotated files of a pod's log there are.
func (e *env) rotations(p *corev1.Pod, lines int) (string, error) {
	for i := 1; i <= 2; i++ {
		n := e.cluster.Node(i)
		if n == nil || n.Name != p.Spec.NodeName {
			continue
		}
		kept, err := filepath.Glob(filepath.Join(n.Log, "pods", p.Namespace+"_"+p.Name+"_*", "*", "0.log.*"))
		if err != nil {
			return "", err
		}
		if len(kept) == 0 {
			return "", fmt.Errorf("no rotated file after %d lines", lines)
		}
		return fmt.Sprintf("%d old files are there", len(kept)), nil
	}
	return "", fmt.Errorf("its node %s is not there", p.Spec.NodeName)
}

// summary is a part of a kubelet's /stats/summary.
type summary struct {
	Pods []struct {
		PodRef     struct{ Name, Namespace string }
		Containers []struct {
			Name   string
			Memory struct{ WorkingSetBytes uint64 }
		}
	}
}

// memory: what an agent's container holds, as the kubelet counts it.
func (e *env) memory(ctx context.Context) error {
	_ = e.holds(ctx, "an agent holds no more than 150 MiB", 30*time.Second, func(ctx context.Context) (string, error) {
		out, err := e.cluster.Client.CoreV1().RESTClient().Get().Resource("nodes").Name("e2e-1").SubResource("proxy").Suffix("stats/summary").DoRaw(ctx)
		if err != nil {
			return "", err
		}
		var s summary
		if err := json.Unmarshal(out, &s); err != nil {
			return "", err
		}
		for _, p := range s.Pods {
			for _, c := range p.Containers {
				if p.PodRef.Namespace != namespace || c.Name != "agent" {
					continue
				}
				mib := float64(c.Memory.WorkingSetBytes) / (1 << 20)
				if mib > 150 || mib < 1 {
					return "", fmt.Errorf("%.0f MiB", mib)
				}
				return fmt.Sprintf("%.0f MiB working set with %d pods on the node", mib, len(s.Pods)), nil
			}
		}
		return "", fmt.Errorf("no agent among %d pods", len(s.Pods))
	})
	_ = e.holds(ctx, "nothing of the product ended but what this test ended", 10*time.Second, func(ctx context.Context) (string, error) {
		found, err := e.pods(ctx, namespace, "app.kubernetes.io/name=vigie", "")
		if err != nil {
			return "", err
		}
		var all int32
		for i := range found {
			n, why := restarts(&found[i])
			if all += n; n != e.killed[found[i].UID] {
				return "", fmt.Errorf("%s has %d restarts where it was killed %d times (%s)", found[i].Name, n, e.killed[found[i].UID], why)
			}
		}
		return fmt.Sprintf("%d pods, %d restarts", len(found), all), nil
	})
	return nil
}
