package attackdetectionprocessor

import (
	"strings"
	"time"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/request"
)

// view is the bytes of a string, not to be written to.
func view(s string) []byte {
	if s == "" {
		return nil
	}
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// semconv reads a request from attributes, by the HTTP semantic conventions of
// today and, where senders have not moved on, of before 2023. It is false if
// the attributes are not of a request.
func semconv(a pcommon.Map, proxies *clientip.Resolver, r *request.Request) bool {
	r.Reset()
	var client, peer, forwarded, full string
	found := false
	for k, v := range a.All() {
		switch k {
		case names.HTTPRequestMethod, "http.method":
			r.Method, found = view(v.Str()), true
		case names.URLPath:
			r.Path, found = view(v.Str()), true
		case "http.target":
			path, query, _ := strings.Cut(v.Str(), "?")
			r.Path, r.Query, found = view(path), view(query), true
		case names.URLQuery:
			r.Query = view(strings.TrimPrefix(v.Str(), "?"))
		case "url.full", "http.url":
			full = v.Str()
		case names.HTTPResponseStatusCode, "http.status_code":
			r.Status, found = int(number(v)), true
		case names.HTTPResponseBodySize, "http.response_content_length":
			r.Bytes = int64(number(v))
		case names.HTTPServerDuration:
			r.Duration = time.Duration(number(v) * float64(time.Second))
		case names.UserAgentOriginal, "http.user_agent":
			r.UserAgent = view(v.Str())
		case "http.request.header.referer":
			r.Referer = view(text(v))
		case names.ServerAddress, "http.host", "net.host.name":
			r.Host = view(v.Str())
		case names.ServiceName:
			r.Service = view(v.Str())
		case names.ClientAddress, "http.client_ip":
			client = v.Str()
		case "network.peer.address", "net.sock.peer.addr", "net.peer.ip":
			peer = v.Str()
		case "http.request.header.x-forwarded-for", "http.request.header.x_forwarded_for":
			forwarded = text(v)
		case "enduser.id", "user.id", "user.name":
			r.Account = view(v.Str())
		case "tls.client.ja4":
			r.JA4 = view(v.Str())
		}
	}
	if !found {
		return false
	}
	if r.Path == nil && full != "" {
		fullURL(full, r)
	}
	// client.address may already be the outcome of somebody's X-Forwarded-For;
	// where it is a trusted proxy's, the header says more.
	if client == "" {
		client = peer
	}
	addr, _ := clientip.ParseHop(view(client))
	r.Client = proxies.Client(addr, view(forwarded))
	return true
}

func fullURL(u string, r *request.Request) {
	_, rest, ok := strings.Cut(u, "://")
	if !ok {
		return
	}
	host, path := rest, "/"
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	if r.Host == nil {
		r.Host = view(host)
	}
	path, _, _ = strings.Cut(path, "#")
	path, query, _ := strings.Cut(path, "?")
	if path == "" {
		path = "/"
	}
	r.Path, r.Query = view(path), view(query)
}

func number(v pcommon.Value) float64 {
	switch v.Type() {
	case pcommon.ValueTypeInt:
		return float64(v.Int())
	case pcommon.ValueTypeDouble:
		return v.Double()
	case pcommon.ValueTypeStr:
		n := 0.0
		for _, c := range []byte(v.Str()) {
			if c < '0' || c > '9' || n > 1e15 {
				return 0
			}
			n = n*10 + float64(c-'0')
		}
		return n
	}
	return 0
}

// text is a string, or the last of a list of strings, as header attributes are:
// of several X-Forwarded-For lines the last was added last.
func text(v pcommon.Value) string {
	if v.Type() == pcommon.ValueTypeSlice {
		if n := v.Slice().Len(); n > 0 {
			return v.Slice().At(n - 1).Str()
		}
		return ""
	}
	return v.Str()
}

// wellKnown reads a request from what somebody else has parsed (Fluent Bit's
// nginx parser, a JSON body), by the names that accesslog knows from JSON.
func wellKnown(m pcommon.Map, p *accesslog.Parser, r *request.Request) bool {
	p.BeginFields()
	addFields(p, "", m, 0)
	return p.EndFields(r) == nil
}

// fieldDepth bounds nesting: http.response.body.bytes has three levels above it.
const fieldDepth = 6

func addFields(p *accesslog.Parser, parent string, m pcommon.Map, depth int) {
	for k, v := range m.All() {
		if parent != "" {
			k = parent + "." + k
		}
		switch v.Type() {
		case pcommon.ValueTypeStr:
			p.TextField(k, view(v.Str()))
		case pcommon.ValueTypeInt:
			p.IntField(k, v.Int())
		case pcommon.ValueTypeDouble:
			p.FloatField(k, v.Double())
		case pcommon.ValueTypeMap:
			if depth < fieldDepth {
				addFields(p, k, v.Map(), depth+1)
			}
		}
	}
}

// recordTime is when a record says that it happened.
func recordTime(lr plog.LogRecord) int64 {
	if t := lr.Timestamp(); t != 0 {
		return int64(t)
	}
	return int64(lr.ObservedTimestamp())
}

// spanRequest reads a server span; false if it is none of HTTP.
func spanRequest(s ptrace.Span, proxies *clientip.Resolver, r *request.Request) bool {
	if s.Kind() != ptrace.SpanKindServer || !semconv(s.Attributes(), proxies, r) {
		return false
	}
	r.UnixNano = int64(s.EndTimestamp())
	if start, end := s.StartTimestamp(), s.EndTimestamp(); start != 0 && end >= start {
		r.Duration = time.Duration(end - start)
	}
	return true
}
