//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// gateways adds a second gateway on the second node, rolls out a gateway's
// configuration that can't work, and goes back to one.
func (e *env) gateways(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(e.cluster.Node(2).Lib, "node-disk-1"), 0o755); err != nil {
		return err
	}
	if err := e.apply(ctx, "volume-2"); err != nil {
		return err
	}
	writer, err := e.pod(ctx, "numbers", "", "e2e-1")
	if err != nil {
		return err
	}
	two := []string{"--set-string", "image.tag=" + nextTag, "--set", "gateway.replicas=2"}
	if err := e.holds(ctx, "a second gateway is ready, on the other node", 2*time.Minute, func(ctx context.Context) (string, error) {
		if err := e.helm(ctx, "upgrade", chart, two...); err != nil {
			return "", err
		}
		if err := e.again(ctx, func() error { return e.fleet(ctx, 2) }); err != nil {
			return "", err
		}
		found, err := e.pods(ctx, namespace, gateways, "")
		if err != nil {
			return "", err
		}
		nodes := []string{}
		for _, p := range found {
			nodes = append(nodes, p.Spec.NodeName)
		}
		if len(found) != 2 || nodes[0] == nodes[1] {
			return "", fmt.Errorf("gateways are on %v", nodes)
		}
		return strings.Join(nodes, ", "), nil
	}); err != nil {
		return err
	}
	path := filepath.Join(e.state, "values-broken-gateway.yaml")
	if err := os.WriteFile(path, []byte("gateway: {config: {exporters: {no_such_exporter: {}}}}\n"), 0o644); err != nil {
		return err
	}
	_ = e.holds(ctx, "a gateway's configuration that can't work stops at the first, the other goes on", 2*time.Minute, func(ctx context.Context) (string, error) {
		if err := e.helm(ctx, "upgrade", chart, append(two, "-f", path)...); err != nil {
			return "", err
		}
		var going string
		if err := e.again(ctx, func() error {
			found, err := e.pods(ctx, namespace, gateways, "")
			if err != nil {
				return err
			}
			stuck := 0
			going = ""
			for i, p := range found {
				for _, s := range p.Status.InitContainerStatuses {
					if t := s.LastTerminationState.Terminated; t != nil && t.ExitCode != 0 {
						stuck++
					}
				}
				if ready(&found[i]) == nil {
					going = p.Name
				}
			}
			if stuck != 1 || going == "" {
				return fmt.Errorf("%d gateways are stuck, %q goes on", stuck, going)
			}
			return nil
		}); err != nil {
			return "", err
		}
		lines, err := e.flowing(ctx, writer)
		return going + " goes on; " + lines, err
	})
	_ = e.holds(ctx, "helm rollback brings both gateways back, by itself", 2*time.Minute, func(ctx context.Context) (string, error) {
		if _, err := e.cluster.Run(ctx, e.Helm, "rollback", "vigie", "-n", namespace); err != nil {
			return "", err
		}
		return "2 gateways", e.again(ctx, func() error { return e.fleet(ctx, 2) })
	})
	return e.holds(ctx, "and one gateway is enough again", 2*time.Minute, func(ctx context.Context) (string, error) {
		if err := e.helm(ctx, "upgrade", chart, "--set-string", "image.tag="+nextTag); err != nil {
			return "", err
		}
		if err := e.again(ctx, func() error { return e.fleet(ctx, 2) }); err != nil {
			return "", err
		}
		return e.flowing(ctx, writer)
	})
}
