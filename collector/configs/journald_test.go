package configs

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"
)

// journal gives a shape on a machine where these paths are.
func journal(t *testing.T, name string, vars map[string]string, paths ...string) (*confmap.Conf, error) {
	t.Helper()
	p := &provider{env: environment{
		get:    func(k string) string { return vars[k] },
		exists: func(path string) bool { return slices.Contains(paths, path) },
	}}
	r, err := p.Retrieve(t.Context(), Scheme+":"+name, nil)
	if err != nil {
		return nil, err
	}
	conf, err := r.AsConf()
	require.NoError(t, err)
	return conf, nil
}

func TestTheJournalJoinsWhereItIsNamedAndThere(t *testing.T) {
	named, all := map[string]string{"VIGIE_JOURNALD": "kubelet, containerd"}, map[string]string{"VIGIE_JOURNALD": "all", "VIGIE_HOST_ROOT": "/host", "VIGIE_JOURNALCTL": "/opt/journalctl"}
	for _, c := range []struct {
		vars  map[string]string
		paths []string
		want  map[string]any // nil: it does not join
	}{
		{nil, []string{"/usr/bin/journalctl", "/var/log/journal"}, nil},
		{named, []string{"/usr/bin/journalctl"}, nil},
		{named, []string{"/var/log/journal"}, nil},
		{
			named, []string{"/usr/bin/journalctl", "/run/log/journal"},
			map[string]any{"directory": "/run/log/journal", "journalctl_path": "/usr/bin/journalctl", "units": []any{"kubelet", "containerd"}},
		},
		{all, []string{"/usr/bin/journalctl", "/host/var/log/journal"}, nil},
		{
			all, []string{"/opt/journalctl", "/host/var/log/journal"},
			map[string]any{"directory": "/host/var/log/journal", "journalctl_path": "/opt/journalctl", "units": nil},
		},
	} {
		for _, name := range Names {
			conf, err := journal(t, name, c.vars, c.paths...)
			require.NoError(t, err)
			if joins := conf.IsSet("receivers::journald"); joins != (c.want != nil && name != "gateway") {
				t.Errorf("%s with %v at %v: joins is %v", name, c.vars, c.paths, joins)
			}
			if c.want == nil || name == "gateway" {
				continue
			}
			for key, want := range c.want {
				if d := cmp.Diff(want, conf.Get("receivers::journald::"+key)); d != "" {
					t.Errorf("%s: %s: %s", name, key, d)
				}
			}
			if d := cmp.Diff(destinations[name]["logs"], conf.Get("service::pipelines::logs/journald::exporters")); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
	_, err := journal(t, "agent", map[string]string{"VIGIE_JOURNALD": "all,kubelet"}, "/usr/bin/journalctl", "/var/log/journal")
	require.ErrorContains(t, err, "all alone")
}

func TestEventsJoinOnlyInTheGatewayOfACluster(t *testing.T) {
	for _, name := range Names {
		in := shape(t, name, map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
		if got, want := in.IsSet("receivers::k8s_events"), name == "gateway"; got != want {
			t.Errorf("%s reads events: %v, want %v", name, got, want)
		}
		if shape(t, name, nil).IsSet("receivers::k8s_events") {
			t.Errorf("%s reads events outside a cluster", name)
		}
	}
	conf := shape(t, "gateway", map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1", "VIGIE_CLOUDWATCH": "logs"})
	if d := cmp.Diff([]any{"warroom", "forward/cloudwatch_logs"}, conf.Get("service::pipelines::logs/events::exporters")); d != "" {
		t.Error(d)
	}
}

func TestAnEntryOfTheJournalGetsTheNamesOfTheConventions(t *testing.T) {
	conf, err := journal(t, "agent", map[string]string{"VIGIE_JOURNALD": "all"}, "/usr/bin/journalctl", "/var/log/journal")
	require.NoError(t, err)
	sub, err := conf.Sub("processors::transform/journald")
	require.NoError(t, err)
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, entry := range []map[string]any{
		{
			"MESSAGE": "PLEG is not healthy", "PRIORITY": "3", "_SYSTEMD_UNIT": "kubelet.service", "SYSLOG_IDENTIFIER": "kubelet", "_COMM": "kubelet",
			"_PID": "812", "_HOSTNAME": "node-1", "_TRANSPORT": "stdout", "_CMDLINE": "kubelet --secret=1",
		},
		{"MESSAGE": "out of memory", "PRIORITY": "4", "_COMM": "kworker"},
	} {
		require.NoError(t, records.AppendEmpty().Body().FromRaw(entry))
	}
	var got []any
	for _, lr := range transformed(t, sub, logs).ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		got = append(got, lr.Body().AsRaw(), lr.SeverityNumber(), lr.Attributes().AsRaw())
	}
	if d := cmp.Diff([]any{
		"PLEG is not healthy", plog.SeverityNumberError, map[string]any{
			"host.name": "node-1", "systemd.unit.name": "kubelet.service", "process.executable.name": "kubelet", "process.pid": int64(812),
			"log.iostream": "stdout", "service.name": "kubelet",
		},
		"out of memory", plog.SeverityNumberWarn, map[string]any{"process.executable.name": "kworker", "service.name": "kworker"},
	}, got); d != "" {
		t.Error(d)
	}
}

func TestAnEventOfTheClusterNamesTheCluster(t *testing.T) {
	conf := shape(t, "gateway", map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
	for cluster, want := range map[string]map[string]any{"tv": {"k8s.cluster.name": "tv"}, "": {}} {
		statements, _ := conf.Get("processors::transform/events::log_statements").([]any)
		require.Len(t, statements, 1)
		filled := strings.ReplaceAll(statements[0].(string), "${env:VIGIE_CLUSTER_NAME:-}", cluster)
		logs := plog.NewLogs()
		logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		out := transformed(t, confmap.NewFromStringMap(map[string]any{"log_statements": []any{filled}}), logs)
		if d := cmp.Diff(want, out.ResourceLogs().At(0).Resource().Attributes().AsRaw()); d != "" {
			t.Errorf("%q: %s", cluster, d)
		}
	}
}

// transformed is what a transform processor of this configuration makes of logs.
func transformed(t *testing.T, conf *confmap.Conf, logs plog.Logs) plog.Logs {
	t.Helper()
	f := transformprocessor.NewFactory()
	cfg := f.CreateDefaultConfig()
	require.NoError(t, conf.Unmarshal(cfg))
	sink := new(consumertest.LogsSink)
	p, err := f.CreateLogs(t.Context(), processortest.NewNopSettings(f.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	require.NoError(t, p.ConsumeLogs(t.Context(), logs))
	return sink.AllLogs()[0]
}
