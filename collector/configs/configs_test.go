package configs

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func shape(t testing.TB, name string, vars map[string]string) *confmap.Conf {
	t.Helper()
	p := &provider{env: environment{
		get: func(k string) string { return vars[k] },
		exists: func(path string) bool {
			return vars["KUBERNETES_SERVICE_HOST"] != "" && path == "/var/run/secrets/kubernetes.io/serviceaccount/token"
		},
	}}
	require.NoError(t, confmaptest.ValidateProviderScheme(p))
	r, err := p.Retrieve(t.Context(), Scheme+":"+name, nil)
	require.NoError(t, err)
	conf, err := r.AsConf()
	require.NoError(t, err)
	return conf
}

func TestFilesJoinOnlyWhereTheyAreNamed(t *testing.T) {
	for _, name := range []string{"laptop", "agent"} {
		if shape(t, name, nil).IsSet("receivers::container_log/named") {
			t.Errorf("%s reads files that nobody named", name)
		}
		conf := shape(t, name, map[string]string{"VIGIE_LOGS": "/a/*.log, ,/b.log,"})
		if d := cmp.Diff([]any{"/a/*.log", "/b.log"}, conf.Get("receivers::container_log/named::include")); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if d := cmp.Diff(destinations[name]["logs"], conf.Get("service::pipelines::logs/files::exporters")); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if shape(t, "gateway", map[string]string{"VIGIE_LOGS": "/a"}).IsSet("receivers::container_log/named") {
		t.Error("the gateway reads a node's files")
	}
}

func TestContainerLogsJoinOnlyOnANode(t *testing.T) {
	p := &provider{env: environment{
		get:    func(string) string { return "" },
		exists: func(path string) bool { return path == "/var/log/pods" },
	}}
	for _, name := range Names {
		r, err := p.Retrieve(t.Context(), Scheme+":"+name, nil)
		require.NoError(t, err)
		conf, err := r.AsConf()
		require.NoError(t, err)
		if got, want := conf.IsSet("receivers::container_log"), name != "gateway"; got != want {
			t.Errorf("%s reads container logs: %v, want %v", name, got, want)
		}
		if shape(t, name, nil).IsSet("receivers::container_log") {
			t.Errorf("%s reads container logs where there are none", name)
		}
	}
}

// What pods want is known where the node's pods are, and that is in an agent only: a
// receiver that names an extension which does not run does not start.
func TestLogsKnowWhatPodsWantOnlyWhereAnAgentKnowsItsNode(t *testing.T) {
	const cluster, name, ip = "KUBERNETES_SERVICE_HOST=10.0.0.1", "VIGIE_NODE_NAME=node-1", "VIGIE_NODE_IP=10.0.0.7"
	for vars, want := range map[[4]string]any{
		{"agent", cluster, name, ip}:  "kubelet_pods",
		{"laptop", cluster, name, ip}: nil,
		{"agent", cluster, name, ""}:  nil,
		{"agent", cluster, "", ip}:    nil,
		{"agent", "", name, ip}:       nil,
	} {
		shape := vars[0]
		p := &provider{env: environment{
			get: func(k string) string {
				for _, v := range vars {
					if value, ok := strings.CutPrefix(v, k+"="); ok {
						return value
					}
				}
				return ""
			},
			exists: func(string) bool { return true },
		}}
		r, err := p.Retrieve(t.Context(), Scheme+":"+shape, nil)
		require.NoError(t, err)
		conf, err := r.AsConf()
		require.NoError(t, err)
		if d := cmp.Diff(want, conf.Get("receivers::container_log::pod_list")); d != "" {
			t.Errorf("%v: %s", vars, d)
		}
		if d := cmp.Diff(want != nil, slices.Contains(conf.Get("service::extensions").([]any), any("kubelet_pods"))); d != "" {
			t.Errorf("%v: %s", vars, d)
		}
		if d := cmp.Diff(destinations[shape]["logs"], conf.Get("service::pipelines::logs/pods::exporters")); d != "" {
			t.Errorf("%v: %s", vars, d)
		}
	}
}

// everything turns every fragment on.
var everything = map[string]string{
	"VIGIE_LOGS": "/a", "VIGIE_TRACERS": "awsxray,zipkin,jaeger", "VIGIE_AMP_ENDPOINT": "https://aps.example/api/v1/remote_write",
	"VIGIE_CLUSTER_NAME": "tv", "VIGIE_XRAY": "otlp", "VIGIE_TRACES_ENDPOINT": "tempo:4317", "VIGIE_CLOUDWATCH": "logs,metrics",
	"VIGIE_CLOUDWATCH_OTLP": "metrics,logs", "VIGIE_GRAFANA_URL": "https://grafana.example", "VIGIE_EVENTBRIDGE_BUS": "match",
	"KUBERNETES_SERVICE_HOST": "10.0.0.1", "VIGIE_NODE_NAME": "node-1", "VIGIE_NODE_IP": "10.0.0.7",
	"VIGIE_KARPENTER_NAMESPACE": "kube-system", "VIGIE_KEDA_NAMESPACE": "keda",
	"VIGIE_FLUENT_ENDPOINT": "0.0.0.0:24224", "VIGIE_FLUENT_OTLP_ENDPOINT": "0.0.0.0:4328", "VIGIE_REDACT": "on", "VIGIE_KAFKA_BROKERS": "b-1:9092",
}

// A list may only grow: by a destination, an extension, a processor that is put
// behind memory_limiter.
func TestAFragmentTakesNothingAwayThatTheShapeHas(t *testing.T) {
	for _, name := range Names {
		bare, full := shape(t, name, map[string]string{"VIGIE_TRACERS": "none"}), shape(t, name, everything)
		for _, key := range bare.AllKeys() {
			was, isList := bare.Get(key).([]any)
			if !isList {
				if d := cmp.Diff(bare.Get(key), full.Get(key)); d != "" {
					t.Errorf("%s: %s: %s", name, key, d)
				}
				continue
			}
			has := func(v any) bool { return slices.ContainsFunc(was, func(w any) bool { return cmp.Equal(v, w) }) }
			got := slices.DeleteFunc(slices.Clone(full.Get(key).([]any)), func(v any) bool { return !has(v) })
			if d := cmp.Diff(was, got); d != "" {
				t.Errorf("%s: %s: %s", name, key, d)
			}
		}
	}
}

func TestEveryShapeIsListedAndHasADestinationForEachSignal(t *testing.T) {
	for _, name := range Names {
		conf := shape(t, name, nil)
		for _, signal := range []string{"metrics", "logs", "traces"} {
			if len(destinations[name][signal]) == 0 {
				t.Errorf("%s has no destination for %s", name, signal)
			}
			if d := cmp.Diff(destinations[name][signal], conf.Get("service::pipelines::"+signal+"::exporters")); d != "" {
				t.Errorf("%s: what the %s pipeline ends in, and what sources get: %s", name, signal, d)
			}
		}
	}
}

// What an agent has sent to AMP the gateway must not send again.
func TestAMPTakesEachSampleOnce(t *testing.T) {
	for name, want := range map[string][]string{
		"laptop":  {"metrics", "metrics/amp_host", "metrics/attack", "metrics/conntrack", "metrics/spans"},
		"agent":   {"metrics", "metrics/amp_host", "metrics/conntrack", "metrics/kubelet", "metrics/kubernetes", "metrics/pods"},
		"gateway": {"metrics", "metrics/attack", "metrics/cluster", "metrics/karpenter", "metrics/keda", "metrics/spans"},
	} {
		conf := shape(t, name, everything)
		var got []string
		for _, p := range pipelines(conf) {
			if to, _ := conf.Get("service::pipelines::" + p + "::exporters").([]any); slices.Contains(to, any("forward/amp")) {
				got = append(got, p)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		// What the host says each second goes by way of the interval.
		host, _ := conf.Get("service::pipelines::metrics/host::exporters").([]any)
		if slices.Contains(host, any("forward/amp_host")) != slices.Contains(want, "metrics/amp_host") {
			t.Errorf("%s: the host's metrics end in %v", name, host)
		}
		if ext, _ := conf.Get("service::extensions").([]any); !slices.Contains(ext, any("aws_sigv4/amp")) {
			t.Errorf("%s starts %v", name, ext)
		}
	}
}

func TestTracesLeaveSampledAndOnlyWhereTheyHaveSomewhereToGo(t *testing.T) {
	for _, c := range []struct {
		vars map[string]string
		want any
	}{
		{nil, nil},
		{map[string]string{"VIGIE_XRAY": "otlp"}, []any{"otlp_http/xray"}},
		{map[string]string{"VIGIE_XRAY": "awsxray", "AWS_REGION": "eu-west-3"}, []any{"awsxray"}},
		{map[string]string{"VIGIE_XRAY": "otlp", "VIGIE_TRACES_ENDPOINT": "tempo:4317"}, []any{"otlp_http/xray", "otlp_grpc/traces"}},
	} {
		conf := shape(t, "gateway", c.vars)
		if d := cmp.Diff(c.want, conf.Get("service::pipelines::traces/sampled::exporters")); d != "" {
			t.Errorf("%v: %s", c.vars, d)
		}
		to, _ := conf.Get("service::pipelines::traces::exporters").([]any)
		if got, want := slices.Contains(to, any("forward/traces")), c.want != nil; got != want {
			t.Errorf("%v: spans go to %v", c.vars, to)
		}
	}
	if shape(t, "agent", everything).IsSet("processors::tail_sampling") {
		t.Error("an agent sees parts of traces and must not sample them")
	}
}

func TestAValueThatIsNotKnownIsNamedWithThoseThatAre(t *testing.T) {
	for want, vars := range map[string]map[string]string{
		`VIGIE_TRACERS takes awsxray, zipkin, jaeger, or none (got "opencensus")`:           {"VIGIE_TRACERS": "zipkin,opencensus"},
		`VIGIE_XRAY takes "otlp" or "awsxray" (got "yes")`:                                  {"VIGIE_XRAY": "yes"},
		`VIGIE_CLOUDWATCH takes logs, metrics, or both (got "traces")`:                      {"VIGIE_CLOUDWATCH": "logs,traces"},
		`VIGIE_REDACT takes on, off, or a list of tokens, cards, emails, urls (got "iban")`: {"VIGIE_REDACT": "cards,iban"},
		`VIGIE_XRAY=awsxray needs AWS_REGION`:                                               {"VIGIE_XRAY": "awsxray"},
	} {
		p := &provider{env: environment{get: func(k string) string { return vars[k] }, exists: func(string) bool { return false }}}
		_, err := p.Retrieve(t.Context(), Scheme+":laptop", nil)
		require.ErrorContains(t, err, want)
	}
}

func TestKubernetesAttributesComeRightBehindTheMemoryLimiter(t *testing.T) {
	conf := shape(t, "agent", everything)
	for _, p := range []string{"metrics", "logs", "traces", "traces/tracers", "metrics/kubelet", "metrics/pods"} {
		list, _ := conf.Get("service::pipelines::" + p + "::processors").([]any)
		require.GreaterOrEqual(t, len(list), 2, p)
		if d := cmp.Diff([]any{"memory_limiter", "pod_attributes"}, list[:2]); d != "" {
			t.Errorf("%s: %s", p, d)
		}
	}
	if shape(t, "agent", nil).IsSet("processors::pod_attributes") {
		t.Error("an agent outside a cluster waits for one")
	}
}
