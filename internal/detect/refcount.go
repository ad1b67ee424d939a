package detect

// rowCount counts the rows of a reference by cell: a tally of a quarter of the size,
// since each service has one. It knows how many rows a cell has, and whether they are
// of more than one client. Cells are told apart by 32 bits of their name.
type rowCount struct {
	slots []countSlot
	used  int
}

type countSlot struct {
	key uint32
	n   uint16 // rows, 0 where the slot is empty; a reference has at most baselineRows
	who uint16 // 1 + a hash of its client, or severalClients
}

const severalClients = 1<<16 - 1

func (t *rowCount) reset(size int) {
	t.used = 0
	if len(t.slots) >= size {
		clear(t.slots)
		return
	}
	n := 1024
	for n < size {
		n *= 2
	}
	t.slots = make([]countSlot, n)
}

// add counts a row of client in the cell key, unless the table is 7/8 full.
func (t *rowCount) add(key, client uint64) {
	who := 1 + uint16(client>>40&63)
	h := mix(key)
	mask, name := uint64(len(t.slots)-1), uint32(h>>32)
	for i := h & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.n == 0 {
			if t.used*8 >= len(t.slots)*7 {
				return
			}
			t.used++
			*s = countSlot{key: name, n: 1, who: who}
			return
		}
		if s.key == name {
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
	h := mix(key)
	mask, name := uint64(len(t.slots)-1), uint32(h>>32)
	for i := h & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.n == 0 {
			return nil
		}
		if s.key == name {
			return s
		}
	}
}
