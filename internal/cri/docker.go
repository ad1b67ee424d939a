package cri

import (
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrNotDocker is returned for a line that is not one of Docker's json-file.
var ErrNotDocker = errors.New("not a line of Docker's json-file log")

// SplitDocker takes a line of Docker's json-file log apart. The newline that
// ends the application's line is taken off; where it is missing, Docker cut the
// line (at 16 KiB) and the rest follows: the line is partial. Keys may come in
// any order; unknown ones (attrs) are skipped.
func SplitDocker(line string) (Line, error) {
	r := reader{s: line}
	if !r.take('{') {
		return Line{}, ErrNotDocker
	}
	var l Line
	var text, timed bool
	for first := true; ; first = false {
		if r.take('}') {
			break
		}
		if !first && !r.take(',') {
			return Line{}, ErrNotDocker
		}
		key, ok := r.str()
		if !ok || !r.take(':') {
			return Line{}, ErrNotDocker
		}
		switch key {
		case "log":
			l.Text, ok = r.str()
			text = ok
		case "stream":
			var s string
			if s, ok = r.str(); s == "stderr" {
				l.Stream = Stderr
			}
		case "time":
			var s string
			if s, ok = r.str(); ok {
				var n int
				l.Time, n, timed = parseTime(s)
				ok = timed && n == len(s)
			}
		default:
			ok = r.skip()
		}
		if !ok {
			return Line{}, ErrNotDocker
		}
	}
	if r.space(); !text || !timed || r.at != len(r.s) {
		return Line{}, ErrNotDocker
	}
	if n := len(l.Text); n > 0 && l.Text[n-1] == '\n' {
		l.Text = l.Text[:n-1]
	} else {
		l.Partial = true
	}
	return l, nil
}

// reader walks through one JSON text.
type reader struct {
	s  string
	at int
}

func (r *reader) space() {
	for r.at < len(r.s) && (r.s[r.at] == ' ' || r.s[r.at] == '\t' || r.s[r.at] == '\r') {
		r.at++
	}
}

func (r *reader) take(c byte) bool {
	r.space()
	if r.at < len(r.s) && r.s[r.at] == c {
		r.at++
		return true
	}
	return false
}

// str reads a string. It is a part of the text unless something within it is
// escaped.
func (r *reader) str() (string, bool) {
	if !r.take('"') {
		return "", false
	}
	from := r.at
	for {
		i := strings.IndexByte(r.s[r.at:], '"')
		if i < 0 {
			return "", false
		}
		end := r.at + i
		// An odd number of backslashes before it escapes the quote.
		back := 0
		for back < end-from && r.s[end-1-back] == '\\' {
			back++
		}
		r.at = end + 1
		if back%2 == 0 {
			return unescape(r.s[from:end])
		}
	}
}

func unescape(s string) (string, bool) {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s, true
	}
	out := make([]byte, 0, len(s))
	for {
		out = append(out, s[:i]...)
		s = s[i:]
		if len(s) < 2 {
			return "", false
		}
		n := 2
		switch c := s[1]; c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'u':
			c, ok := hex4(s[2:])
			if !ok {
				return "", false
			}
			n = 6
			if utf16.IsSurrogate(c) {
				low, ok := rune(0), false
				if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
					low, ok = hex4(s[8:])
				}
				if pair := utf16.DecodeRune(c, low); ok && pair != utf8.RuneError {
					c, n = pair, 12
				} else {
					c = utf8.RuneError
				}
			}
			out = utf8.AppendRune(out, c)
		default:
			return "", false
		}
		s = s[n:]
		if i = strings.IndexByte(s, '\\'); i < 0 {
			return string(append(out, s...)), true
		}
	}
}

func hex4(s string) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var v rune
	for i := range 4 {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | rune(c)
	}
	return v, true
}

// skip passes over one value of any kind, without checking its grammar: nested
// brackets are counted, strings are read as strings.
func (r *reader) skip() bool {
	depth := 0
	for {
		r.space()
		if r.at >= len(r.s) {
			return false
		}
		switch c := r.s[r.at]; c {
		case '"':
			if _, ok := r.str(); !ok {
				return false
			}
		case '{', '[':
			depth++
			r.at++
		case '}', ']':
			depth--
			r.at++
		case ',', ':':
			if depth == 0 {
				return false
			}
			r.at++
		default:
			for r.at < len(r.s) && !strings.ContainsRune(`,:{}[]" `, rune(r.s[r.at])) {
				r.at++
			}
		}
		if depth < 0 {
			return false
		}
		if depth == 0 {
			r.space()
			if r.at >= len(r.s) || r.s[r.at] == ',' || r.s[r.at] == '}' {
				return true
			}
			return false
		}
	}
}
