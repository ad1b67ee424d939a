package warroomexporter

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/ready"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// What bounds an assessment.
const (
	maxReadyBytes = 4 << 20 // of what is sent
	maxReadyRows  = 40      // findings that are shown, what failed first
)

// readiness is the last assessment of `vigie ready`, as the page shows it. Who
// brought it and when is in the log book.
type readiness struct {
	At     time.Time    `json:"at"`
	Status ready.Status `json:"status"`
	Ready  bool         `json:"ready"`
	Event  string       `json:"event,omitempty"`
	Counts ready.Counts `json:"counts"`
	Rows   []readyRow   `json:"rows"`   // what is not ok
	Hidden int          `json:"hidden"` // of that, beyond those listed
}

type readyRow struct {
	Check    string       `json:"check"`
	Status   ready.Status `json:"status"`
	Subject  string       `json:"subject"`
	Why      string       `json:"why"`
	Do       string       `json:"do,omitempty"`
	Accepted bool         `json:"accepted,omitempty"`
}

// readinessOf reads what `vigie ready --output json` wrote.
func readinessOf(body []byte, now time.Time) (*readiness, error) {
	var r ready.Result
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("read the assessment: %w", err)
	}
	grave := map[ready.Status]int{ready.Fail: 0, ready.Unknown: 1, ready.Warn: 2, ready.OK: 3}
	_, known := grave[r.Status]
	switch {
	case r.Format != 1:
		return nil, fmt.Errorf("format must be 1 (got %d): send what vigie ready --output json of this version writes", r.Format)
	case !known:
		return nil, fmt.Errorf("status must be ok, warn, unknown or fail (got %.40q)", r.Status)
	case r.At.IsZero() || r.At.After(now.Add(time.Hour)):
		return nil, fmt.Errorf("at must be when it was assessed (got %s)", r.At.Format(time.RFC3339))
	}
	out := &readiness{At: r.At, Status: r.Status, Ready: r.Ready, Counts: r.Counts, Rows: []readyRow{}}
	if r.Event != nil {
		out.Event = cut(r.Event.Name, 128)
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if _, known := grave[f.Status]; known && f.Status != ready.OK {
			out.Rows = append(out.Rows, readyRow{cut(string(f.Check), 64), f.Status, cut(f.Subject, 128), cut(f.Why, 500), cut(f.Do, 500), f.Accepted})
		}
	}
	slices.SortStableFunc(out.Rows, func(a, b readyRow) int { return grave[a.Status] - grave[b.Status] })
	out.Hidden = max(0, len(out.Rows)-maxReadyRows)
	out.Rows = out.Rows[:min(len(out.Rows), maxReadyRows)]
	return out, nil
}

// readyPath is where the last assessment survives a restart: beside the log book.
func (c *Config) readyPath() string {
	return filepath.Join(filepath.Dir(c.timelinePath()), "ready.json")
}

// restoreReady reads the last assessment; a file that is broken is none.
func (w *warroom) restoreReady() *readiness {
	body, err := os.ReadFile(w.cfg.readyPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var r readiness
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	if err != nil {
		w.set.Logger.Warn("the last readiness assessment could not be read; send it again", zap.Error(err))
		return nil
	}
	return &r
}

// takeReady answers POST /api/warroom/ready: an assessment as `vigie ready --output
// json` writes it, by who may write.
func (w *warroom) takeReady(rw http.ResponseWriter, r *http.Request) {
	var raw json.RawMessage
	if !readJSON(rw, r, maxReadyBytes, "the assessment", &raw) {
		return
	}
	got, err := readinessOf(raw, w.now())
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	if err := keepReady(w.cfg.readyPath(), got); err != nil {
		w.set.Logger.Error("an assessment was not kept", zap.Error(err))
		http.Error(rw, "not kept: "+err.Error(), http.StatusInsufficientStorage)
		return
	}
	w.room.setReady(got)
	who, _ := w.writer(r)
	w.room.add(timeline.Entry{At: w.now(), Kind: timeline.Event, Who: who, Text: fmt.Sprintf(
		"readiness of %s: %s (%d failed, %d unknown, %d tight, %d ok)", cmp.Or(got.Event, "the cluster"), got.Status, got.Counts.Fail, got.Counts.Unknown, got.Counts.Warn, got.Counts.OK)})
	writeJSON(rw, http.StatusCreated, got)
}

// keepReady writes beside the old file and puts it in its place: a kill leaves the
// one or the other.
func keepReady(path string, r *readiness) (err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "ready-*")
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// setReady shows an assessment from the next tick on.
func (r *room) setReady(got *readiness) {
	r.slowMu.Lock()
	defer r.slowMu.Unlock()
	r.ready, r.slowSeq = got, r.slowSeq+1
}
