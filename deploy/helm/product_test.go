package helm

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// program is the product: VIGIE_BINARY, else what make build has built.
func program(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("starts the product some hundred times: not with -short")
	}
	path, err := filepath.Abs(cmp.Or(os.Getenv("VIGIE_BINARY"), "../../bin/vigie"))
	require.NoError(t, err)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%v: make build", err)
		}
		t.Skipf("%v: make build, then this tries the chart's configuration with it", err)
	}
	return path
}

// pod is one of the chart's pods as far as the product sees it: its environment
// and its files, in a directory of the test's.
type pod struct {
	root string
	env  map[string]string
	args []string
}

// enter makes the pod of a workload.
func enter(t *testing.T, objects []runtime.Object, workload string) pod {
	t.Helper()
	all := Workloads(objects)
	i := slices.IndexFunc(all, func(w Workload) bool { return w.Name == workload })
	require.GreaterOrEqual(t, i, 0, "no %s", workload)
	spec := all[i].Pod.Spec
	c := spec.Containers[0]
	// The service account's place is fixed for one component, which asks for none here.
	p := pod{root: t.TempDir(), env: map[string]string{
		"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443", "VIGIE_KUBELET_AUTH": "none",
	}}

	account := filepath.Join(p.root, "account")
	for _, f := range []string{"token", "ca.crt", "namespace"} {
		p.write(t, filepath.Join("account", f), "vigie")
	}
	p.env["VIGIE_SERVICE_ACCOUNT"] = account
	for name, body := range one[*corev1.ConfigMap](t, objects, workload).Data {
		p.write(t, filepath.Join("etc/vigie", name), body)
	}
	for _, m := range c.VolumeMounts {
		if !strings.HasPrefix(m.MountPath, "/etc/vigie-") {
			require.NoError(t, os.MkdirAll(filepath.Join(p.root, m.MountPath), 0o750))
			continue
		}
		for _, key := range []string{"token", "tls.crt", "tls.key", "htpasswd"} { // Secrets, whatever is in them
			p.write(t, filepath.Join(m.MountPath, key), "user:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC\n")
		}
	}
	// One receiver listens as soon as it is made: the node's address is one of ours.
	fields := map[string]string{
		"spec.nodeName": "node-1", "status.hostIP": "127.0.0.1", "status.podIP": "10.0.1.8",
		"metadata.name": "pod-0", "metadata.namespace": "vigie", "metadata.labels['apps.kubernetes.io/pod-index']": "0",
	}
	for _, e := range c.Env {
		value := e.Value
		switch from := e.ValueFrom; {
		case from == nil:
		case from.FieldRef != nil:
			require.Contains(t, fields, from.FieldRef.FieldPath)
			value = fields[from.FieldRef.FieldPath]
		case from.SecretKeyRef != nil:
			value = "secret"
		}
		for name, v := range p.env { // as Kubernetes expands $(NAME) of what stands before
			value = strings.ReplaceAll(value, "$("+name+")", v)
		}
		require.NotContains(t, value, "$(", e.Name)
		p.env[e.Name] = p.inside(value)
	}
	for _, a := range c.Args {
		p.args = append(p.args, p.inside(a))
	}
	return p
}

// inside turns the paths of a container's file system into the pod's.
func (p pod) inside(s string) string {
	for _, dir := range []string{"/etc/vigie/", "/etc/vigie-", "/var/lib/vigie"} {
		s = strings.Replace(s, dir, p.root+dir, 1)
	}
	if s == "/host" {
		return p.root + s
	}
	return s
}

func (p pod) write(t *testing.T, path, body string) {
	t.Helper()
	path = filepath.Join(p.root, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
	require.NoError(t, os.WriteFile(path, []byte(body), 0o600))
}

// run runs a subcommand of the product as in the pod.
func (p pod) run(t *testing.T, subcommand string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), append([]string{subcommand}, p.args...)...) //nolint:gosec // the product
	for _, name := range slices.Sorted(maps.Keys(p.env)) {
		cmd.Env = append(cmd.Env, name+"="+p.env[name])
	}
	out, err := cmd.CombinedOutput()
	return strings.ReplaceAll(string(out), p.root, ""), err
}

// config is what the product makes of the pod's configuration.
func (p pod) config(t *testing.T) map[string]any {
	t.Helper()
	out, err := p.run(t, "print-config")
	require.NoError(t, err, out)
	var conf map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(out), &conf))
	return conf
}

// at is the value under keys, nil where there is none.
func at(conf map[string]any, keys ...string) any {
	var value any = conf
	for _, k := range keys {
		m, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = m[k]
	}
	return value
}

// everyWorkload calls f with each pod of Vigie's own.
func everyWorkload(t *testing.T, f func(t *testing.T, preset, workload string, p pod)) {
	t.Helper()
	program(t)
	for _, preset := range slices.Sorted(maps.Keys(presets(t))) {
		objects := render(t, "-f", presets(t)[preset])
		for _, workload := range []string{"vigie-agent", "vigie-gateway"} {
			t.Run(preset+"/"+workload, func(t *testing.T) { f(t, preset, workload, enter(t, objects, workload)) })
		}
	}
}

func TestTheProductTakesTheConfigurationOfEveryPreset(t *testing.T) {
	everyWorkload(t, func(t *testing.T, _, _ string, p pod) {
		if out, err := p.run(t, "validate"); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

func TestAPresetAddsWhatItPromises(t *testing.T) {
	promised := map[string]map[string][]string{
		"amp":        {"vigie-agent": {"exporters remote_write/amp"}, "vigie-gateway": {"exporters remote_write/amp"}},
		"cloudwatch": {"vigie-agent": {"exporters cloudwatch/logs", "exporters cloudwatch/metrics"}, "vigie-gateway": {"exporters cloudwatch/logs", "exporters cloudwatch/findings"}},
		"xray":       {"vigie-gateway": {"exporters otlp_http/xray", "processors tail_sampling"}},
		"grafana":    {"vigie-gateway": {"exporters grafana"}},
		"kafka":      {"vigie-gateway": {"exporters kafka/logs", "exporters kafka/metrics", "exporters kafka/traces"}},
		"fluentbit":  {"vigie-agent": {"receivers fluent_forward", "receivers otlp/fluentbit"}},
		"warroom":    {"vigie-gateway": {"extensions basicauth/warroom"}},
	}
	all := map[string][]string{}
	for _, by := range promised {
		for workload, parts := range by {
			all[workload] = append(all[workload], parts...)
		}
	}
	promised["all"] = all
	everyWorkload(t, func(t *testing.T, preset, workload string, p pod) {
		conf := p.config(t)
		for _, part := range slices.Sorted(slices.Values(all[workload])) {
			section, id, _ := strings.Cut(part, " ")
			has := at(conf, section, id) != nil
			if wants := slices.Contains(promised[preset][workload], part); has != wants {
				t.Errorf("%s: there is %t, want %t", part, has, wants)
			}
		}
		// Whoever reads the pods' logs, it is one.
		reads := at(conf, "receivers", "container_log") != nil
		if wants := workload == "vigie-agent" && preset != "fluentbit" && preset != "all"; reads != wants {
			t.Errorf("container_log: there is %t, want %t", reads, wants)
		}
	})
}

func TestAnAgentHearsTheTracersThatAreNamedAndNoOthers(t *testing.T) {
	for set, want := range map[string][]any{
		"":                              {"awsxray", "zipkin", "jaeger"},
		"agent.tracers={zipkin}":        {"zipkin"},
		"agent.tracers=null":            nil,
		"agent.tracers={jaeger,zipkin}": {"jaeger", "zipkin"},
	} {
		args := []string{"--set", set}
		if set == "agent.tracers=null" {
			args = []string{"--set-json", "agent.tracers=[]"}
		}
		got, _ := at(enter(t, render(t, args...), "vigie-agent").config(t), "service", "pipelines", "traces/tracers", "receivers").([]any)
		require.Equal(t, want, got, set)
	}
}

func TestWithTwoGatewaysSummariesMeetInOneAndTracesInBoth(t *testing.T) {
	for replicas, logs := range map[string]string{"1": "vigie-gateway-headless.vigie.svc:4319", "2": "vigie-gateway-0.vigie-gateway-headless.vigie.svc:4319"} {
		objects := render(t, "--set", "gateway.replicas="+replicas)
		conf := enter(t, objects, "vigie-agent").config(t)
		require.Equal(t, logs, at(conf, "exporters", "otlp_grpc/gateway", "endpoint"))
		require.Equal(t, "vigie-gateway-headless.vigie.svc", at(conf, "exporters", "load_balancing/gateway", "resolver", "dns", "hostname"))
		require.Equal(t, "4319", fmt.Sprint(at(conf, "exporters", "load_balancing/gateway", "resolver", "dns", "port")))
		// The names are those that the StatefulSet and its Service make.
		set := one[*appsv1.StatefulSet](t, objects, "vigie-gateway")
		require.Equal(t, "vigie-gateway-headless", set.Spec.ServiceName)
		require.Equal(t, corev1.ClusterIPNone, one[*corev1.Service](t, objects, set.Spec.ServiceName).Spec.ClusterIP)
		require.Equal(t, replicas, fmt.Sprint(*set.Spec.Replicas))
		require.Equal(t, replicas, enter(t, objects, "vigie-gateway").env["VIGIE_GATEWAY_REPLICAS"])
	}
}

func TestThePageForOthersNeedsAPasswordAndLeavesTheOtherExtensionsRunning(t *testing.T) {
	extensions := func(args ...string) []any {
		list, _ := at(enter(t, render(t, args...), "vigie-gateway").config(t), "service", "extensions").([]any)
		return list
	}
	program(t)
	before := extensions("-f", "presets/amp.yaml")
	require.NotEmpty(t, before)
	require.Equal(t, append(before, "basicauth/warroom"), extensions("-f", "presets/amp.yaml", "-f", "presets/warroom.yaml"))

	page := func(args ...string) map[string]any {
		m, _ := at(enter(t, render(t, args...), "vigie-gateway").config(t), "exporters", "warroom").(map[string]any)
		return m
	}
	require.Equal(t, "127.0.0.1:8640", page()["endpoint"])
	open := page("-f", "presets/warroom.yaml")
	require.Equal(t, "0.0.0.0:8640", open["endpoint"])
	require.NotNil(t, at(open, "tls", "cert_file"))
	require.Equal(t, "basicauth/warroom", at(open, "auth", "authenticator"))
	require.Equal(t, []any{"director"}, at(open, "room", "writers"))
}

func TestAUsersConfigurationComesOverOursAndItsExportersJoinOurs(t *testing.T) {
	mine := filepath.Join(t.TempDir(), "mine.yaml")
	require.NoError(t, os.WriteFile(mine, []byte(`
agent:
  config:
    exporters:
      debug: {}
    processors:
      batch: {timeout: 7s}
    service:
      pipelines:
        metrics: {exporters: [debug]}
`), 0o600))
	conf := enter(t, render(t, "-f", mine), "vigie-agent").config(t)
	require.Equal(t, "7s", fmt.Sprint(at(conf, "processors", "batch", "timeout")))
	require.Equal(t, []any{"otlp_grpc/gateway", "debug"}, at(conf, "service", "pipelines", "metrics", "exporters"))
}

func TestAWrongConfigurationIsWhatTheInitContainerStopsAt(t *testing.T) {
	objects := render(t, "--set-json", `agent.config={"exporters":{"otlp_grpc/gateway":{"endpont":"x:1"}}}`)
	for _, w := range Workloads(objects) {
		if w.Name == "vigie-agent" {
			c := w.Pod.Spec.InitContainers[1]
			require.Equal(t, []string{"/vigie", "validate"}, c.Command)
			main := w.Pod.Spec.Containers[0]
			require.Equal(t, main.Args, c.Args)
			require.Equal(t, main.Env, c.Env)
			require.Equal(t, main.VolumeMounts, c.VolumeMounts)
		}
	}
	out, err := enter(t, objects, "vigie-agent").run(t, "validate")
	if err == nil || !strings.Contains(out, "endpont") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestOffTheHostsNetworkAPodsTrafficIsNotTakenForTheNodes(t *testing.T) {
	chart := func(args ...string) map[string]any { // the product takes it (above), and doesn't print scrapers
		p := enter(t, render(t, args...), "vigie-agent")
		body, err := os.ReadFile(filepath.Join(p.root, "etc/vigie/chart.yaml"))
		require.NoError(t, err)
		var conf map[string]any
		require.NoError(t, yaml.Unmarshal(body, &conf))
		return conf
	}
	on, off := chart(), chart("--set", "agent.conntrack=false")
	for _, name := range []string{"dropped", "errors", "io", "packets"} {
		path := []string{"receivers", "host_metrics/second", "scrapers", "network", "metrics", "system.network." + name, "enabled"}
		require.Nil(t, at(on, path...), name)
		require.Equal(t, false, at(off, path...), name)
	}
	require.Nil(t, at(on, "receivers", "conntrack", "netns"))
	require.Equal(t, "/host/proc/1/ns/net", at(off, "receivers", "conntrack", "netns"))
}

func TestEveryVariableThatTheChartSetsIsOneThatTheProductReads(t *testing.T) {
	known := map[string]bool{}
	name := regexp.MustCompile(`\bVIGIE_[A-Z0-9_]+\b`)
	require.NoError(t, filepath.WalkDir("../../collector", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || (!strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".yaml")) {
			return err
		}
		body, err := os.ReadFile(path)
		for _, n := range name.FindAllString(string(body), -1) {
			known[n] = true
		}
		return err
	}))
	require.Greater(t, len(known), 40)
	set := map[string]bool{}
	for _, path := range presets(t) {
		for _, w := range Workloads(render(t, "-f", path)) {
			for _, e := range w.Pod.Spec.Containers[0].Env {
				if strings.HasPrefix(e.Name, "VIGIE_") {
					set[e.Name] = true
				}
			}
		}
	}
	require.Greater(t, len(set), 20)
	for n := range set {
		require.True(t, known[n], "%s is not read by anything", n)
	}
}
