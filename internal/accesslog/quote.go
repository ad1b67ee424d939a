package accesslog

import "bytes"

// closing finds the quote that ends a quoted field; b begins behind the opening
// one. An escaped quote (\") does not end it, nor does one that is followed by
// anything but a blank or the line's end, since some writers escape nothing.
// It returns -1 if there is none.
func closing(b []byte) int {
	for i := 0; ; {
		j := bytes.IndexByte(b[i:], '"')
		if j < 0 {
			return -1
		}
		j += i
		if (j+1 == len(b) || b[j+1] == ' ') && !escaped(b, j) {
			return j
		}
		i = j + 1
	}
}

// closingRequest is closing for the request line, which a status code or "-"
// follows: a raw quote and blank inside a URL do not end it.
func closingRequest(b []byte) int {
	for i := 0; ; {
		j := bytes.IndexByte(b[i:], '"')
		if j < 0 {
			return -1
		}
		j += i
		if j+2 < len(b) && b[j+1] == ' ' && (b[j+2]-'0' <= 9 || b[j+2] == '-') && !escaped(b, j) {
			return j
		}
		i = j + 1
	}
}

// escaped says whether an odd number of backslashes stands before b[i].
func escaped(b []byte, i int) bool {
	n := 0
	for i > n && b[i-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// token takes the next field off b: a quoted one (without its quotes, escapes
// untouched), or one up to the next blank.
func token(b []byte) (tok, rest []byte, quoted bool) {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	if len(b) > 0 && b[0] == '"' {
		if end := closing(b[1:]); end >= 0 {
			return b[1 : 1+end], b[2+end:], true
		}
		return b[1:], nil, true
	}
	if i := bytes.IndexByte(b, ' '); i >= 0 {
		return b[:i], b[i+1:], false
	}
	return b, nil, false
}

// field returns what a field says, unescaped: nil for "" and "-".
func (p *Parser) field(b []byte) []byte {
	if len(b) == 0 || (len(b) == 1 && b[0] == '-') {
		return nil
	}
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	return p.unescape(b)
}

// unescape resolves the escapes of nginx (\xHH), of Apache (\" \\ \n \t and
// \xHH) and of Go's %q, into the scratch buffer. An escape that is none of
// these stays as it is.
func (p *Parser) unescape(b []byte) []byte {
	start := len(p.scratch)
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			p.scratch = append(p.scratch, b[i])
			continue
		}
		i++
		c := b[i]
		switch c {
		case 'x', 'X':
			if i+2 < len(b) && hex(b[i+1]) < 16 && hex(b[i+2]) < 16 {
				c = hex(b[i+1])<<4 | hex(b[i+2])
				i += 2
				break
			}
			p.scratch = append(p.scratch, '\\')
		case 'n':
			c = '\n'
		case 't':
			c = '\t'
		case 'r':
			c = '\r'
		case 'b':
			c = '\b'
		case 'v':
			c = '\v'
		case 'f':
			c = '\f'
		case '"', '\\', '\'', '/':
		default:
			p.scratch = append(p.scratch, '\\')
		}
		p.scratch = append(p.scratch, c)
	}
	return p.scratch[start:len(p.scratch):len(p.scratch)]
}

// percent decodes %HH into the scratch buffer, for formats whose own escaping
// that is (CloudFront writes user agents so).
func (p *Parser) percent(b []byte) []byte {
	if bytes.IndexByte(b, '%') < 0 {
		return b
	}
	start := len(p.scratch)
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && i+2 < len(b) && hex(b[i+1]) < 16 && hex(b[i+2]) < 16 {
			p.scratch = append(p.scratch, hex(b[i+1])<<4|hex(b[i+2]))
			i += 2
			continue
		}
		p.scratch = append(p.scratch, b[i])
	}
	return p.scratch[start:len(p.scratch):len(p.scratch)]
}

// hex returns a hexadecimal digit's value, or 255.
func hex(c byte) byte {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case c|0x20-'a' <= 5:
		return c | 0x20 - 'a' + 10
	}
	return 255
}
