package warroomexporter

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/timeline"
)

func calendarFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "calendar.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// still ends the room's own ticks: only the test's count from here.
func still(w *warroom) {
	w.stop()
	w.room.ticking.Wait()
}

func TestTheEventClockFollowsTheCalendarAndItsPhasesAreEntered(t *testing.T) {
	// Far from the wall clock, whose own ticks go on beside those of the test.
	kick := time.Now().Add(48 * time.Hour).Truncate(time.Second)
	cfg := testConfig(t)
	cfg.Room.Calendar = calendarFile(t, fmt.Sprintf("events:\n  - name: Semi-final\n    kick_off: %s\n    factor: 8\n    expected_audience: 2400000\n", kick.Format(time.RFC3339)))
	w, _ := roomOf(t, cfg)
	still(w)
	w.room.tick(kick.Add(-2 * time.Hour))
	require.Nil(t, w.room.view.Status.Event)
	require.Equal(t, "Semi-final", w.room.view.Status.Next.Name)
	w.room.tick(kick.Add(-time.Minute))
	w.room.tick(kick.Add(time.Minute))
	e := w.room.view.Status.Event
	require.Equal(t, "Semi-final", e.Name)
	require.EqualValues(t, 2_400_000, e.Expected)
	require.Greater(t, e.Factor, 1.0)
	var phases []string
	for _, entry := range w.room.log.Newest(10) {
		if entry.Kind == timeline.Phase {
			phases = append(phases, entry.Text)
		}
	}
	require.Len(t, phases, 1, "the phase that begins under our eyes, not the one that was found")
}

func TestACalendarThatCannotBeReadIsSaidOnThePage(t *testing.T) {
	cfg := testConfig(t)
	cfg.Room.Calendar = calendarFile(t, "events: {not: [a list")
	w, _ := roomOf(t, cfg)
	still(w)
	w.room.tick(time.Now())
	require.NotEmpty(t, w.room.view.Status.Calendar)
}

func TestVerdictsThatTurnAndFindingsThatOpenAndCloseAreEntered(t *testing.T) {
	w, _ := roomOf(t, testConfig(t))
	require.NoError(t, w.consumeMetrics(t.Context(), detector(time.Now(), said{service: "player", verdict: finding.Attack, rate: 1})))
	w.room.tick(time.Now())
	require.NoError(t, w.consumeLogs(t.Context(), record(flood(finding.Open, time.Second))))
	require.NoError(t, w.consumeLogs(t.Context(), record(flood(finding.Closed, time.Minute))))
	kinds := map[timeline.Kind]string{}
	for _, e := range w.room.log.Newest(10) {
		kinds[e.Kind] = e.Text
	}
	require.Equal(t, "unknown → attack", kinds[timeline.Verdict])
	require.Equal(t, "HTTP flood, 90 % sure", kinds[timeline.Opened])
	require.Equal(t, "HTTP flood, 60000 requests in 1m0s", kinds[timeline.Closed])
}

func TestAProposedRuleIsGivenInTheLanguageThatIsAskedFor(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	f := flood(finding.Open, time.Second)
	f.Rules = []finding.Rule{{Kind: "ip_set", Action: finding.ActionBlock, Coverage: 0.9, Match: []finding.Condition{{Field: "client.address", Op: finding.OpIn, Values: []string{"203.0.113.0/24"}}}}}
	require.NoError(t, w.consumeLogs(t.Context(), record(f)))
	url := base + "/api/warroom/rule?finding=" + f.ID + "&rule=0&format="
	for _, format := range []string{"waf", "nginx", "cidr"} {
		code, body, header := fetch(t, request(t, http.MethodGet, url+format))
		require.Equal(t, http.StatusOK, code, body)
		require.Contains(t, body, "203.0.113.0/24", format)
		require.Contains(t, header.Get("Content-Type"), "text/plain")
	}
	code, body, _ := fetch(t, request(t, http.MethodGet, url+"waf"))
	require.Equal(t, http.StatusOK, code)
	require.True(t, json.Valid([]byte(body)), body)
	for _, wrong := range []string{url + "iptables", base + "/api/warroom/rule?finding=x&rule=0&format=waf", base + "/api/warroom/rule?finding=" + f.ID + "&rule=9&format=waf"} {
		code, _, _ := fetch(t, request(t, http.MethodGet, wrong))
		require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, code, wrong)
	}
}
