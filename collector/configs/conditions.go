package configs

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// condition is fragment.when.
type condition = func(env environment, shape string) (map[string]any, bool, error)

// named applies where all the variables are set.
func named(variables ...string) condition {
	return func(env environment, _ string) (map[string]any, bool, error) {
		for _, v := range variables {
			if strings.TrimSpace(env.get(v)) == "" {
				return nil, false, nil
			}
		}
		return nil, true, nil
	}
}

// filled is when with the shape's own destination of the signal filled in as the
// pipeline's exporters.
func filled(name, signal string, when condition, others ...string) condition {
	return func(env environment, shape string) (map[string]any, bool, error) {
		more, ok, err := when(env, shape)
		if !ok || err != nil {
			return nil, false, err
		}
		lists := map[string]any{}
		for _, n := range append(others, name) {
			lists[n] = map[string]any{"exporters": destinations[shape][signal]}
		}
		overlay := map[string]any{"service": map[string]any{"pipelines": lists}}
		maps.Copy(overlay, more) // conditions overlay no pipelines
		return overlay, true, nil
	}
}

// inCluster applies in a pod that may ask the cluster, where the variables are set
// besides.
func inCluster(variables ...string) condition {
	return func(env environment, shape string) (map[string]any, bool, error) {
		account := env.get("VIGIE_SERVICE_ACCOUNT")
		if account == "" {
			account = "/var/run/secrets/kubernetes.io/serviceaccount"
		}
		if !env.exists(account + "/token") {
			return nil, false, nil
		}
		return named(append(variables, "KUBERNETES_SERVICE_HOST")...)(env, shape)
	}
}

// lists applies where the variable, a comma-separated list, has the word.
func lists(variable, word string) condition {
	return func(env environment, _ string) (map[string]any, bool, error) {
		for _, w := range list(env.get(variable)) {
			if w != "logs" && w != "metrics" {
				return nil, false, fmt.Errorf("%s takes logs, metrics, or both (got %q)", variable, w)
			}
		}
		return nil, slices.Contains(list(env.get(variable)), word), nil
	}
}

// onNode applies in an agent's pod that knows its node: the fragment of that name, and
// what takes the node's pods from it.
func onNode(env environment, shape string) (map[string]any, bool, error) {
	if shape != "agent" {
		return nil, false, nil
	}
	return inCluster("VIGIE_NODE_NAME", "VIGIE_NODE_IP")(env, shape)
}

// list is a variable's comma-separated words.
func list(value string) []string {
	var words []string
	for w := range strings.SplitSeq(value, ",") {
		if w = strings.TrimSpace(w); w != "" {
			words = append(words, w)
		}
	}
	return words
}

// pipeline is an overlay with one pipeline's lists.
func pipeline(name string, lists map[string]any) map[string]any {
	return map[string]any{"service": map[string]any{"pipelines": map[string]any{name: lists}}}
}

// filesNamed applies where VIGIE_LOGS names files: globs, comma-separated.
func filesNamed(env environment, shape string) (map[string]any, bool, error) {
	var globs []any
	for _, g := range list(env.get("VIGIE_LOGS")) {
		if abs, err := filepath.Abs(g); err == nil {
			g = abs
		}
		globs = append(globs, g)
	}
	if len(globs) == 0 {
		return nil, false, nil
	}
	overlay := pipeline("logs/files", map[string]any{"exporters": destinations[shape]["logs"]})
	overlay["receivers"] = map[string]any{"container_log/named": map[string]any{"include": globs}}
	return overlay, true, nil
}

// podsHere applies on a node: where the kubelet keeps the logs of containers. What
// the pods want is known where the node's fragment knows its pods.
func podsHere(env environment, shape string) (map[string]any, bool, error) {
	if !env.exists(env.get("VIGIE_HOST_ROOT") + "/var/log/pods") {
		return nil, false, nil
	}
	if _, known, err := onNode(env, shape); !known || err != nil {
		return nil, true, err
	}
	return map[string]any{"receivers": map[string]any{"container_log": map[string]any{"pod_list": "kubelet_pods"}}}, true, nil
}

// podsMeasured applies where the node's pods are known, unless VIGIE_POD_METRICS is
// off.
func podsMeasured(env environment, shape string) (map[string]any, bool, error) {
	switch v := strings.TrimSpace(env.get("VIGIE_POD_METRICS")); v {
	case "", "on":
		return onNode(env, shape)
	case "off":
		return nil, false, nil
	default:
		return nil, false, fmt.Errorf("VIGIE_POD_METRICS takes on or off (got %q)", v)
	}
}

// tracersNamed applies where VIGIE_TRACERS names receivers, and in an agent
// unless it says none.
func tracersNamed(env environment, shape string) (map[string]any, bool, error) {
	known := []string{"awsxray", "zipkin", "jaeger"}
	names := list(env.get("VIGIE_TRACERS"))
	if len(names) == 0 && shape == "agent" {
		names = known
	}
	if len(names) == 0 || slices.Equal(names, []string{"none"}) {
		return nil, false, nil
	}
	receivers := make([]any, 0, len(names))
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, false, fmt.Errorf("VIGIE_TRACERS takes %s, or none (got %q)", strings.Join(known, ", "), n)
		}
		receivers = append(receivers, n)
	}
	return pipeline("traces/tracers", map[string]any{"receivers": receivers, "exporters": destinations[shape]["traces"]}), true, nil
}

// tracesLeave applies where traces have a destination beside the page.
func tracesLeave(env environment, _ string) (map[string]any, bool, error) {
	var exporters []any
	switch by := strings.TrimSpace(env.get("VIGIE_XRAY")); by {
	case "":
	case "otlp":
		exporters = append(exporters, "otlp_http/xray")
	case "awsxray":
		exporters = append(exporters, "awsxray")
	default:
		return nil, false, fmt.Errorf(`VIGIE_XRAY takes "otlp" or "awsxray" (got %q)`, by)
	}
	if env.get("VIGIE_TRACES_ENDPOINT") != "" {
		exporters = append(exporters, "otlp_grpc/traces")
	}
	if len(exporters) == 0 {
		return nil, false, nil
	}
	return pipeline("traces/sampled", map[string]any{"exporters": exporters}), true, nil
}

// xrayBy applies where VIGIE_XRAY asks for this way to X-Ray.
func xrayBy(way string) condition {
	return func(env environment, _ string) (map[string]any, bool, error) {
		if strings.TrimSpace(env.get("VIGIE_XRAY")) != way {
			return nil, false, nil
		}
		if way == "awsxray" && env.get("AWS_REGION") == "" {
			return nil, false, errors.New("VIGIE_XRAY=awsxray needs AWS_REGION: without it this exporter asks instance metadata before anything starts; VIGIE_XRAY=otlp does not")
		}
		return nil, true, nil
	}
}

// fluentSends applies where an endpoint is there for Fluent Bit.
func fluentSends(env environment, shape string) (map[string]any, bool, error) {
	var receivers []any
	overlay := map[string]any{}
	if strings.TrimSpace(env.get("VIGIE_FLUENT_ENDPOINT")) != "" {
		receivers = append(receivers, "fluent_forward")
	}
	if strings.TrimSpace(env.get("VIGIE_FLUENT_OTLP_ENDPOINT")) != "" {
		receivers = append(receivers, "otlp/fluentbit")
		cert, key := strings.TrimSpace(env.get("VIGIE_FLUENT_TLS_CERT")), strings.TrimSpace(env.get("VIGIE_FLUENT_TLS_KEY"))
		if (cert == "") != (key == "") {
			return nil, false, errors.New("VIGIE_FLUENT_TLS_CERT and VIGIE_FLUENT_TLS_KEY go together: the files of a certificate and of its key")
		}
		if cert != "" {
			overlay["receivers::otlp/fluentbit::protocols::http::tls"] = map[string]any{"cert_file": cert, "key_file": key}
		}
	}
	if len(receivers) == 0 {
		return nil, false, nil
	}
	maps.Copy(overlay, pipeline("logs/fluentbit", map[string]any{"receivers": receivers, "exporters": destinations[shape]["logs"]}))
	return overlay, true, nil
}

// secretsStay applies where VIGIE_REDACT is on, or lists what to take out.
func secretsStay(env environment, _ string) (map[string]any, bool, error) {
	known := []string{"tokens", "cards", "emails", "urls"}
	kinds := list(env.get("VIGIE_REDACT"))
	switch {
	case len(kinds) == 0 || slices.Equal(kinds, []string{"off"}):
		return nil, false, nil
	case slices.Equal(kinds, []string{"on"}):
		kinds = known
	}
	chosen := make([]any, 0, len(kinds))
	for _, k := range kinds {
		if !slices.Contains(known, k) {
			return nil, false, fmt.Errorf("VIGIE_REDACT takes on, off, or a list of %s (got %q)", strings.Join(known, ", "), k)
		}
		chosen = append(chosen, k)
	}
	return map[string]any{"processors": map[string]any{"redact": map[string]any{"kinds": chosen}}}, true, nil
}

// journalHere applies where VIGIE_JOURNALD names units, or says all, and there is a
// journal and the program that reads it. The journal is the host's, on disk or else
// in memory; the program is this file system's own.
func journalHere(env environment, shape string) (map[string]any, bool, error) {
	units := list(env.get("VIGIE_JOURNALD"))
	if len(units) == 0 || slices.Equal(units, []string{"none"}) {
		return nil, false, nil
	}
	if len(units) > 1 && slices.Contains(units, "all") {
		return nil, false, fmt.Errorf("VIGIE_JOURNALD takes units, or all alone (got %q)", env.get("VIGIE_JOURNALD"))
	}
	programs := []string{"/usr/bin/journalctl", "/bin/journalctl"}
	if named := strings.TrimSpace(env.get("VIGIE_JOURNALCTL")); named != "" {
		programs = []string{named}
	}
	root := env.get("VIGIE_HOST_ROOT")
	program := slices.IndexFunc(programs, env.exists)
	journals := []string{root + "/var/log/journal", root + "/run/log/journal"}
	journal := slices.IndexFunc(journals, env.exists)
	if program < 0 || journal < 0 {
		return nil, false, nil
	}
	reader := map[string]any{"directory": journals[journal], "journalctl_path": programs[program]}
	if units[0] != "all" {
		named := make([]any, 0, len(units))
		for _, u := range units {
			named = append(named, u)
		}
		reader["units"] = named
	}
	overlay := pipeline("logs/journald", map[string]any{"exporters": destinations[shape]["logs"]})
	overlay["receivers"] = map[string]any{"journald": reader}
	return overlay, true, nil
}
