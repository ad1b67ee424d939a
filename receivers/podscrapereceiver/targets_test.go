package podscrapereceiver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/vigie-otel/vigie/internal/podlist"
)

// pod is one that runs, with ports given as name:number.
func pod(name, ip string, annotations map[string]string, ports ...string) podlist.Pod {
	p := podlist.Pod{Namespace: "shop", Name: name, UID: "uid-" + name, Node: "n1", IP: ip, Phase: "Running", Annotations: annotations, Labels: map[string]string{"app": name}}
	for _, s := range ports {
		port := podlist.Port{Container: "main"}
		_, err := fmt.Sscanf(strings.ReplaceAll(s, ":", " "), "%s %d", &port.Name, &port.Number)
		if err != nil {
			panic(err)
		}
		p.Ports = append(p.Ports, port)
	}
	return p
}

// told is a choice in short.
func told(c choice) (out []string) {
	for rule, targets := range c.targets {
		for _, t := range targets {
			out = append(out, fmt.Sprintf("%s %s://%s%s %s", rule, t.Labels["__scheme__"], t.Targets[0], t.Labels["__metrics_path__"], t.Labels["container"]))
		}
	}
	for _, i := range c.ignored {
		out = append(out, fmt.Sprintf("- %s %s %q", i.pod, i.reason, i.got))
	}
	slices.Sort(out)
	return out
}

func TestAPodIsScrapedAsItAsks(t *testing.T) {
	ask := func(kv ...string) map[string]string {
		m := map[string]string{"prometheus.io/scrape": "true"}
		for i := 0; i+1 < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	for name, c := range map[string]struct {
		pod  podlist.Pod
		want []string
	}{
		"the only port":           {pod("a", "10.0.0.1", ask(), "http:8080"), []string{"annotations http://10.0.0.1:8080/metrics main"}},
		"the port named metrics":  {pod("a", "10.0.0.1", ask(), "http:8080", "http-metrics:9090"), []string{"annotations http://10.0.0.1:9090/metrics main"}},
		"a number":                {pod("a", "10.0.0.1", ask("prometheus.io/port", "9102")), []string{"annotations http://10.0.0.1:9102/metrics "}},
		"a name":                  {pod("a", "fd00::1", ask("prometheus.io/port", "http"), "x:1", "http:8080"), []string{"annotations http://[fd00::1]:8080/metrics main"}},
		"path and scheme":         {pod("a", "10.0.0.1", ask("prometheus.io/path", "/m", "prometheus.io/scheme", "HTTPS"), "x:1"), []string{"annotations https://10.0.0.1:1/m main"}},
		"ours before Prometheus'": {pod("a", "10.0.0.1", ask("vigie.dev/scrape-port", "2", "prometheus.io/port", "1")), []string{"annotations http://10.0.0.1:2/metrics "}},
		"ours alone":              {pod("a", "10.0.0.1", map[string]string{"vigie.dev/scrape": "true"}, "x:1"), []string{"annotations http://10.0.0.1:1/metrics main"}},
		"ours takes it back":      {pod("a", "10.0.0.1", ask("vigie.dev/scrape", "false"), "x:1"), nil},
		"nothing asked":           {pod("a", "10.0.0.1", nil, "metrics:1"), nil},

		"hostile: another host in the path": {pod("a", "10.0.0.1", ask("prometheus.io/path", "http://169.254.169.254/latest"), "x:1"), []string{`- shop/a path "http://169.254.169.254/latest"`}},
		"hostile: a query":                  {pod("a", "10.0.0.1", ask("prometheus.io/path", "/federate?match[]={__name__=~'.+'}"), "x:1"), []string{`- shop/a path "/federate?match[]={__name__=~'.+'}"`}},
		"hostile: a long path":              {pod("a", "10.0.0.1", ask("prometheus.io/path", "/"+strings.Repeat("x", 600)), "x:1"), []string{`- shop/a path "/` + strings.Repeat("x", 63) + `…"`}},
		"hostile: control characters":       {pod("a", "10.0.0.1", ask("prometheus.io/path", "/a\r\nHost: b"), "x:1"), []string{`- shop/a path "/a\r\nHost: b"`}},
		"hostile: a port too high":          {pod("a", "10.0.0.1", ask("prometheus.io/port", "99999"), "x:1"), []string{`- shop/a port "99999"`}},
		"hostile: a host as port":           {pod("a", "10.0.0.1", ask("prometheus.io/port", "80@evil"), "x:1"), []string{`- shop/a port "80@evil"`}},
		"hostile: a scheme":                 {pod("a", "10.0.0.1", ask("prometheus.io/scheme", "file"), "x:1"), []string{`- shop/a scheme "file"`}},
		"hostile: an address":               {pod("a", "evil.example", ask(), "x:1"), []string{`- shop/a address "evil.example"`}},
		"no port":                           {pod("a", "10.0.0.1", ask()), []string{`- shop/a no_port ""`}},
		"two ports":                         {pod("a", "10.0.0.1", ask(), "x:1", "y:2"), []string{`- shop/a no_port ""`}},
	} {
		if d := cmp.Diff(c.want, told(defaultConfig().choose([]podlist.Pod{c.pod}))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	ended := pod("a", "10.0.0.1", ask(), "x:1")
	ended.Phase = "Succeeded"
	if got := told(defaultConfig().choose([]podlist.Pod{ended})); got != nil {
		t.Errorf("one that has ended: %v", got)
	}
}

func TestARuleChoosesByNamespaceLabelsAndPort(t *testing.T) {
	cfg := defaultConfig()
	cfg.Rules = []Rule{
		{Name: "shop", Namespaces: []string{"shop"}, Labels: map[string]string{"app": "cart"}, Port: "metrics", Path: "/m"},
		{Name: "by-number", Port: "7000", Scheme: "https"},
	}
	require.NoError(t, cfg.Validate())
	other := pod("cart", "10.0.0.3", nil, "metrics:9090")
	other.Namespace = "elsewhere"
	asks := map[string]string{"prometheus.io/scrape": "true", "prometheus.io/path": "/m"}
	got := told(cfg.choose([]podlist.Pod{
		pod("cart", "10.0.0.1", asks, "metrics:9090"), // also asks, for the same endpoint
		pod("till", "10.0.0.2", nil, "metrics:9090"),
		other,
	}))
	want := []string{
		"by-number https://10.0.0.1:7000/metrics ", "by-number https://10.0.0.2:7000/metrics ", "by-number https://10.0.0.3:7000/metrics ",
		"shop http://10.0.0.1:9090/m main",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// The same pods stay in while there are too many.
func TestANodeHasOnlySoManyTargets(t *testing.T) {
	cfg := defaultConfig()
	cfg.MaxTargets = 3
	var pods []podlist.Pod
	for i := range 5 {
		pods = append(pods, pod(fmt.Sprintf("p%d", i), fmt.Sprintf("10.0.0.%d", i), map[string]string{"vigie.dev/scrape": "true"}, "x:1"))
	}
	first := told(cfg.choose(pods))
	slices.Reverse(pods)
	if d := cmp.Diff(first, told(cfg.choose(pods))); d != "" {
		t.Error(d)
	}
	if len(first) != 5 || !strings.HasPrefix(first[0], "- shop/p3 limit") {
		t.Errorf("%v", first)
	}
}

func TestEverythingThatIsWrongIsToldAtOnce(t *testing.T) {
	err := (&Config{Timeout: time.Minute, Rules: []Rule{{Name: "annotations", Port: "70000", Path: "metrics", Scheme: "gopher", Interval: time.Millisecond}, {Name: "a b"}}}).Validate()
	for _, want := range []string{
		"interval must be 1s", "timeout must", "sample_limit", "body_size_limit_mib", "max_targets",
		`rules[0]::name "annotations" is taken`, "rules[0]::port must be within", "rules[0]::path", "rules[0]::scheme", "rules[0]::interval",
		"rules[1]::name must", "rules[1]::port must be a port's name",
	} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, defaultConfig().Validate())
	require.ErrorContains(t, (&Config{Interval: time.Second, Timeout: time.Second, SampleLimit: 1, BodySizeLimitMiB: 1, MaxTargets: 1}).Validate(), "nothing would be scraped")
}

func TestAPortMayBeWrittenAsANumber(t *testing.T) {
	cfg := defaultConfig()
	err := confmap.NewFromStringMap(map[string]any{"rules": []any{
		map[string]any{"name": "a", "port": 9090}, map[string]any{"name": "b", "port": "metrics"},
	}}).Unmarshal(cfg)
	require.NoError(t, err)
	require.NoError(t, cfg.Validate())
	if cfg.Rules[0].Port != "9090" || cfg.Rules[1].Port != "metrics" {
		t.Errorf("%+v", cfg.Rules)
	}
}
