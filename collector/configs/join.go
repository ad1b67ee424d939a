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
		if !f.appliesTo(shape) || (len(f.takes) > 0 && len(f.giving(shape, own)) == 0) {
			continue // a destination that nothing ends in is not a valid one
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
	for _, p := range f.puts {
		if err := p.into(conf); err != nil {
			return err
		}
	}
	overlay := map[string]any{}
	if len(f.extensions) > 0 {
		overlay["service::extensions"] = appendTo(conf, "service::extensions", f.extensions...)
	}
	for _, name := range f.giving(shape, own) {
		signal, _, _ := strings.Cut(name, "/")
		key := "service::pipelines::" + name + "::exporters"
		overlay[key] = appendTo(conf, key, f.takes[signal])
	}
	for _, name := range own {
		signal, _, _ := strings.Cut(name, "/")
		if processor, ok := f.last[signal]; ok {
			key := "service::pipelines::" + name + "::processors"
			overlay[key] = appendTo(conf, key, processor)
		}
	}
	return conf.Merge(confmap.NewFromStringMap(overlay))
}

// into puts the processor into those of its pipelines that conf has.
func (p put) into(conf *confmap.Conf) error {
	for _, name := range p.pipelines {
		key := "service::pipelines::" + name + "::processors"
		old, ok := conf.Get(key).([]any)
		if !ok {
			continue
		}
		list := slices.Insert(slices.Clone(old), slices.Index(old, any(p.behind))+1, any(p.processor))
		if err := conf.Merge(confmap.NewFromStringMap(map[string]any{key: list})); err != nil {
			return err
		}
	}
	return nil
}

// giving are those of the shape's own pipelines that the fragment takes from.
func (f fragment) giving(shape string, own []string) []string {
	only, limited := f.from[shape]
	var names []string
	for _, name := range own {
		signal, _, _ := strings.Cut(name, "/")
		if _, ok := f.takes[signal]; ok && (!limited || slices.Contains(only, name)) && !slices.Contains(f.apart, name) {
			names = append(names, name)
		}
	}
	return names
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
