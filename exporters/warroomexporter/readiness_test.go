package warroomexporter

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/vigie-otel/vigie/exporters/warroomexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/ready"
)

func assessed(at time.Time) ready.Result {
	return ready.Result{
		Format: 1, At: at, Status: ready.Fail, Event: &ready.Event{Name: "Semi-final"}, Counts: ready.Counts{OK: 9, Warn: 1, Fail: 1},
		Findings: []ready.Finding{
			{Check: ready.CheckNodes, Status: ready.Warn, Subject: "cluster", Why: "tight"},
			{Check: ready.CheckConntrack, Status: ready.OK, Subject: "node-a", Why: "room"},
			{Check: ready.CheckHPAMax, Status: ready.Fail, Subject: "live/signin", Why: "<b>4</b> replicas, 11 needed", Do: "raise maxReplicas"},
		},
	}
}

func postReady(t *testing.T, base, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/warroom/ready", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	code, _, _ := fetch(t, req)
	return code
}

func TestTheLastReadinessAssessmentIsShownAndSurvivesARestart(t *testing.T) {
	cfg := testConfig(t)
	w := newWarroom(exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, w.Start(t.Context(), componenttest.NewNopHost()))
	body, err := json.Marshal(assessed(time.Now()))
	require.NoError(t, err)
	f := follow(t, w.url())
	_, v, err := f.next()
	require.NoError(t, err)
	require.NotContains(t, v, "ready", "none was brought yet")
	require.Equal(t, http.StatusCreated, postReady(t, w.url(), string(body)))
	for v["ready"] == nil {
		_, v, err = f.next()
		require.NoError(t, err)
	}
	rows := v["ready"].(map[string]any)["rows"].([]any)
	require.Len(t, rows, 2, "what is ok is counted, not listed")
	require.Equal(t, "live/signin", rows[0].(map[string]any)["subject"], "what failed comes first")
	require.Contains(t, w.room.log.Newest(1)[0].Text, "readiness of Semi-final: fail (1 failed")
	require.NoError(t, w.Shutdown(t.Context()))

	w = newWarroom(exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, w.Start(t.Context(), componenttest.NewNopHost()))
	require.Equal(t, "Semi-final", w.room.ready.Event)
	require.NoError(t, w.Shutdown(t.Context()))
	require.NoError(t, os.WriteFile(cfg.readyPath(), []byte("{torn"), 0o600))
	w = newWarroom(exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, w.Start(t.Context(), componenttest.NewNopHost()), "a torn file costs no start")
	require.Nil(t, w.room.ready)
	require.NoError(t, w.Shutdown(t.Context()))
}

func TestWhatIsNoAssessmentIsRefused(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	now := time.Now()
	for name, change := range map[string]func(*ready.Result){
		"another format": func(r *ready.Result) { r.Format = 2 },
		"another status": func(r *ready.Result) { r.Status = "fine" },
		"no time":        func(r *ready.Result) { r.At = time.Time{} },
		"the future":     func(r *ready.Result) { r.At = now.Add(48 * time.Hour) },
	} {
		r := assessed(now)
		change(&r)
		body, err := json.Marshal(r)
		require.NoError(t, err)
		require.Equal(t, http.StatusBadRequest, postReady(t, base, string(body)), name)
	}
	require.Equal(t, http.StatusBadRequest, postReady(t, base, "no"))
	require.Equal(t, http.StatusBadRequest, postReady(t, base, `"`+strings.Repeat("x", maxReadyBytes)+`"`))
	require.Nil(t, w.room.ready)
	r := assessed(now)
	for i := range 500 {
		r.Findings = append(r.Findings, ready.Finding{Check: ready.CheckPods, Status: ready.Warn, Subject: fmt.Sprint(i), Why: strings.Repeat("w", 2000)})
	}
	body, err := json.Marshal(r)
	require.NoError(t, err)
	got, err := readinessOf(body, now)
	require.NoError(t, err)
	require.Len(t, got.Rows, maxReadyRows)
	require.Equal(t, 502-maxReadyRows, got.Hidden)
	require.LessOrEqual(t, len(got.Rows[1].Why), 503)
}
