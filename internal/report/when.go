package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/finding"
)

// MaxRange is the longest time that a report is about.
const MaxRange = 7 * 24 * time.Hour

// Around is how much before its kick-off and after its full time an event is
// reported.
const Around = 15 * time.Minute

// When reads the ends of a report: RFC 3339, "now", a time before now such as
// "-2h", or "event:NAME" for a calendar's event, which gives its beginning as
// from and its end as to. An empty to is the event's end where from names one,
// else now. The event that is named, or that kicks off within the time, comes back
// too.
func When(from, to string, now time.Time, c *calendar.Calendar) (begin, end time.Time, ev *calendar.Event, err error) {
	if strings.HasPrefix(from, "event:") && to == "" {
		to = from
	}
	begin, ev, err = instant(from, now, c, false)
	if err != nil {
		return begin, end, nil, fmt.Errorf("from %w", err)
	}
	end, last, err := instant(to, now, c, true)
	if err != nil {
		return begin, end, nil, fmt.Errorf("to %w", err)
	}
	if ev == nil {
		ev = last
	}
	if end.After(now) {
		end = now
	}
	switch {
	case !begin.Before(end):
		return begin, end, nil, fmt.Errorf("from must be before to, and not in the future (got %s to %s)", begin.Format(time.RFC3339), end.Format(time.RFC3339))
	case end.Sub(begin) > MaxRange:
		return begin, end, nil, fmt.Errorf("from and to must be at most %d days apart (got %s)", MaxRange/(24*time.Hour), end.Sub(begin).Round(time.Minute))
	}
	if ev == nil && c != nil { // the event that kicks off within the time
		for _, e := range c.Events() {
			if !e.KickOff.Before(begin) && e.KickOff.Before(end) {
				ev = &e
			}
		}
	}
	return begin.Truncate(time.Second).UTC(), end.Truncate(time.Second).UTC(), ev, nil
}

var errWhen = errors.New("must be RFC 3339, now, a time before now such as -2h, or event:NAME")

func instant(text string, now time.Time, c *calendar.Calendar, end bool) (time.Time, *calendar.Event, error) {
	if name, ok := strings.CutPrefix(text, "event:"); ok {
		ev, err := eventNamed(strings.TrimSpace(name), c)
		if err != nil {
			return time.Time{}, nil, err
		}
		if end {
			return ev.FullTime.Add(Around), ev, nil
		}
		return ev.KickOff.Add(-Around), ev, nil
	}
	if text == "now" || text == "" && end {
		return now, nil, nil
	}
	if strings.HasPrefix(text, "-") {
		if d, err := time.ParseDuration(text); err == nil {
			return now.Add(d), nil, nil
		}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, nil, fmt.Errorf("%w (got %q), e.g. 2026-07-14T20:45:00+02:00", errWhen, finding.Clean(text))
	}
	return at, nil, nil
}

// eventNamed finds an event by its name, whatever its case; of several the one
// that is latest.
func eventNamed(name string, c *calendar.Calendar) (*calendar.Event, error) {
	if c == nil {
		return nil, fmt.Errorf("names the event %q, and there is no calendar: set VIGIE_CALENDAR or --calendar", finding.Clean(name))
	}
	var found *calendar.Event
	var names []string
	for _, ev := range c.Events() {
		if strings.EqualFold(ev.Name, name) && (found == nil || ev.KickOff.After(found.KickOff)) {
			found = &ev
		}
		names = append(names, finding.Clean(ev.Name))
	}
	if found == nil {
		slices.Sort(names)
		names = slices.Compact(names)
		return nil, fmt.Errorf("names the event %q, which the calendar does not have; it has: %s", finding.Clean(name), strings.Join(names[:min(20, len(names))], ", "))
	}
	return found, nil
}
