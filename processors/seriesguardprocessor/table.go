package seriesguardprocessor

import "math/bits"

// table is a set of series: open addressing with linear probing, grown by half
// when three quarters are taken. A look-up reads one word, the fingerprint's upper
// 60 bits with the epoch in which the series was last seen in the lower four; the
// weights lie beside, for when a series goes. Nothing is deleted one by one: sweep
// builds the table anew.
//
// At 60 bits two of a million series of one metric are taken for one with a
// probability of 4e-7.
type table struct {
	slots   []uint64 // 0 is empty
	weights []uint16
	n       int // slots taken
}

const (
	slotBytes = 10
	minSlots  = 8
	maxWeight = 1<<16 - 1

	epochBits = 4 // the age of a series is at most epochs+1
	epochMask = 1<<epochBits - 1
)

// bytes is what the arrays take.
func (t *table) bytes() int { return len(t.slots) * slotBytes }

// find returns the slot of a fingerprint, or the empty one where it belongs.
func (t *table) find(print uint64) (slot int, known bool) {
	size := uint64(len(t.slots))
	if size == 0 {
		return 0, false
	}
	// The high bits, scaled to any size (Lemire 2019).
	i, _ := bits.Mul64(print, size)
	for ; ; i++ {
		if i == size {
			i = 0
		}
		switch s := t.slots[i]; {
		case (s^print)>>epochBits == 0:
			return int(i), true
		case s == 0:
			return int(i), false
		}
	}
}

// touch says that a series was seen.
func (t *table) touch(slot int, epoch uint8) {
	if s := t.slots[slot]; s&epochMask != uint64(epoch)&epochMask {
		t.slots[slot] = s&^epochMask | uint64(epoch)&epochMask
	}
}

// add takes in a series that find did not know.
func (t *table) add(print uint64, weight uint16, epoch uint8) {
	if 4*(t.n+1) > 3*len(t.slots) {
		t.rebuild(max(minSlots, len(t.slots)+len(t.slots)/2), func(uint64) bool { return true })
	}
	slot, _ := t.find(print)
	t.slots[slot], t.weights[slot] = print&^epochMask|uint64(epoch)&epochMask, weight
	t.n++
}

// sweep forgets the series that were not seen for more than age epochs, and
// returns the sum of their weights. It must be called each epoch: four bits tell
// no more than 15.
func (t *table) sweep(epoch, age uint8) (freed int) {
	old := func(slot uint64) bool { return (epoch-uint8(slot))&epochMask > age }
	gone := 0
	for i, s := range t.slots {
		if s != 0 && old(s) {
			gone++
			freed += int(t.weights[i])
		}
	}
	if gone > 0 {
		left := t.n - gone
		t.rebuild(max(minSlots, 2*left), func(slot uint64) bool { return !old(slot) })
	}
	return freed
}

// rebuild moves what keep keeps into arrays of a size.
func (t *table) rebuild(size int, keep func(slot uint64) bool) {
	from := *t
	*t = table{slots: make([]uint64, size), weights: make([]uint16, size)}
	for i, s := range from.slots {
		if s != 0 && keep(s) {
			slot, _ := t.find(s)
			t.slots[slot], t.weights[slot] = s, from.weights[i]
			t.n++
		}
	}
}
