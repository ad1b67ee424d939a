package applog

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// parseJSON reads a JSON object. Unless told that lines are JSON, one of an access
// log is left to others.
func (p *Parser) parseJSON(line string, told bool) {
	line = strings.TrimSpace(line)
	p.keys.begin()
	p.rec.Kind = Fields
	if line == "" || line[0] != '{' {
		p.broken()
		return
	}
	end := p.object(line, 1, nil, 1)
	if end < 0 || end != len(line) {
		p.broken()
		return
	}
	p.request(told)
}

func space(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// object reads the members of the object whose brace ended before i; it returns
// the index behind its closing one, or -1.
func (p *Parser) object(s string, i int, parent *key, depth int) int {
	if i = space(s, i); i < len(s) && s[i] == '}' {
		return i + 1
	}
	for {
		if i = space(s, i); i >= len(s) || s[i] != '"' {
			return -1
		}
		name, end := text(s, i)
		if end < 0 {
			return -1
		}
		if i = space(s, end); i >= len(s) || s[i] != ':' {
			return -1
		}
		if i = space(s, i+1); i >= len(s) {
			return -1
		}
		k := p.keys.get(parent, name, p.limits.KeyBytes)
		if i = p.value(s, i, k, depth); i < 0 {
			return -1
		}
		if i = space(s, i); i >= len(s) {
			return -1
		}
		switch s[i] {
		case ',':
			i++
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

// value reads the value at i, which is k's; null is no value.
func (p *Parser) value(s string, i int, k *key, depth int) int {
	f := Field{key: k}
	switch s[i] {
	case '"':
		var end int
		if f.Str, end = text(s, i); end < 0 {
			return -1
		}
		p.add(f)
		return end
	case '{':
		if depth < p.limits.Depth {
			return p.object(s, i+1, k, depth+1)
		}
		end := skip(s, i)
		if end < 0 {
			return -1
		}
		f.Type, f.Str = Thing, s[i:end]
		p.add(f)
		return end
	case '[':
		end := skip(s, i)
		if end < 0 {
			return -1
		}
		f.Type, f.Str = Thing, s[i:end]
		if strings.IndexByte(s[i+1:end], '{') < 0 && strings.IndexByte(s[i+1:end], '[') < 0 && strings.Count(s[i:end], ",") < maxList {
			f.Type = List
		}
		p.add(f)
		return end
	}
	end := scalar(s, i)
	if null, ok := f.scalar(s[i:end]); !ok {
		return -1
	} else if !null {
		p.add(f)
	}
	return end
}

// scalar takes a number, true or false; null is true for null.
func (f *Field) scalar(s string) (null, ok bool) {
	switch s {
	case "null":
		return true, true
	case "true", "false":
		f.Type = Bool
		if s == "true" {
			f.Int = 1
		}
		return false, true
	case "NaN", "Infinity", "-Infinity": // Python's json writes these
		f.Str = s
		return false, true
	}
	return false, f.number(s)
}

func (f *Field) number(s string) bool {
	digits, minus := s, false
	if s != "" && s[0] == '-' {
		digits, minus = s[1:], true
	}
	if digits == "" || digits[0]-'0' > 9 {
		return false
	}
	n := int64(0)
	for i := range len(digits) {
		d := digits[i] - '0'
		if d > 9 || i == 18 {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil && v == 0 || strings.ContainsAny(s, "xXpP_") {
				return false
			}
			if d <= 9 { // a whole number of 19 digits or more
				if whole, err := strconv.ParseInt(s, 10, 64); err == nil {
					f.Type, f.Int = Int, whole
					return true
				}
				f.Str = s // all its digits may matter: an ID
				return true
			}
			f.Type, f.Float = Float, v
			return true
		}
		n = n*10 + int64(d)
	}
	if minus {
		n = -n
	}
	f.Type, f.Int = Int, n
	return true
}

// scalar returns the index behind the scalar at i.
func scalar(s string, i int) int {
	for i < len(s) {
		switch s[i] {
		case ',', '}', ']', ' ', '\t', '\n', '\r', ':', '"', '{', '[':
			return i
		}
		i++
	}
	return i
}

// text reads the string whose quote is at i. It is a part of s unless something
// within it is escaped.
func text(s string, i int) (string, int) {
	from := i + 1
	for at := from; ; {
		n := strings.IndexByte(s[at:], '"')
		if n < 0 {
			return "", -1
		}
		end := at + n
		back := end
		for back > from && s[back-1] == '\\' {
			back--
		}
		if (end-back)%2 == 0 {
			return unescape(s[from:end]), end + 1
		}
		at = end + 1
	}
}

// skip returns the index behind the object or list at i, or -1. What is inside is
// not checked beyond its brackets.
func skip(s string, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			if _, i = text(s, i); i < 0 {
				return -1
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}

// unescape takes JSON's escapes out. A broken one is kept as it is.
func unescape(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i >= 0 {
		out = append(out, s[:i]...)
		s = s[i:]
		if len(s) < 2 {
			break
		}
		n := 2
		switch c := s[1]; c {
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
			r, size := unicode(s)
			if n = size; size == 2 {
				out = append(out, s[:2]...)
				break
			}
			out = utf8.AppendRune(out, r)
		case '"', '\\', '/':
			out = append(out, c)
		default:
			out = append(out, s[:2]...)
		}
		s = s[n:]
		i = strings.IndexByte(s, '\\')
	}
	return string(append(out, s...))
}

// unicode reads \uXXXX, and the second half of a pair; size is 2 where it cannot
// be read.
func unicode(s string) (r rune, size int) {
	four := func(s string) (rune, bool) {
		var b [2]byte
		ok := len(s) >= 4 && hexInto(b[:], s[:4])
		return rune(b[0])<<8 | rune(b[1]), ok
	}
	r, ok := four(s[2:])
	if !ok {
		return 0, 2
	}
	if utf16.IsSurrogate(r) {
		if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
			if low, ok := four(s[8:]); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					return pair, 12
				}
			}
		}
		return utf8.RuneError, 6
	}
	return r, 6
}

// maxList is how many scalars a List has at most; a longer one is a Thing.
const maxList = 64

// Each gives the scalars of a List; null is skipped.
func (f Field) Each(yield func(Field) bool) {
	s := f.Str
	i := 1
	for range maxList {
		if i = space(s, i); i >= len(s) || s[i] == ']' {
			return
		}
		var v Field
		if s[i] == '"' {
			end := 0
			if v.Str, end = text(s, i); end < 0 {
				return
			}
			i = end
			if !yield(v) {
				return
			}
		} else {
			end := scalar(s, i)
			null, ok := v.scalar(s[i:end])
			if !ok {
				v = Field{Str: s[i:end]}
			}
			if end == i {
				return
			}
			i = end
			if !null && !yield(v) {
				return
			}
		}
		if i = space(s, i); i < len(s) && s[i] == ',' {
			i++
		}
	}
}
