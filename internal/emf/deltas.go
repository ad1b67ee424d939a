package emf

import (
	"time"

	"github.com/zeebo/xxh3"
)

// series identifies a time series: hashes of resource, scope and name, and of the
// attributes. That two of a million series of one metric meet has a chance of
// less than 10^-7.
type series = xxh3.Uint128

// number is what a cumulative sum last was. Integers are kept as such: a counter
// of bytes passes 2^53.
type number struct {
	start, at int64 // ns
	i         int64
	f         float64
	seen      int64 // s, of the clock that came with the call
}

// deltas remembers cumulative series.
type deltas struct {
	limit   int
	stale   time.Duration
	began   int64 // ns; series that start later are known from their first point
	swept   int64 // s
	numbers map[series]*number
	buckets map[series]*buckets
}

func newDeltas(limit int, stale time.Duration) deltas {
	return deltas{limit: limit, stale: stale, numbers: map[series]*number{}, buckets: map[series]*buckets{}}
}

// room makes sure that one more series fits, forgetting stale ones at most once a
// minute.
func (d *deltas) room(now time.Time) bool {
	if len(d.numbers)+len(d.buckets) < d.limit {
		return true
	}
	if now.Unix()-d.swept < 60 {
		return false
	}
	d.sweep(now)
	return len(d.numbers)+len(d.buckets) < d.limit
}

func (d *deltas) sweep(now time.Time) {
	d.swept = now.Unix()
	oldest := now.Add(-d.stale).Unix()
	for k, n := range d.numbers {
		if n.seen < oldest {
			delete(d.numbers, k)
		}
	}
	for k, b := range d.buckets {
		if b.seen < oldest {
			delete(d.buckets, k)
		}
	}
}

// ok is the outcome of a step that has no Reason to drop the point.
const ok Reason = -1

// step replaces what a sum was by what it is and returns the difference. A sum
// that fell, or whose start moved, began anew: then all of it is new.
func (d *deltas) step(k series, is number, integer bool, now time.Time) (float64, Reason) {
	is.seen = now.Unix()
	whole := is.f
	if integer {
		whole = float64(is.i)
	}
	kept := d.numbers[k]
	if kept == nil {
		if !d.room(now) {
			return 0, TooManySeries
		}
		kept = new(number)
		*kept = is
		d.numbers[k] = kept
		if d.since(is.start) {
			return whole, ok
		}
		return 0, Initial
	}
	was := *kept
	if is.at <= was.at {
		return 0, OutOfOrder
	}
	*kept = is
	switch {
	case is.start > was.at, integer && is.i < was.i, !integer && is.f < was.f:
		return whole, ok
	case integer:
		return float64(is.i - was.i), ok
	}
	return is.f - was.f, ok
}

// since reports whether a series that starts then is known from its beginning.
func (d *deltas) since(start int64) bool { return start > 0 && start >= d.began }
