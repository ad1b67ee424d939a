package window

import "time"

// Series counts events over three spans: 10 × 1 s, 30 × 10 s and 60 × 1 min.
type Series struct {
	fine, mid, long *Ring[uint64]
	late, future    uint64
	lateness        int64 // seconds
	newest          int64
	began           bool
}

// NewSeries makes a Series that takes events up to lateness (in whole seconds,
// at most 9) behind its newest second.
func NewSeries(lateness time.Duration) *Series {
	zero := func(n *uint64) { *n = 0 }
	return &Series{
		fine: NewRing(10, 1, zero), mid: NewRing(30, 10, zero), long: NewRing(60, 60, zero),
		lateness: min(int64(lateness/time.Second), 9),
	}
}

// Advance moves the newest second to second. A step back is ignored: time that
// ran backwards must not empty what was counted.
func (s *Series) Advance(second int64) {
	if s.began && second <= s.newest {
		return
	}
	s.began, s.newest = true, second
	s.fine.Advance(second)
	s.mid.Advance(second)
	s.long.Advance(second)
}

// Add counts n events of a second and says whether they were in time. Events
// ahead of the newest second are not counted: Advance first.
func (s *Series) Add(second int64, n uint64) bool {
	switch {
	case !s.began || second > s.newest:
		s.future += n
		return false
	case second < s.newest-s.lateness:
		s.late += n
		return false
	}
	for _, r := range [...]*Ring[uint64]{s.fine, s.mid, s.long} {
		if slot := r.At(second); slot != nil {
			*slot += n
		}
	}
	return true
}

// Last sums the newest seconds, at most 10, the current one included.
func (s *Series) Last(seconds int) uint64 { return sum(s.fine, seconds) }

// LastTens sums the newest slots of ten seconds, at most 30.
func (s *Series) LastTens(slots int) uint64 { return sum(s.mid, slots) }

// LastMinutes sums the newest minutes, at most 60.
func (s *Series) LastMinutes(slots int) uint64 { return sum(s.long, slots) }

// Second is what one of the last ten seconds counted.
func (s *Series) Second(second int64) uint64 {
	if slot := s.fine.At(second); slot != nil {
		return *slot
	}
	return 0
}

// Late and Future are how many events were too late or ahead.
func (s *Series) Late() uint64   { return s.late }
func (s *Series) Future() uint64 { return s.future }

func sum(r *Ring[uint64], n int) uint64 {
	var total uint64
	r.Each(n, func(c *uint64) { total += *c })
	return total
}
