package configs

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func shape(t *testing.T, name string, vars map[string]string) *confmap.Conf {
	t.Helper()
	p := &provider{env: environment{
		get:    func(k string) string { return vars[k] },
		exists: func(string) bool { return false },
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
		if shape(t, name, nil).IsSet("receivers::file_log/named") {
			t.Errorf("%s reads files that nobody named", name)
		}
		conf := shape(t, name, map[string]string{"VIGIE_LOGS": "/a/*.log, ,/b.log,"})
		if d := cmp.Diff([]any{"/a/*.log", "/b.log"}, conf.Get("receivers::file_log/named::include")); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if d := cmp.Diff(destinations[name], conf.Get("service::pipelines::logs/files::exporters")); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if shape(t, "gateway", map[string]string{"VIGIE_LOGS": "/a"}).IsSet("receivers::file_log/named") {
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

func TestAFragmentChangesNothingThatTheShapeHas(t *testing.T) {
	bare, full := shape(t, "laptop", nil), shape(t, "laptop", map[string]string{"VIGIE_LOGS": "/a"})
	for _, key := range bare.AllKeys() {
		if d := cmp.Diff(bare.Get(key), full.Get(key)); d != "" {
			t.Errorf("%s: %s", key, d)
		}
	}
}

func TestEveryShapeIsListedAndHasADestination(t *testing.T) {
	for _, name := range Names {
		shape(t, name, nil)
		if len(destinations[name]) == 0 {
			t.Errorf("%s has no destination", name)
		}
	}
}
