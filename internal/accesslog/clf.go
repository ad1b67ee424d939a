package accesslog

import (
	"bytes"
	"net/netip"

	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/request"
)

// commonLog reads the lines that descend from the Common Log Format:
//
//	[vhost[:port]] client ident user [time] "request" status bytes
//	… "referer" "user agent"
//	… and a tail (see tail.go)
//
// It returns which of them the tail shows.
func (p *Parser) commonLog(line []byte, r *request.Request) (Format, error) {
	open, err := timeBracket(line)
	if err != nil {
		return Nginx, err
	}
	if open < 2 {
		return Nginx, ErrFormat
	}
	var ok bool
	if r.UnixNano, ok = p.clock.commonLog(line[open+1 : open+27]); !ok {
		return Nginx, ErrTime
	}
	b := line[open+28:]
	if len(b) < 3 || b[0] != ' ' || b[1] != '"' {
		return Nginx, ErrFormat
	}
	b = b[2:]
	end := closingRequest(b)
	if end < 0 {
		return Nginx, ErrFormat
	}
	peer, ok := p.before(line[:open], r)
	if !ok {
		return Nginx, ErrFormat
	}
	vhost := r.Host
	p.requestLine(b[:end], r)
	// What an absolute request target names is the client's word, not the
	// server's: "GET http://elsewhere/ HTTP/1.1" is how open proxies are sought.
	r.Host = vhost

	code, b := untilBlank(b[end+2:])
	if r.Status, ok = status(code); !ok {
		return Nginx, ErrStatus
	}
	if len(b) > 0 && b[0] != '"' {
		var size []byte
		size, b = untilBlank(b)
		r.Bytes = byteCount(size)
	}
	var t tail
	for len(b) > 0 && b[0] != '"' && hasQuote(b) { // $request_time before the referer
		var tok []byte
		tok, b = untilBlank(b)
		t.bare(tok)
	}
	got := Nginx
	if len(b) > 0 && b[0] == '"' {
		var ref, ua []byte
		ref, b, _ = token(b)
		if len(b) > 1 && b[0] == ' ' && b[1] == '"' {
			ua, b = lastQuoted(b[1:])
		}
		r.Referer, r.UserAgent = p.field(ref), p.field(ua)
	}
	if len(b) > 0 {
		got = p.tail(b, &t, r)
	}
	if t.hasDuration {
		r.Duration = t.duration
	}
	r.Client = p.client.Client(peer, t.forwarded)
	return got, nil
}

// timeBracket finds the "[17/May/2015:10:05:03 +0000]" of a line.
func timeBracket(line []byte) (int, error) {
	for i := 0; ; i++ {
		j := bytes.IndexByte(line[i:], '[')
		if j < 0 {
			break
		}
		i += j
		if len(line) < i+29 {
			break
		}
		if line[i+27] == ']' && line[i+3] == '/' && line[i+7] == '/' {
			return i, nil
		}
	}
	if i := bytes.IndexByte(line, '['); i > 0 && bytes.Contains(line[i:], []byte(`] "`)) {
		return 0, ErrTime
	}
	return 0, ErrFormat
}

// before reads what stands before the time and returns the peer's address. It
// is false if that is no "client ident user" but something that was put before
// the line.
func (p *Parser) before(b []byte, r *request.Request) (peer netip.Addr, ok bool) {
	if b[0] == '"' { // the whole line is quoted
		return peer, false
	}
	first, rest := untilBlank(b)
	peer, ok = clientip.ParseHop(first)
	if ok && string(rest) == "- - " {
		return peer, true
	}
	if !ok {
		second, after := untilBlank(rest)
		switch addr, is := clientip.ParseHop(second); {
		case is && len(first) > 0 && first[len(first)-1] != ':': // vhost client ident user
			peer, rest = addr, after
			r.Host = host(first)
		case bytes.Count(b, blank) != 3 || len(first) == 0 || b[len(b)-1] != ' ':
			return peer, false
		case p.named: // HostnameLookups
			peer, _ = clientip.FromName(first)
		}
	}
	_, user := untilBlank(rest) // ident, RFC 1413: nobody sets it
	for n := len(user); n > 0 && user[n-1] == ' '; n-- {
		user = user[:n-1]
	}
	if len(user) > 0 && user[0] == '[' { // ingress-nginx before 0.26: - [the_real_ip] - user
		if i := bytes.IndexByte(user, ']'); i > 0 {
			if addr, is := clientip.ParseHop(user[1:i]); is {
				peer = addr
			}
			user = bytes.TrimPrefix(user[i+1:], []byte(" - "))
		}
	}
	r.Account = p.field(user)
	return peer, true
}

var blank = []byte{' '}

// untilBlank cuts b at its first blank. Most fields are a few bytes long: those
// are found by a loop, for less than a call costs.
func untilBlank(b []byte) (head, rest []byte) {
	short := min(len(b), 8)
	for i := range short {
		if b[i] == ' ' {
			return b[:i], b[i+1:]
		}
	}
	if i := bytes.IndexByte(b[short:], ' '); i >= 0 {
		i += short
		return b[:i], b[i+1:]
	}
	return b, nil
}

func hasQuote(b []byte) bool { return bytes.IndexByte(b, '"') >= 0 }

// lastQuoted takes the user agent, the field that clients fill with what they
// like, off b, which begins with its quote. If what follows has an odd number
// of quotes, the writer did not escape them and the field ends at the line's
// last quote.
func lastQuoted(b []byte) (tok, rest []byte) {
	tok, rest, _ = token(b)
	if len(rest) > 0 && bytes.Count(rest, []byte{'"'})%2 == 1 && bytes.IndexByte(rest, '\\') < 0 {
		last := bytes.LastIndexByte(b, '"')
		return b[1:last], b[last+1:]
	}
	return tok, rest
}
