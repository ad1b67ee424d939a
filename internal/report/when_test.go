package report_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/report"
)

func TestTheEndsOfAReportAreReadAsPeopleWriteThem(t *testing.T) {
	now := kickOff.Add(6 * time.Hour)
	c, problems, err := calendar.Parse([]byte("events:\n  - {name: Semi-final, kick_off: 2026-07-14T19:00:00Z, full_time: 2026-07-14T20:50:00Z}\n"))
	require.NoError(t, err)
	require.Empty(t, problems)
	for name, x := range map[string]struct {
		from, to   string
		begin, end time.Time
	}{
		"times":           {"2026-07-14T21:00:00+02:00", "2026-07-14T20:00:00Z", kickOff, kickOff.Add(time.Hour)},
		"before now":      {"-2h", "", now.Add(-2 * time.Hour), now},
		"both before":     {"-2h", "-90m", now.Add(-2 * time.Hour), now.Add(-90 * time.Minute)},
		"an event":        {"event:semi-FINAL", "", kickOff.Add(-report.Around), kickOff.Add(110*time.Minute + report.Around)},
		"up to the event": {"2026-07-14T18:00:00Z", "event:Semi-final", kickOff.Add(-time.Hour), kickOff.Add(110*time.Minute + report.Around)},
		"the future":      {"-1h", "2036-07-14T18:00:00Z", now.Add(-time.Hour), now},
	} {
		begin, end, _, err := report.When(x.from, x.to, now, c)
		require.NoError(t, err, name)
		require.True(t, x.begin.Equal(begin), "%s: %s", name, begin)
		require.True(t, x.end.Equal(end), "%s: %s", name, end)
	}
	_, _, ev, err := report.When("event:Semi-final", "", now, c)
	require.NoError(t, err)
	require.Equal(t, "Semi-final", ev.Name)
}

func TestAnEndThatMakesNoSenseIsRefusedWithTheWayOut(t *testing.T) {
	now := kickOff.Add(6 * time.Hour)
	c := &calendar.Calendar{}
	for _, x := range []struct{ from, to, says string }{
		{"yesterday", "", "RFC 3339"},
		{"-2h", "soon", "to must be"},
		{"-1h", "-2h", "before to"},
		{"2036-07-14T18:00:00Z", "", "future"},
		{"-300h", "", "7 days"},
		{"event:Final", "", "calendar does not have"},
		{"", "", "from must be"},
	} {
		_, _, _, err := report.When(x.from, x.to, now, c)
		require.ErrorContains(t, err, x.says, x.from)
	}
	_, _, _, err := report.When("event:Final", "", now, nil)
	require.ErrorContains(t, err, "VIGIE_CALENDAR")
}
