package sketch

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

const (
	hllPrecision = 11
	hllRegisters = 1 << hllPrecision
)

// HLL counts distinct 64-bit hashes in 2 KiB. Its standard error is
// 1.04/√2048 = 2.3 %; below some 5,000 values linear counting makes it smaller
// (Flajolet et al. 2007, with the small-range correction of Heule et al. 2013;
// 64-bit hashes need no large-range correction). The zero value is empty.
//
// It is our own rather than axiomhq/hyperloglog's because that one starts as a
// sparse list, which allocates on the request path, and at 2 KiB dense is as
// small as needed.
type HLL struct {
	reg  [hllRegisters]uint8
	used bool // any register is
}

// Add counts a hash.
func (h *HLL) Add(hash uint64) {
	i := hash >> (64 - hllPrecision)
	rank := uint8(bits.LeadingZeros64(hash<<hllPrecision|1<<(hllPrecision-1))) + 1
	if rank > h.reg[i] {
		h.reg[i], h.used = rank, true
	}
}

// Merge makes h count what either counts: eight registers at a time, whose
// highest bit no rank reaches and which therefore tells the larger.
func (h *HLL) Merge(o *HLL) {
	if !o.used {
		return
	}
	if !h.used {
		*h = *o
		return
	}
	const high = 0x8080808080808080
	for i := 0; i < hllRegisters; i += 8 {
		a, b := binary.LittleEndian.Uint64(h.reg[i:]), binary.LittleEndian.Uint64(o.reg[i:])
		keep := ((a | high) - b) & high >> 7 * 0xff // 0xff in each byte in which a is not less
		binary.LittleEndian.PutUint64(h.reg[i:], a&keep|b&^keep)
	}
}

// Reset empties h.
func (h *HLL) Reset() {
	if h.used {
		*h = HLL{}
	}
}

// Estimate says how many distinct hashes were added.
func (h *HLL) Estimate() uint64 {
	if !h.used {
		return 0
	}
	const m = hllRegisters
	var ranks [65]int
	for _, r := range &h.reg {
		ranks[min(r, 64)]++
	}
	if ranks[0] == m {
		return 0
	}
	sum := 0.0
	for r, n := range &ranks {
		sum += math.Ldexp(float64(n), -r)
	}
	raw := 0.7213 / (1 + 1.079/m) * m * m / sum
	if raw <= 2.5*m && ranks[0] > 0 {
		raw = m * math.Log(m/float64(ranks[0]))
	}
	return uint64(raw + 0.5)
}

var errHLL = errors.New("distinct-count sketch is malformed")

// Append encodes h: runs of empty registers take two bytes, so that a quiet
// second is small. Shape: (run uint8 of zeros, register uint8)*, a final run of
// zeros being implied.
func (h *HLL) Append(dst []byte) []byte {
	zeros := 0
	for _, r := range &h.reg {
		if r == 0 {
			zeros++
			continue
		}
		for ; zeros > 255; zeros -= 255 {
			dst = append(dst, 255, 0)
		}
		dst = append(dst, byte(zeros), r)
		zeros = 0
	}
	return dst
}

// Decode replaces h by what Append wrote.
func (h *HLL) Decode(b []byte) error {
	h.Reset()
	if len(b)%2 != 0 {
		return errHLL
	}
	at := 0
	for ; len(b) > 0; b = b[2:] {
		at += int(b[0])
		if b[1] == 0 { // a long run, continued
			continue
		}
		if at >= hllRegisters || b[1] > 64-hllPrecision+1 {
			return errHLL
		}
		h.reg[at], h.used = b[1], true
		at++
	}
	return nil
}
