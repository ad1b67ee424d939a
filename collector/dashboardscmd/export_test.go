package dashboardscmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/vigie-otel/vigie/dashboards/out"
)

func export(t *testing.T, args ...string) (dir string, written []string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "new")
	text, err := vigie(t, append([]string{"export", "--out", dir}, args...)...)
	require.NoError(t, err)
	return dir, strings.Fields(text)
}

func TestFilesAreExportedAsTheyAreInTheRepository(t *testing.T) {
	dir, written := export(t)
	for _, sub := range []string{"grafana", "rules", "alertmanager"} {
		entries, err := out.Files.ReadDir(sub)
		require.NoError(t, err)
		for _, e := range entries {
			want, err := out.Files.ReadFile(sub + "/" + e.Name())
			require.NoError(t, err)
			path := filepath.Join(dir, sub, e.Name())
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
			require.Contains(t, written, path)
		}
	}
}

func TestEachDashboardIsAConfigMapThatTheSidecarFinds(t *testing.T) {
	dir, written := export(t, "--format", "configmap", "--namespace", "monitoring")
	require.Len(t, written, len(uids(t)))
	seen := map[string]bool{}
	for _, path := range written {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Less(t, len(raw), 1<<20)
		var cm struct {
			APIVersion, Kind string
			Metadata         struct {
				Name, Namespace     string
				Labels, Annotations map[string]string
			}
			Data map[string]string
		}
		require.NoError(t, yaml.Unmarshal(raw, &cm))
		require.Equal(t, "ConfigMap", cm.Kind)
		require.Equal(t, "monitoring", cm.Metadata.Namespace)
		require.Equal(t, "1", cm.Metadata.Labels["grafana_dashboard"])
		require.Contains(t, string(raw), `grafana_dashboard: "1"`, "Kubernetes wants a string")
		require.Equal(t, "Vigie", cm.Metadata.Annotations["grafana_folder"])
		require.Regexp(t, `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`, cm.Metadata.Name)
		require.Equal(t, filepath.Join(dir, cm.Metadata.Name+".yaml"), path)
		require.Len(t, cm.Data, 1)
		for name, body := range cm.Data {
			want, err := out.Files.ReadFile("grafana/" + name)
			require.NoError(t, err)
			require.Equal(t, string(want), body, "the dashboard must survive YAML byte by byte")
			seen[strings.TrimSuffix(name, ".json")] = true
		}
	}
	for _, uid := range uids(t) {
		require.True(t, seen[uid], uid)
	}
}

func TestADashboardThatNoConfigMapTakesIsNamed(t *testing.T) {
	dir := t.TempDir()
	body := `{"uid":"big","title":"Big","description":"` + strings.Repeat("x", 1<<20) + `"}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "big.json"), []byte(body), 0o600))
	_, err := vigie(t, "export", "--format", "configmap", "--dir", dir, "--out", t.TempDir())
	require.ErrorContains(t, err, "big.json has 1048")
	require.ErrorContains(t, err, "vigie dashboards import")
}

func TestTerraformGetsMapsOfTheSameFiles(t *testing.T) {
	dir, written := export(t, "--format", "terraform")
	require.Equal(t, []string{filepath.Join(dir, "vigie.auto.tfvars.json")}, written)
	raw, err := os.ReadFile(written[0])
	require.NoError(t, err)
	vars := decode(t, raw)
	boards := vars["vigie_dashboards"].(map[string]any)
	require.Len(t, boards, len(uids(t)))
	for _, uid := range uids(t) {
		want, err := out.Files.ReadFile("grafana/" + uid + ".json")
		require.NoError(t, err)
		require.Equal(t, string(want), boards[uid])
	}
	rules := vars["vigie_rule_namespaces"].(map[string]any)
	require.Contains(t, rules["vigie-attack"], "alert: AttackOpen")
	require.Contains(t, vars["vigie_alert_manager_definition"], "alertmanager_config: |")
}

func TestExportNamesWhatItGot(t *testing.T) {
	_, err := vigie(t, "export", "--format", "xml", "--out", t.TempDir())
	require.ErrorContains(t, err, `--format must be files, configmap or terraform (got "xml")`)
	_, err = vigie(t, "export", "--format", "configmap", "--label", "x", "--out", t.TempDir())
	require.ErrorContains(t, err, "--label must be key=value")
	_, err = vigie(t, "export")
	require.ErrorContains(t, err, `required flag(s) "out" not set`)
}
