package warroomexporter

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/calendar"
	"github.com/vigie-otel/vigie/internal/headroom"
	"github.com/vigie-otel/vigie/internal/promstore"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// How much of each list a snapshot holds.
const (
	shownFindings = 50
	shownEntries  = 300
)

// view is what the page shows, at one moment. A snapshot has all of it; in a
// delta a nil section has not changed.
type view struct {
	Seq      uint64       `json:"seq"`
	Status   status       `json:"status"`
	Whole    verdictRow   `json:"whole"`
	Services []verdictRow `json:"services"`
	Findings []findingRow `json:"findings,omitempty"`
	// FindingsNone tells an empty list from one that has not changed.
	FindingsNone bool             `json:"findings_none,omitempty"`
	Headroom     *headroom.Report `json:"headroom,omitempty"`
	Pain         *pain            `json:"pain,omitempty"`
	Ledger       *books           `json:"ledger,omitempty"`
	Ready        *readiness       `json:"ready,omitempty"`
	Timeline     []timeline.Entry `json:"timeline,omitempty"` // in a delta: the new entries
	Seconds      *past            `json:"seconds,omitempty"`
	Minutes      *past            `json:"minutes,omitempty"`
	Past         bool             `json:"past,omitempty"` // of time travel
}

// status is the top line.
type status struct {
	Time     time.Time  `json:"time"`
	Second   int64      `json:"second"` // of the newest row of the history
	Started  time.Time  `json:"started"`
	DataAt   *time.Time `json:"data_at"` // when anything last arrived; null: never
	Viewers  int        `json:"viewers"`
	Arriving arriving   `json:"arriving"`
	Event    *event     `json:"event"` // null: none near, or no calendar
	Next     *event     `json:"next"`
	Calendar string     `json:"calendar,omitempty"` // what is wrong with it
	Board    board      `json:"board"`
	Degraded []string   `json:"degraded,omitempty"`
	SLO      float64    `json:"slo"`
	Grafana  string     `json:"grafana_url,omitempty"`
}

// arriving is what comes in, a second.
type arriving struct {
	Metrics float64 `json:"metrics"`
	Logs    float64 `json:"logs"`
	Traces  float64 `json:"traces"`
}

// event is the calendar's event as the event clock shows it.
type event struct {
	Name     string    `json:"name"`
	Phase    string    `json:"phase"`
	KickOff  time.Time `json:"kick_off"`
	FullTime time.Time `json:"full_time"`
	Expected int64     `json:"expected_audience,omitempty"`
	Factor   float64   `json:"factor"` // of the usual rate that is no surprise
	Push     string    `json:"push,omitempty"`
}

// board is who leads and how bad it is: the last entry of each kind.
type board struct {
	Severity  string `json:"severity"`
	Commander string `json:"commander"`
	Deputy    string `json:"deputy"`
	Scribe    string `json:"scribe"`
}

func boardOf(entries []timeline.Entry) board {
	b := board{Severity: "none"}
	for _, e := range entries {
		b.take(e)
	}
	return b
}

func (b *board) take(e timeline.Entry) {
	switch e.Kind {
	case timeline.Severity:
		b.Severity = e.Text
	case timeline.Commander:
		b.Commander = e.Text
	case timeline.Deputy:
		b.Deputy = e.Text
	case timeline.Scribe:
		b.Scribe = e.Text
	}
}

// room makes a view each second and tells it to the viewers. run owns its
// goroutines; tick is only called from there.
type room struct {
	w       *warroom
	viewers *viewers
	log     *timeline.Log
	ticking sync.WaitGroup // run and runSlow

	mu              sync.Mutex
	view            view     // guarded by mu: the newest, without histories
	whole           *history // guarded by mu
	snapshot        []byte   // guarded by mu: encoded at its first use of a tick
	board           board    // guarded by mu
	event           *event   // guarded by mu
	calendar        *calendar.File
	calendarProblem string // guarded by mu

	// Owned by tick.
	told     uint64 // timeline entries that the viewers have
	findings uint64 // version that the viewers have
	slowTold uint64
	phase    string

	// Owned by slow, read by tick: what costs queries.
	slowMu   sync.Mutex
	headroom *headroom.Report // guarded by slowMu
	pain     *pain            // guarded by slowMu
	ledger   *books           // guarded by slowMu
	ready    *readiness       // guarded by slowMu
	slowSeq  uint64           // guarded by slowMu
	wake     chan struct{}
}

func newRoom(w *warroom) *room {
	r := &room{w: w, viewers: newViewers(w.cfg.Room.Viewers), whole: newHistory(), wake: make(chan struct{}, 1), board: boardOf(nil)}
	if w.cfg.Room.Calendar != "" {
		r.calendar = &calendar.File{Path: w.cfg.Room.Calendar}
	}
	return r
}

// run ticks on each whole second until ctx ends.
func (r *room) run(ctx context.Context) {
	for {
		now := r.w.now()
		wait := time.NewTimer(now.Truncate(time.Second).Add(time.Second + 20*time.Millisecond).Sub(now))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
			r.tick(r.w.now())
		}
	}
}

// runSlow reads what costs queries, each five seconds while somebody looks.
func (r *room) runSlow(ctx context.Context) {
	t := time.NewTicker(wallsFresh)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-r.wake:
		}
		if r.viewers.count() > 0 {
			r.readSlow(ctx)
		}
	}
}

func (r *room) readSlow(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	rep := r.w.walls.get(ctx, r.w.store)
	p := readPain(ctx, r.w.store, r.w.now(), r.w.cfg.Room.SLO, r.matchStart(r.w.now()))
	l := readBooks(ctx, r.w.store, r.w.now())
	r.slowMu.Lock()
	defer r.slowMu.Unlock()
	r.headroom, r.pain, r.ledger, r.slowSeq = &rep, p, l, r.slowSeq+1
}

// matchStart is since when the error budget of the match is counted: the event's
// kick-off, else the last hour.
func (r *room) matchStart(now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.event != nil && r.event.KickOff.Before(now) {
		return r.event.KickOff
	}
	return now.Add(-time.Hour)
}

// add enters what a machine saw.
func (r *room) add(e timeline.Entry) {
	if _, err := r.log.Add(e); err != nil {
		r.w.set.Logger.Warn("timeline entry is kept in memory alone", zap.Error(err))
	}
}

func (r *room) findingChanged(c findingChange) {
	e := timeline.Entry{At: r.w.now(), Kind: timeline.Opened, Service: c.Service, Ref: c.ID}
	if c.opened {
		e.Text = fmt.Sprintf("%s, %.0f %% sure", c.Class.Title(), 100*c.Confidence)
	} else {
		e.Kind = timeline.Closed
		e.Text = fmt.Sprintf("%s, %d requests in %s", c.Class.Title(), c.Requests, c.ClosedAt.Sub(c.StartedAt).Round(time.Second))
	}
	r.add(e)
}

// tick makes the view of a second, keeps it, and tells the viewers.
func (r *room) tick(now time.Time) {
	rows, turned := r.w.verdicts.tick(now)
	for _, t := range turned {
		r.add(timeline.Entry{At: now, Kind: timeline.Verdict, Service: t.service, Text: fmt.Sprintf("%s → %s", t.from, t.to)})
	}
	r.clock(now)
	looking := r.viewers.count()

	r.mu.Lock()
	since := r.view.Whole.Since
	was := r.view.Whole.Verdict
	r.view.Seq++
	r.view.Services, r.view.Whole = rows, total(rows, now)
	if r.view.Whole.Since = since; was != r.view.Whole.Verdict {
		r.view.Whole.Since = now
	}
	r.view.Status = r.statusLocked(now, looking)
	r.whole.put(now.Unix(), momentOf(&r.view.Whole))
	r.snapshot = nil
	delta := r.deltaLocked()
	r.mu.Unlock()

	if looking == 0 {
		return
	}
	body, err := json.Marshal(delta)
	if err != nil {
		r.w.set.Logger.Error("encode the war room's delta", zap.Error(err))
		return
	}
	r.viewers.send(frame{delta.Seq, sse("delta", delta.Seq, body)})
}

// deltaLocked is the newest view without the sections that the viewers have.
func (r *room) deltaLocked() view {
	fresh := r.log.Since(r.told)
	for _, e := range fresh {
		r.board.take(e)
		r.told = e.Seq
	}
	r.view.Status.Board = r.board
	version, _, _ := r.w.findings.state()
	changed := version != r.findings
	if r.findings = version; changed || r.view.Findings == nil {
		r.view.Findings = r.w.findings.list(time.Time{}, shownFindings)
	}
	r.slowMu.Lock()
	slow := r.slowSeq != r.slowTold
	r.slowTold = r.slowSeq
	r.view.Headroom, r.view.Pain, r.view.Ledger, r.view.Ready = r.headroom, r.pain, r.ledger, r.ready
	r.slowMu.Unlock()

	delta := r.view
	delta.Timeline = fresh
	if !changed {
		delta.Findings = nil
	}
	delta.FindingsNone = changed && len(r.view.Findings) == 0
	if !slow {
		delta.Headroom, delta.Pain, delta.Ledger, delta.Ready = nil, nil, nil, nil
	}
	return delta
}

func (r *room) statusLocked(now time.Time, looking int) status {
	s := status{Time: now, Second: now.Unix(), Started: r.w.started, Viewers: looking, Event: r.event, Board: r.board, Calendar: r.calendarProblem, SLO: r.w.cfg.Room.SLO, Grafana: r.w.cfg.Room.GrafanaURL}
	for _, src := range r.w.arrivals.list(now) {
		switch src.Signal {
		case "metrics":
			s.Arriving.Metrics += src.Rate
		case "logs":
			s.Arriving.Logs += src.Rate
		case "traces":
			s.Arriving.Traces += src.Rate
		}
		if s.DataAt == nil || src.Last.After(*s.DataAt) {
			last := src.Last
			s.DataAt = &last
		}
	}
	if r.calendar != nil {
		if next := r.calendar.Calendar().Next(now); next != nil {
			s.Next = &event{Name: next.Name, KickOff: next.KickOff, FullTime: next.FullTime, Expected: next.ExpectedAudience, Factor: 1}
		}
	}
	s.Degraded = degraded(r.w.store.Status(), r.w.cfg.Store.Directory)
	return s
}

// clock follows the calendar; a file that changed is read again each ten
// seconds.
func (r *room) clock(now time.Time) {
	if r.calendar == nil {
		return
	}
	var problem string
	reread := now.Unix()%10 == 0 || r.calendar.Calendar() == nil
	if reread {
		_, problems, err := r.calendar.Reload()
		switch {
		case err != nil:
			problem = err.Error()
		case len(problems) > 0:
			problem = fmt.Sprint(problems[0])
		}
	}
	ev, phase := r.calendar.Calendar().Phase(now)
	var shown *event
	if ev != nil {
		band := r.calendar.Calendar().Expectation("", now)
		shown = &event{Name: ev.Name, Phase: fmt.Sprint(phase), KickOff: ev.KickOff, FullTime: ev.FullTime, Expected: ev.ExpectedAudience, Factor: band.Factor, Push: band.Push}
		if at := ev.Name + ": " + shown.Phase; at != r.phase {
			if r.phase != "" {
				r.add(timeline.Entry{At: now, Kind: timeline.Phase, Text: at})
			}
			r.phase = at
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.event = shown
	if reread {
		r.calendarProblem = problem
	}
}

// current is the newest snapshot, encoded once a tick for all who ask.
func (r *room) current() (frame, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.snapshot == nil {
		body, err := json.Marshal(r.snapshotLocked())
		if err != nil {
			return frame{}, fmt.Errorf("encode the war room's snapshot: %w", err)
		}
		r.snapshot = sse("snapshot", r.view.Seq, body)
	}
	return frame{r.view.Seq, r.snapshot}, nil
}

func (r *room) snapshotLocked() view {
	v := r.view
	seconds, minutes := r.whole.bySecond(), r.whole.byMinute()
	v.Seconds, v.Minutes = &seconds, &minutes
	// What came after the tick is in the next delta.
	v.Timeline = slices.DeleteFunc(r.log.Newest(shownEntries), func(e timeline.Entry) bool { return e.Seq > r.told })
	v.FindingsNone = len(v.Findings) == 0
	if v.Services == nil {
		v.Services = []verdictRow{}
	}
	return v
}

// degraded says what keeps the store from working.
func degraded(st promstore.Status, dir string) (why []string) {
	if st.DiskFull {
		why = append(why, "the disk under "+dir+" is full: metrics are not stored until there is room")
	}
	if st.Failure != nil {
		why = append(why, "the store waits for a repair: "+st.Failure.Error())
	}
	return why
}

// verdicts are those of the newest tick.
func (r *room) verdicts() (whole verdictRow, services []verdictRow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.view.Services == nil {
		return total(nil, r.w.now()), []verdictRow{}
	}
	return r.view.Whole, r.view.Services
}
