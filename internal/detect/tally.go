package detect

// tally is a small open-addressing map from hashes to weights, emptied in one
// step: an entry counts only under the tally's present generation.
type tally struct {
	slots []tallySlot
	gen   uint32
	used  int
}

type tallySlot struct {
	key  uint64
	who  uint64 // linear counter of 64 bits: distinct clients
	gen  uint32
	n    uint32  // rows
	w    float32 // weight
	note float32 // the user's own
}

// add counts a row of a client.
func (s *tallySlot) add(key uint64, w float32) {
	s.w += w
	s.n++
	s.who |= 1 << (key >> 40 & 63)
}

// clients is how many different clients it counted, up to some 300.
func (s *tallySlot) clients() int { return countBits(s.who) }

func (t *tally) reset(size int) {
	if len(t.slots) < size {
		n := 1024
		for n < size {
			n *= 2
		}
		t.slots, t.gen = make([]tallySlot, n), 0
	}
	t.gen++
	t.used = 0
	if t.gen == 0 { // wrapped: entries of 4 thousand million resets ago would count
		clear(t.slots)
		t.gen = 1
	}
}

// at finds or makes the slot of key; nil when the tally is 7/8 full, in which
// case the key is simply not told apart.
func (t *tally) at(key uint64) *tallySlot {
	mask := uint64(len(t.slots) - 1)
	for i := mix(key) & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.gen != t.gen {
			if t.used*8 >= len(t.slots)*7 {
				return nil
			}
			t.used++
			*s = tallySlot{key: key, gen: t.gen}
			return s
		}
		if s.key == key {
			return s
		}
	}
}

// get returns the weight of key, 0 when it has none.
func (t *tally) get(key uint64) float32 {
	if s := t.peek(key); s != nil {
		return s.w
	}
	return 0
}

// common says whether key belongs to several clients, or to one that makes up
// a 50th of all: what one visitor does in a minute characterizes nobody else.
func (t *tally) common(key uint64, all float32) bool {
	s := t.peek(key)
	return s != nil && (s.clients() >= 3 || s.w >= all/50)
}

func (t *tally) peek(key uint64) *tallySlot {
	if len(t.slots) == 0 {
		return nil
	}
	mask := uint64(len(t.slots) - 1)
	for i := mix(key) & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.gen != t.gen {
			return nil
		}
		if s.key == key {
			return s
		}
	}
}

func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 29
	return x
}

// cell names a value of a dimension within a stratum.
func cell(d dim, stratum uint64, value uint32) uint64 {
	return (stratum*0x9e3779b97f4a7c15 ^ uint64(value)<<8 ^ uint64(d)) * 0xff51afd7ed558ccd
}

const total = 1<<32 - 1 // the value under which a stratum's own weight is kept
