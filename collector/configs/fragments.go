package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// environment is what the conditions of fragments look at.
type environment struct {
	get    func(string) string // an environment variable, "" when unset
	exists func(string) bool   // whether a path exists
}

func processEnvironment() environment {
	return environment{
		get: os.Getenv,
		exists: func(path string) bool {
			_, err := os.Stat(path)
			return err == nil
		},
	}
}

// fragment is a part of a configuration that only some machines need. A fragment
// never changes what the shape has: it adds components and pipelines beside it.
type fragment struct {
	name   string   // file under with/
	shapes []string // shapes that it can join
	// when tells whether it applies, and what to fill in over its YAML.
	when func(env environment, shape string) (overlay map[string]any, ok bool)
}

func (f fragment) appliesTo(shape string) bool { return slices.Contains(f.shapes, shape) }

// layer is the fragment with its overlay, nil where its condition fails.
func (f fragment) layer(env environment, shape string) (*confmap.Conf, error) {
	overlay, ok := f.when(env, shape)
	if !ok {
		return nil, nil
	}
	conf, err := readYAML("with/" + f.name + ".yaml")
	if err != nil {
		return nil, err
	}
	return conf, conf.Merge(confmap.NewFromStringMap(overlay))
}

// fragments in the order in which they are merged.
var fragments = []fragment{ //nolint:gochecknoglobals // a constant table
	{name: "files", shapes: []string{"laptop", "agent"}, when: filesNamed},
	{name: "pods", shapes: []string{"laptop", "agent"}, when: podsHere},
}

// filesNamed applies where VIGIE_LOGS names files: globs, comma-separated.
func filesNamed(env environment, shape string) (map[string]any, bool) {
	var globs []any
	for _, g := range strings.Split(env.get("VIGIE_LOGS"), ",") {
		if g = strings.TrimSpace(g); g == "" {
			continue
		}
		if abs, err := filepath.Abs(g); err == nil {
			g = abs
		}
		globs = append(globs, g)
	}
	if len(globs) == 0 {
		return nil, false
	}
	return map[string]any{
		"receivers": map[string]any{"file_log/named": map[string]any{"include": globs}},
		"service": map[string]any{"pipelines": map[string]any{
			"logs/files": map[string]any{"exporters": destinations[shape]},
		}},
	}, true
}

// podsHere applies on a node: where the kubelet keeps the logs of containers.
func podsHere(env environment, shape string) (map[string]any, bool) {
	if !env.exists(env.get("VIGIE_HOST_ROOT") + "/var/log/pods") {
		return nil, false
	}
	return map[string]any{
		"service": map[string]any{"pipelines": map[string]any{
			"logs/pods": map[string]any{"exporters": destinations[shape]},
		}},
	}, true
}

// destinations are where each shape's own logs end.
var destinations = map[string][]any{ //nolint:gochecknoglobals // a constant table
	"laptop":  {"warroom", "attack_metrics"},
	"agent":   {"otlp_grpc/gateway"},
	"gateway": {"warroom", "attack_metrics"},
}
