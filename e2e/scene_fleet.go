//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// secondNode adds a node: it gets its agent, and its logs arrive.
func (e *env) secondNode(ctx context.Context) error {
	return e.join(ctx, "a second node is ready", "the new node gets its agent, and its logs arrive")
}

// join adds the second node, with empty disks, and asserts that it has a ready agent
// and that its writer's lines arrive.
func (e *env) join(ctx context.Context, ready, served string) error {
	if err := e.holds(ctx, ready, 2*time.Minute, func(ctx context.Context) (string, error) {
		n, err := e.cluster.AddNode(ctx, 2)
		if err != nil {
			return "", err
		}
		return n.Name, nil
	}); err != nil {
		return err
	}
	return e.becomes(ctx, served, 2*time.Minute, func(ctx context.Context) (string, error) {
		if err := e.fleet(ctx, 2); err != nil {
			return "", err
		}
		writer, err := e.pod(ctx, "numbers", "", "e2e-2")
		if err != nil {
			return "", err
		}
		n, _ := e.sink.arrived(writer.Name)
		if n < 100 {
			return "", fmt.Errorf("%d lines of %s have arrived", n, writer.Name)
		}
		return fmt.Sprintf("2 agents; %d lines of %s", n, writer.Name), nil
	})
}

// watchAgents follows how many agents are unavailable at the same time, until
// stopped; the answer is the most.
func (e *env) watchAgents(ctx context.Context) (stop func() int32) {
	ctx, cancel := context.WithCancel(ctx)
	most, done := int32(0), make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if ds, err := e.cluster.Client.AppsV1().DaemonSets(namespace).Get(ctx, "vigie-agent", metav1.GetOptions{}); err == nil {
				most = max(most, ds.Status.DesiredNumberScheduled-ds.Status.NumberAvailable)
			}
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return func() int32 { cancel(); <-done; return most }
}

// upgrade replaces the previous chart by this one, and the image by the next.
func (e *env) upgrade(ctx context.Context) error {
	return e.holds(ctx, "helm upgrades from the chart before, an agent at a time", 4*time.Minute, func(ctx context.Context) (string, error) {
		unavailable := e.watchAgents(ctx)
		err := e.helm(ctx, "upgrade", chart, "--set-string", "image.tag="+nextTag)
		if err == nil {
			err = e.again(ctx, func() error { return e.fleet(ctx, 2) })
		}
		most := unavailable()
		if err != nil {
			return "", err
		}
		if most > 1 {
			return "", fmt.Errorf("%d of 2 agents were away at the same time", most)
		}
		found, err := e.pods(ctx, namespace, "app.kubernetes.io/name=vigie", "")
		if err != nil {
			return "", err
		}
		for _, p := range found {
			if image := p.Spec.Containers[0].Image; image != repository+":"+nextTag {
				return "", fmt.Errorf("%s still has %s", p.Name, image)
			}
		}
		writer, err := e.pod(ctx, "numbers", "", "e2e-1")
		if err != nil {
			return "", err
		}
		lines, err := e.flowing(ctx, writer)
		return fmt.Sprintf("%d pods new, at most %d agent away at a time; %s", len(found), most, lines), err
	})
}

// broken is a user's configuration with a receiver that does not exist.
const broken = `agent: {config: {receivers: {no_such_receiver: {}}, service: {pipelines: {logs: {receivers: [no_such_receiver]}}}}}
`

// invalid rolls out a configuration that can't work: it stops at the first node,
// the other goes on collecting, and helm rollback brings all back.
func (e *env) invalid(ctx context.Context) error {
	path := filepath.Join(e.state, "values-broken.yaml")
	if err := os.WriteFile(path, []byte(broken), 0o644); err != nil {
		return err
	}
	if err := e.helm(ctx, "upgrade", chart, "--set-string", "image.tag="+nextTag, "-f", path); err != nil {
		e.line(0, "helm takes the broken configuration to the cluster", "", err)
		return nil // then nothing can be broken by it
	}
	var stuck, going *corev1.Pod
	_ = e.becomes(ctx, "the rollout of a configuration that can't work stops at its check", time.Minute, func(ctx context.Context) (string, error) {
		found, err := e.pods(ctx, namespace, agents, "")
		if err != nil {
			return "", err
		}
		stuck, going = nil, nil
		for i, p := range found {
			for _, s := range p.Status.InitContainerStatuses {
				if t := s.LastTerminationState.Terminated; s.Name == "check" && t != nil && t.ExitCode != 0 {
					stuck = &found[i]
				}
			}
			if ready(&found[i]) == nil {
				going = &found[i]
			}
		}
		if stuck == nil || going == nil {
			return "", fmt.Errorf("of %d agents none is stuck, or none goes on", len(found))
		}
		out, err := e.cluster.Kubectl(ctx, nil, "-n", namespace, "logs", stuck.Name, "-c", "check", "--previous")
		if !bytes.Contains(out, []byte("no_such_receiver")) {
			return "", fmt.Errorf("the check does not name what is wrong: %q (%w)", out, err)
		}
		return fmt.Sprintf("%s is stuck, %s goes on; the check said: %.160s", stuck.Spec.NodeName, going.Spec.NodeName, bytes.TrimSpace(out)), nil
	})
	if going != nil {
		was, _ := restarts(going)
		_ = e.holds(ctx, "the other agent goes on collecting for 25 seconds", time.Minute, func(ctx context.Context) (string, error) {
			writer, err := e.pod(ctx, "numbers", "", going.Spec.NodeName)
			if err != nil {
				return "", err
			}
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(25 * time.Second):
			}
			now, err := e.cluster.Client.CoreV1().Pods(namespace).Get(ctx, going.Name, metav1.GetOptions{})
			if err != nil {
				return "", err
			}
			if n, why := restarts(now); n != was || ready(now) != nil {
				return "", errors.Join(fmt.Errorf("%d restarts, not %d (%s)", n, was, why), ready(now))
			}
			return e.flowing(ctx, writer)
		})
		_ = e.becomes(ctx, "it says that what is configured is not what runs", 90*time.Second, func(ctx context.Context) (string, error) {
			found, err := e.query(ctx, fmt.Sprintf(`{__name__=~"vigie_config_last_reload_successful.*", job="vigie-agent", instance=%q} == 0`, going.Spec.NodeName))
			if err != nil {
				return "", err
			}
			return found[0].Metric["__name__"] + " 0 of " + found[0].Metric["instance"], nil
		})
	}
	return e.holds(ctx, "helm rollback brings all agents back", 3*time.Minute, func(ctx context.Context) (string, error) {
		if _, err := e.cluster.Run(ctx, e.Helm, "rollback", "vigie", "-n", namespace); err != nil {
			return "", err
		}
		if err := e.again(ctx, func() error { return e.fleet(ctx, 2) }); err != nil {
			return "", err
		}
		return "2 agents", nil
	})
}

// nodeRemoved cuts a node's power, takes it out, and adds it anew with empty disks.
func (e *env) nodeRemoved(ctx context.Context) error {
	gone, err := e.pod(ctx, "numbers", "", "e2e-2")
	if err != nil {
		return err
	}
	writer, err := e.pod(ctx, "numbers", "", "e2e-1")
	if err != nil {
		return err
	}
	if err := e.holds(ctx, "a node whose power is cut is missed by nobody else", 2*time.Minute, func(ctx context.Context) (string, error) {
		if err := e.cluster.Remove(ctx, 2); err != nil {
			return "", err
		}
		if err := e.again(ctx, func() error { return e.fleet(ctx, 1) }); err != nil {
			return "", err
		}
		had, _ := e.sink.arrived(gone.Name)
		lines, err := e.flowing(ctx, writer)
		return fmt.Sprintf("1 agent; %d lines of the lost node had arrived; of the other %s", had, lines), err
	}); err != nil {
		return err
	}
	return e.join(ctx, "it comes back with empty disks", "it gets its agent again, and its logs arrive")
}
