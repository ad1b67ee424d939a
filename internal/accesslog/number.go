package accesslog

import (
	"math"
	"time"

	"github.com/vigie-otel/vigie/internal/request"
)

// uint63 reads a decimal number that is all of b.
func uint63(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	return n, true
}

// byteCount reads a size; what is no number ("-") is unknown.
func byteCount(b []byte) int64 {
	if n, ok := uint63(b); ok {
		return n
	}
	return request.Unknown
}

// status reads a status code; "-" and "-1" (aborted before there was one) are 0.
func status(b []byte) (int, bool) {
	switch {
	case len(b) == 3:
		if a, c, d := b[0]-'0', b[1]-'0', b[2]-'0'; a <= 9 && c <= 9 && d <= 9 {
			return int(a)*100 + int(c)*10 + int(d), true
		}
		return 0, false
	case len(b) == 1 && (b[0] == '-' || b[0] == '0'), string(b) == "-1":
		return 0, true
	}
	return 0, false
}

// decimal reads "0.123" times unit; the result is exact to the nanosecond, and
// saturates far above any request's duration.
func decimal(b []byte, unit time.Duration) (time.Duration, bool) {
	whole, i := int64(0), 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if whole < math.MaxInt64/100 {
			whole = whole*10 + int64(b[i]-'0')
		}
	}
	if i == 0 {
		return 0, false
	}
	nano, rest, ok := fraction(b[i:])
	if !ok {
		return 0, false
	}
	if len(rest) > 0 { // 1.5e-05, as JSON writers print small numbers
		return exponent(float64(whole)+float64(nano)/1e9, rest, unit)
	}
	if whole > int64(math.MaxInt64/unit)-1 {
		return math.MaxInt64, true
	}
	return time.Duration(whole)*unit + time.Duration(float64(nano)/1e9*float64(unit)+0.5), true
}

func exponent(mantissa float64, b []byte, unit time.Duration) (time.Duration, bool) {
	if len(b) < 2 || b[0]|0x20 != 'e' {
		return 0, false
	}
	b = b[1:]
	sign := 1
	if b[0] == '-' || b[0] == '+' {
		if b[0] == '-' {
			sign = -1
		}
		b = b[1:]
	}
	e, ok := uint63(b)
	if !ok || e > 300 {
		return 0, false
	}
	v := mantissa * math.Pow10(sign*int(e)) * float64(unit)
	if v >= math.MaxInt64 {
		return math.MaxInt64, true
	}
	return time.Duration(v + 0.5), true
}

// goDuration reads a number with a unit behind it: 0ms, 1.5s, 12µs. Compound
// durations (1m30s) are not logged by anyone we know.
func goDuration(b []byte) (time.Duration, bool) {
	i := len(b)
	for i > 0 && (b[i-1] > '9' || b[i-1] < '0') {
		i--
	}
	var unit time.Duration
	switch string(b[i:]) {
	case "ns":
		unit = time.Nanosecond
	case "us", "µs", "μs":
		unit = time.Microsecond
	case "ms":
		unit = time.Millisecond
	case "s":
		unit = time.Second
	case "m":
		unit = time.Minute
	default:
		return 0, false
	}
	return decimal(b[:i], unit)
}
