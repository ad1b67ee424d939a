package proof

import (
	"net/netip"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/replay"
)

// The connections that client spans name: from a pod to the cache's service
// address, behind which is a pod. Of every tenth there is no flow record.
var (
	cacheClient  = netip.MustParseAddrPort("10.0.16.64:41000")
	cacheService = netip.MustParseAddrPort("172.20.14.3:6379")
	cacheBackend = netip.MustParseAddrPort("10.0.32.72:6379")
)

const cacheFlows = 100

// flows are the flow records of these connections, as the conntrack receiver
// sends them.
func flows() plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range uint16(cacheFlows * 9 / 10) {
		f := flow.Flow{
			Orig:  flow.Tuple{Src: cacheClient.Addr(), SrcPort: cacheClient.Port() + i, Dst: cacheService.Addr(), DstPort: cacheService.Port()},
			Reply: flow.Tuple{Src: cacheBackend.Addr(), SrcPort: cacheBackend.Port(), Dst: cacheClient.Addr(), DstPort: cacheClient.Port() + i},
			Proto: flow.TCP, ID: uint32(i) + 1, Timeout: 5 * time.Minute,
		}
		f.Record(records.AppendEmpty(), time.Now())
	}
	return ld
}

// requests makes the replay's requests into what an ingress and the services
// behind it send.
type requests struct {
	g     *replay.Generator
	ev    replay.Event
	begun bool
	n     int
}

// second is what arrives of one second.
type second struct {
	logs           plog.Logs
	spans          ptrace.Traces
	people, attack int
}

// service is one of the broadcaster's, behind the ingress.
type service struct {
	name string
	ss   ptrace.SpanSlice
}

func (r *requests) until(end time.Time) second {
	out := second{logs: plog.NewLogs(), spans: ptrace.NewTraces()}
	rl := out.logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(names.ServiceName, r.g.Service())
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	services := map[string]*service{}
	for r.begun || r.g.Next(&r.ev) {
		r.begun = false
		if r.ev.UnixNano >= end.UnixNano() {
			r.begun = true // kept for the next second
			break
		}
		if r.ev.Attack >= 0 {
			out.attack++
		} else {
			out.people++
		}
		r.log(records.AppendEmpty())
		if r.n++; r.n%3 == 0 {
			r.span(out.spans, services)
		}
	}
	return out
}

func (r *requests) log(lr plog.LogRecord) {
	ev := &r.ev
	lr.SetTimestamp(pcommon.Timestamp(ev.UnixNano))
	a := lr.Attributes()
	a.PutStr(names.ClientAddress, ev.Client.String())
	a.PutStr(names.HTTPRequestMethod, string(ev.Method))
	a.PutStr(names.ServerAddress, string(ev.Host))
	a.PutStr(names.URLPath, string(ev.Path))
	a.PutStr(names.URLQuery, string(ev.Query))
	a.PutStr(names.UserAgentOriginal, string(ev.UserAgent))
	a.PutInt(names.HTTPResponseStatusCode, int64(ev.Status))
	a.PutInt(names.HTTPResponseBodySize, ev.Bytes)
	a.PutDouble(names.HTTPServerDuration, ev.Duration.Seconds())
}

// span is a request as the service behind the ingress saw it, with its call to
// the cache.
func (r *requests) span(td ptrace.Traces, services map[string]*service) {
	ev := &r.ev
	route := string(ev.Path)
	if i := strings.IndexByte(route[1:], '/'); i >= 0 {
		route = route[:i+1]
	}
	name := "player-web"
	switch {
	case strings.Contains(string(ev.Path), "login"), strings.Contains(string(ev.Path), "auth"), strings.Contains(string(ev.Path), "sign"), len(ev.Account) > 0:
		name = "signin"
	case strings.Contains(string(ev.Path), "api"), strings.Contains(string(ev.Path), "gateway"):
		name = "api"
	}
	s := services[name]
	if s == nil {
		rs := td.ResourceSpans().AppendEmpty()
		a := rs.Resource().Attributes()
		a.PutStr(names.ServiceName, name)
		s = &service{name, rs.ScopeSpans().AppendEmpty().Spans()}
		services[name] = s
	}
	end := time.Unix(0, ev.UnixNano)
	add := func(kind ptrace.SpanKind, method, route string, took time.Duration, failed bool) {
		sp := s.ss.AppendEmpty()
		sp.SetKind(kind)
		sp.SetName(method + " " + route)
		if route != "" {
			sp.Attributes().PutStr("http.route", route)
			sp.Attributes().PutStr(names.HTTPRequestMethod, method)
			sp.Attributes().PutInt(names.HTTPResponseStatusCode, int64(ev.Status))
		}
		sp.SetStartTimestamp(pcommon.NewTimestampFromTime(end.Add(-took)))
		sp.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
		if failed {
			sp.Status().SetCode(ptrace.StatusCodeError)
		}
		if kind == ptrace.SpanKindClient {
			sp.Attributes().PutStr("network.local.address", cacheClient.Addr().String())
			sp.Attributes().PutInt("network.local.port", int64(cacheClient.Port())+int64(r.n%cacheFlows))
			sp.Attributes().PutStr("network.peer.address", cacheService.Addr().String())
			sp.Attributes().PutInt("network.peer.port", int64(cacheService.Port()))
		}
	}
	add(ptrace.SpanKindServer, string(ev.Method), route, ev.Duration, ev.Status >= 500)
	add(ptrace.SpanKindClient, "GET", "", ev.Duration/5, r.n%1500 == 0)
}
