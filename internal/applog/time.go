package applog

import (
	"strings"
	"time"
)

// clock reads times. Lines of one second differ in its fraction, so the seconds
// of the last time are kept.
type clock struct {
	text string // "2026-07-11T19:00:00"
	sec  int64
}

// The years in which a number may be a time: 2000 to 2100. A duration or a
// counter in a field called time is none.
const (
	firstSecond = 946684800
	lastSecond  = 4102444800

	// believable is how far a time without a zone may be from when the runtime
	// wrote the line down: else its zone is not UTC, and nobody knows which.
	believable = int64(30 * time.Minute)
)

// read gives the Unix time in ns that a field holds, or 0.
func (c *clock) read(f *Field, near int64) int64 {
	switch f.Type {
	case Str:
		ns, zoned, ok := c.text8601(f.Str)
		if ok && !zoned && near != 0 && max(ns-near, near-ns) > believable {
			return 0
		}
		if ok {
			return ns
		}
		if n, frac, isNumber := decimal(f.Str); isNumber {
			return epoch(n, frac)
		}
	case Int:
		return epoch(f.Int, 0)
	case Float:
		if f.Float >= firstSecond && f.Float < lastSecond {
			sec := int64(f.Float)
			// A float64 holds seconds of this century to the microsecond.
			return sec*1e9 + int64((f.Float-float64(sec))*1e6+0.5)*1e3
		}
		return epoch(int64(f.Float), 0)
	}
	return 0
}

// epoch takes s, ms, µs or ns since 1970, which are too far apart to be confused.
func epoch(n, frac int64) int64 {
	switch {
	case n >= firstSecond && n < lastSecond:
		return n*1e9 + frac
	case n >= firstSecond*1e3 && n < lastSecond*1e3:
		return n*1e6 + frac/1e3
	case n >= firstSecond*1e6 && n < lastSecond*1e6:
		return n * 1e3
	case n >= firstSecond*1e9 && n < lastSecond*1e9:
		return n
	}
	return 0
}

// decimal reads "1752260400.123456789".
func decimal(s string) (n, frac int64, ok bool) {
	whole, rest, _ := strings.Cut(s, ".")
	if len(whole) < 9 || len(whole) > 19 || len(rest) > 9 {
		return 0, 0, false
	}
	for i := range len(whole) {
		d := whole[i] - '0'
		if d > 9 {
			return 0, 0, false
		}
		n = n*10 + int64(d)
	}
	scale := int64(1e9)
	for i := range len(rest) {
		d := rest[i] - '0'
		if d > 9 {
			return 0, 0, false
		}
		scale /= 10
		frac += int64(d) * scale
	}
	return n, frac, n >= 0
}

// text8601 reads RFC 3339 and what writers make of it: a space for the T, a comma
// for the point, an offset without its colon, or no zone at all, which is taken
// as UTC.
func (c *clock) text8601(s string) (ns int64, zoned, ok bool) {
	if len(s) < 19 || s[4] != '-' || s[10] != 'T' && s[10] != ' ' {
		return 0, false, false
	}
	if c.text == "" || s[:19] != c.text {
		t, err := time.Parse("2006-01-02T15:04:05", s[:10]+"T"+s[11:19])
		if err != nil || t.Unix() < firstSecond || t.Unix() >= lastSecond {
			return 0, false, false
		}
		c.text, c.sec = strings.Clone(s[:19]), t.Unix()
	}
	ns, rest := c.sec*1e9, s[19:]
	if rest != "" && (rest[0] == '.' || rest[0] == ',') {
		n, scale := 1, int64(1e9)
		for ; n < len(rest) && rest[n]-'0' <= 9; n++ {
			scale /= 10
			ns += int64(rest[n]-'0') * scale
		}
		if n == 1 {
			return 0, false, false
		}
		rest = rest[n:]
	}
	switch rest = strings.TrimPrefix(rest, " "); {
	case rest == "":
		return ns, false, true
	case rest == "Z" || rest == "z" || rest == "UTC":
		return ns, true, true
	case rest[0] == '+' || rest[0] == '-':
		offset, ok := zone(rest[1:])
		if rest[0] == '-' {
			offset = -offset
		}
		return ns - offset*1e9, true, ok
	}
	return 0, false, false
}

// zone reads hh:mm, hhmm or hh, in seconds.
func zone(s string) (int64, bool) {
	if len(s) == 5 && s[2] == ':' {
		s = s[:2] + s[3:]
	}
	if len(s) == 2 {
		s += "00"
	}
	if len(s) != 4 {
		return 0, false
	}
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return 0, false
		}
	}
	h, m := int64(s[0]-'0')*10+int64(s[1]-'0'), int64(s[2]-'0')*10+int64(s[3]-'0')
	return h*3600 + m*60, h < 24 && m < 60
}
