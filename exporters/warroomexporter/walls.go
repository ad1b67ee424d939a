package warroomexporter

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/vigie-otel/vigie/internal/headroom"
)

var errTime = errors.New("time must be RFC 3339 or seconds since the epoch, e.g. 2026-07-14T21:00:00+02:00")

// wallsFresh is how long a report is shared among those who ask: a forecast over
// minutes does not change within it.
const wallsFresh = 5 * time.Second

// clusterFresh is the same of a cluster's walls: their reading costs more, and
// kube-state-metrics is scraped as seldom.
const clusterFresh = 15 * time.Second

// walls shares one headroom report among all viewers.
type walls struct {
	now func() time.Time

	mu      sync.Mutex // held while the store is read: one reads, the others wait for it
	report  headroom.Report
	have    bool
	cluster headroom.Report // read less often

	pastMu sync.Mutex // held while a past moment is read: one at a time, and never before the present
}

// get returns a report that is at most wallsFresh old.
func (w *walls) get(ctx context.Context, store headroom.Store) headroom.Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at := w.now(); !w.have || at.Sub(w.report.At) >= wallsFresh || at.Before(w.report.At) {
		if age := at.Sub(w.cluster.At); age >= clusterFresh || age < 0 {
			w.cluster = headroom.Cluster(ctx, store, at)
		}
		w.report, w.have = headroom.Read(ctx, store, at).With(w.cluster), true
	}
	return w.report
}

// at reads the store for a moment in the past; one at a time.
func (w *walls) at(ctx context.Context, store headroom.Store, at time.Time) headroom.Report {
	w.pastMu.Lock()
	defer w.pastMu.Unlock()
	return headroom.Read(ctx, store, at).With(headroom.Cluster(ctx, store, at))
}

// serveHeadroom answers GET /api/warroom/headroom: the walls, the worst first,
// and what could not be read. ?time= asks for a moment in the past.
func (w *warroom) serveHeadroom(rw http.ResponseWriter, r *http.Request) {
	at, past, err := timeParam(r, w.now())
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	// The report is everybody's: a viewer who leaves must not spoil it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	if past {
		writeJSON(rw, http.StatusOK, w.walls.at(ctx, w.store, at))
		return
	}
	writeJSON(rw, http.StatusOK, w.walls.get(ctx, w.store))
}

// timeParam reads ?time=, in RFC 3339 or seconds since the epoch. past is false
// where none is given.
func timeParam(r *http.Request, now time.Time) (at time.Time, past bool, err error) {
	text := r.URL.Query().Get("time")
	if text == "" {
		return now, false, nil
	}
	if at, err = time.Parse(time.RFC3339Nano, text); err == nil {
		return at, true, nil
	}
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || !(s >= 0 && s < 1e10) {
		return now, false, errTime
	}
	return time.UnixMilli(int64(s * 1000)), true, nil
}
