package grafanaexporter

import (
	"context"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/event"
)

const (
	// calendarLook is how often the file is asked whether it changed.
	calendarLook = 30 * time.Second
	// calendarPast is how long after its end an event is still drawn: a season's
	// past matches are not drawn again when the storage is new.
	calendarPast = 24 * time.Hour
)

// follow tells the events of the calendar's file, and again when it changes,
// until ctx ends. An event that is taken out of the file stays in Grafana.
func (g *grafana) follow(ctx context.Context) {
	file := &calendar.File{Path: g.cfg.Calendar}
	said := ""
	// Two gateways start together and have the same file: the second one shall
	// find what the first has drawn.
	g.rest(ctx, rand.N(calendarLook), nil)
	for ctx.Err() == nil {
		changed, problems, err := file.Reload()
		switch {
		case err != nil && err.Error() != said:
			said = err.Error()
			g.set.Logger.Warn("the calendar is not drawn until its file can be read", zap.Error(err))
		case changed:
			said = ""
			for _, p := range problems {
				g.set.Logger.Warn("an entry of the calendar is left out", zap.String("file", file.Path), zap.Error(p))
			}
			g.take(ctx, g.announced(file.Calendar(), time.Now()))
		}
		g.rest(ctx, calendarLook, nil)
	}
}

// announced are the events that are to come, under way, or over since a day.
func (g *grafana) announced(c *calendar.Calendar, now time.Time) (words []word) {
	for _, entry := range c.Events() {
		if entry.FullTime.Add(calendarPast).Before(now) {
			continue
		}
		for _, e := range event.Of(&entry) {
			words = append(words, g.cfg.ofEvent(&e))
		}
	}
	return words
}
