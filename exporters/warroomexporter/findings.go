package warroomexporter

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// findings keeps each finding as it was last told, by id, in memory and, once
// restore was called, in a file.
type findings struct {
	limit int

	mu      sync.Mutex
	byID    map[string]finding.Finding // guarded by mu; at most limit
	stale   map[string]struct{}        // guarded by mu: were open before a restart, and not told since
	file    *timeline.Findings         // guarded by mu; nil: memory alone
	version uint64                     // guarded by mu: grows with each change
	dropped uint64                     // guarded by mu: forgotten for want of room
	broken  uint64                     // guarded by mu: records that say they are a finding and cannot be read
}

func newFindings(limit int) *findings {
	return &findings{limit: limit, byID: map[string]finding.Finding{}, stale: map[string]struct{}{}}
}

// findingRow is a finding as the page shows it.
type findingRow struct {
	finding.Finding
	// Stale: it was open when the server ended and nobody has spoken of it since.
	// Whether it is over is not known.
	Stale bool `json:"stale,omitempty"`
}

// restore opens the file and takes over what it knows from before a restart.
func (f *findings) restore(path string) error {
	file, known, err := timeline.OpenFindings(path, f.limit)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.file = file
	for i := range known {
		f.byID[known[i].ID] = known[i]
		if known[i].Status != finding.Closed {
			f.stale[known[i].ID] = struct{}{}
		}
	}
	broken, _ := file.Counts()
	f.broken += uint64(broken)
	f.version++
	return nil
}

// close ends the file. It is safe before restore and safe twice.
func (f *findings) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// liveLocked is all that is known, for a rewriting of the file.
func (f *findings) liveLocked() []finding.Finding {
	out := make([]finding.Finding, 0, len(f.byID))
	for _, x := range f.byID {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b finding.Finding) int {
		return cmp.Or(a.DetectedAt.Compare(b.DetectedAt), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// findingChange is a finding that has opened or closed.
type findingChange struct {
	finding.Finding
	opened bool
}

// take reads the findings of a batch and returns which opened and which closed.
func (f *findings) take(ld plog.Logs) []findingChange {
	var changes []findingChange
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if !isFinding(lr) {
					continue
				}
				got, err := finding.FromLogRecord(lr)
				if err != nil {
					f.mu.Lock()
					f.broken++
					f.mu.Unlock()
					continue
				}
				changes = append(changes, f.keep(got)...)
			}
		}
	}
	return changes
}

func isFinding(lr plog.LogRecord) bool {
	if name := lr.EventName(); name != "" {
		return name == names.EventFinding
	}
	v, ok := lr.Attributes().Get(names.EventName)
	return ok && v.Str() == names.EventFinding
}

// keep stores one finding. News that is older than what is known (a batch that
// was sent again, a second gateway that lags) is left out: an end stays an end.
func (f *findings) keep(got finding.Finding) []findingChange {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, known := f.byID[got.ID]
	if known && (old.Status == finding.Closed || got.Status != finding.Closed && told(got).Before(told(old))) {
		return nil
	}
	if !known && len(f.byID) >= f.limit {
		f.evict()
	}
	f.byID[got.ID] = got
	delete(f.stale, got.ID)
	f.version++
	if f.file != nil {
		// What cannot be written is counted by the file; the page goes on.
		_ = f.file.Put(got, time.Now(), f.liveLocked)
	}
	var out []findingChange
	if !known {
		out = append(out, findingChange{got, true})
	}
	if got.Status == finding.Closed {
		out = append(out, findingChange{got, false})
	}
	return out
}

// told is the time of a finding's newest word.
func told(f finding.Finding) time.Time {
	t := f.DetectedAt
	if f.UpdatedAt.After(t) {
		t = f.UpdatedAt
	}
	if f.ClosedAt.After(t) {
		t = f.ClosedAt
	}
	return t
}

// evict forgets the closed finding that ended first, else the one that was
// silent for longest. The caller holds mu.
func (f *findings) evict() {
	var worst finding.Finding
	for _, x := range f.byID {
		switch {
		case worst.ID == "",
			x.Status == finding.Closed && worst.Status != finding.Closed,
			(x.Status == finding.Closed) == (worst.Status == finding.Closed) && told(x).Before(told(worst)):
			worst = x
		}
	}
	delete(f.byID, worst.ID)
	delete(f.stale, worst.ID)
	if f.file != nil {
		f.file.Forget(worst.ID)
	}
	f.dropped++
}

// list returns the findings as they stood at a time (zero: now): the open ones
// by confidence, then those of which nothing was heard since a restart, then the
// closed ones, the newest first.
func (f *findings) list(at time.Time, n int) []findingRow {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]findingRow, 0, len(f.byID))
	for id, x := range f.byID {
		_, stale := f.stale[id]
		if !at.IsZero() {
			if x.DetectedAt.After(at) {
				continue
			}
			if x.Status == finding.Closed && x.ClosedAt.After(at) {
				x.Status, x.ClosedAt = finding.Update, time.Time{}
			}
			stale = stale && at.After(told(x))
		}
		out = append(out, findingRow{x, stale})
	}
	slices.SortFunc(out, compareFindings)
	return out[:min(n, len(out))]
}

func compareFindings(a, b findingRow) int {
	place := func(r *findingRow) int {
		switch {
		case r.Status == finding.Closed:
			return 2
		case r.Stale:
			return 1
		}
		return 0
	}
	if c := cmp.Compare(place(&a), place(&b)); c != 0 {
		return c
	}
	if a.Status == finding.Closed {
		return cmp.Or(b.ClosedAt.Compare(a.ClosedAt), cmp.Compare(a.ID, b.ID))
	}
	return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), b.DetectedAt.Compare(a.DetectedAt), cmp.Compare(a.ID, b.ID))
}

func (f *findings) state() (version, dropped, broken uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.version, f.dropped, f.broken
}

func (f *findings) get(id string) (finding.Finding, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	got, ok := f.byID[id]
	return got, ok
}
