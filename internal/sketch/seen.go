package sketch

// Seen remembers which 64-bit hashes occurred lately: two Bloom filters of four
// bits a value, of which the older is dropped when the newer is full. It never
// forgets one of the last half-capacity values; it takes an unseen value for
// seen in less than 5 % of cases, at capacity.
type Seen struct {
	mask     uint32
	limit    int
	n        int
	cur, old []uint64
}

// NewSeen makes a Seen of at least capacity values: 2 bytes a value.
func NewSeen(capacity int) *Seen {
	words := 16
	for words*8 < capacity { // 8 bits a value and filter
		words *= 2
	}
	return &Seen{mask: uint32(words*64 - 1), limit: words * 8, cur: make([]uint64, words), old: make([]uint64, words)}
}

// Add remembers hash and says whether it was remembered already.
func (s *Seen) Add(hash uint64) bool {
	a, b := uint32(hash), uint32(hash>>32)|1
	inCur, inOld := true, true
	for i := range uint32(4) {
		bit := (a + i*b) & s.mask
		w, m := bit/64, uint64(1)<<(bit%64)
		inOld = inOld && s.old[w]&m != 0
		if s.cur[w]&m == 0 {
			inCur = false
			s.cur[w] |= m
		}
	}
	if !inCur {
		if s.n++; s.n >= s.limit {
			s.cur, s.old, s.n = s.old, s.cur, 0
			clear(s.cur)
		}
	}
	return inCur || inOld
}
