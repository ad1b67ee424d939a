//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const namespace = "vigie"

// pods are those of a namespace that a selector names, on one node or ("") on all,
// without those that are about to go.
func (e *env) pods(ctx context.Context, ns, selector, node string) ([]corev1.Pod, error) {
	list, err := e.cluster.Client.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	var found []corev1.Pod
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil && (node == "" || p.Spec.NodeName == node) {
			found = append(found, p)
		}
	}
	return found, nil
}

// pod is the only one of these.
func (e *env) pod(ctx context.Context, ns, selector, node string) (*corev1.Pod, error) {
	found, err := e.pods(ctx, ns, selector, node)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d pods of %s in %s, not one", len(found), selector, ns)
	}
	return &found[0], nil
}

const (
	agents   = "app.kubernetes.io/component=agent"
	gateways = "app.kubernetes.io/component=gateway"
)

// restarts is how often a pod's containers began anew, and why the last ended.
func restarts(p *corev1.Pod) (n int32, why string) {
	for _, s := range p.Status.ContainerStatuses {
		n += s.RestartCount
		if t := s.LastTerminationState.Terminated; t != nil {
			why = fmt.Sprintf("%s, exit %d", t.Reason, t.ExitCode)
		}
	}
	return n, why
}

// ready is an error where a pod is not.
func ready(p *corev1.Pod) error {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return nil
		}
	}
	for _, s := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		if w := s.State.Waiting; w != nil && w.Reason != "PodInitializing" {
			return fmt.Errorf("%s/%s waits: %s %s", p.Name, s.Name, w.Reason, w.Message)
		}
	}
	return fmt.Errorf("%s is not ready (%s)", p.Name, p.Status.Phase)
}

// fleet is an error where not every agent and gateway is ready, at the newest
// revision, or where the number of agents differs.
func (e *env) fleet(ctx context.Context, agentsWanted int) error {
	ds, err := e.cluster.Client.AppsV1().DaemonSets(namespace).Get(ctx, "vigie-agent", metav1.GetOptions{})
	if err != nil {
		return err
	}
	sts, err := e.cluster.Client.AppsV1().StatefulSets(namespace).Get(ctx, "vigie-gateway", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if err := rolledOut(ds, sts, int32(agentsWanted)); err != nil {
		found, _ := e.pods(ctx, namespace, "app.kubernetes.io/name=vigie", "")
		for i := range found {
			err = errors.Join(err, ready(&found[i]))
		}
		return err
	}
	return nil
}

func rolledOut(ds *appsv1.DaemonSet, sts *appsv1.StatefulSet, agentsWanted int32) error {
	if s := ds.Status; s.ObservedGeneration != ds.Generation || s.UpdatedNumberScheduled != agentsWanted || s.NumberAvailable != agentsWanted || s.DesiredNumberScheduled != agentsWanted {
		return fmt.Errorf("of %d agents %d are new and %d ready", agentsWanted, s.UpdatedNumberScheduled, s.NumberAvailable)
	}
	if s := sts.Status; s.ObservedGeneration != sts.Generation || s.UpdatedReplicas != *sts.Spec.Replicas || s.AvailableReplicas != *sts.Spec.Replicas || s.CurrentRevision != s.UpdateRevision {
		return fmt.Errorf("of %d gateways %d are new and %d ready", *sts.Spec.Replicas, s.UpdatedReplicas, s.AvailableReplicas)
	}
	return nil
}

// kill ends a pod's program as the kernel does under memory pressure: at once.
func (e *env) kill(p *corev1.Pod, program string) error {
	cmdlines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, path := range cmdlines {
		pid := filepath.Base(filepath.Dir(path))
		cmdline, _ := os.ReadFile(path)
		groups, _ := os.ReadFile("/proc/" + pid + "/cgroup")
		if strings.HasPrefix(string(cmdline), program+"\x00") && strings.Contains(string(groups), "pod"+string(p.UID)) {
			n, err := strconv.Atoi(pid)
			if err != nil {
				return err
			}
			e.killed[p.UID]++
			return syscall.Kill(n, syscall.SIGKILL)
		}
	}
	return fmt.Errorf("no process %s of %s was found", program, p.Name)
}

// restarted waits until a pod's container runs again, once more than before.
func (e *env) restarted(ctx context.Context, before *corev1.Pod) error {
	was, _ := restarts(before)
	err := e.again(ctx, func() error {
		now, err := e.cluster.Client.CoreV1().Pods(before.Namespace).Get(ctx, before.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if n, _ := restarts(now); n != was+1 {
			return fmt.Errorf("%d restarts, not %d", n, was+1)
		}
		return ready(now)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", before.Name, err)
	}
	return nil
}
