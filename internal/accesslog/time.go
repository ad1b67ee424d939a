package accesslog

import "time"

// clock reads time stamps. It remembers the last one of each shape: in a busy
// log a thousand lines share a second.
type clock struct {
	clf     [26]byte // "17/May/2015:10:05:03 +0000"
	clfNano int64
	iso     [20]byte // "2016-04-15T20:17:00" and the separator, in UTC
	isoSec  int64
	hap     [20]byte // "06/Feb/2009:12:14:14", local time
	hapNano int64
	loc     *time.Location
}

// commonLog reads "17/May/2015:10:05:03 +0000".
func (c *clock) commonLog(b []byte) (unixNano int64, ok bool) {
	if len(b) != 26 {
		return 0, false
	}
	if string(b) == string(c.clf[:]) {
		return c.clfNano, true
	}
	sec, ok := commonLogSeconds(b)
	if !ok || b[20] != ' ' {
		return 0, false
	}
	offset, ok := zone(b[21:])
	if !ok {
		return 0, false
	}
	copy(c.clf[:], b)
	c.clfNano = (sec - offset) * 1e9
	return c.clfNano, true
}

// haproxy reads "06/Feb/2009:12:14:14.655", a local time without its zone.
func (c *clock) haproxy(b []byte) (unixNano int64, ok bool) {
	if len(b) < 20 {
		return 0, false
	}
	if string(b[:20]) != string(c.hap[:]) {
		sec, ok := commonLogSeconds(b)
		if !ok {
			return 0, false
		}
		t := time.Unix(sec, 0).UTC()
		local := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, c.loc)
		copy(c.hap[:], b[:20])
		c.hapNano = local.UnixNano()
	}
	frac, rest, ok := fraction(b[20:])
	return c.hapNano + frac, ok && len(rest) == 0
}

// iso8601 reads RFC 3339 and its usual variants: a blank for the T, a comma for
// the point, any number of decimals, a zone with or without colon, or none
// (then UTC).
func (c *clock) iso8601(b []byte) (unixNano int64, ok bool) {
	if len(b) < 19 {
		return 0, false
	}
	if string(b[:19]) != string(c.iso[:19]) {
		sec, ok := isoSeconds(b)
		if !ok {
			return 0, false
		}
		copy(c.iso[:], b[:19])
		c.isoSec = sec
	}
	frac, rest, ok := fraction(b[19:])
	if !ok {
		return 0, false
	}
	nano := c.isoSec*1e9 + frac
	switch {
	case len(rest) == 0, len(rest) == 1 && rest[0]|0x20 == 'z':
		return nano, true
	default:
		offset, ok := zone(rest)
		return nano - offset*1e9, ok
	}
}

// fraction reads ".123456" or nothing, and returns it in nanoseconds.
func fraction(b []byte) (nano int64, rest []byte, ok bool) {
	if len(b) == 0 || (b[0] != '.' && b[0] != ',') {
		return 0, b, true
	}
	scale, i := int64(1e8), 1
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		nano += int64(b[i]-'0') * scale
		scale /= 10
	}
	return nano, b[i:], i > 1
}

// zone reads "+0200", "+02:00" or "+02" as seconds east of UTC.
func zone(b []byte) (seconds int64, ok bool) {
	if len(b) < 3 || (b[0] != '+' && b[0] != '-') {
		return 0, false
	}
	h, ok1 := two(b[1:])
	m, ok2 := int64(0), true
	switch {
	case len(b) == 5:
		m, ok2 = two(b[3:])
	case len(b) == 6 && b[3] == ':':
		m, ok2 = two(b[4:])
	case len(b) != 3:
		return 0, false
	}
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return 0, false
	}
	seconds = h*3600 + m*60
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// commonLogSeconds reads "17/May/2015:10:05:03" at the start of b as if it were
// in UTC.
func commonLogSeconds(b []byte) (int64, bool) {
	if len(b) < 20 || b[2] != '/' || b[6] != '/' || b[11] != ':' {
		return 0, false
	}
	day, ok1 := two(b)
	year1, ok2 := two(b[7:])
	year2, ok3 := two(b[9:])
	month := monthOf(b[3], b[4], b[5])
	if !ok1 || !ok2 || !ok3 || month == 0 {
		return 0, false
	}
	return seconds(year1*100+year2, month, day, b[12:20])
}

// isoSeconds reads "2016-04-15T20:17:00" at the start of b as if it were in UTC.
func isoSeconds(b []byte) (int64, bool) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || (b[10] != 'T' && b[10] != ' ' && b[10] != 't') {
		return 0, false
	}
	year1, ok1 := two(b)
	year2, ok2 := two(b[2:])
	month, ok3 := two(b[5:])
	day, ok4 := two(b[8:])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return 0, false
	}
	return seconds(year1*100+year2, month, day, b[11:19])
}

// seconds puts a date and "10:05:03" together. A leap second reads as the
// second after it. The year 0 to 9999 is taken as given.
func seconds(year, month, day int64, hms []byte) (int64, bool) {
	h, ok1 := two(hms)
	m, ok2 := two(hms[3:])
	s, ok3 := two(hms[6:])
	if !ok1 || !ok2 || !ok3 || hms[2] != ':' || hms[5] != ':' ||
		h > 23 || m > 59 || s > 60 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		year < 1970 || year > 2261 {
		return 0, false
	}
	return daysSinceEpoch(year, month, day)*86400 + h*3600 + m*60 + s, true
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSinceEpoch counts days in the proleptic Gregorian calendar, with years
// that begin in March so that the leap day comes last.
func daysSinceEpoch(year, month, day int64) int64 {
	if month <= 2 {
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 719469
}

func two(b []byte) (int64, bool) {
	hi, lo := b[0]-'0', b[1]-'0'
	return int64(hi)*10 + int64(lo), hi <= 9 && lo <= 9
}

func monthOf(a, b, c byte) int64 {
	switch uint32(a|0x20)<<16 | uint32(b|0x20)<<8 | uint32(c|0x20) {
	case 'j'<<16 | 'a'<<8 | 'n':
		return 1
	case 'f'<<16 | 'e'<<8 | 'b':
		return 2
	case 'm'<<16 | 'a'<<8 | 'r':
		return 3
	case 'a'<<16 | 'p'<<8 | 'r':
		return 4
	case 'm'<<16 | 'a'<<8 | 'y':
		return 5
	case 'j'<<16 | 'u'<<8 | 'n':
		return 6
	case 'j'<<16 | 'u'<<8 | 'l':
		return 7
	case 'a'<<16 | 'u'<<8 | 'g':
		return 8
	case 's'<<16 | 'e'<<8 | 'p':
		return 9
	case 'o'<<16 | 'c'<<8 | 't':
		return 10
	case 'n'<<16 | 'o'<<8 | 'v':
		return 11
	case 'd'<<16 | 'e'<<8 | 'c':
		return 12
	}
	return 0
}
