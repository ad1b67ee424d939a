package emf

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// plain tells the bytes that stand in a JSON string as they are.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return t
}()

const hex = "0123456789abcdef"

// AppendString appends s as a JSON string. s must be valid UTF-8. Unlike
// encoding/json it leaves <, > and & alone: what is sent is no HTML, and each
// escape would be billed.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	b = AppendEscaped(b, s)
	return append(b, '"')
}

// AppendEscaped is AppendString without the quotes. Documents have a quote every
// ten bytes, so it copies words, not runs: eight bytes are written whatever they
// are, and only those before the first special one count.
func AppendEscaped(b []byte, s string) []byte {
	n := len(b)
	b = slices.Grow(b, len(s)+len(s)/8+16)
	b = b[:cap(b)]
	for i := 0; i < len(s); {
		if len(b)-n < 16 {
			b = slices.Grow(b, len(s)-i+16)
			b = b[:cap(b)]
		}
		if i+8 <= len(s) {
			w := load(s[i : i+8])
			binary.LittleEndian.PutUint64(b[n:], w)
			m := special(w)
			if m == 0 {
				i, n = i+8, n+8
				continue
			}
			k := bits.TrailingZeros64(m) / 8
			i, n = i+k, n+k
		} else if plain[s[i]] {
			b[n] = s[i]
			i, n = i+1, n+1
			continue
		}
		n += escape(b[n:], s[i])
		i++
	}
	return b[:n]
}

// escape writes a special byte and tells in how many.
func escape(b []byte, c byte) int {
	b[0] = '\\'
	switch c {
	case '"', '\\':
		b[1] = c
	case '\n':
		b[1] = 'n'
	case '\t':
		b[1] = 't'
	case '\r':
		b[1] = 'r'
	default:
		return copy(b[1:], []byte{'u', '0', '0', hex[c>>4], hex[c&15]}) + 1
	}
	return 2
}

// load is eight bytes as one number; the compiler makes one instruction of it.
func load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, by its high bit, a byte of w that is below 0x20, a quote or a
// backslash. Bytes above the lowest marked one may be marked for nothing: the
// borrow of the subtraction runs upwards.
func special(w uint64) uint64 {
	quote, slash := w^ones*'"', w^ones*'\\'
	return ((w - ones*0x20) | (quote - ones) | (slash - ones)) & ^w & highs
}

// AppendFloat appends a finite number as JSON has it, as short as it can be read
// back.
func AppendFloat(b []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return strconv.AppendInt(b, int64(v), 10)
	}
	format := byte('f')
	if abs := math.Abs(v); abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	return strconv.AppendFloat(b, v, format, -1, 64)
}
