//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// warnings tells what the product's parts warned of, the most frequent first. It
// asserts nothing: this cluster lacks what some of them look for.
func (e *env) warnings(ctx context.Context) error {
	found, err := e.pods(ctx, namespace, "app.kubernetes.io/name=vigie", "")
	if err != nil {
		return err
	}
	for _, p := range found {
		out, err := e.cluster.Kubectl(ctx, nil, "-n", namespace, "logs", p.Name, "-c", p.Labels["app.kubernetes.io/component"])
		if err != nil {
			return err
		}
		times := map[string]int{}
		all, most := 0, ""
		for line := range bytes.Lines(out) {
			if what := warning(string(line)); what != "" {
				all++
				if times[what]++; times[what] > times[most] {
					most = what
				}
			}
		}
		if all == 0 {
			e.note("%s warned of nothing", p.Name)
			continue
		}
		e.note("%s: %d warnings and errors in %d lines of its log; most often (%d): %.200s", p.Name, all, bytes.Count(out, []byte("\n")), times[most], most)
	}
	return nil
}

// warning is the message and the error of a line of the collector's log that is at
// least a warning, else "".
func warning(line string) string {
	fields := strings.SplitN(strings.TrimSpace(line), "\t", 4)
	if len(fields) < 4 || (fields[1] != "warn" && fields[1] != "error") {
		return ""
	}
	message, rest, _ := strings.Cut(fields[3], "\t")
	if _, text, ok := strings.Cut(rest, `"error": "`); ok {
		return fmt.Sprintf("%s: %s", message, text)
	}
	return message
}
