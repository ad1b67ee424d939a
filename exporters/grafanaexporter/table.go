package grafanaexporter

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zeebo/xxh3"
)

// entry is one annotation: how it shall look and what Grafana has of it. It is
// stored as JSON.
type entry struct {
	Key  string `json:"key"`
	Told int64  `json:"told"`
	Last bool   `json:"last,omitempty"`
	Look look   `json:"look"`

	ID      int64  `json:"id,omitempty"`   // in Grafana; 0: not known, or not there
	Sent    uint64 `json:"sent,omitempty"` // hash of the look that Grafana has, or has refused
	SentEnd int64  `json:"sent_end,omitempty"`

	want  uint64    // hash of Look
	since time.Time // when it came to differ from what Grafana has
	due   time.Time // no call before
}

// hash stands for all of a look but a moving end.
func (l *look) hash() uint64 {
	b, _ := json.Marshal(l) // strings and numbers
	return xxh3.Hash(b) | 1 // never 0
}

// waits reports whether Grafana has another look than it shall.
func (e *entry) waits() bool { return e.Sent != e.want }

func (e *entry) done() bool { return !e.waits() && !e.Look.Open }

// table is what shall be in Grafana.
type table struct {
	limit              int
	ahead, silent, gap time.Duration // Config's OpenAhead, SilentAfter, UpdateInterval
	counts             *counts

	mu      sync.Mutex
	entries map[string]*entry // guarded by mu; at most limit
	waiting int               // guarded by mu: entries that wait
}

func newTable(c *Config, counts *counts) *table {
	return &table{
		limit: c.MaxEntries, ahead: c.OpenAhead, silent: c.SilentAfter, gap: c.UpdateInterval,
		counts: counts, entries: map[string]*entry{},
	}
}

// tell takes a word in. It reports whether the word says something new, and the
// keys that had to go for it.
func (t *table) tell(w word, now time.Time) (news bool, gone []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[w.Key]
	if e == nil {
		gone = t.makeRoomLocked()
		e = &entry{Key: w.Key}
		t.entries[w.Key] = e
	} else if e.Last && !w.Last || w.Told < e.Told {
		return false, nil // older than what is known: a batch that came twice, or late
	} else if w.Told == e.Told && w.Last == e.Last && e.want == w.Look.hash() {
		return false, nil
	}
	opened, waited := e.Sent == 0, e.waits()
	if e.since.IsZero() {
		e.since = now
	}
	e.Told, e.Last, e.Look, e.want = w.Told, w.Last, w.Look, w.Look.hash()
	if opened || !e.Look.Open {
		e.due = time.Time{}
	}
	t.countLocked(waited, e.waits())
	return true, gone
}

// get returns copies of the entries that are there.
func (t *table) get(keys []string) (out []*entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		if e := t.entries[k]; e != nil {
			copied := *e
			out = append(out, &copied)
		}
	}
	return out
}

// makeRoomLocked forgets one entry where there is no room: best one that is over
// and in Grafana, then one that is over, then any; each time the oldest.
func (t *table) makeRoomLocked() []string {
	if len(t.entries) < t.limit {
		return nil
	}
	rank := func(e *entry) int {
		switch {
		case e.done():
			return 0
		case !e.Look.Open:
			return 1
		}
		return 2
	}
	var worst *entry
	for _, e := range t.entries {
		if worst == nil || cmp.Or(cmp.Compare(rank(e), rank(worst)), cmp.Compare(e.Look.Start, worst.Look.Start), strings.Compare(e.Key, worst.Key)) < 0 {
			worst = e
		}
	}
	if rank(worst) > 0 {
		t.counts.full.Add(1)
	}
	delete(t.entries, worst.Key)
	t.countLocked(worst.waits(), false)
	return []string{worst.Key}
}

// end is where the annotation shall end now: an open region reaches past now, as
// long as the finding has said something lately.
func (t *table) end(e *entry, now time.Time) int64 {
	if !e.Look.Open {
		return e.Look.End
	}
	until := min(now.UnixMilli(), e.Told+t.silent.Milliseconds())
	return max(until, e.Look.Start) + t.ahead.Milliseconds()
}

// wants says when the next call for e is due; false where there is none to make.
func (t *table) wants(e *entry, now time.Time) (time.Time, bool) {
	if e.waits() {
		return e.due, true
	}
	if !e.Look.Open || e.ID == 0 {
		return time.Time{}, false
	}
	// The region is moved on when half of what it was ahead is used up.
	next := time.UnixMilli(e.SentEnd - t.ahead.Milliseconds()/2)
	if stop := time.UnixMilli(e.Told + t.silent.Milliseconds()); next.After(stop) {
		return time.Time{}, false
	}
	return next, true
}

// next returns a copy of the entry whose call is due, the one that has waited
// longest, or how long to wait for one. hurry takes entries before they are due.
func (t *table) next(now time.Time, hurry bool) (e *entry, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait = time.Hour
	var best *entry
	for _, x := range t.entries {
		due, ok := t.wants(x, now)
		switch {
		case !ok, hurry && !x.waits():
		case !hurry && due.After(now):
			wait = min(wait, due.Sub(now))
		case best == nil || x.since.Before(best.since) || x.since.Equal(best.since) && (x.Look.Start < best.Look.Start || x.Look.Start == best.Look.Start && x.Key < best.Key):
			best = x
		}
	}
	if best == nil {
		return nil, wait
	}
	copied := *best
	return &copied, 0
}

// sent notes what Grafana has, or has refused for good (id 0). e is the copy that
// next gave; what was told meanwhile stays to be done.
func (t *table) sent(e *entry, id, end int64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := t.entries[e.Key]
	if kept == nil {
		return
	}
	waited := kept.waits()
	kept.ID, kept.Sent, kept.SentEnd = id, e.want, end
	kept.due, kept.since = now.Add(t.gap), time.Time{}
	if kept.waits() {
		kept.since = now
		if !kept.Look.Open {
			kept.due = time.Time{}
		}
	}
	t.countLocked(waited, kept.waits())
}

// forget drops the id of an annotation that is not there any more.
func (t *table) forget(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[key]; e != nil {
		e.ID = 0
	}
}

// load takes what was stored; entries beyond the limit go, the oldest first.
func (t *table) load(entries []*entry, now time.Time) (gone []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortFunc(entries, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.Look.Start, b.Look.Start), strings.Compare(a.Key, b.Key))
	})
	for _, e := range entries {
		gone = append(gone, t.makeRoomLocked()...)
		if e.want = e.Look.hash(); e.waits() {
			e.since = now
		}
		t.entries[e.Key] = e
		t.countLocked(false, e.waits())
	}
	return gone
}

// countLocked follows one entry that waited, or did not, and now does, or does
// not.
func (t *table) countLocked(before, after bool) {
	if before {
		t.waiting--
	}
	if after {
		t.waiting++
	}
	t.counts.waiting.Store(int64(t.waiting))
	t.counts.known.Store(int64(len(t.entries)))
}
