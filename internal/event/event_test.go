package event_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/event"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/timeline"
)

var kickOff = time.Date(2026, 7, 14, 19, 0, 0, 0, time.UTC)

func TestAnEventComesBackFromItsLogRecordAsItWas(t *testing.T) {
	e := event.Event{
		ID: "5ca1ab1e", Kind: event.KindMatch, Title: "Semi-final", Text: "first line\nsecond", Service: "player", Who: "Ann",
		Ref: "f00d", StartedAt: kickOff, EndedAt: kickOff.Add(112 * time.Minute),
	}
	r := plog.NewLogRecord()
	e.ToLogRecord(r)
	got, err := event.FromLogRecord(r)
	require.NoError(t, err)
	if d := cmp.Diff(e, got); d != "" {
		t.Error(d)
	}
	require.Equal(t, "Semi-final", r.Body().Str())
}

func TestARecordThatIsNoEventIsToldFromOneThatIsBroken(t *testing.T) {
	r := plog.NewLogRecord()
	_, err := event.FromLogRecord(r)
	require.ErrorIs(t, err, event.ErrNotEvent)
	r.Attributes().PutStr(names.EventName, names.EventEvent)
	_, err = event.FromLogRecord(r)
	require.NotErrorIs(t, err, event.ErrNotEvent)
	for _, want := range []string{names.EventID, names.EventTitle, names.EventStartedAt} {
		require.ErrorContains(t, err, want)
	}
}

func TestHostileTextIsBoundedAndItsLinesStay(t *testing.T) {
	e := event.Event{ID: "1", Title: "a\x1b[31m", Text: "é" + strings.Repeat("é", 3000) + "\n\x00", StartedAt: kickOff, EndedAt: kickOff.Add(-time.Hour)}
	r := plog.NewLogRecord()
	e.ToLogRecord(r)
	got, err := event.FromLogRecord(r)
	require.NoError(t, err)
	require.NotContains(t, got.Title, "\x1b")
	require.LessOrEqual(t, len(got.Text), event.MaxText)
	require.NotContains(t, got.Text, "\uFFFD", "a cut never halves a character")
	require.True(t, got.EndedAt.IsZero(), "an end before the start is none")
	e.Text = "one\ntwo\x07"
	e.Bound()
	require.Equal(t, "one\ntwo\uFFFD", e.Text)
}

func TestACalendarEntryIsTheMatchItsBreakAndItsPushes(t *testing.T) {
	c, problems, err := calendar.Parse([]byte(`
events:
  - name: Semi-final
    kick_off: 2026-07-14T21:00:00+02:00
    expected_audience: 2400000
    push_notifications:
      - {at: 2026-07-14T20:45:00+02:00, name: line-ups, audience: 900000}
`))
	require.NoError(t, err)
	require.Empty(t, problems)
	got := event.Of(c.Next(kickOff.Add(-24 * time.Hour)))
	var told []string
	for _, e := range got {
		told = append(told, e.Kind+" "+e.Title+" "+e.StartedAt.Format("15:04")+" "+e.Text)
	}
	want := []string{"match Semi-final 19:00 2400000 people expected", "phase Semi-final: half-time 19:47 ", "push Semi-final: line-ups 18:45 to 900000 devices"}
	if d := cmp.Diff(want, told); d != "" {
		t.Error(d)
	}
	require.Equal(t, 112*time.Minute, got[0].EndedAt.Sub(got[0].StartedAt))

	moved, _, err := calendar.Parse([]byte("events: [{name: Semi-final, kick_off: 2026-07-14T21:15:00+02:00}]"))
	require.NoError(t, err)
	require.Equal(t, got[0].ID, event.Of(moved.Next(kickOff.Add(-24 * time.Hour)))[0].ID, "a kick-off that moves on its day is the same event")
}

func TestOnlyWhatHasNoRecordOfItsOwnComesFromTheLogBook(t *testing.T) {
	for kind, want := range map[timeline.Kind]string{
		timeline.Note: "goal", timeline.Severity: "severity goal", timeline.Commander: "commander: goal",
		timeline.Opened: "", timeline.Closed: "", timeline.Verdict: "", timeline.Server: "",
	} {
		e, ok := event.FromEntry(timeline.Entry{Seq: 3, At: kickOff, Kind: kind, Text: "goal", Who: "Ann"}, "arena")
		require.Equal(t, want != "", ok, kind)
		require.Equal(t, want, e.Title, kind)
	}
	a, _ := event.FromEntry(timeline.Entry{Seq: 3, At: kickOff, Kind: timeline.Note, Text: "x"}, "arena")
	b, _ := event.FromEntry(timeline.Entry{Seq: 3, At: kickOff, Kind: timeline.Note, Text: "x"}, "stadium")
	require.NotEqual(t, a.ID, b.ID)
	long, _ := event.FromEntry(timeline.Entry{Seq: 4, At: kickOff, Kind: timeline.Note, Text: "first\nsecond"}, "arena")
	require.Equal(t, "first", long.Title)
	require.Equal(t, "first\nsecond", long.Text)
	require.LessOrEqual(t, len(long.Title), finding.MaxString)
}

func FuzzAnEventOfAnybodyIsBoundedSafeAndStable(f *testing.F) {
	f.Add("title", "text\nof lines", "svc")
	f.Add("\x1b]0;x\a", strings.Repeat("\xff\n", 3000), "é")
	f.Fuzz(func(t *testing.T, title, text, service string) {
		e := event.Event{ID: "1", Title: title + "x", Text: text, Service: service, StartedAt: kickOff}
		r := plog.NewLogRecord()
		e.ToLogRecord(r)
		got, err := event.FromLogRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(got.Text) || len(got.Text) > event.MaxText || len(got.Title) > finding.MaxString || strings.ContainsRune(got.Text, '\x1b') {
			t.Fatalf("%q", got)
		}
		again := got
		again.Bound()
		if again != got {
			t.Fatalf("%q, and bounded again %q", got, again)
		}
	})
}
