package warroomexporter

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/headroom"
	"github.com/vigie-otel/vigie/internal/names"
)

// filling is a minute of a table that grows by 400 entries a second to 142,000.
func filling(now time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.instance.id", "node-a")
	ms := rm.ScopeMetrics().AppendEmpty().Metrics()
	for name, value := range map[string]func(ago float64) float64{
		names.ConntrackUsage: func(ago float64) float64 { return 142_000 - 400*ago },
		names.ConntrackLimit: func(float64) float64 { return 262_000 },
	} {
		m := ms.AppendEmpty()
		m.SetName(name)
		m.SetUnit("{entry}")
		points := m.SetEmptyGauge().DataPoints()
		for ago := 60.0; ago >= 0; ago-- {
			p := points.AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(now.Add(-time.Duration(ago) * time.Second)))
			p.SetDoubleValue(value(ago))
		}
	}
	return md
}

func headroomOf(t *testing.T, url string) headroom.Report {
	t.Helper()
	code, body, _ := fetch(t, request(t, http.MethodGet, url))
	require.Equal(t, http.StatusOK, code, body)
	var rep headroom.Report
	require.NoError(t, json.Unmarshal([]byte(body), &rep))
	return rep
}

func TestHeadroomTellsTheWallsWithMinutesLeftAndWhatIsNotSeen(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	require.NoError(t, w.consumeMetrics(t.Context(), filling(time.Now())))
	rep := headroomOf(t, base+"/api/warroom/headroom")
	require.Len(t, rep.Walls, 1)
	require.Equal(t, "node-a", rep.Walls[0].Resource)
	require.InDelta(t, 5, *rep.Walls[0].MinutesLeft, 0.3)
	require.NotEmpty(t, rep.Missing)
}

func TestHeadroomIsReadOnceForAllWhoAskWithinFiveSeconds(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	at := time.Now()
	w.walls.now = func() time.Time { return at }
	first := headroomOf(t, base+"/api/warroom/headroom")
	at = at.Add(4 * time.Second)
	require.Equal(t, first.At, headroomOf(t, base+"/api/warroom/headroom").At)
	at = at.Add(time.Second)
	require.True(t, headroomOf(t, base+"/api/warroom/headroom").At.Equal(at))
}

func TestHeadroomOfAPastMomentIsReadFromTheStore(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	now := time.Now()
	require.NoError(t, w.consumeMetrics(t.Context(), filling(now)))
	then := now.Add(-30 * time.Second)
	rep := headroomOf(t, base+"/api/warroom/headroom?time="+then.UTC().Format(time.RFC3339Nano))
	require.InDelta(t, 130_000, *rep.Walls[0].Used, 500)
	code, _, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/headroom?time=yesterday"))
	require.Equal(t, http.StatusBadRequest, code)
}
