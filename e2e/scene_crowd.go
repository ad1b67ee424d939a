//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxPods is how many pods a kubelet takes.
const maxPods = 110

// crowd fills the first node with pods, and looks what its agent holds then.
func (e *env) crowd(ctx context.Context) error {
	if err := e.apply(ctx, "crowd"); err != nil {
		return err
	}
	there, err := e.cluster.Client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=e2e-1"})
	if err != nil {
		return err
	}
	more := maxPods - len(there.Items)
	_ = e.holds(ctx, "a node takes all the pods that a node takes", 5*time.Minute, func(ctx context.Context) (string, error) {
		if _, err := e.cluster.Kubectl(ctx, nil, "-n", "crowd", "scale", "deployment", "crowd", "--replicas="+strconv.Itoa(more)); err != nil {
			return "", err
		}
		err := e.again(ctx, func() error {
			d, err := e.cluster.Client.AppsV1().Deployments("crowd").Get(ctx, "crowd", metav1.GetOptions{})
			if err == nil && int(d.Status.AvailableReplicas) != more {
				err = fmt.Errorf("%d of %d are ready", d.Status.AvailableReplicas, more)
			}
			return err
		})
		return fmt.Sprintf("%d pods", maxPods), err
	})
	_ = e.becomes(ctx, "the log of each arrives", time.Minute, func(ctx context.Context) (string, error) {
		found, err := e.pods(ctx, "crowd", "", "")
		if err != nil {
			return "", err
		}
		for _, p := range found {
			if n, _ := e.sink.arrived(p.Name); n == 0 {
				return "", fmt.Errorf("no line of %s", p.Name)
			}
		}
		return fmt.Sprintf("%d logs", len(found)), nil
	})
	_ = e.becomes(ctx, "the kubelet's series of each arrive", time.Minute, func(ctx context.Context) (string, error) {
		found, err := e.query(ctx, `count(count by (k8s_pod_name) (k8s_pod_memory_working_set_bytes{k8s_namespace_name="crowd"}))`)
		if err == nil && int(found[0].number()) != more {
			err = fmt.Errorf("of %v pods", found[0].number())
		}
		return fmt.Sprintf("%d pods", more), err
	})
	// The next readings of all are the ones that count.
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(30 * time.Second):
	}
	return e.memory(ctx)
}
