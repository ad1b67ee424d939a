package seriesguardprocessor

import (
	"math/rand/v2"
	"testing"
)

// The table against a map, through growth, ageing and the wrap of the epoch.
func TestATableIsASetThatForgetsWhatIsOld(t *testing.T) {
	type entry struct {
		weight uint16
		seen   int
	}
	r := rand.New(rand.NewPCG(1, 2))
	var tab table
	want := map[uint64]entry{}
	for now := range 600 {
		epoch := uint8(now)
		for range r.IntN(200) {
			print := fingerprint(uint64(r.IntN(2000))) &^ epochMask
			if r.IntN(50) == 0 {
				print = ^uint64(epochMask) - uint64(r.IntN(4))<<epochBits // the last slots: the probe wraps
			}
			slot, known := tab.find(print)
			if _, there := want[print]; known != there {
				t.Fatalf("epoch %d: known %v, want %v", now, known, there)
			}
			e := entry{uint16(r.IntN(20) + 1), now}
			if known {
				e.weight = want[print].weight
				tab.touch(slot, epoch)
			} else {
				tab.add(print, e.weight, epoch)
			}
			want[print] = e
		}
		freed := 0
		for p, e := range want {
			if now-e.seen > epochs {
				freed += int(e.weight)
				delete(want, p)
			}
		}
		if got := tab.sweep(epoch, epochs); got != freed {
			t.Fatalf("epoch %d: freed %d, want %d", now, got, freed)
		}
		if tab.n != len(want) || 4*tab.n > 3*len(tab.slots) {
			t.Fatalf("epoch %d: %d of %d slots, want %d entries", now, tab.n, len(tab.slots), len(want))
		}
	}
	last := 600
	if tab.sweep(uint8(last), 0); tab.n != 0 || len(tab.slots) != minSlots {
		t.Errorf("%d entries in %d slots are left", tab.n, len(tab.slots))
	}
}
