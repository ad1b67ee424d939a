package warroomexporter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/report"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// serveReport answers GET /api/warroom/report?from=&to=&format=html|ndjson: the
// record of a time, as a file. from and to as report.When reads them; without
// from, the event that is on, else the last hour.
func (w *warroom) serveReport(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	format := q.Get("format")
	if format != "" && format != "html" && format != "ndjson" {
		http.Error(rw, "format must be html or ndjson", http.StatusBadRequest)
		return
	}
	c := w.room.calendarNow()
	from, to := q.Get("from"), q.Get("to")
	if from == "" {
		from = w.room.reportFrom(w.now())
	}
	begin, end, ev, err := report.When(from, to, w.now(), c)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	// A report costs a thousand queries: one at a time, and others are told so.
	if !w.reporting.TryLock() {
		rw.Header().Set("Retry-After", "5")
		http.Error(rw, "another report is being made; try again in a few seconds", http.StatusTooManyRequests)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 100*time.Second)
	defer cancel()
	rep, err := w.report(ctx, begin, end, ev)
	w.reporting.Unlock()
	if err != nil {
		http.Error(rw, "make the report: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	name := "vigie-" + begin.Format("20060102-150405")
	h := rw.Header()
	if format == "ndjson" {
		h.Set("Content-Type", "application/x-ndjson")
		h.Set("Content-Disposition", `attachment; filename="`+name+`.ndjson"`)
		err = rep.WriteNDJSON(rw)
	} else {
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", report.CSP()+"; frame-ancestors 'none'")
		if q.Has("download") {
			h.Set("Content-Disposition", `attachment; filename="`+name+`.html"`)
		}
		err = rep.WriteHTML(rw)
	}
	if err != nil {
		w.set.Logger.Debug("a report was not sent whole", zap.Error(err))
	}
}

func (w *warroom) report(ctx context.Context, from, to time.Time, ev *calendar.Event) (*report.Report, error) {
	entries, broken, err := timeline.Read(w.cfg.timelinePath(), from, to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	rows := w.findings.list(time.Time{}, w.cfg.Room.Findings)
	found := make([]report.Finding, len(rows))
	for i := range rows {
		found[i] = report.Finding{Finding: rows[i].Finding, Stale: rows[i].Stale}
		// As it stood at the end of the range: what closed later was open then.
		if f := &found[i]; f.Status == finding.Closed && f.ClosedAt.After(to) {
			f.Status, f.ClosedAt = finding.Update, time.Time{}
		}
	}
	rep, err := report.Make(ctx, report.Input{
		From: from, To: to, Made: w.now(), Event: ev, SLO: w.cfg.Room.SLO, Version: w.set.BuildInfo.Version,
		Store: w.store, Findings: found, Entries: entries, Broken: broken, Grafana: w.cfg.Room.GrafanaURL,
	})
	if err != nil {
		return nil, fmt.Errorf("read the store: %w", err)
	}
	return rep, nil
}

// calendarNow is the newest calendar, read afresh: the one of the clock is the
// tick's own.
func (r *room) calendarNow() *calendar.Calendar {
	if r.calendar == nil {
		return nil
	}
	c, _, err := calendar.Load(r.calendar.Path)
	if err != nil {
		return nil
	}
	return c
}

// reportFrom is where a report begins that nobody gave a time: the event that is
// on, else an hour ago.
func (r *room) reportFrom(now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.event != nil && r.event.KickOff.Before(now) {
		return r.event.KickOff.Add(-report.Around).Format(time.RFC3339)
	}
	return "-1h"
}
