package accesslog

import (
	"bytes"
	"time"

	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/request"
)

// haproxy reads "option httplog":
//
//	client:port [date] frontend backend/server TR/Tw/Tc/Tr/Ta status bytes
//	cookie cookie state conns queues {headers} {headers} "request"
//
// What the captured headers mean is the configuration's secret, so they stay
// unread. Ta (Tt in old versions) is the duration; a "+" before it or the bytes
// means that the log was written before the end (option logasap).
func (p *Parser) haproxy(line []byte, r *request.Request) error {
	addr, b := untilBlank(line)
	peer, ok := clientip.ParseHop(addr)
	if len(b) < 22 || b[0] != '[' || !(ok || bytes.HasPrefix(addr, unixSocket)) {
		return ErrFormat
	}
	end := bytes.IndexByte(b, ']')
	if end < 0 || len(b) < end+2 {
		return ErrFormat
	}
	if r.UnixNano, ok = p.clock.haproxy(b[1:end]); !ok {
		return ErrTime
	}
	_, b = untilBlank(b[end+2:]) // frontend
	backend, b := untilBlank(b)
	timers, b := untilBlank(b)
	code, b := untilBlank(b)
	size, b := untilBlank(b)
	if bytes.Count(timers, []byte{'/'}) != 4 {
		return ErrNotRequest // a connection error, or option tcplog
	}
	if r.Status, ok = status(code); !ok {
		return ErrStatus
	}
	open := bytes.IndexByte(b, '"')
	if open < 0 {
		return ErrFormat
	}
	r.Client = p.client.Client(peer, nil)
	r.Bytes = byteCount(bytes.TrimPrefix(size, plus))
	if i := bytes.IndexByte(backend, '/'); i > 0 && backend[0] != '<' {
		r.Service = backend[:i]
	}
	total := bytes.TrimPrefix(timers[bytes.LastIndexByte(timers, '/')+1:], plus)
	if d, ok := decimal(total, time.Millisecond); ok {
		r.Duration = d
	}
	req := b[open+1:]
	if i := bytes.LastIndexByte(req, '"'); i >= 0 {
		req = req[:i] // else cut off: HAProxy limits the line, not the field
	} else if i := bytes.LastIndexByte(req, ' '); i > 0 && protocol(req) < 0 && bytes.Count(req, []byte{' '}) > 1 {
		req = req[:i]
	}
	p.requestLine(req, r)
	return nil
}

var (
	plus       = []byte("+")
	unixSocket = []byte("unix")
)
