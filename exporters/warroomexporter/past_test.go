package warroomexporter

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/vigie-otel/vigie/exporters/warroomexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/finding"
)

// match is two minutes of a service: a crowd, and an attack for the last 60 s.
func match(t *testing.T, w *warroom, end time.Time) {
	t.Helper()
	for ago := int64(120); ago >= 0; ago-- {
		s := said{service: "player", verdict: finding.Crowd, score: 0.1, rate: 1000, expected: 300, clients: 400, requests: 1000 * (120 - ago), errors: 10 * (120 - ago)}
		if ago <= 60 {
			s.verdict, s.score, s.rate = finding.Attack, 0.9, 9000
		}
		require.NoError(t, w.consumeMetrics(t.Context(), detector(end.Add(-time.Duration(ago)*time.Second), s)))
	}
}

func TestThePastIsShownAsItWas(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	now := time.Now().Truncate(time.Second)
	match(t, w, now)
	at := func(ago time.Duration) (got struct {
		Whole    verdictJSON
		Services []verdictJSON
		Seconds  struct {
			Rate    []*float64
			Verdict []int8
		}
		Past bool
	}) {
		code, body, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/at?time="+now.Add(-ago).UTC().Format(time.RFC3339)))
		require.Equal(t, http.StatusOK, code, body)
		require.NoError(t, json.Unmarshal([]byte(body), &got))
		return got
	}
	attack, crowd, before := at(10*time.Second), at(90*time.Second), at(10*time.Minute)
	require.True(t, attack.Past)
	require.Equal(t, finding.Attack, attack.Whole.Verdict)
	require.InDelta(t, 9000, *attack.Whole.Rate, 0)
	require.InDelta(t, 300, *attack.Whole.Expected, 0)
	require.Equal(t, finding.Crowd, crowd.Whole.Verdict)
	require.InDelta(t, 1000, *crowd.Services[0].Rate, 0)
	require.Equal(t, finding.Unknown, before.Whole.Verdict, "before the first word nothing is known")
	require.Len(t, attack.Seconds.Rate, historySeconds)
	require.InDelta(t, 1000, *attack.Seconds.Rate[historySeconds-100], 0)
	require.EqualValues(t, gravity(finding.Attack), attack.Seconds.Verdict[historySeconds-1])
	require.Nil(t, attack.Seconds.Rate[0])
	code, _, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/at"))
	require.Equal(t, http.StatusBadRequest, code)
}

func TestARestartRemembersTheHistoryAndWhoLeads(t *testing.T) {
	cfg := testConfig(t)
	w := newWarroom(exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, w.Start(t.Context(), componenttest.NewNopHost()))
	match(t, w, time.Now().Truncate(time.Second))
	postNote(t, "http://"+w.addr.String(), `{"kind":"commander","text":"Ada","who":"ada"}`, http.StatusCreated)
	require.NoError(t, w.Shutdown(t.Context()))

	w, _ = roomOf(t, cfg)
	f, err := w.room.current()
	require.NoError(t, err)
	var v struct {
		Seconds struct{ Rate []*float64 }
		Minutes struct{ Rate []*float64 }
	}
	require.NoError(t, json.Unmarshal(payload(f.data), &v))
	known := 0
	for _, x := range v.Seconds.Rate {
		if x != nil {
			known++
		}
	}
	require.GreaterOrEqual(t, known, 119)
	w.room.tick(time.Now())
	require.Equal(t, "Ada", w.room.view.Status.Board.Commander)
}
