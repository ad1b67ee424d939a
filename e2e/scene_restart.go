//go:build linux

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// flowing waits until lines of a pod arrive that did not before: what waited has
// been sent, and what comes now comes through.
func (e *env) flowing(ctx context.Context, p *corev1.Pod) (string, error) {
	had, _ := e.sink.arrived(p.Name)
	target, err := e.written(ctx, p, false)
	if err != nil {
		return "", err
	}
	now := had
	err = e.again(ctx, func() error {
		if now, _ = e.sink.arrived(p.Name); now < target || now == had {
			return fmt.Errorf("%d of %d lines", now, target)
		}
		return nil
	})
	return fmt.Sprintf("%d lines, all that were written until then", now), err
}

// restartsOfAll kills each part under way. That no line was lost is asserted for
// the whole run, in allLines.
func (e *env) restartsOfAll(ctx context.Context) error {
	writer, err := e.pod(ctx, "numbers", "", "e2e-1")
	if err != nil {
		return err
	}
	for _, c := range []struct {
		who, selector string
		times         int
	}{{"the agent", agents, 2}, {"the gateway", gateways, 4}} {
		_ = e.holds(ctx, fmt.Sprintf("%s is killed (SIGKILL) %d times and begins again, and lines flow", c.who, c.times), 3*time.Minute, func(ctx context.Context) (string, error) {
			for range c.times {
				p, err := e.pod(ctx, namespace, c.selector, "")
				if err != nil {
					return "", err
				}
				if err := e.kill(p, "/vigie"); err != nil {
					return "", err
				}
				if err := e.restarted(ctx, p); err != nil {
					return "", err
				}
			}
			return e.flowing(ctx, writer)
		})
	}
	_ = e.holds(ctx, "the gateway's pod is deleted, and its volume goes on in the next", 2*time.Minute, func(ctx context.Context) (string, error) {
		before, err := e.query(ctx, `count(count_over_time(system_memory_usage_bytes[5m]))`)
		if err != nil {
			return "", err
		}
		if _, err := e.cluster.Kubectl(ctx, nil, "-n", namespace, "delete", "pod", "vigie-gateway-0", "--wait=true"); err != nil {
			return "", err
		}
		if err := e.again(ctx, func() error { return e.fleet(ctx, 1) }); err != nil {
			return "", err
		}
		e.page.close()
		after, err := e.query(ctx, `count(count_over_time(system_memory_usage_bytes[5m] offset 1m))`)
		if err != nil {
			return "", err
		}
		lines, err := e.flowing(ctx, writer)
		return fmt.Sprintf("%.0f series before, %.0f of them a minute ago; %s", before[0].number(), after[0].number(), lines), err
	})
	return nil
}

// again repeats what until it has no error.
func (e *env) again(ctx context.Context, what func() error) error {
	for {
		err := what()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// apiServerAway stops the API server as a machine that hangs: connections stay, no
// answer comes. Agents and gateways go on, and begin anew where they must.
func (e *env) apiServerAway(ctx context.Context) error {
	writer, err := e.pod(ctx, "numbers", "", "e2e-1")
	if err != nil {
		return err
	}
	before, err := e.pods(ctx, namespace, "app.kubernetes.io/name=vigie", "")
	if err != nil {
		return err
	}
	agent, err := e.pod(ctx, namespace, agents, "e2e-1")
	if err != nil {
		return err
	}
	away, err := outage()
	if err != nil {
		return err
	}
	if err := e.cluster.API.Pause(); err != nil {
		return err
	}
	resume := sync.OnceFunc(func() { _ = e.cluster.API.Resume() })
	defer resume()
	arriving := func(ctx context.Context) (string, error) {
		had, _ := e.sink.arrived(writer.Name)
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(away / 2):
		}
		now, _ := e.sink.arrived(writer.Name)
		if now <= had {
			return "", fmt.Errorf("still %d lines after %s", now, away/2)
		}
		return fmt.Sprintf("%d lines in %s", now-had, away/2), nil
	}
	_ = e.holds(ctx, "without an API server logs go on arriving", away, arriving)
	if err := e.kill(agent, "/vigie"); err != nil {
		return err
	}
	_ = e.holds(ctx, "an agent that is killed without an API server begins again", away, arriving)
	resume()
	_ = e.becomes(ctx, "nothing else of the product began anew", time.Minute, func(ctx context.Context) (string, error) {
		for _, b := range before {
			p, err := e.pod(ctx, namespace, "app.kubernetes.io/component="+b.Labels["app.kubernetes.io/component"], b.Spec.NodeName)
			if err != nil {
				return "", err
			}
			if err := ready(p); err != nil {
				return "", err
			}
			was, _ := restarts(&b)
			if b.UID == agent.UID {
				was++
			}
			if n, why := restarts(p); n != was || p.UID != b.UID {
				return "", fmt.Errorf("%s has %d restarts, not %d (%s)", p.Name, n, was, why)
			}
		}
		return fmt.Sprintf("%d pods", len(before)), nil
	})
	return nil
}
