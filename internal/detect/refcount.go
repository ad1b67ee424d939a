package detect

// rowCount counts the rows of a reference by cell: a tally of half the size, since
// each service has one. It knows how many rows a cell has, and whether they are of
// more than one client.
type rowCount struct {
	slots []countSlot
	gen   uint32
	used  int
}

type countSlot struct {
	key uint64
	gen uint32
	n   uint16 // rows; a reference has at most baselineRows
	who uint16 // 1 + a hash of its client, or severalClients
}

const severalClients = 1<<16 - 1

func (t *rowCount) reset(size int) {
	if len(t.slots) < size {
		n := 1024
		for n < size {
			n *= 2
		}
		t.slots, t.gen = make([]countSlot, n), 0
	}
	t.gen++
	t.used = 0
	if t.gen == 0 { // wrapped: see tally.reset
		clear(t.slots)
		t.gen = 1
	}
}

// add counts a row of client in the cell key, unless the table is 7/8 full.
func (t *rowCount) add(key, client uint64) {
	who := 1 + uint16(client>>40&63)
	mask := uint64(len(t.slots) - 1)
	for i := mix(key) & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.gen != t.gen {
			if t.used*8 >= len(t.slots)*7 {
				return
			}
			t.used++
			*s = countSlot{key: key, gen: t.gen, n: 1, who: who}
			return
		}
		if s.key == key {
			s.n++
			if s.who != who {
				s.who = severalClients
			}
			return
		}
	}
}

// get is how many rows the cell key has.
func (t *rowCount) get(key uint64) float32 {
	if s := t.peek(key); s != nil {
		return float32(s.n)
	}
	return 0
}

// several says that the rows of the cell key are of more than one client.
func (t *rowCount) several(key uint64) bool {
	s := t.peek(key)
	return s != nil && s.who == severalClients
}

func (t *rowCount) peek(key uint64) *countSlot {
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
