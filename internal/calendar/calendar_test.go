package calendar

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

const good = `
events:
  - name: Semi-final
    kick_off: 2026-07-14T21:00:00+02:00
    services: [signin, player-*]
    expected_audience: 2_400_000
    usual_audience: 300000
    push_notifications:
      - {at: 2026-07-14T20:45:00+02:00, name: line-ups, audience: 900000, factor: 3}
`

func parse(t *testing.T, text string) (*Calendar, []Problem) {
	t.Helper()
	c, problems, err := Parse([]byte(text))
	require.NoError(t, err)
	return c, problems
}

func clock(t *testing.T, at string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, "2026-07-14T"+at+"+02:00")
	require.NoError(t, err)
	return out
}

func TestAMatchGoesThroughItsPhases(t *testing.T) {
	c, problems := parse(t, good)
	require.Empty(t, problems)
	for at, want := range map[string]Phase{
		"19:59:59": PhaseNone, "20:00:00": PhasePre, "20:59:59": PhasePre, "21:00:00": PhaseFirstHalf,
		"21:47:00": PhaseHalfTime, "22:02:00": PhaseSecondHalf, "22:51:59": PhaseSecondHalf,
		"22:52:00": PhasePost, "23:36:59": PhasePost, "23:37:00": PhaseNone,
	} {
		_, got := c.Phase(clock(t, at))
		if got != want {
			t.Errorf("at %s: %q, want %q", at, got, want)
		}
	}
}

func TestExtraTimeFollowsTheSecondHalf(t *testing.T) {
	c, problems := parse(t, `events: [{name: Final, kick_off: 2026-07-14T21:00:00+02:00, extra_time: 2026-07-14T22:57:00+02:00}]`)
	require.Empty(t, problems)
	_, got := c.Phase(clock(t, "23:10:00"))
	if got != PhaseExtraTime {
		t.Errorf("got %q", got)
	}
	_, got = c.Phase(clock(t, "23:30:00"))
	if got != PhasePost {
		t.Errorf("got %q", got)
	}
}

func TestTheBandWidensBeforeKickOffAndNarrowsAfterFullTime(t *testing.T) {
	c, _ := parse(t, good)
	for _, tc := range []struct {
		service, at string
		want        float64
	}{
		{"signin", "19:59:00", 1},
		{"signin", "20:22:30", math.Sqrt(8)}, // half-way up, in the logarithm
		{"signin", "20:46:00", 24},           // 8 for the match, 3 for the push notification
		{"player-eu", "21:00:00", 8},
		{"player-eu", "21:50:00", 8},
		{"player-eu", "23:14:30", math.Sqrt(8)},
		{"shop", "21:00:00", 1},
	} {
		got := c.Expectation(tc.service, clock(t, tc.at)).Factor
		if math.Abs(got-tc.want) > 1e-9 {
			t.Errorf("%s at %s: %g, want %g", tc.service, tc.at, got, tc.want)
		}
	}
	got := c.Expectation("signin", clock(t, "20:46:00"))
	want := Band{Factor: 24, Event: "Semi-final", Phase: PhasePre, Push: "line-ups"}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })); d != "" {
		t.Error(d)
	}
}

func TestTwoEventsAtOnceAddTheirPeople(t *testing.T) {
	c, _ := parse(t, `events:
- {name: A, kick_off: 2026-07-14T21:00:00+02:00, factor: 4}
- {name: B, kick_off: 2026-07-14T21:00:00+02:00, factor: 3}`)
	band := c.Expectation("x", clock(t, "21:10:00"))
	if math.Abs(band.Factor-6) > 1e-9 || band.Event != "A" {
		t.Errorf("got %+v", band)
	}
}

func TestNoCalendarExpectsNothingSpecial(t *testing.T) {
	var c *Calendar
	if got := c.Expectation("x", time.Unix(0, 0)); got != (Band{Factor: 1}) {
		t.Errorf("got %+v", got)
	}
	if e, p := c.Phase(time.Unix(0, 0)); e != nil || p != PhaseNone {
		t.Errorf("got %v %q", e, p)
	}
}

func TestBadEntriesAreNamedWithTheirLineAndTheRestIsKept(t *testing.T) {
	c, problems := parse(t, `events:
  - name: No time
  - name: Backwards
    kick_off: 2026-07-14T21:00:00Z
    full_time: 2026-07-14T20:00:00Z
  - name: Zoneless
    kick_off: 2026-07-14 21:00
  - just a word
  - name: Kept
    kick_off: 2026-07-14T21:00:00Z
    half-time: 2026-07-14T21:47:00Z
    factor: 0.2
    services: ["[a"]
    push_notifications:
      - {name: no time}
      - {at: 2026-07-14T20:50:00Z, colour: red}
  - {kick_off: 2026-07-14T21:00:00Z}
timezone: UTC
`)
	var got []string
	for _, p := range problems {
		got = append(got, p.Error())
	}
	want := []string{
		`line 2: event "No time": kick_off is required, e.g. 2026-07-14T21:00:00+02:00; the event is ignored`,
		`line 3: event "Backwards": full_time (2026-07-14T20:00:00Z) is before second_half (2026-07-14T20:00:00Z); the event is ignored`,
		`line 7: event "Zoneless": kick_off: want a time with its zone (got "2026-07-14 21:00"), e.g. 2026-07-14T21:00:00+02:00; ignored`,
		`line 6: event "Zoneless": kick_off is required, e.g. 2026-07-14T21:00:00+02:00; the event is ignored`,
		`line 8: an event must be a mapping with name and kick_off; ignored`,
		`line 11: event "Kept": half-time: unknown key; ignored`,
		`line 12: event "Kept": factor: want a factor from 1 to 1000 (got "0.2"), e.g. 8; ignored`,
		`line 13: event "Kept": services: bad pattern "[a"; ignored`,
		`line 15: event "Kept": a push notification needs at, e.g. 2026-07-14T20:45:00+02:00; ignored`,
		`line 16: event "Kept": colour: unknown key; ignored`,
		`line 17: name is required; the event is ignored`,
		`line 18: timezone: unknown key; ignored`,
	}
	want[1] = `line 3: event "Backwards": half_time (2026-07-14T20:00:00Z) is before kick_off (2026-07-14T21:00:00Z); the event is ignored`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(c.Events()) != 1 || c.Events()[0].Name != "Kept" || len(c.Events()[0].Push) != 1 {
		t.Errorf("kept %+v", c.Events())
	}
}

func TestATextThatIsNoCalendarIsAnError(t *testing.T) {
	for _, text := range []string{"events: [", "- a\n- b", "\x00"} {
		if _, _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestAChangedFileIsReadAgainAndABrokenOneLeavesTheLastInForce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calendar.yaml")
	write := func(text string, at int64) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chtimes(path, time.Unix(at, 0), time.Unix(at, 0)))
	}
	f := File{Path: path}
	_, _, err := f.Reload()
	require.Error(t, err)
	write(good, 1000)
	changed, problems, err := f.Reload()
	require.NoError(t, err)
	if !changed || len(problems) != 0 || len(f.Calendar().Events()) != 1 {
		t.Fatalf("changed %v, problems %v", changed, problems)
	}
	if changed, _, _ = f.Reload(); changed {
		t.Error("an unchanged file was read again")
	}
	write("events: [", 2000)
	if _, _, err = f.Reload(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name the file", err)
	}
	if _, _, err = f.Reload(); err != nil {
		t.Errorf("the same broken content was reported twice: %v", err)
	}
	if len(f.Calendar().Events()) != 1 {
		t.Error("the last good calendar is gone")
	}
	write("", 3000)
	if changed, _, err = f.Reload(); !changed || err != nil || len(f.Calendar().Events()) != 0 {
		t.Errorf("changed %v, error %v", changed, err)
	}
}
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("events: [{name: a, kick_off: 2026-07-14T21:00:00Z, factor: .nan}]"))
	f.Add([]byte("events: &a [*a]"))
	at := time.Date(2026, 7, 14, 19, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, _, err := Parse(text)
		if err != nil {
			return
		}
		if got := c.Expectation("x", at).Factor; !(got >= 1 && got <= maxFactor) {
			t.Errorf("factor %g", got)
		}
	})
}
