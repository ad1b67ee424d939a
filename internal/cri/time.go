package cri

// parseTime reads the RFC 3339 time at the beginning of s, with up to nine
// digits of a second's fraction and any offset. It gives ns since the epoch and
// how many bytes the time took. time.Parse takes some five times as long.
func parseTime(s string) (ns int64, n int, ok bool) {
	if len(s) < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, 0, false
	}
	year, ok1 := digits(s[0:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	hour, ok4 := digits(s[11:13])
	minute, ok5 := digits(s[14:16])
	second, ok6 := digits(s[17:19])
	// The years that fit into 64 bits of ns; a leap second is 60.
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || year < 1700 || year > 2200 ||
		month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return 0, 0, false
	}
	n = 19
	if s[n] == '.' {
		n++
		scale, from := int64(1e9), n
		for ; n < len(s) && s[n]-'0' <= 9; n++ {
			if scale > 1 {
				scale /= 10
				ns += int64(s[n]-'0') * scale
			}
		}
		if n == from {
			return 0, 0, false
		}
	}
	if n >= len(s) {
		return 0, 0, false
	}
	offset := int64(0)
	switch s[n] {
	case 'Z':
		n++
	case '+', '-':
		if len(s) < n+6 || s[n+3] != ':' {
			return 0, 0, false
		}
		h, ok1 := digits(s[n+1 : n+3])
		m, ok2 := digits(s[n+4 : n+6])
		if !ok1 || !ok2 || h > 23 || m > 59 {
			return 0, 0, false
		}
		offset = h*3600 + m*60
		if s[n] == '-' {
			offset = -offset
		}
		n += 6
	default:
		return 0, 0, false
	}
	sec := daysSinceEpoch(year, month, day)*86400 + hour*3600 + minute*60 + second - offset
	return sec*1e9 + ns, n, true
}

func digits(s string) (v int64, ok bool) {
	for i := 0; i < len(s); i++ {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + int64(d)
	}
	return v, true
}

// daysSinceEpoch counts days of the Gregorian calendar from 1970-01-01: years
// begin in March, so that a leap day is a year's last (H. Hinnant,
// "chrono-Compatible Low-Level Date Algorithms", days_from_civil).
func daysSinceEpoch(y, m, d int64) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}
