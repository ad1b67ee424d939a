package warroomexporter

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// What bounds an answer.
const (
	drillFresh   = 4 * time.Second // how long one reading is shared among those who ask
	maxMembers   = 200             // of a list; a search finds the rest
	maxReadings  = 64
	drilledLogs  = 100
	drilledSpans = 20
)

// drilled is what GET /api/warroom/drill answers: what there is to choose from
// and, where one is chosen, what is known of it.
type drilled struct {
	At      time.Time    `json:"at"`
	Kind    scopeKind    `json:"kind"`
	Name    string       `json:"name"`
	Members []member     `json:"members"` // all of the kind; with a name, the pods in it
	Hidden  int          `json:"hidden"`  // members beyond those listed
	Missing []string     `json:"missing"` // what is not there, and what would fill it
	Charts  []drillChart `json:"charts"`
	// Logs and Spans are of the newest that are kept here, the newest and the
	// slowest first; KeptSince is since when all of the scope's are kept.
	Logs      []logRow   `json:"logs"`
	Spans     []spanRow  `json:"spans"`
	KeptSince *time.Time `json:"kept_since"`
}

// drills shares readings of the store among viewers.
type drills struct {
	mu  sync.Mutex          // held while the store is read: one reading at a time, and never in the way of the page's own
	all map[string]*reading // guarded by mu; at most maxReadings
}

// reading is the part of an answer that costs queries.
type reading struct {
	at      time.Time
	members []member
	missing []string
	charts  []drillChart
}

func newDrills() *drills { return &drills{all: map[string]*reading{}} }

// serveDrill answers GET /api/warroom/drill. Query parameters: kind (services,
// namespaces, nodes, pods); name, one of them; find, letters that a member's name
// must hold; q, letters that a log must hold; range, 15m or 6h; time, a moment in
// the past; records=1 for logs and spans alone.
func (w *warroom) serveDrill(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s, err := parseScope(q.Get("kind"), q.Get("name"))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	at, past, err := timeParam(r, w.now())
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	d := drilled{At: at, Kind: s.kind, Name: s.name, Members: []member{}, Missing: []string{}, Charts: []drillChart{}}
	if q.Get("records") != "1" {
		span, err := drillRange(q.Get("range"))
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		read := w.drill(r.Context(), s, at, past, span)
		d.Members, d.Hidden = found(read.members, q.Get("find"))
		d.Missing, d.Charts = read.missing, read.charts
	}
	w.records(&d, s, at, past, strings.ToLower(q.Get("q")))
	writeJSON(rw, http.StatusOK, d)
}

// found are the members whose names hold the letters.
func found(members []member, letters string) ([]member, int) {
	letters = strings.ToLower(letters)
	out := []member{}
	n := 0
	for _, m := range members {
		if letters != "" && !strings.Contains(strings.ToLower(m.Name), letters) {
			continue
		}
		if n++; n <= maxMembers {
			out = append(out, m)
		}
	}
	return out, max(0, n-maxMembers)
}

// drill reads the store, or gives what another viewer's question has just read.
func (w *warroom) drill(ctx context.Context, s scope, at time.Time, past bool, span drillSpan) *reading {
	key := string(s.kind) + "\x00" + s.name + "\x00" + span.name
	if past {
		key += "\x00" + at.Truncate(time.Second).String()
	}
	w.drills.mu.Lock()
	defer w.drills.mu.Unlock()
	now := w.now()
	for k, r := range w.drills.all {
		if now.Sub(r.at) >= drillFresh || now.Before(r.at) {
			delete(w.drills.all, k)
		}
	}
	if known := w.drills.all[key]; known != nil {
		return known
	}
	// The reading is everybody's: a viewer who leaves must not spoil it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	r := w.readDrill(ctx, s, at, span)
	r.at = now
	if len(w.drills.all) < maxReadings {
		w.drills.all[key] = r
	}
	return r
}

func (w *warroom) readDrill(ctx context.Context, s scope, at time.Time, span drillSpan) *reading {
	a := &asker{ctx: ctx, store: w.store, at: at}
	r := &reading{charts: []drillChart{}}
	seen := w.inventory.list(w.now())
	of := podsOf(s, seen)
	r.members, r.missing = w.members(a, s, seen, of)
	if s.name != "" {
		var missing []string
		r.charts, missing = readCharts(a, s, of, span)
		r.missing = append(r.missing, missing...)
	}
	if a.err != nil {
		r.missing = append(r.missing, "the store: "+a.err.Error())
	}
	if r.missing == nil {
		r.missing = []string{}
	}
	return r
}

// records are the newest logs and the slowest of the newest spans of a scope. A
// scope that is looked at gets rings of its own.
func (w *warroom) records(d *drilled, s scope, at time.Time, past bool, letters string) {
	logs, spans := w.logs, w.spans
	if s.name != "" && !past {
		seed := func(t *watch) {
			known := w.logs.newest(watchedLogs, func(l *logRow) bool { return s.has(&l.identity) })
			slices.Reverse(known)
			t.logs.put(known)
			slow := w.spans.newest(watchedSpans, func(r *spanRow) bool { return s.has(&r.identity) })
			slices.Reverse(slow)
			t.spans.put(slow)
		}
		if t := w.watches.ask(s, w.now(), seed); t != nil {
			logs, spans, d.KeptSince = t.logs, t.spans, &t.since
		}
	}
	d.Logs = logs.newest(drilledLogs, func(l *logRow) bool {
		return s.has(&l.identity) && !(past && l.Time.After(at)) && (letters == "" || l.holds(letters))
	})
	d.Spans = spans.newest(watchedSpans, func(r *spanRow) bool {
		return s.has(&r.identity) && !(past && r.Time.After(at))
	})
	slices.SortStableFunc(d.Spans, func(a, b spanRow) int {
		switch {
		case a.DurationMS > b.DurationMS:
			return -1
		case a.DurationMS < b.DurationMS:
			return 1
		}
		return 0
	})
	d.Spans = d.Spans[:min(len(d.Spans), drilledSpans)]
}

// holds reports whether a row's text holds letters, which are lower case.
func (l *logRow) holds(letters string) bool {
	return strings.Contains(strings.ToLower(l.Body+"\n"+l.Service+"\n"+l.Event+"\n"+l.Severity+"\n"+l.Namespace+"/"+l.Pod+"\n"+l.TraceID), letters)
}
