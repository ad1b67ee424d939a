package dashboards

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheCommittedFilesAreFresh(t *testing.T) {
	for _, d := range All() {
		want, err := d.JSON()
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join("out", "grafana", d.UID+".json"))
		require.NoError(t, err, "run make dashboards and commit")
		require.Equal(t, string(want), string(got), "%s is stale: run make dashboards and commit", d.UID)
	}
	page, err := os.ReadFile("../docs/dashboards.md")
	require.NoError(t, err, "run make dashboards and commit")
	require.Equal(t, string(Page()), string(page), "docs/dashboards.md is stale: run make dashboards and commit")
	committed, err := filepath.Glob("out/grafana/*.json")
	require.NoError(t, err)
	require.Len(t, committed, len(All()))
}

func TestWriteRemovesADashboardThatIsNoMore(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, Write(dir))
	gone := filepath.Join(dir, "grafana", "vigie-gone.json")
	require.NoError(t, os.WriteFile(gone, []byte("{}"), 0o644))
	kept := filepath.Join(dir, "grafana", "README.md")
	require.NoError(t, os.WriteFile(kept, nil, 0o644))
	require.NoError(t, Write(dir))
	require.NoFileExists(t, gone)
	require.FileExists(t, kept)
}
