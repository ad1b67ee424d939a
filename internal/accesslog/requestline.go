package accesslog

import (
	"bytes"

	"github.com/vigie-otel/vigie/internal/request"
)

// requestLine reads "GET /path?query HTTP/1.1". What clients send to a port
// that speaks HTTP need not be HTTP (TLS hellos, worms): then the method and
// path stay unknown, and the line still counts as the request that it is.
func (p *Parser) requestLine(b []byte, r *request.Request) {
	i := 0
	for i < len(b) && i <= maxMethod && methodByte(b[i]) {
		i++
	}
	if i == 0 || i > maxMethod || i >= len(b) || b[i] != ' ' {
		return
	}
	target := b[i+1:]
	if j := protocol(target); j >= 0 {
		target = target[:j]
	} else if len(target) == 0 || target[0] != '/' {
		return
	}
	r.Method = b[:i]
	p.target(target, r)
}

// maxMethod is longer than any registered method (VERSION-CONTROL has 15).
const maxMethod = 20

func methodByte(c byte) bool { return c-'A' <= 25 || c == '-' || c == '_' }

// protocol returns where " HTTP/…" at the end of a request line begins, or -1.
func protocol(b []byte) int {
	if n := len(b) - 9; n >= 0 && b[n] == ' ' && string(b[n+1:n+6]) == "HTTP/" {
		return n
	}
	i := bytes.LastIndexByte(b, ' ')
	if i >= 0 && len(b)-i > 5 && (string(b[i+1:i+6]) == "HTTP/" || string(b[i+1:i+6]) == "http/") {
		return i
	}
	return -1
}

// target splits a request target, in origin form (/path?query), absolute form
// (https://host/path), authority form (host:443, of CONNECT) or asterisk form.
func (p *Parser) target(b []byte, r *request.Request) {
	if len(b) == 0 || (len(b) == 1 && b[0] == '-') {
		return
	}
	b = p.field(b)
	if b[0] != '/' {
		if i := bytes.Index(b, []byte("://")); i > 0 && i <= 8 {
			b = b[i+3:]
			end := bytes.IndexAny(b, "/?")
			if end < 0 {
				end = len(b)
			}
			if r.Host == nil {
				r.Host = host(b[:end])
			}
			if b = b[end:]; len(b) == 0 {
				b = rootPath
			}
		} else if string(r.Method) == "CONNECT" {
			if r.Host == nil {
				r.Host = host(b)
			}
			return
		}
	}
	if i := bytes.IndexByte(b, '?'); i >= 0 {
		if i+1 < len(b) {
			r.Query = b[i+1:]
		}
		b = b[:i]
	}
	if len(b) == 0 {
		b = rootPath
	}
	r.Path = b
}

// rootPath stands for the path of a URL that has none. Never written to.
var rootPath = []byte("/")

// host drops the port, and the brackets of an IPv6 literal; nil for "" and "-".
func host(b []byte) []byte {
	if len(b) == 0 || (len(b) == 1 && b[0] == '-') {
		return nil
	}
	if b[0] == '[' {
		if i := bytes.IndexByte(b, ']'); i > 0 {
			return b[1:i]
		}
		return b
	}
	if i := bytes.LastIndexByte(b, ':'); i >= 0 && bytes.IndexByte(b[:i], ':') < 0 {
		if i == 0 {
			return nil
		}
		return b[:i]
	}
	return b
}
