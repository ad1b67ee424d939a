package window

// Ring counts in the last n slots of some seconds each.
type Ring[T any] struct {
	width int64 // seconds a slot
	head  int64 // number of the newest slot; slots are numbered from the epoch
	began bool
	slots []T
	clear func(*T)
}

// NewRing makes a ring of n slots, width seconds each. clear empties a slot
// that is used anew.
func NewRing[T any](n int, width int64, clear func(*T)) *Ring[T] {
	return &Ring[T]{width: width, slots: make([]T, n), clear: clear}
}

// Advance makes the slot of second the newest; slots that fell out are
// emptied. Seconds in the past change nothing. It costs at most one pass over
// the ring, however long the gap.
func (r *Ring[T]) Advance(second int64) {
	to := floorDiv(second, r.width)
	if !r.began {
		r.began, r.head = true, to
		return
	}
	if to <= r.head {
		return
	}
	n := int64(len(r.slots))
	for s := max(r.head+1, to-n+1); s <= to; s++ {
		r.clear(&r.slots[mod(s, n)])
	}
	r.head = to
}

// At returns the slot that holds second; nil when it left the ring or is ahead
// of it.
func (r *Ring[T]) At(second int64) *T {
	s := floorDiv(second, r.width)
	if !r.began || s > r.head || s <= r.head-int64(len(r.slots)) {
		return nil
	}
	return &r.slots[mod(s, int64(len(r.slots)))]
}

// Each calls f with the newest n slots, newest first.
func (r *Ring[T]) Each(n int, f func(*T)) {
	for i := range int64(min(n, len(r.slots))) {
		f(&r.slots[mod(r.head-i, int64(len(r.slots)))])
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func mod(a, n int64) int64 { return ((a % n) + n) % n }
