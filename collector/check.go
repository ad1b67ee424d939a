package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service"
)

// check resolves a configuration and tells all that is wrong with it: every
// problem at once, each naming its key, what it got and what it takes. The
// collector's own loading stops at the first component that it can't read. It
// returns nil or a problemsError.
func check(ctx context.Context, set otelcol.CollectorSettings) error {
	if ctx == nil {
		ctx = context.Background()
	}
	factories, err := set.Factories()
	if err != nil {
		return err
	}
	resolver, err := confmap.NewResolver(set.ConfigProviderSettings.ResolverSettings)
	if err != nil {
		return err
	}
	defer func() { _ = resolver.Shutdown(ctx) }()
	conf, err := resolver.Resolve(ctx)
	if err != nil {
		return problemsError{{Text: "read configuration: " + strings.TrimPrefix(err.Error(), "cannot resolve the configuration: ")}}
	}

	c := &checker{conf: conf, known: map[string]map[component.ID]bool{}}
	c.sections(factories)
	c.service(factories)
	if len(c.problems) > 0 {
		return c.problems.sorted()
	}
	// What is left shows only when the graph is built: a component that does not
	// take a pipeline's signal, a cycle of connectors.
	return dryRun(ctx, set)
}

func dryRun(ctx context.Context, set otelcol.CollectorSettings) error {
	factories := set.Factories
	set.Factories = func() (otelcol.Factories, error) {
		f, err := factories()
		return withoutPorts(f), err
	}
	col, err := otelcol.NewCollector(set)
	if err != nil {
		return err
	}
	if err := col.DryRun(ctx); err != nil {
		return flatten(nil, nil, err)
	}
	return nil
}

// withoutPorts puts something that does nothing in the place of receivers that open
// their port when they are made rather than when they start: nobody closes it after
// a dry run, and while a Vigie runs it is taken by that one.
func withoutPorts(f otelcol.Factories) otelcol.Factories {
	f.Receivers = maps.Clone(f.Receivers)
	for id, opens := range f.Receivers {
		if opens.Type().String() == "awsxray" {
			f.Receivers[id] = receiver.NewFactory(id, opens.CreateDefaultConfig, receiver.WithTraces(
				func(context.Context, receiver.Settings, component.Config, consumer.Traces) (receiver.Traces, error) {
					return inert{}, nil
				}, opens.TracesStability()))
		}
	}
	return f
}

type inert struct {
	component.StartFunc
	component.ShutdownFunc
}

type checker struct {
	conf     *confmap.Conf
	known    map[string]map[component.ID]bool // section → configured IDs, also those with problems
	problems problemsError
}

func (c *checker) add(key, format string, args ...any) {
	c.problems = append(c.problems, problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) sections(f otelcol.Factories) {
	for key := range c.conf.ToStringMap() {
		if !slices.Contains(sectionNames, key) {
			c.add(key, "is not a section; sections are %s", strings.Join(sectionNames, ", "))
		}
	}
	checkSection(c, "extensions", f.Extensions)
	checkSection(c, "receivers", f.Receivers)
	checkSection(c, "processors", f.Processors)
	checkSection(c, "exporters", f.Exporters)
	checkSection(c, "connectors", f.Connectors)
	for _, need := range []string{"receivers", "exporters"} {
		if len(c.known[need]) == 0 {
			c.add(need, "is empty; at least one is needed")
		}
	}
}

var sectionNames = []string{"extensions", "receivers", "processors", "exporters", "connectors", "service"}

// checkSection reads each component of a section on its own, so that one that
// can't be read does not hide the next.
func checkSection[F component.Factory](c *checker, section string, factories map[component.Type]F) {
	c.known[section] = map[component.ID]bool{}
	raw, ok := c.conf.Get(section).(map[string]any)
	if !ok {
		if got := c.conf.Get(section); got != nil {
			c.add(section, "got %s; takes a map of components, e.g. otlp:", describe(got))
		}
		return
	}
	for name := range raw {
		key := section + "::" + name
		var id component.ID
		if err := id.UnmarshalText([]byte(name)); err != nil {
			c.add(key, "is not a component ID: %v", err)
			continue
		}
		c.known[section][id] = true
		factory, ok := factories[id.Type()]
		if !ok {
			c.add(key, "unknown %s type %q; %s", strings.TrimSuffix(section, "s"), id.Type(), suggest(id.Type().String(), typeNames(factories)))
			continue
		}
		c.component(key, factory.CreateDefaultConfig())
	}
}

func (c *checker) component(key string, cfg component.Config) {
	sub, err := c.conf.Sub(key)
	if err != nil {
		c.add(key, "got %s; takes a map of settings", describe(c.conf.Get(key)))
		return
	}
	path := strings.Split(key, "::")
	if err := sub.Unmarshal(&cfg); err != nil {
		c.problems = append(c.problems, flatten(path, &source{conf: c.conf, cfg: cfg}, err)...)
		return
	}
	if err := confmap.Validate(cfg); err != nil {
		c.problems = append(c.problems, flatten(path, nil, err)...)
	}
}

func (c *checker) service(f otelcol.Factories) {
	sub, err := c.conf.Sub("service")
	if err != nil {
		c.add("service", "got %s; takes extensions, pipelines and telemetry", describe(c.conf.Get("service")))
		return
	}
	cfg := service.Config{Telemetry: f.Telemetry.CreateDefaultConfig()}
	if err := sub.Unmarshal(&cfg); err != nil {
		c.problems = append(c.problems, flatten([]string{"service"}, &source{conf: c.conf, cfg: &cfg}, err)...)
		return
	}
	if err := confmap.Validate(cfg); err != nil {
		c.problems = append(c.problems, flatten([]string{"service"}, nil, err)...)
	}
	for _, id := range cfg.Extensions {
		c.reference("service::extensions", "extension", id, "extensions")
	}
	for id, p := range cfg.Pipelines {
		key := "service::pipelines::" + id.String()
		for _, r := range p.Receivers {
			c.reference(key+"::receivers", "receiver", r, "receivers", "connectors")
		}
		for _, r := range p.Processors {
			c.reference(key+"::processors", "processor", r, "processors")
		}
		for _, r := range p.Exporters {
			c.reference(key+"::exporters", "exporter", r, "exporters", "connectors")
		}
	}
	for id := range c.known["connectors"] {
		for _, section := range []string{"receivers", "exporters"} {
			if c.known[section][id] {
				c.add("connectors::"+id.String(), "has the same ID as one of the %s; name one of them %s/…", section, id)
			}
		}
	}
}

func (c *checker) reference(key, kind string, id component.ID, sections ...string) {
	var have []string
	for _, s := range sections {
		if c.known[s][id] {
			return
		}
		for k := range maps.Keys(c.known[s]) {
			have = append(have, k.String())
		}
	}
	c.add(key, "%s %q is not configured; %s", kind, id, suggest(id.String(), have))
}

// typeNames leaves deprecated aliases out: they work, and are not suggested.
func typeNames[F component.Factory](factories map[component.Type]F) []string {
	var names []string
	for t, f := range factories {
		if t == f.Type() {
			names = append(names, t.String())
		}
	}
	return names
}
