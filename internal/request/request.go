package request

import (
	"net/netip"
	"time"
)

// Unknown marks a Bytes or Duration that the source did not carry. Zero is a
// value of its own: a 204 has zero bytes.
const Unknown = -1

// Request is one HTTP request as a server, proxy or CDN reported it.
//
// The slices are nil where the source had nothing (a missing field or "-");
// they are as in the log after unescaping, never percent-decoded. They alias the
// reader's buffer and are valid until its next read.
type Request struct {
	// UnixNano is the event time in nanoseconds since the epoch: when the
	// server wrote the line, usually the request's end. 0 means unknown.
	UnixNano int64
	// Client is the address that the request is charged to: the first untrusted
	// hop of X-Forwarded-For under the configured trusted proxies, else the
	// socket's peer. The zero Addr means unknown. IPv4-mapped addresses are
	// unmapped.
	Client netip.Addr

	Method    []byte // "GET"; http.request.method
	Host      []byte // authority without port; server.address
	Path      []byte // without the query; url.path
	Query     []byte // without '?'; url.query
	UserAgent []byte // user_agent.original
	Referer   []byte // http.request.header.referer
	Service   []byte // service.name, or what the log names as backend
	Account   []byte // enduser.id, %u: whose request it claims to be
	JA4       []byte // TLS client fingerprint, where the log has it

	// Status is http.response.status_code; 0 means unknown. 499, 408 and 460
	// are kept as the proxy wrote them.
	Status int
	// Bytes is http.response.body.size (or bytes sent, where the log has only
	// that); Unknown (-1) when the source has none.
	Bytes int64
	// Duration is http.server.request.duration; Unknown (-1) when the source
	// has none.
	Duration time.Duration
}

// Reset makes r empty, with Bytes and Duration unknown.
func (r *Request) Reset() {
	*r = Request{Bytes: Unknown, Duration: Unknown}
}
