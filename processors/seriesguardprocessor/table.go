package seriesguardprocessor

import "math/bits"

// table is a set of series by fingerprint, each with its weight and the last
// epoch in which it was seen: open addressing with linear probing over two
// arrays, 12 bytes a slot, grown by half when three quarters are taken. Nothing
// is deleted one by one: sweep builds it anew.
//
// A Go map[uint64]uint32 costs twice the memory and the time of a look-up.
type table struct {
	prints []uint64 // 0 is an empty slot
	marks  []uint32 // weight<<8 | epoch
	n      int      // slots taken
}

const (
	slotBytes = 12
	minSlots  = 8
	maxWeight = 1<<24 - 1
)

// bytes is what the arrays take.
func (t *table) bytes() int { return len(t.prints) * slotBytes }

// find returns the slot of a fingerprint, which must not be 0, or the empty one
// where it belongs.
func (t *table) find(print uint64) (slot int, known bool) {
	size := uint64(len(t.prints))
	if size == 0 {
		return 0, false
	}
	// The high bits, scaled to any size (Lemire 2019).
	hi, _ := bits.Mul64(print, size)
	for i := hi; ; i++ {
		if i == size {
			i = 0
		}
		switch t.prints[i] {
		case print:
			return int(i), true
		case 0:
			return int(i), false
		}
	}
}

// touch says that a series was seen.
func (t *table) touch(slot int, epoch uint8) {
	if m := t.marks[slot]; uint8(m) != epoch {
		t.marks[slot] = m&^0xff | uint32(epoch)
	}
}

// add takes in a series that find did not know.
func (t *table) add(print uint64, weight uint32, epoch uint8) {
	if 4*(t.n+1) > 3*len(t.prints) {
		t.rebuild(max(minSlots, len(t.prints)+len(t.prints)/2), func(uint32) bool { return true })
	}
	slot, _ := t.find(print)
	t.prints[slot], t.marks[slot] = print, weight<<8|uint32(epoch)
	t.n++
}

// sweep forgets the series that were not seen for more than age epochs, and
// returns the sum of their weights.
func (t *table) sweep(epoch, age uint8) (freed int) {
	old := func(mark uint32) bool { return epoch-uint8(mark) > age }
	gone := 0
	for i, p := range t.prints {
		if p != 0 && old(t.marks[i]) {
			gone++
			freed += int(t.marks[i] >> 8)
		}
	}
	if gone > 0 {
		left := t.n - gone
		t.rebuild(max(minSlots, 2*left), func(mark uint32) bool { return !old(mark) })
	}
	return freed
}

// rebuild moves what keep keeps into arrays of a size.
func (t *table) rebuild(size int, keep func(mark uint32) bool) {
	from := *t
	*t = table{prints: make([]uint64, size), marks: make([]uint32, size)}
	for i, p := range from.prints {
		if p != 0 && keep(from.marks[i]) {
			slot, _ := t.find(p)
			t.prints[slot], t.marks[slot] = p, from.marks[i]
			t.n++
		}
	}
}
