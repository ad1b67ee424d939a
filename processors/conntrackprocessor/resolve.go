package conntrackprocessor

import (
	"context"
	"net/netip"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/names"
)

// Attributes by which a span or a log record names its two ends, best first.
// server.address is often a name; then the peer's or the destination's address
// is what the packets carried.
var (
	serverSide = [...][2]string{
		{names.ServerAddress, "server.port"},
		{names.DestinationAddress, names.DestinationPort},
		{"network.peer.address", "network.peer.port"}, // on a client's span
		{"network.local.address", "network.local.port"},
	}
	clientSide = [...][2]string{
		{names.ClientAddress, "client.port"},
		{names.SourceAddress, names.SourcePort},
		{"network.peer.address", "network.peer.port"}, // on a server's span
		{"network.local.address", "network.local.port"},
	}
)

// resolve puts the backend behind a service address, or the service in front of
// a backend, on a span or log record. What is there already stays.
func (in *instance) resolve(attrs pcommon.Map) {
	if _, done := attrs.Get(names.NATBackendAddress); done {
		return
	}
	if _, done := attrs.Get(names.NATServiceAddress); done {
		return
	}
	best, asked := missed, false
	for _, s := range serverSide {
		server, ok := endIn(attrs, s)
		if !ok || server.port == 0 {
			continue
		}
		asked = true
		client := clientIn(attrs, s[0])
		e, r := in.nat.backendOf(client, server)
		address, port := names.NATBackendAddress, names.NATBackendPort
		if r != resolved {
			best = max(best, r)
			e, r = in.nat.serviceOf(client, server)
			address, port = names.NATServiceAddress, names.NATServicePort
		}
		if best = max(best, r); best == resolved {
			putEnd(attrs, address, port, e)
			break
		}
	}
	if asked {
		in.tel.ConntrackNatLookups.Add(context.Background(), 1, in.tel.lookups[best])
	}
}

// clientIn finds the other end, which must not be what was taken for the
// server.
func clientIn(attrs pcommon.Map, server string) end {
	for _, c := range clientSide {
		if c[0] == server {
			continue
		}
		if e, ok := endIn(attrs, c); ok {
			return e
		}
	}
	return end{}
}

func endIn(attrs pcommon.Map, key [2]string) (end, bool) {
	v, ok := attrs.Get(key[0])
	if !ok || v.Type() != pcommon.ValueTypeStr {
		return end{}, false
	}
	a, err := netip.ParseAddr(v.Str())
	if err != nil {
		return end{}, false // a host name
	}
	var port uint16
	if p, ok := attrs.Get(key[1]); ok && p.Type() == pcommon.ValueTypeInt && p.Int() > 0 && p.Int() <= 65535 {
		port = uint16(p.Int())
	}
	return end{a.As16(), port}, true
}

func putEnd(attrs pcommon.Map, address, port string, e end) {
	ap := e.addrPort()
	attrs.PutStr(address, ap.Addr().String())
	attrs.PutInt(port, int64(ap.Port()))
}
