package accesslog

import (
	"bytes"
	"time"

	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/request"
)

// alb reads a line of an Application Load Balancer:
//
//	type time elb client:port target:port request_time target_time
//	response_time elb_status target_status received sent "request"
//	"user agent" cipher protocol target_group_arn "trace" "domain" …
//
// The time is when the response was sent. The status is the load balancer's
// (460: the client closed before the answer; 561, 463 …), which is what the
// client saw. The three times add up to the duration; one of -1 (the request
// reached no target, or was broken off) leaves it unknown.
func (p *Parser) alb(line []byte, r *request.Request) error {
	var f [12][]byte
	b := line
	for i := range f {
		if f[i], b = untilBlank(b); len(f[i]) == 0 {
			return ErrFormat
		}
	}
	if len(b) == 0 || b[0] != '"' {
		return ErrFormat
	}
	var ok bool
	if r.UnixNano, ok = p.clock.iso8601(f[1]); !ok {
		return ErrTime
	}
	if r.Status, ok = status(f[8]); !ok {
		return ErrStatus
	}
	peer, _ := clientip.ParseHop(f[3])
	r.Client = p.client.Client(peer, nil)
	r.Bytes = byteCount(f[11])
	r.Duration = albDuration(f[5], f[6], f[7])

	req, b, _ := token(b)
	ua, b, _ := token(b)
	_, b = untilBlank(skipBlank(b)) // cipher
	_, b = untilBlank(b)            // TLS version
	group, b := untilBlank(b)
	_, b, _ = token(b) // trace
	domain, _, _ := token(b)
	r.Host = host(p.field(domain))
	r.UserAgent, r.Service = p.field(ua), targetGroup(group)
	p.requestLine(req, r)
	return nil
}

func skipBlank(b []byte) []byte {
	if len(b) > 0 && b[0] == ' ' {
		return b[1:]
	}
	return b
}

func albDuration(parts ...[]byte) time.Duration {
	var sum time.Duration
	for _, s := range parts {
		d, ok := decimal(s, time.Second)
		if !ok {
			return request.Unknown
		}
		sum += d
	}
	return sum
}

// targetGroup takes the name out of …:targetgroup/name/id.
func targetGroup(arn []byte) []byte {
	_, name, ok := bytes.Cut(arn, []byte(":targetgroup/"))
	if !ok {
		return nil
	}
	if i := bytes.IndexByte(name, '/'); i > 0 {
		return name[:i]
	}
	return name
}
