package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// Each testdata/check/*.txtar holds a configuration and the lines that validate
// prints for it.
func TestEveryProblemOfAConfigurationIsToldAtOnce(t *testing.T) {
	cases, err := filepath.Glob("testdata/check/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			require.NoError(t, err)
			files := map[string]string{}
			for _, f := range archive.Files {
				files[f.Name] = string(f.Data)
			}
			config := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(config, []byte(files["in.yaml"]), 0o600))
			got := ""
			if err := checkFile(t, config); err != nil {
				var problems problemsError
				require.ErrorAs(t, err, &problems)
				got = err.Error() + "\n"
			}
			if d := cmp.Diff(files["out"], got); d != "" {
				t.Error(d)
			}
		})
	}
}

func checkFile(t *testing.T, sources ...string) error {
	t.Helper()
	for _, derived := range []string{"VIGIE_TELEMETRY_ENDPOINT", "VIGIE_GATEWAY_HOST", "VIGIE_GATEWAY_PORT", "VIGIE_DATA_DIR", "VIGIE_KUBELET_ENDPOINT", "VIGIE_KUBELET_CA"} {
		if _, set := os.LookupEnv(derived); !set { // settings sets them for good
			t.Cleanup(func() { require.NoError(t, os.Unsetenv(derived)) })
		}
	}
	opts := &options{configs: sources, dataDir: t.TempDir()}
	set, err := opts.settings()
	require.NoError(t, err)
	return check(t.Context(), set)
}

func TestTheEmbeddedShapesAreValid(t *testing.T) {
	account := t.TempDir()
	for _, name := range []string{"token", "ca.crt"} {
		require.NoError(t, os.WriteFile(filepath.Join(account, name), nil, 0o600))
	}
	for _, env := range []map[string]string{
		{},
		{"VIGIE_LOGS": "/var/log/a*.log, b.log"},
		{"VIGIE_TRACERS": "awsxray,zipkin,jaeger", "VIGIE_TRACES_ENDPOINT": "tempo:4317"},
		{"VIGIE_XRAY": "otlp", "VIGIE_AMP_ENDPOINT": "https://aps-workspaces.eu-west-3.amazonaws.com/workspaces/ws-1/api/v1/remote_write"},
		{"VIGIE_XRAY": "awsxray", "AWS_REGION": "eu-west-3", "VIGIE_CLUSTER_NAME": "tv"},
		{"VIGIE_CLOUDWATCH": "logs,metrics", "VIGIE_CLOUDWATCH_OTLP": "logs,metrics", "VIGIE_GRAFANA_URL": "https://grafana.example", "VIGIE_EVENTBRIDGE_BUS": "match"},
		{"VIGIE_KAFKA_BROKERS": "b-1.msk:9098, b-2.msk:9098", "VIGIE_KAFKA_AUTH": "msk-iam", "AWS_REGION": "eu-west-3"},
		{"VIGIE_KAFKA_BROKERS": "b-1:9096", "VIGIE_KAFKA_AUTH": "scram-sha-512", "VIGIE_KAFKA_USERNAME": "vigie", "VIGIE_KAFKA_PASSWORD": "not-a-real-one", "VIGIE_KAFKA_SIGNALS": "logs"},
		{"KUBERNETES_SERVICE_HOST": "10.0.0.1", "VIGIE_NODE_NAME": "node-1", "VIGIE_NODE_IP": "10.0.0.7", "VIGIE_SERVICE_ACCOUNT": account, "VIGIE_KUBELET_AUTH": "none"},
		{"VIGIE_NODE_IP": "fd00::7", "VIGIE_KUBELET_INSECURE": "false", "VIGIE_KARPENTER_NAMESPACE": "kube-system", "VIGIE_KEDA_NAMESPACE": "keda", "VIGIE_GATEWAY_REPLICAS": "2", "VIGIE_GATEWAY_ORDINAL": "1"},
		{"VIGIE_POD_METRICS": "off"},
	} {
		for k, v := range env {
			t.Setenv(k, v)
		}
		for _, shape := range []string{"embedded:laptop", "embedded:agent", "embedded:gateway"} {
			if err := checkFile(t, shape); err != nil {
				t.Errorf("%s with %v:\n%v", shape, env, err)
			}
		}
	}
}

func TestAUsersFileIsLayeredOverAnEmbeddedShape(t *testing.T) {
	mine := filepath.Join(t.TempDir(), "my.yaml")
	require.NoError(t, os.WriteFile(mine, []byte("exporters:\n  otlp_grpc/gateway:\n    endpoint: elsewhere:4317\n    retry_on_failure:\n      max_elapsed_time: often\n"), 0o600))
	err := checkFile(t, "embedded:agent", mine)
	want := `exporters::otlp_grpc/gateway::retry_on_failure::max_elapsed_time: got "often"; time: invalid duration; takes a duration, e.g. 10s`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestASourceThatIsNotThereIsNamed(t *testing.T) {
	for source, want := range map[string]string{
		"/nowhere/x.yaml": "/nowhere/x.yaml",
		"embedded:tablet": `no embedded configuration "tablet"; there are laptop, agent, gateway`,
	} {
		err := checkFile(t, source)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestSetWithoutConfigChangesTheLaptop(t *testing.T) {
	uris, err := (&options{sets: []string{"processors.batch.timeout=2s"}}).uris()
	require.NoError(t, err)
	if d := cmp.Diff([]string{"embedded:laptop", "yaml:processors::batch::timeout: 2s"}, uris); d != "" {
		t.Error(d)
	}
	if _, err := (&options{sets: []string{"novalue"}}).uris(); err == nil {
		t.Error("--set without a value was taken")
	}
}

func TestANestedErrorTextStaysOneLine(t *testing.T) {
	got := flatten([]string{"a"}, nil, errors.Join(errors.New("first\n  second"), errors.New("third")))
	if d := cmp.Diff(problemsError{{"a", "first second"}, {"a", "third"}}, got); d != "" {
		t.Error(d)
	}
}

// A check beside a Vigie that runs, its own reload's among them, finds its ports
// taken.
func TestACheckOpensNoPort(t *testing.T) {
	t.Setenv("VIGIE_TRACERS", "awsxray,zipkin,jaeger")
	if l, err := net.ListenPacket("udp", "127.0.0.1:2000"); err == nil { // else somebody else has it
		defer l.Close()
	}
	for range 2 {
		if err := checkFile(t, "embedded:agent"); err != nil {
			t.Error(err)
		}
	}
}
