package accesslog

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// This scanner walks a JSON object's members in one pass. It checks what it
// needs to find its way (quotes, brackets, separators) and no more: a log line
// is read for a dozen fields, not validated.

// maxDepth bounds nesting.
const maxDepth = 32

// skipSpace returns the next index that holds no JSON whitespace.
func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// stringEnd returns the index of the quote that closes the string whose content
// begins at i, or -1.
func stringEnd(b []byte, i int) int {
	for {
		j := bytes.IndexByte(b[i:], '"')
		if j < 0 {
			return -1
		}
		j += i
		if b[j-1] != '\\' || !escaped(b, j) {
			return j
		}
		i = j + 1
	}
}

// skipValue returns the index behind the value that begins at i, or -1.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch c := b[i]; c {
		case '"':
			end := stringEnd(b, i+1)
			if end < 0 {
				return -1
			}
			i = end + 1
		case '{', '[':
			depth++
			i++
			if depth > maxDepth {
				return -1
			}
			continue
		case '}', ']':
			depth--
			i++
			if depth < 0 {
				return -1
			}
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return -1
			}
			i++
			continue
		default:
			i = scalarEnd(b, i)
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

// scalarEnd returns the index behind a number, true, false or null.
func scalarEnd(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case ',', '}', ']', ' ', '\t', '\n', '\r', ':', '"':
			return i
		}
		i++
	}
	return i
}

// appendJSONString appends the content of a JSON string, unescaped. A broken
// escape is kept as it is.
func appendJSONString(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			dst = append(dst, b[i])
			continue
		}
		i++
		switch c := b[i]; c {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			r, ok := hex4(b[i+1:])
			if !ok {
				dst = append(dst, '\\', 'u')
				continue
			}
			i += 4
			if utf16.IsSurrogate(r) {
				if i+2 < len(b) && b[i+1] == '\\' && b[i+2] == 'u' {
					if low, ok := hex4(b[i+3:]); ok {
						if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
							i += 6
						}
					}
				}
			}
			dst = utf8.AppendRune(dst, r)
		case 'x': // no JSON, but nginx without escape=json writes \xHH
			if i+2 < len(b) && hex(b[i+1]) < 16 && hex(b[i+2]) < 16 {
				dst = append(dst, hex(b[i+1])<<4|hex(b[i+2]))
				i += 2
				continue
			}
			dst = append(dst, '\\', 'x')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		d := hex(c)
		if d > 15 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}
