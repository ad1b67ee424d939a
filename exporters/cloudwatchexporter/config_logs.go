package cloudwatchexporter

import (
	"errors"
	"fmt"
)

// LogsConfig is what a log record becomes.
type LogsConfig struct {
	// Group is the log group's name with resource attributes in it: {a|b:none}
	// takes the first of a and b that is there, else "none"; without a text after
	// the colon "undefined". Default /vigie/{k8s.cluster.name:default}/{service.namespace|k8s.namespace.name:default},
	// with the preset /aws/containerinsights/{k8s.cluster.name}/{insights.section}.
	Group string `mapstructure:"group"`
	// Stream is the log stream's name, made the same way. Default
	// {k8s.pod.name|service.instance.id|host.name}_{k8s.container.name|service.name:log}.
	Stream string `mapstructure:"stream"`
	// Format of an event: plain (the default), the record's body as it is; or
	// json, an object of body, severity, trace and span id, attributes.
	Format string `mapstructure:"format"`
	// ResourceAttributes are added to json. Default service.name,
	// k8s.namespace.name, k8s.pod.name, k8s.container.name, k8s.node.name.
	ResourceAttributes []string `mapstructure:"resource_attributes"`
	// MaxEventBytes is where a record is split into several events. Default and
	// most 1,048,550, what the service takes.
	MaxEventBytes int `mapstructure:"max_event_bytes"`
}

const (
	defaultGroup   = "/vigie/{k8s.cluster.name:default}/{service.namespace|k8s.namespace.name:default}"
	insightsGroup  = "/aws/containerinsights/{k8s.cluster.name}/{insights.section}"
	defaultStream  = "{k8s.pod.name|service.instance.id|host.name}_{k8s.container.name|service.name:log}"
	insightsStream = "{k8s.node.name|host.name}-{insights.section}.{k8s.pod.name|host.name}_{k8s.namespace.name:host}_{k8s.container.name|service.name:log}"
)

func defaultLogs() LogsConfig {
	return LogsConfig{
		Format:             "plain",
		ResourceAttributes: []string{"service.name", "k8s.namespace.name", "k8s.pod.name", "k8s.container.name", "k8s.node.name"},
		MaxEventBytes:      maxMessage,
	}
}

// Validate tells everything that is wrong at once; the collector puts the key
// "logs" before it.
func (c *LogsConfig) Validate() error {
	var errs []error
	if c.Format != "plain" && c.Format != "json" {
		errs = append(errs, fmt.Errorf("format must be plain or json (got %q)", c.Format))
	}
	if c.MaxEventBytes < 1024 || c.MaxEventBytes > maxMessage {
		errs = append(errs, fmt.Errorf("max_event_bytes must be between 1024 and %d (got %d)", maxMessage, c.MaxEventBytes))
	}
	errs = append(errs, checkNames(c.Group, c.Stream)...)
	return errors.Join(errs...)
}

// checkNames looks at the templates of a group and a stream; empty is the default.
func checkNames(group, stream string) []error {
	var errs []error
	for _, n := range []struct {
		key, source string
		allowed     func(byte) bool
		takes       string
	}{
		{"group", group, inGroup, "letters, digits and _-/.#"},
		{"stream", stream, inStream, "printable ASCII but : and *"},
	} {
		t, err := parseTemplate(n.source)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", n.key, err))
			continue
		}
		for _, p := range t.pieces {
			for i := range len(p.text) {
				if len(p.keys) == 0 && !n.allowed(p.text[i]) {
					errs = append(errs, fmt.Errorf("%s takes %s (got %q in %q)", n.key, n.takes, p.text[i], n.source))
					break
				}
			}
		}
	}
	return errs
}
