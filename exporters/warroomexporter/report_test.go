package warroomexporter

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/report"
	"github.com/vigie-otel/vigie/internal/timeline"
)

func TestTheRoomGivesTheRecordOfATimeAsAFile(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	cfg := testConfig(t)
	cfg.Room.Calendar = calendarFile(t, fmt.Sprintf("events:\n  - name: Semi-final\n    kick_off: %s\n", now.Add(-time.Minute).Format(time.RFC3339)))
	cfg.Room.GrafanaURL = "https://grafana.example/d/x"
	w, base := roomOf(t, cfg)
	match(t, w, now)
	f := flood(finding.Open, time.Second)
	f.StartedAt, f.DetectedAt, f.UpdatedAt = now.Add(-60*time.Second), now.Add(-58*time.Second), now.Add(-time.Second)
	require.NoError(t, w.consumeLogs(t.Context(), record(f)))
	_, err := w.room.log.Add(timeline.Entry{At: now.Add(-50 * time.Second), Kind: timeline.Note, Text: "WAF is <b>on</b>", Who: "Ada"})
	require.NoError(t, err)

	for _, q := range []string{"", "?from=event:semi-final", "?from=-10m&to=now&format=html"} {
		code, body, header := fetch(t, request(t, http.MethodGet, base+"/api/warroom/report"+q))
		require.Equal(t, http.StatusOK, code, body)
		require.Equal(t, report.CSP()+"; frame-ancestors 'none'", header.Get("Content-Security-Policy"))
		require.Contains(t, body, `id="f-`+f.ID+`"`)
		require.Contains(t, body, "WAF is &lt;b&gt;on&lt;/b&gt;")
		require.Contains(t, body, "still open")
		require.Contains(t, body, "https://grafana.example/d/x?from=")
		require.Contains(t, body, "under attack")
		require.NotContains(t, body, "<script")
	}
	code, body, header := fetch(t, request(t, http.MethodGet, base+"/api/warroom/report?format=ndjson"))
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, header.Get("Content-Disposition"), ".ndjson")
	require.True(t, strings.HasPrefix(body, `{"type":"report","data":{`), body[:100])
	require.Contains(t, body, `"event":"Semi-final"`)

	for _, q := range []string{"?from=yesterday", "?from=event:Final", "?format=pdf", "?from=-1h&to=-2h"} {
		code, body, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/report"+q))
		require.Equal(t, http.StatusBadRequest, code, body)
	}
	w.reporting.Lock()
	code, _, header = fetch(t, request(t, http.MethodGet, base+"/api/warroom/report"))
	w.reporting.Unlock()
	require.Equal(t, http.StatusTooManyRequests, code)
	require.NotEmpty(t, header.Get("Retry-After"))
}

func TestAReportOfAnEarlierTimeKnowsNothingOfLaterOnes(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	now := time.Now().Truncate(time.Second)
	f := flood(finding.Closed, time.Minute)
	f.StartedAt, f.DetectedAt, f.UpdatedAt, f.ClosedAt = now.Add(-10*time.Minute), now.Add(-10*time.Minute), now.Add(-2*time.Minute), now.Add(-2*time.Minute)
	require.NoError(t, w.consumeLogs(t.Context(), record(f)))
	code, body, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/report?from=-20m&to=-5m"))
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "still open")
	code, body, _ = fetch(t, request(t, http.MethodGet, base+"/api/warroom/report?from=-20m&to=-15m"))
	require.Equal(t, http.StatusOK, code)
	require.NotContains(t, body, f.ID)
	require.NoError(t, os.Remove(w.cfg.timelinePath()))
	code, _, _ = fetch(t, request(t, http.MethodGet, base+"/api/warroom/report?from=-20m"))
	require.Equal(t, http.StatusOK, code, "a log book that was moved away")
}
