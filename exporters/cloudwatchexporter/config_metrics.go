package cloudwatchexporter

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/emf"
)

// MetricsConfig is what a data point becomes.
type MetricsConfig struct {
	// Group is the log group of the documents, made as logs::group is. Default
	// /vigie/{k8s.cluster.name:default}/metrics, with the preset
	// /aws/containerinsights/{k8s.cluster.name}/performance.
	Group string `mapstructure:"group"`
	// Stream is the log stream of the documents. Default
	// {k8s.node.name|host.name|service.instance.id:metrics}.
	Stream string `mapstructure:"stream"`
	// Namespace of the metrics. Default Vigie; with the preset ContainerInsights.
	Namespace string `mapstructure:"namespace"`
	// Rules in order; the first that matches a metric's name holds. The preset has
	// its own and takes none.
	Rules []RuleConfig `mapstructure:"rules"`
	// Unmatched is what happens to metrics without a rule: keep (the default), one
	// set of dimensions, or drop.
	Unmatched string `mapstructure:"unmatched"`
	// ResourceDimensions are attributes of the resource that join those of the
	// data point where a rule names no dimensions. Default k8s.cluster.name,
	// service.name.
	ResourceDimensions []string `mapstructure:"resource_dimensions"`
	// Properties are attributes that are written into the document without being
	// dimensions: to be read in Logs Insights, at the price of their bytes alone.
	Properties []string `mapstructure:"properties"`
	// MaxSeries is how many cumulative series are remembered for their increase.
	// Default 100,000, about 100 bytes each; data points of more are counted and
	// dropped.
	MaxSeries int `mapstructure:"max_series"`
	// StaleAfter is how long a series without a data point is remembered. Default
	// 15m.
	StaleAfter time.Duration `mapstructure:"stale_after"`
	// NodeCPUs is how many CPUs each node has, for the preset, where no metric
	// tells (machine_cpu_cores of cAdvisor, kube_node_status_capacity of
	// kube-state-metrics, system.cpu.logical.count of host_metrics). Default 0: not known, so no CPU utilization.
	NodeCPUs int `mapstructure:"node_cpus"`
}

// RuleConfig says how metrics are written.
type RuleConfig struct {
	// Metrics are names; * stands for any characters. Required.
	Metrics []string `mapstructure:"metrics"`
	// Namespace instead of metrics::namespace.
	Namespace string `mapstructure:"namespace"`
	// Dimensions are sets of attributes of the data point or its resource, at most
	// 30 each. Each set is a metric of its own, and billed as one. Empty: one set,
	// as without a rule. A set of which an attribute is missing is left out.
	Dimensions [][]string `mapstructure:"dimensions"`
	// HighResolution keeps values by the second rather than by the minute.
	HighResolution bool `mapstructure:"high_resolution"`
	// Unit instead of the metric's own, a name of CloudWatch's such as Percent.
	Unit string `mapstructure:"unit"`
	// Drop leaves the metrics out.
	Drop bool `mapstructure:"drop"`
}

const (
	defaultMetricsGroup   = "/vigie/{k8s.cluster.name:default}/metrics"
	defaultMetricsStream  = "{k8s.node.name|host.name|service.instance.id:metrics}"
	insightsMetricsGroup  = "/aws/containerinsights/{ClusterName|k8s.cluster.name}/performance"
	insightsMetricsStream = "{NodeName:cluster}"
)

func defaultMetrics() MetricsConfig {
	return MetricsConfig{
		Unmatched:          "keep",
		ResourceDimensions: []string{"k8s.cluster.name", "service.name"},
		MaxSeries:          100_000,
		StaleAfter:         15 * time.Minute,
	}
}

// Validate tells everything that is wrong at once; the collector puts the key
// "metrics" before it.
func (c *MetricsConfig) Validate() error {
	var errs []error
	errs = append(errs, checkNames(c.Group, c.Stream)...)
	errs = append(errs, checkNamespace("namespace", c.Namespace)...)
	if c.Unmatched != "keep" && c.Unmatched != actDrop {
		errs = append(errs, fmt.Errorf("unmatched must be keep or drop (got %q)", c.Unmatched))
	}
	if c.MaxSeries < 1 || c.MaxSeries > 10_000_000 {
		errs = append(errs, fmt.Errorf("max_series must be between 1 and 10000000 (got %d), e.g. 100000", c.MaxSeries))
	}
	if c.StaleAfter < time.Minute {
		errs = append(errs, fmt.Errorf("stale_after must be at least 1m (got %s), e.g. 15m", c.StaleAfter))
	}
	if c.NodeCPUs < 0 {
		errs = append(errs, fmt.Errorf("node_cpus must not be negative (got %d)", c.NodeCPUs))
	}
	if slices.Contains(c.Properties, "_aws") {
		errs = append(errs, errors.New("properties must not name _aws: it is the document's own"))
	}
	for i, r := range c.Rules {
		errs = append(errs, r.check(fmt.Sprintf("rules[%d]", i))...)
	}
	return errors.Join(errs...)
}

func (r *RuleConfig) check(key string) []error {
	errs := checkNamespace(key+"::namespace", r.Namespace)
	if len(r.Metrics) == 0 {
		errs = append(errs, fmt.Errorf("%s::metrics must name metrics, e.g. [http.server.*]", key))
	}
	if r.Unit != "" && !emf.Units[r.Unit] {
		errs = append(errs, fmt.Errorf("%s::unit must be one of CloudWatch's (got %q), e.g. Percent, Count, Bytes/Second", key, r.Unit))
	}
	for j, set := range r.Dimensions {
		if len(set) > 30 {
			errs = append(errs, fmt.Errorf("%s::dimensions[%d] has %d attributes, a set takes 30", key, j, len(set)))
		}
		for n, name := range set {
			if name == "" || name[0] == ':' || name == "_aws" || slices.Contains(set[:n], name) {
				errs = append(errs, fmt.Errorf("%s::dimensions[%d] must name attributes, each once (got %q)", key, j, name))
			}
		}
	}
	return errs
}

func checkNamespace(key, got string) []error {
	for i := range len(got) {
		if c := got[i]; !inGroup(c) && c != ':' {
			return []error{fmt.Errorf("%s takes letters, digits and _-/.#: (got %q)", key, got)}
		}
	}
	switch {
	case len(got) > 255:
		return []error{fmt.Errorf("%s must have at most 255 characters (got %d)", key, len(got))}
	case len(got) > 4 && got[:4] == "AWS/":
		return []error{fmt.Errorf("%s: AWS/ belongs to AWS (got %q)", key, got)}
	}
	return nil
}

// options are the converter's.
func (c *MetricsConfig) options(b *budget) emf.Options {
	o := emf.Options{
		Namespace: c.Namespace, DropUnmatched: c.Unmatched == actDrop, ResourceDimensions: c.ResourceDimensions,
		Properties: c.Properties, MaxSeries: c.MaxSeries, Stale: c.StaleAfter, Budget: b,
	}
	if o.Namespace == "" {
		o.Namespace = "Vigie"
	}
	for _, r := range c.Rules {
		o.Rules = append(o.Rules, emf.Rule(r))
	}
	return o
}
