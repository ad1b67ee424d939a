package helm

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/all.yaml anew") //nolint:gochecknoglobals // a flag

const manifests = "../manifests"

func TestThePlainManifestsAreWhatTheChartMakes(t *testing.T) {
	files, err := Plain(vigieChart(t))
	require.NoError(t, err)
	require.Len(t, files, 2)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(manifests, name))
		require.NoError(t, err, "make manifests")
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s: run make manifests and commit\n%s", name, d)
		}
	}
}

func TestKustomizeTakesThePlainManifestsWithNothingLost(t *testing.T) {
	chart := vigieChart(t)
	build := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(chart.Helm), "kubectl"), "kustomize", manifests) //nolint:gosec // the tools' own
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	got, err := Parse(out)
	require.NoError(t, err)
	want, err := chart.Objects()
	require.NoError(t, err)
	require.Len(t, got, len(want)+1, "the chart's objects and the namespace")
}

func TestWhatAllPresetsTogetherMakeChangesOnPurposeOnly(t *testing.T) {
	text, err := vigieChart(t).Text("-f", "presets/all.yaml")
	require.NoError(t, err)
	text = regexp.MustCompile(`(?m)[ \t]+$`).ReplaceAll(text, nil)
	if *update {
		require.NoError(t, os.WriteFile("testdata/all.yaml", text, 0o600))
	}
	want, err := os.ReadFile("testdata/all.yaml")
	require.NoError(t, err)
	if d := cmp.Diff(string(want), string(text)); d != "" {
		t.Errorf("go test ./deploy/helm -update writes it anew\n%s", d)
	}
}
