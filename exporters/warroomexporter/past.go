package warroomexporter

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// What the store knows of the detector's metrics, over all services, under the
// names that the translator gives them; TestThePastIsShownAsItWas holds the two
// together.
var totals = [...]string{
	"sum(vigie_traffic_rate_per_second)",
	"sum(vigie_traffic_expected_rate_per_second)",
	"sum(vigie_traffic_clients)",
	"sum(rate(vigie_traffic_errors_total[10s]))",
	"sum(rate(vigie_attack_suspected_requests_total[10s]))",
	"max(vigie_attack_score_ratio)",
}

// stateHolds is 1 where any service is in a state.
const stateHolds = `max(vigie_attack_verdict{vigie_attack_verdict_state=%q})`

// past reads the history of the whole that ended at a time.
func (a *asker) past(n int, step time.Duration) past {
	p := past{End: a.at.Truncate(step).Unix(), Step: int64(step / time.Second)}
	columns := [...]*column{&p.Rate, &p.Expected, &p.Clients, &p.Errors, &p.Suspected, &p.Score}
	for i, expr := range totals {
		*columns[i] = a.rangeOf(expr, n, step)
	}
	states := map[finding.Verdict][]float32{}
	for _, v := range finding.Verdicts() {
		states[v] = a.rangeOf(fmt.Sprintf(stateHolds, v), n, step)
	}
	p.Verdict = make([]int8, n)
	for i := range n {
		var rows []verdictRow
		for v, column := range states {
			if column[i] == 1 {
				rows = append(rows, verdictRow{Verdict: v})
			}
		}
		p.Verdict[i] = -1
		if len(rows) > 0 {
			p.Verdict[i] = int8(gravity(whole(rows)))
		}
	}
	return p
}

// rows reads each service's verdict. The store repeats a last value for five
// minutes, so a verdict is only taken from the seconds before.
func (a *asker) rows() []verdictRow {
	last := func(metric string) string { return "last_over_time(" + metric + "[" + verdictSilent.String() + "])" }
	of := map[string]*verdictRow{}
	for _, s := range a.by("vigie_attack_verdict_state", last("vigie_attack_verdict")+" == 1") {
		if v := finding.Verdict(s.label); v.Valid() {
			name := cut(s.labels.Get("service_name"), 128)
			of[name] = &verdictRow{
				Service: name, Verdict: v, Since: a.at, Heard: a.at,
				Score: notANumber, Rate: notANumber, Expected: notANumber, Clients: notANumber, Errors: notANumber, Suspected: notANumber,
			}
		}
	}
	for _, q := range []struct {
		expr string
		to   func(*verdictRow) *number
	}{
		{last("vigie_traffic_rate_per_second"), func(r *verdictRow) *number { return &r.Rate }},
		{last("vigie_traffic_expected_rate_per_second"), func(r *verdictRow) *number { return &r.Expected }},
		{last("vigie_traffic_clients"), func(r *verdictRow) *number { return &r.Clients }},
		{last("vigie_attack_score_ratio"), func(r *verdictRow) *number { return &r.Score }},
		{"rate(vigie_traffic_errors_total[10s])", func(r *verdictRow) *number { return &r.Errors }},
		{"rate(vigie_attack_suspected_requests_total[10s])", func(r *verdictRow) *number { return &r.Suspected }},
	} {
		for _, s := range a.by("service_name", q.expr) {
			if row := of[s.label]; row != nil {
				*q.to(row) = s.value
			}
		}
	}
	out := make([]verdictRow, 0, len(of))
	for _, row := range of {
		out = append(out, *row)
	}
	slices.SortFunc(out, compareRows)
	return out
}

// remember fills the history from the store after a restart, so that a viewer
// who comes back sees no gap but the one that was.
func (r *room) remember(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	a := asker{ctx: ctx, store: r.w.store, at: now}
	seconds, minutes := a.past(historySeconds, time.Second), a.past(historyMinutes, time.Minute)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.whole.fill(&seconds, &minutes)
	for _, e := range r.log.Newest(timeline.Limit) {
		r.board.take(e)
		r.told = e.Seq
	}
}

// fill takes over what the store remembers. An empty store leaves it empty.
func (h *history) fill(seconds, minutes *past) {
	known := slices.ContainsFunc(seconds.Verdict, func(v int8) bool { return v >= 0 }) ||
		slices.ContainsFunc(minutes.Verdict, func(v int8) bool { return v >= 0 })
	if !known {
		return
	}
	for i := range minutes.Verdict {
		minute := minutes.End/60 - int64(len(minutes.Verdict)-1-i)
		h.minutes[((minute%historyMinutes)+historyMinutes)%historyMinutes] = minutes.row(i)
	}
	for i := range seconds.Verdict {
		second := seconds.End - int64(len(seconds.Verdict)-1-i)
		h.seconds[((second%historySeconds)+historySeconds)%historySeconds] = seconds.row(i)
	}
	h.newest = seconds.End
}

func (p *past) row(i int) moment {
	return moment{
		rate: p.Rate[i], expected: p.Expected[i], clients: p.Clients[i], errors: p.Errors[i],
		suspected: p.Suspected[i], score: p.Score[i], verdict: p.Verdict[i],
	}
}

// serveAt answers GET /api/warroom/at?time=: the view of a moment in the past,
// read from the store.
func (w *warroom) serveAt(rw http.ResponseWriter, r *http.Request) {
	at, given, err := timeParam(r, w.now())
	if err != nil || !given {
		http.Error(rw, errTime.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	v, err := w.room.viewAt(ctx, at)
	if err != nil {
		http.Error(rw, "read the past: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	writeJSON(rw, http.StatusOK, v)
}

func (r *room) viewAt(ctx context.Context, at time.Time) (view, error) {
	a := asker{ctx: ctx, store: r.w.store, at: at}
	v := view{Past: true, Services: a.rows(), Findings: r.w.findings.list(at, shownFindings)}
	v.Whole = total(v.Services, at)
	v.Whole.Since = at
	rep := r.w.walls.at(ctx, r.w.store, at)
	v.Headroom = &rep
	v.Pain = readPain(ctx, r.w.store, at, r.w.cfg.Room.SLO, at.Add(-time.Hour))
	v.Ledger = readBooks(ctx, r.w.store, at)
	seconds, minutes := a.past(historySeconds, time.Second), a.past(historyMinutes, time.Minute)
	v.Seconds, v.Minutes = &seconds, &minutes
	v.FindingsNone = len(v.Findings) == 0
	entries := r.log.Newest(timeline.Limit)
	entries = slices.DeleteFunc(entries, func(e timeline.Entry) bool { return e.At.After(at) })
	v.Timeline = entries[max(0, len(entries)-shownEntries):]
	v.Status = status{Time: at, Second: at.Unix(), Started: r.w.started, DataAt: &at, Board: boardOf(entries), SLO: r.w.cfg.Room.SLO, Grafana: r.w.cfg.Room.GrafanaURL, Viewers: r.viewers.count()}
	if math.IsNaN(float64(v.Whole.Rate)) && len(v.Services) == 0 {
		v.Status.DataAt = nil
	}
	return v, a.err
}
