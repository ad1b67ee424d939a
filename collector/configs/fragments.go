package configs

import (
	"os"
	"slices"

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

// fragment is a part of a configuration that only some machines need. It adds
// components and pipelines beside the shape's. A source brings data in and ends
// where the shape's own pipelines end; a destination is one more place where
// they end. Beyond that a fragment changes nothing that the shape has.
type fragment struct {
	name   string   // file under with/
	shapes []string // shapes that it can join
	// when tells whether it applies, and what to fill in over its YAML.
	when func(env environment, shape string) (overlay map[string]any, ok bool, err error)
	// source says that its pipelines bring data in.
	source bool
	// takes is, by signal, the exporter or connector that the shape's pipelines
	// get as one more destination.
	takes map[string]string
	// from names, by shape, the only pipelines that it takes from; a shape that
	// is not there gives all of its own.
	from map[string][]string
	// apart are pipelines that another fragment takes from in this one's place.
	apart []string
	// extensions are started beside the shape's.
	extensions []string
	// puts are processors that others' pipelines get, where those are there.
	puts []put
	// last is, by signal, the processor that comes last in all of the shape's own
	// pipelines.
	last map[string]string
}

// put is a processor that comes right behind another in these pipelines.
type put struct {
	processor, behind string
	pipelines         []string
}

func (f fragment) appliesTo(shape string) bool { return slices.Contains(f.shapes, shape) }

// layer is the fragment with its overlay, nil where its condition fails.
func (f fragment) layer(env environment, shape string) (*confmap.Conf, error) {
	overlay, ok, err := f.when(env, shape)
	if !ok || err != nil {
		return nil, err
	}
	conf, err := readYAML("with/" + f.name + ".yaml")
	if err != nil {
		return nil, err
	}
	return conf, conf.Merge(confmap.NewFromStringMap(overlay))
}

var everywhere = []string{"laptop", "agent", "gateway"} //nolint:gochecknoglobals // a constant list

// fragments in the order in which they are merged: sources first, so that the
// destinations take from their pipelines too.
var fragments = []fragment{ //nolint:gochecknoglobals // a constant table
	{name: "files", source: true, shapes: []string{"laptop", "agent"}, when: filesNamed},
	{name: "pods", source: true, shapes: []string{"laptop", "agent"}, when: filled("logs/pods", "logs", podsHere)},
	{name: "fluentbit", source: true, shapes: []string{"laptop", "agent"}, when: fluentSends},
	{name: "journald", source: true, shapes: []string{"laptop", "agent"}, when: journalHere},
	{name: "tracers", source: true, shapes: []string{"laptop", "agent"}, when: tracersNamed},
	{
		name: "node", source: true, shapes: []string{"agent"}, when: filled("metrics/kubernetes", "metrics", onNode, "metrics/kubelet"),
		extensions: []string{"kubelet_pods"},
		puts: []put{
			{"pod_attributes", "memory_limiter", []string{"metrics", "metrics/kubelet", "metrics/pods", "logs", "logs/pods", "logs/fluentbit", "traces", "traces/tracers"}},
			// The node's own metrics first say that they are the node's.
			{"pod_attributes", "resource/host", []string{"metrics/conntrack"}},
			{"transform/owner", "pod_attributes", []string{"metrics/conntrack"}},
		},
	},
	{name: "podmetrics", source: true, shapes: []string{"agent"}, when: filled("metrics/pods", "metrics", podsMeasured)},
	{name: "cluster", source: true, shapes: []string{"gateway"}, when: filled("metrics/cluster", "metrics", inCluster())},
	{name: "karpenter", source: true, shapes: []string{"gateway"}, when: filled("metrics/karpenter", "metrics", inCluster("VIGIE_KARPENTER_NAMESPACE"))},
	{name: "keda", source: true, shapes: []string{"gateway"}, when: filled("metrics/keda", "metrics", inCluster("VIGIE_KEDA_NAMESPACE"))},
	{name: "events", source: true, shapes: []string{"gateway"}, when: filled("logs/events", "logs", inCluster())},
	{name: "redact", shapes: everywhere, when: secretsStay, last: map[string]string{"logs": "redact", "traces": "redact"}},

	{
		name: "amp", shapes: everywhere, when: named("VIGIE_AMP_ENDPOINT"), takes: map[string]string{"metrics": "forward/amp"},
		extensions: []string{"aws_sigv4/amp"}, from: gatewaysOwn, apart: []string{"metrics/host"},
	},
	{
		name: "amp-host", shapes: []string{"laptop", "agent"}, when: named("VIGIE_AMP_ENDPOINT"), takes: map[string]string{"metrics": "forward/amp_host"},
		from: map[string][]string{"laptop": {"metrics/host"}, "agent": {"metrics/host"}},
	},
	{name: "sampling", shapes: []string{"laptop", "gateway"}, when: tracesLeave, takes: map[string]string{"traces": "forward/traces"}},
	{name: "xray", shapes: []string{"laptop", "gateway"}, when: xrayBy("otlp"), extensions: []string{"aws_sigv4/xray"}},
	{name: "awsxray", shapes: []string{"laptop", "gateway"}, when: xrayBy("awsxray")},
	{name: "traces-otlp", shapes: []string{"laptop", "gateway"}, when: named("VIGIE_TRACES_ENDPOINT")},
	{name: "cloudwatch-logs", shapes: everywhere, when: lists("VIGIE_CLOUDWATCH", "logs"), takes: map[string]string{"logs": "forward/cloudwatch_logs"}, from: gatewaysOwn},
	{name: "cloudwatch-findings", shapes: []string{"gateway"}, when: lists("VIGIE_CLOUDWATCH", "logs"), takes: map[string]string{"logs": "forward/findings"}, from: map[string][]string{"gateway": {"logs/agents"}}},
	{name: "cloudwatch-metrics", shapes: everywhere, when: lists("VIGIE_CLOUDWATCH", "metrics"), takes: map[string]string{"metrics": "forward/cloudwatch_metrics"}, from: kubernetesOnly},
	{
		name: "cloudwatch-otlp-metrics", shapes: everywhere, when: lists("VIGIE_CLOUDWATCH_OTLP", "metrics"), takes: map[string]string{"metrics": "forward/cloudwatch_otlp_metrics"},
		from: gatewaysOwn, extensions: []string{"aws_sigv4/cloudwatch"},
	},
	{
		name: "cloudwatch-otlp-logs", shapes: everywhere, when: lists("VIGIE_CLOUDWATCH_OTLP", "logs"), takes: map[string]string{"logs": "forward/cloudwatch_otlp_logs"},
		from: gatewaysOwn, extensions: []string{"aws_sigv4/logs"},
	},
	{name: "grafana", shapes: []string{"laptop", "gateway"}, when: named("VIGIE_GRAFANA_URL"), takes: map[string]string{"logs": "grafana"}},
	{name: "eventbridge", shapes: []string{"laptop", "gateway"}, when: named("VIGIE_EVENTBRIDGE_BUS"), takes: map[string]string{"logs": "eventbridge"}},
	{name: "kafka-logs", shapes: []string{"laptop", "gateway"}, when: kafka("logs"), takes: map[string]string{"logs": "forward/kafka_logs"}},
	{name: "kafka-metrics", shapes: []string{"laptop", "gateway"}, when: kafka("metrics"), takes: map[string]string{"metrics": "kafka/metrics"}},
	{name: "kafka-traces", shapes: []string{"laptop", "gateway"}, when: kafka("traces"), takes: map[string]string{"traces": "kafka/traces"}},
}

// gatewaysOwn are a gateway's pipelines of what no agent has sent out already.
var gatewaysOwn = map[string][]string{"gateway": {"metrics", "metrics/attack", "metrics/spans", "metrics/cluster", "metrics/karpenter", "metrics/keda", "logs", "logs/events"}} //nolint:gochecknoglobals // a constant table

// kubernetesOnly are the pipelines whose metrics Container Insights knows.
var kubernetesOnly = map[string][]string{"agent": {"metrics/kubelet", "metrics/kubernetes", "metrics/host"}, "gateway": {"metrics/cluster"}} //nolint:gochecknoglobals // a constant table

// destinations are where each shape's own data ends.
var destinations = map[string]map[string][]any{ //nolint:gochecknoglobals // a constant table
	"laptop":  {"metrics": {"warroom"}, "logs": {"warroom", "attack_metrics"}, "traces": {"warroom", "span_metrics"}},
	"agent":   {"metrics": {"otlp_grpc/gateway"}, "logs": {"otlp_grpc/gateway"}, "traces": {"load_balancing/gateway"}},
	"gateway": {"metrics": {"warroom"}, "logs": {"warroom"}, "traces": {"warroom", "span_metrics"}},
}
