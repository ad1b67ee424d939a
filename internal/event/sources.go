package event

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// Of are the events of one entry of the calendar: the match itself, its breaks
// and its push notifications. The ids hold the day and not the minute, so that a
// kick-off which moves by a quarter of an hour moves what was told.
func Of(c *calendar.Event) []Event {
	day := c.KickOff.UTC().Format(time.DateOnly)
	service := ""
	if len(c.Services) > 0 {
		service = strings.Join(c.Services, ", ")
	}
	match := Event{
		ID: NewID(KindMatch, c.Name, day), Kind: KindMatch, Title: c.Name, Service: service,
		StartedAt: c.KickOff, EndedAt: c.FullTime,
	}
	if c.ExpectedAudience > 0 {
		match.Text = fmt.Sprintf("%d people expected", c.ExpectedAudience)
	}
	out := []Event{match}
	phase := func(name string, from, to time.Time) {
		if to.After(from) {
			out = append(out, Event{
				ID: NewID(KindPhase, c.Name, day, name), Kind: KindPhase, Title: c.Name + ": " + name, Service: service,
				StartedAt: from, EndedAt: to,
			})
		}
	}
	phase("half-time", c.HalfTime, c.SecondHalf)
	if !c.ExtraTime.IsZero() {
		phase("extra time", c.ExtraTime, c.FullTime)
	}
	for i, p := range c.Push {
		e := Event{
			ID: NewID(KindPush, c.Name, day, strconv.Itoa(i)), Kind: KindPush, Title: c.Name + ": " + p.Name, Service: service,
			StartedAt: p.At,
		}
		if p.Audience > 0 {
			e.Text = fmt.Sprintf("to %d devices", p.Audience)
		}
		out = append(out, e)
	}
	for i := range out {
		out[i].Bound()
	}
	return out
}

// FromEntry is an entry of the war room's log book. book tells log books apart,
// such as the cluster's name: entries are numbered within one. false for what is
// told otherwise: findings have records of their own, and verdicts a metric.
func FromEntry(e timeline.Entry, book string) (Event, bool) {
	title := e.Text
	switch e.Kind {
	case timeline.Note, timeline.Phase:
	case timeline.Severity:
		title = "severity " + e.Text
	case timeline.Commander, timeline.Deputy, timeline.Scribe:
		if title = string(e.Kind) + ": " + e.Text; e.Text == "" {
			title = "no " + string(e.Kind)
		}
	default:
		return Event{}, false
	}
	out := Event{
		ID: NewID("entry", book, strconv.FormatUint(e.Seq, 10), e.At.UTC().Format(time.RFC3339Nano)), Kind: string(e.Kind),
		Title: title, Service: e.Service, Who: e.Who, Ref: e.Ref, StartedAt: e.At,
	}
	if first, _, more := strings.Cut(title, "\n"); more || len(title) > 200 {
		out.Title, out.Text = first, title
	}
	out.Bound()
	return out, true
}
