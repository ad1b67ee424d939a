package accesslog

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/request"
)

// envoy reads Envoy's default format string,
//
//	[START_TIME] "METHOD PATH PROTOCOL" CODE FLAGS BYTES_RECEIVED BYTES_SENT
//	DURATION UPSTREAM_TIME "X-FORWARDED-FOR" "USER-AGENT" "REQUEST-ID"
//	"AUTHORITY" "UPSTREAM_HOST"
//
// and Istio's, which has CODE_DETAILS TERMINATION_DETAILS "FAILURE_REASON"
// behind the flags, and behind the upstream host UPSTREAM_CLUSTER,
// UPSTREAM_LOCAL, DOWNSTREAM_LOCAL, DOWNSTREAM_REMOTE, SNI and ROUTE_NAME.
func (p *Parser) envoy(line []byte, r *request.Request) error {
	if line[0] != '[' {
		return ErrFormat
	}
	end := bytes.IndexByte(line, ']')
	if end < 0 || len(line) < end+3 || line[end+1] != ' ' || line[end+2] != '"' {
		return ErrFormat
	}
	var ok bool
	if r.UnixNano, ok = p.clock.iso8601(line[1:end]); !ok {
		return ErrTime
	}
	b := line[end+3:]
	if end = closingRequest(b); end < 0 {
		return ErrFormat
	}
	req := b[:end]
	code, b := untilBlank(b[end+2:])
	if r.Status, ok = status(code); !ok {
		return ErrStatus
	}
	p.requestLine(req, r)
	_, b = untilBlank(b) // flags
	received, b := untilBlank(b)
	if _, plain := uint63(received); !plain { // Istio
		_, b, _ = token(b)
		_, b, _ = token(b)
		_, b, _ = token(b) // what was BYTES_RECEIVED
	}
	sent, b := untilBlank(b)
	took, b := untilBlank(b)
	_, b = untilBlank(b)
	if r.Bytes = byteCount(sent); r.Bytes < 0 || len(b) == 0 || b[0] != '"' {
		return ErrFormat
	}
	if d, ok := decimal(took, time.Millisecond); ok {
		r.Duration = d
	}
	forwarded, b, _ := token(b)
	ua, b, _ := token(b)
	_, b, _ = token(b)
	authority, b, _ := token(b)
	_, b, _ = token(b)
	r.UserAgent, r.Host = p.field(ua), host(p.field(authority))

	var peer netip.Addr
	if len(b) > 0 {
		cluster, b, _ := token(b)
		r.Service = clusterName(p.field(cluster))
		_, b, _ = token(b)
		_, b, _ = token(b)
		remote, _, _ := token(b)
		peer, _ = clientip.ParseHop(remote)
	}
	r.Client = p.client.Client(peer, forwarded)
	return nil
}

// clusterName takes the host out of Istio's cluster names, as in
// outbound|80||reviews.default.svc.cluster.local.
func clusterName(b []byte) []byte {
	if i := bytes.LastIndexByte(b, '|'); i >= 0 && i+1 < len(b) {
		return b[i+1:]
	}
	return b
}
