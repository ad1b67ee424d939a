package podscrapereceiver

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

// Config says which pods are scraped, and how much one may send.
type Config struct {
	// Pods is the extension that knows this node's pods. Default kubelet_pods.
	Pods component.ID `mapstructure:"pods"`
	// Annotations says whether pods may ask by annotation: vigie.dev/scrape, or
	// prometheus.io/scrape. Default true.
	Annotations bool `mapstructure:"annotations"`
	// Rules name pods that are scraped whether they ask or not. A pod's endpoint
	// that several rules match is scraped by the first.
	Rules []Rule `mapstructure:"rules"`
	// Interval between two scrapes of a target. Default 15s; zero is refused.
	Interval time.Duration `mapstructure:"interval"`
	// Timeout of one, at most Interval. Default 10s; zero is refused.
	Timeout time.Duration `mapstructure:"timeout"`
	// SampleLimit bounds the samples of one scrape; one that has more is dropped
	// whole, and the target's up is 0. Default 5000; zero is refused.
	SampleLimit int `mapstructure:"sample_limit"`
	// BodySizeLimitMiB bounds the bytes of one, uncompressed, in the same way.
	// Default 16; zero is refused.
	BodySizeLimitMiB int `mapstructure:"body_size_limit_mib"`
	// MaxTargets bounds the targets of this node. Default 500; zero is refused.
	MaxTargets int `mapstructure:"max_targets"`

	_ struct{} // keyed literals only
}

// Rule chooses pods, and a port of theirs.
type Rule struct {
	// Name of the rule, unlike the others'.
	Name string `mapstructure:"name"`
	// Namespaces that the pods are in. Empty: all.
	Namespaces []string `mapstructure:"namespaces"`
	// Labels that they must have, with these values. Empty: any.
	Labels map[string]string `mapstructure:"labels"`
	// Port is the name of a port that a container declares, or any number.
	// Required.
	Port string `mapstructure:"port"`
	// Path of the metrics. Default /metrics.
	Path string `mapstructure:"path"`
	// Scheme is http or https; a certificate is not checked. Default http.
	Scheme string `mapstructure:"scheme"`
	// Interval, Timeout and SampleLimit are the receiver's where they are zero.
	Interval    time.Duration `mapstructure:"interval"`
	Timeout     time.Duration `mapstructure:"timeout"`
	SampleLimit int           `mapstructure:"sample_limit"`
	// HonorLabels lets the pod's own labels win over job, instance, namespace, pod
	// and container. Default false.
	HonorLabels bool `mapstructure:"honor_labels"`

	_ struct{} // keyed literals only
}

// Unmarshal takes a port that is written as a number, too.
func (r *Rule) Unmarshal(conf *confmap.Conf) error {
	if n, ok := conf.Get("port").(int); ok {
		if err := conf.Merge(confmap.NewFromStringMap(map[string]any{"port": strconv.Itoa(n)})); err != nil {
			return err
		}
	}
	return conf.Unmarshal(r)
}

// annotated is the rule of pods that ask; no other may have its name.
const annotated = "annotations"

func defaultConfig() *Config {
	return &Config{
		Pods: component.MustNewID("kubelet_pods"), Annotations: true,
		Interval: 15 * time.Second, Timeout: 10 * time.Second,
		SampleLimit: 5000, BodySizeLimitMiB: 16, MaxTargets: 500,
	}
}

var ruleName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Validate reports everything that is wrong at once.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.Annotations || len(c.Rules) > 0, "annotations is false and rules is empty: nothing would be scraped")
	check(c.Interval >= time.Second, "interval must be 1s or longer (got %s), e.g. 15s", c.Interval)
	check(c.Timeout > 0 && c.Timeout <= c.Interval, "timeout must be within 0s and interval, %s (got %s), e.g. 10s", c.Interval, c.Timeout)
	check(c.SampleLimit > 0, "sample_limit must be positive (got %d), e.g. 5000", c.SampleLimit)
	check(c.BodySizeLimitMiB > 0 && c.BodySizeLimitMiB <= 1024, "body_size_limit_mib must be within 1 and 1024 (got %d), e.g. 16", c.BodySizeLimitMiB)
	check(c.MaxTargets > 0 && c.MaxTargets <= 10_000, "max_targets must be within 1 and 10000 (got %d), e.g. 500", c.MaxTargets)
	seen := map[string]bool{annotated: true}
	for i, r := range c.Rules {
		key := fmt.Sprintf("rules[%d]", i)
		check(ruleName.MatchString(r.Name), "%s::name must be letters, digits, dots and dashes (got %q), e.g. shop", key, r.Name)
		check(!seen[r.Name], "%s::name %q is taken", key, r.Name)
		seen[r.Name] = true
		check(r.Port != "", "%s::port must be a port's name or number, e.g. metrics", key)
		if n, err := strconv.Atoi(r.Port); err == nil {
			check(n > 0 && n < 65536, "%s::port must be within 1 and 65535 (got %d)", key, n)
		}
		check(r.Path == "" || goodPath(r.Path), "%s::path must begin with / and have no query (got %q), e.g. /metrics", key, r.Path)
		check(slices.Contains([]string{"", "http", "https"}, r.Scheme), "%s::scheme takes http or https (got %q)", key, r.Scheme)
		check(r.Interval == 0 || r.Interval >= time.Second, "%s::interval must be 1s or longer (got %s), e.g. 30s", key, r.Interval)
		check(r.Timeout >= 0 && orElse(r.Timeout, min(c.Timeout, orElse(r.Interval, c.Interval))) <= orElse(r.Interval, c.Interval), "%s::timeout must be within 0s and the interval (got %s)", key, r.Timeout)
		check(r.SampleLimit >= 0, "%s::sample_limit must not be negative (got %d); 0 is the receiver's", key, r.SampleLimit)
	}
	return errors.Join(errs...)
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// goodPath keeps what a pod asks for to a path: no query, nothing that is not
// printed, not too long.
func goodPath(p string) bool {
	return strings.HasPrefix(p, "/") && len(p) <= 512 && !strings.ContainsFunc(p, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '?' || r == '#'
	})
}
