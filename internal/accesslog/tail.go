package accesslog

import (
	"bytes"
	"time"

	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/request"
)

// tail collects what stands behind the user agent, where every installation
// adds its own. Only what cannot be mistaken is read.
type tail struct {
	duration    time.Duration
	hasDuration bool
	forwarded   []byte
}

// tail reads the rest of a line of the common family and says whose it is.
func (p *Parser) tail(b []byte, t *tail, r *request.Request) Format {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	if len(b) == 0 {
		return Nginx
	}
	if b[0]-'0' <= 9 {
		if p.ingressTail(b, t, r) {
			return IngressNginx
		}
		if p.traefikTail(b, t, r) {
			return Traefik
		}
	}
	for len(b) > 0 {
		var tok []byte
		var quoted bool
		tok, b, quoted = keyed(b, p, t, r)
		switch {
		case len(tok) == 0:
		case quoted:
			t.quoted(tok)
		default:
			if !t.bare(tok) && ja4(tok) {
				r.JA4 = tok
			}
		}
	}
	return Nginx
}

// ingressTail reads ingress-nginx's
//
//	length request_time [upstream] [alternative] addr length time status id
func (p *Parser) ingressTail(b []byte, t *tail, r *request.Request) bool {
	length, b := untilBlank(b)
	seconds, b := untilBlank(b)
	if len(b) == 0 || b[0] != '[' {
		return false
	}
	end := bytes.IndexByte(b, ']')
	d, ok := decimal(seconds, time.Second)
	if _, isInt := uint63(length); !isInt || !ok || end < 0 {
		return false
	}
	t.duration, t.hasDuration = d, true
	r.Service = p.field(b[1:end])
	return true
}

// traefikTail reads Traefik's
//
//	count "router" "server URL" 12ms
func (p *Parser) traefikTail(b []byte, t *tail, r *request.Request) bool {
	count, b := untilBlank(b)
	if _, ok := uint63(count); !ok || len(b) == 0 || b[0] != '"' {
		return false
	}
	router, b, _ := token(b)
	_, b, quoted := token(b)
	took, _, _ := token(b)
	d, ok := goDuration(took)
	if !ok || !quoted {
		return false
	}
	t.duration, t.hasDuration = d, true
	r.Service = p.field(router)
	return true
}

// keyed takes the next field of a free tail. One in the form key=value is dealt
// with under its key and returned empty.
func keyed(b []byte, p *Parser, t *tail, r *request.Request) (tok, rest []byte, quoted bool) {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	i := 0
	for i < len(b) && (b[i]|0x20-'a' <= 25 || b[i] == '_' || (i > 0 && b[i]-'0' <= 9)) {
		i++
	}
	if i == 0 || i >= len(b) || b[i] != '=' {
		return token(b)
	}
	key := b[:i]
	value, rest, _ := token(b[i+1:])
	switch string(key) {
	case "rt", "request_time", "duration", "time":
		if d, ok := decimal(value, time.Second); ok {
			t.duration, t.hasDuration = d, true
		}
	case "xff", "x_forwarded_for", "http_x_forwarded_for", "forwarded":
		t.forwarded = value
	case "host", "vhost", "http_host":
		r.Host = host(p.field(value))
	case "sn", "server_name":
		if r.Host == nil {
			r.Host = host(p.field(value))
		}
	case "service", "upstream_name", "proxy_upstream_name":
		r.Service = p.field(value)
	case "ja4":
		r.JA4 = p.field(value)
	}
	return nil, rest, false
}

// bare reads a field without key and quotes: the first number with a point is
// $request_time, which nginx writes in seconds with three decimals.
func (t *tail) bare(b []byte) bool {
	if t.hasDuration || len(b) < 3 || b[0]-'0' > 9 || bytes.IndexByte(b, '.') < 0 {
		return false
	}
	d, ok := decimal(b, time.Second)
	if ok {
		t.duration, t.hasDuration = d, true
	}
	return ok
}

// quoted reads a quoted field without key: the first list of addresses without
// ports is X-Forwarded-For; an upstream's address has its port.
func (t *tail) quoted(b []byte) {
	if t.bare(b) || t.forwarded != nil {
		return
	}
	first := b
	if i := bytes.IndexByte(b, ','); i >= 0 {
		first = bytes.TrimSpace(b[:i])
	}
	if _, ok := clientip.ParseAddr(first); ok {
		t.forwarded = b
	}
}

// ja4 says whether b has the shape of a JA4 TLS fingerprint:
// t13d1516h2_8daaf6152771_b186095e22b6.
func ja4(b []byte) bool {
	return len(b) == 36 && b[10] == '_' && b[23] == '_' && (b[0] == 't' || b[0] == 'q' || b[0] == 'd') &&
		(b[3] == 'd' || b[3] == 'i')
}
