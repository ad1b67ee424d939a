//go:build linux

package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

//go:embed manifests values
var files embed.FS

const chart = "deploy/helm/vigie"

// apply hands manifests of this folder to the cluster.
func (e *env) apply(ctx context.Context, names ...string) error {
	for _, name := range names {
		text, err := files.ReadFile("manifests/" + name + ".yaml")
		if err != nil {
			return err
		}
		if _, err := e.cluster.Kubectl(ctx, bytes.NewReader(text), "apply", "-f", "-"); err != nil {
			return err
		}
	}
	return nil
}

// values writes one of the values files where helm can read it.
func (e *env) values(name string) (string, error) {
	text, err := files.ReadFile("values/" + name + ".yaml")
	if err != nil {
		return "", err
	}
	path := filepath.Join(e.state, "values-"+name+".yaml")
	return path, os.WriteFile(path, text, 0o644)
}

// helm runs it with the test's values and, over these, further ones.
func (e *env) helm(ctx context.Context, verb, from string, more ...string) error {
	path, err := e.values("e2e")
	if err != nil {
		return err
	}
	args := append([]string{verb, "vigie", from, "-n", namespace, "-f", path, "--set-file", "calendar=" + e.calendar}, more...)
	_, err = e.cluster.Run(ctx, e.Helm, args...)
	return err
}

// previous is a copy of the chart with a lower version: what a cluster has that is
// upgraded.
func (e *env) previous() (string, error) {
	dir := filepath.Join(e.state, "previous-chart")
	if err := os.CopyFS(dir, os.DirFS(chart)); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "Chart.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	version := regexp.MustCompile(`(?m)^version:.*$`)
	if !version.Match(text) {
		return "", fmt.Errorf("%s has no version", path)
	}
	return dir, os.WriteFile(path, version.ReplaceAll(text, []byte("version: 0.0.1")), 0o644)
}

// install brings the chart, as it was before, and what it watches. Nothing goes on
// without it.
func (e *env) install(ctx context.Context) error {
	from, err := e.previous()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(e.cluster.Node(1).Lib, "node-disk-0"), 0o755); err != nil {
		return err
	}
	e.calendar = filepath.Join(e.state, "calendar.yaml")
	if err := os.WriteFile(e.calendar, []byte(calendarOf(time.Now())), 0o644); err != nil {
		return err
	}
	if err := e.apply(ctx, "volume"); err != nil {
		return err
	}
	err = e.holds(ctx, "helm installs the chart", time.Minute, func(ctx context.Context) (string, error) {
		return "version 0.0.1", e.helm(ctx, "install", from, "--create-namespace")
	})
	if err != nil {
		return err
	}
	err = e.becomes(ctx, "agent and gateway are ready", 2*time.Minute, func(ctx context.Context) (string, error) {
		if err := e.fleet(ctx, 1); err != nil {
			return "", err
		}
		return "1 agent, 1 gateway", nil
	})
	if err != nil {
		return errors.Join(err, e.explain(ctx))
	}
	// Now, that every line from the first counts whatever new_within of container_log
	// says.
	if err := e.apply(ctx, "shop", "numbers"); err != nil {
		return err
	}
	return e.becomes(ctx, "what it watches is ready", time.Minute, func(ctx context.Context) (string, error) {
		n := 0
		for _, ns := range []string{"shop", "numbers"} {
			found, err := e.pods(ctx, ns, "", "")
			if err != nil {
				return "", err
			}
			for i := range found {
				if err := ready(&found[i]); err != nil {
					return "", err
				}
			}
			n += len(found)
		}
		if n != 3 {
			return "", fmt.Errorf("%d pods, not 3", n)
		}
		return fmt.Sprintf("%d pods", n), nil
	})
}

// explain is what the pods of the product said last, for a failure's reader.
func (e *env) explain(ctx context.Context) error {
	found, err := e.pods(ctx, namespace, "", "")
	if err != nil {
		return err
	}
	var said strings.Builder
	for _, p := range found {
		for _, previous := range []string{"true", "false"} {
			out, err := e.cluster.Kubectl(ctx, nil, "-n", namespace, "logs", p.Name, "--all-containers", "--tail=20", "--previous="+previous)
			if err == nil && len(out) > 0 {
				fmt.Fprintf(&said, "--- %s (previous=%s)\n%s", p.Name, previous, out)
			}
		}
	}
	path := filepath.Join(e.state, "logs", "vigie-pods.log")
	if err := os.WriteFile(path, []byte(said.String()), 0o644); err != nil {
		return err
	}
	return fmt.Errorf("what the pods said is in %s", path)
}
