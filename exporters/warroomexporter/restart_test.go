package warroomexporter

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/vigie-otel/vigie/exporters/warroomexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/finding"
)

func TestFindingsSurviveARestartAndWhatNobodySpeaksOfIsStale(t *testing.T) {
	cfg := testConfig(t)
	w := newWarroom(exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, w.Start(t.Context(), componenttest.NewNopHost()))
	over, open, goesOn := flood(finding.Closed, time.Minute), flood(finding.Open, time.Second), flood(finding.Open, time.Second)
	over.ID, open.ID, goesOn.ID = "over", "open", "goes-on"
	for _, f := range []finding.Finding{over, open, goesOn} {
		require.NoError(t, w.consumeLogs(t.Context(), record(f)))
	}
	// A kill: the file gets no farewell, and its last line is torn.
	path := filepath.Join(cfg.Store.Directory, "room", "findings.ndjson")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, w.Shutdown(context.Background()))
	require.NoError(t, os.WriteFile(path, append(text, `{"id":"torn","sta`...), 0o600))

	w, base := roomOf(t, cfg)
	require.NoError(t, w.consumeLogs(t.Context(), record(goesOn)))
	code, body, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/now"))
	require.Equal(t, http.StatusOK, code)
	var got struct {
		Findings []struct {
			ID     string
			Status finding.Status
			Stale  bool
		}
		Broken uint64 `json:"findings_broken"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.EqualValues(t, 1, got.Broken)
	require.Len(t, got.Findings, 3)
	require.Equal(t, "goes-on", got.Findings[0].ID)
	require.False(t, got.Findings[0].Stale)
	require.Equal(t, "open", got.Findings[1].ID)
	require.True(t, got.Findings[1].Stale, "whether it is over nobody knows")
	require.Equal(t, finding.Closed, got.Findings[2].Status)
	require.False(t, got.Findings[2].Stale)
	for _, e := range w.room.log.Newest(100) {
		require.False(t, e.Ref == "goes-on" && e.At.After(w.started), "it has not opened anew: %v", e)
	}
}
