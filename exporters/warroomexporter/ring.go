package warroomexporter

import "sync"

// ring keeps the newest of what is put into it.
type ring[T any] struct {
	mu    sync.Mutex
	items []T    // guarded by mu; at most limit, overwritten in turn
	next  int    // guarded by mu: where the next goes once items is full
	total uint64 // guarded by mu: ever put
	limit int
}

func newRing[T any](limit int) *ring[T] { return &ring[T]{limit: limit} }

// put adds items, the newest last.
func (r *ring[T]) put(items []T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total += uint64(len(items))
	if extra := len(items) - r.limit; extra > 0 {
		items = items[extra:]
	}
	for _, it := range items {
		if len(r.items) < r.limit {
			r.items = append(r.items, it)
			continue
		}
		r.items[r.next] = it
		r.next = (r.next + 1) % r.limit
	}
}

// newest returns up to n items that keep accepts, the newest first; a nil keep
// accepts all.
func (r *ring[T]) newest(n int, keep func(*T) bool) []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []T{}
	for i := len(r.items) - 1; i >= 0 && len(out) < n; i-- {
		it := &r.items[(r.next+i)%len(r.items)]
		if keep == nil || keep(it) {
			out = append(out, *it)
		}
	}
	return out
}
