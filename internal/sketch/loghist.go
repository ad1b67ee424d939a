package sketch

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

const logHistBins = 61 * 8

// LogHist is a histogram of non-negative integers (nanoseconds, bytes) with
// eight bins a power of two: a quantile is within 6.25 % of the true value. It
// is DDSketch's idea (Masson et al. 2019) with fixed bins, so that adding is an
// increment and merging is a sum. The zero value is empty.
type LogHist struct {
	n    uint64
	bins [logHistBins]uint32
}

func logBin(v uint64) int {
	if v < 8 {
		return int(v)
	}
	e := bits.Len64(v) - 4 // so that v>>e is within 8…15
	return min(e*8+int(v>>e), logHistBins-1)
}

func logBinMiddle(i int) uint64 {
	if i < 16 {
		return uint64(i)
	}
	e := i/8 - 1
	low := uint64(i-e*8) << e
	return low + uint64(1)<<e/2
}

// Add counts v once; negative values count as zero.
func (h *LogHist) Add(v int64) {
	h.n++
	h.bins[logBin(uint64(max(v, 0)))]++
}

// Count is how many values were added.
func (h *LogHist) Count() uint64 { return h.n }

// Quantile returns the value below which the share q (0–1) lies; 0 when empty.
func (h *LogHist) Quantile(q float64) uint64 {
	rank := uint64(q * float64(h.n))
	var sum uint64
	for i, c := range &h.bins {
		if sum += uint64(c); sum > rank || (sum == h.n && sum > 0) {
			return logBinMiddle(i)
		}
	}
	return 0
}

// Merge adds o to h.
func (h *LogHist) Merge(o *LogHist) {
	h.n += o.n
	for i, c := range &o.bins {
		h.bins[i] += c
	}
}

// Halve ages h: every count is halved.
func (h *LogHist) Halve() {
	h.n = 0
	for i := range h.bins {
		h.bins[i] /= 2
		h.n += uint64(h.bins[i])
	}
}

// Reset empties h.
func (h *LogHist) Reset() { *h = LogHist{} }

var errLogHist = errors.New("quantile sketch is malformed")

// Append encodes h: uvarint number of filled bins, then (uvarint bin, uvarint
// count) each.
func (h *LogHist) Append(dst []byte) []byte {
	filled := 0
	for _, c := range &h.bins {
		if c > 0 {
			filled++
		}
	}
	dst = binary.AppendUvarint(dst, uint64(filled))
	for i, c := range &h.bins {
		if c > 0 {
			dst = binary.AppendUvarint(dst, uint64(i))
			dst = binary.AppendUvarint(dst, uint64(c))
		}
	}
	return dst
}

// MergeEncoded merges what Append wrote, and returns the bytes after it.
func (h *LogHist) MergeEncoded(b []byte) ([]byte, error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > logHistBins {
		return nil, errLogHist
	}
	b = b[w:]
	for ; n > 0; n-- {
		i, w := binary.Uvarint(b)
		if w <= 0 || i >= logHistBins {
			return nil, errLogHist
		}
		b = b[w:]
		c, w := binary.Uvarint(b)
		if w <= 0 || c > 1<<31 {
			return nil, errLogHist
		}
		b = b[w:]
		if s := h.bins[i] + uint32(c); s >= uint32(c) {
			h.bins[i] = s
			h.n += c
		}
	}
	return b, nil
}
