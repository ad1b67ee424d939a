package configs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// assemble merges into conf, which is a shape, the fragments whose condition
// holds, and lets the shape's pipelines end in the destinations among them.
func assemble(conf *confmap.Conf, shape string, env environment, among []fragment) error {
	var joined []fragment
	own := pipelines(conf)
	for _, f := range among {
		if !f.appliesTo(shape) {
			continue
		}
		layer, err := f.layer(env, shape)
		if err != nil {
			return err
		}
		if layer == nil {
			continue
		}
		if err := conf.Merge(layer); err != nil {
			return fmt.Errorf("merge with/%s.yaml: %w", f.name, err)
		}
		if f.source {
			own = append(own, pipelines(layer)...)
		}
		joined = append(joined, f)
	}
	for _, f := range joined {
		if err := f.join(conf, shape, own); err != nil {
			return fmt.Errorf("join with/%s.yaml: %w", f.name, err)
		}
	}
	return nil
}

// join appends what the lists of others need: merging would replace them.
func (f fragment) join(conf *confmap.Conf, shape string, own []string) error {
	overlay := map[string]any{}
	if len(f.extensions) > 0 {
		overlay["service::extensions"] = appendTo(conf, "service::extensions", f.extensions...)
	}
	only, limited := f.from[shape]
	for _, name := range own {
		signal, _, _ := strings.Cut(name, "/")
		to, ok := f.takes[signal]
		if !ok || (limited && !slices.Contains(only, name)) {
			continue
		}
		key := "service::pipelines::" + name + "::exporters"
		overlay[key] = appendTo(conf, key, to)
	}
	for processor, names := range f.puts {
		for _, name := range names {
			if key := "service::pipelines::" + name + "::processors"; conf.IsSet(key) {
				overlay[key] = putBehind(conf, key, "memory_limiter", processor)
			}
		}
	}
	return conf.Merge(confmap.NewFromStringMap(overlay))
}

// putBehind is the list at key with one more right behind another.
func putBehind(conf *confmap.Conf, key, behind, one string) []any {
	old, _ := conf.Get(key).([]any)
	return slices.Insert(slices.Clone(old), slices.Index(old, any(behind))+1, any(one))
}

func appendTo(conf *confmap.Conf, key string, more ...string) []any {
	old, _ := conf.Get(key).([]any)
	list := slices.Clone(old)
	for _, m := range more {
		if !slices.Contains(list, any(m)) {
			list = append(list, m)
		}
	}
	return list
}

// pipelines are the names of a configuration's pipelines.
func pipelines(conf *confmap.Conf) []string {
	sub, err := conf.Sub("service::pipelines")
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(sub.ToStringMap()))
}
