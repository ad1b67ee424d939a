package flow

import (
	"fmt"
	"net/netip"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/names"
)

// Record writes f into lr as a flow record, the contract between the conntrack
// receiver and the conntrack processor.
//
// The record's EventName is names.EventFlow, its Timestamp is when the table
// was read, its body is empty. An attribute whose value is zero, or equal to
// what it defaults to, is left out:
//
//	network.transport             string  always: "tcp", "udp", …
//	source.address, .port         string, int  the client, before source NAT
//	destination.address, .port    string, int  what the client asked for: the service
//	vigie.nat.backend.address, .port   who answers; only under destination NAT
//	vigie.nat.source.address, .port    the client as the backend sees it; only under source NAT
//	network.connection.state      string  TCP and SCTP: "syn_sent", "established", …
//	vigie.flow.half_open          bool    only when true; derived, for filters
//	vigie.flow.assured            bool    only when true; derived, for filters
//	vigie.flow.status             int     IPS_* bits
//	vigie.flow.timeout            int     s
//	vigie.flow.zone, .mark, .id   int
//	vigie.flow.start              int     ns since the epoch, where the kernel stamps flows
//	vigie.flow.icmp               int     type<<24 | code<<16 | id; ICMP and ICMPv6 only
//	vigie.flow.orig.packets, .orig.bytes, .reply.packets, .reply.bytes   int, where the kernel counts
//
// Ports are absent for transports without them. The reply tuple of ICMP keeps
// only its addresses; CTA_TIMESTAMP_STOP is not carried, since a record is of a
// flow that lives. Everything else survives the way through ReadRecord.
func (f *Flow) Record(lr plog.LogRecord, read time.Time) {
	lr.SetEventName(names.EventFlow)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(read))
	a := lr.Attributes()
	a.EnsureCapacity(14)
	a.PutStr(names.NetworkTransport, f.Proto.String())
	ports := f.Proto.HasPorts()
	putEnd(a, names.SourceAddress, names.SourcePort, f.Client(), ports)
	putEnd(a, names.DestinationAddress, names.DestinationPort, f.Service(), ports)
	if f.DNAT() {
		putEnd(a, names.NATBackendAddress, names.NATBackendPort, f.Backend(), ports)
	}
	if f.SNAT() {
		putEnd(a, names.NATSourceAddress, names.NATSourcePort, f.Masqueraded(), ports)
	}
	if f.State != StateNone {
		a.PutStr(names.NetworkConnectionState, f.State.String())
	}
	if f.HalfOpen() {
		a.PutBool(names.FlowHalfOpen, true)
	}
	if f.Assured() {
		a.PutBool(names.FlowAssured, true)
	}
	icmp := int64(f.Orig.ICMP.Type)<<24 | int64(f.Orig.ICMP.Code)<<16 | int64(f.Orig.ICMP.ID)
	for _, n := range [...]struct {
		name  string
		value int64
	}{
		{names.FlowStatus, int64(f.Status)},
		{names.FlowTimeout, int64(f.Timeout / time.Second)},
		{names.FlowZone, int64(f.Zone)},
		{names.FlowMark, int64(f.Mark)},
		{names.FlowID, int64(f.ID)},
		{names.FlowStart, f.Start},
		{names.FlowICMP, icmp},
		{names.FlowOrigPackets, int64(f.OrigCount.Packets)},
		{names.FlowOrigBytes, int64(f.OrigCount.Bytes)},
		{names.FlowReplyPackets, int64(f.ReplyCount.Packets)},
		{names.FlowReplyBytes, int64(f.ReplyCount.Bytes)},
	} {
		if n.value != 0 {
			a.PutInt(n.name, n.value)
		}
	}
}

func putEnd(a pcommon.Map, address, port string, end netip.AddrPort, ports bool) {
	if !end.Addr().IsValid() {
		return
	}
	a.PutStr(address, end.Addr().String())
	if ports {
		a.PutInt(port, int64(end.Port()))
	}
}

// IsRecord reports whether lr is a flow record, by its EventName or by an
// attribute event.name, where a hop has moved it there.
func IsRecord(lr plog.LogRecord) bool {
	if lr.EventName() != "" {
		return lr.EventName() == names.EventFlow
	}
	v, ok := lr.Attributes().Get(names.EventName)
	return ok && v.Type() == pcommon.ValueTypeStr && v.Str() == names.EventFlow
}

// ReadRecord reads a flow record back into f, which it resets first. The error
// names the attribute that is missing or wrong; f is then incomplete.
func (f *Flow) ReadRecord(lr plog.LogRecord) error {
	f.Reset()
	r := reader{attrs: lr.Attributes()}
	proto, ok := ParseProto(r.str(names.NetworkTransport))
	if !ok {
		return fmt.Errorf("flow record: %s is missing or no transport", names.NetworkTransport)
	}
	f.Proto = proto
	client := r.end(names.SourceAddress, names.SourcePort)
	service := r.end(names.DestinationAddress, names.DestinationPort)
	backend := r.end(names.NATBackendAddress, names.NATBackendPort)
	masqueraded := r.end(names.NATSourceAddress, names.NATSourcePort)
	if r.err != nil {
		return r.err
	}
	if !client.Addr().IsValid() || !service.Addr().IsValid() {
		return fmt.Errorf("flow record: %s or %s is missing", names.SourceAddress, names.DestinationAddress)
	}
	if !backend.Addr().IsValid() {
		backend = service
	}
	if !masqueraded.Addr().IsValid() {
		masqueraded = client
	}
	icmp := r.int(names.FlowICMP)
	f.Orig = Tuple{Src: client.Addr(), SrcPort: client.Port(), Dst: service.Addr(), DstPort: service.Port()}
	f.Orig.ICMP = ICMP{Type: uint8(icmp >> 24), Code: uint8(icmp >> 16), ID: uint16(icmp)}
	f.Reply = Tuple{Src: backend.Addr(), SrcPort: backend.Port(), Dst: masqueraded.Addr(), DstPort: masqueraded.Port()}
	if s := r.str(names.NetworkConnectionState); s != "" {
		f.State = ParseState(s)
	}
	f.Status = Status(r.int(names.FlowStatus))
	f.Timeout = time.Duration(r.int(names.FlowTimeout)) * time.Second
	f.Zone = uint16(r.int(names.FlowZone))
	f.Mark = uint32(r.int(names.FlowMark))
	f.ID = uint32(r.int(names.FlowID))
	f.Start = r.int(names.FlowStart)
	f.OrigCount = Counters{uint64(r.int(names.FlowOrigPackets)), uint64(r.int(names.FlowOrigBytes))}
	f.ReplyCount = Counters{uint64(r.int(names.FlowReplyPackets)), uint64(r.int(names.FlowReplyBytes))}
	return r.err
}

// reader reads attributes and keeps the first error. An absent attribute is
// the zero value.
type reader struct {
	attrs pcommon.Map
	err   error
}

func (r *reader) get(name string, want pcommon.ValueType) (pcommon.Value, bool) {
	v, ok := r.attrs.Get(name)
	if ok && v.Type() != want {
		r.fail(fmt.Errorf("flow record: %s is %s, want %s", name, v.Type(), want))
		return v, false
	}
	return v, ok
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) str(name string) string {
	if v, ok := r.get(name, pcommon.ValueTypeStr); ok {
		return v.Str()
	}
	return ""
}

func (r *reader) int(name string) int64 {
	if v, ok := r.get(name, pcommon.ValueTypeInt); ok {
		return v.Int()
	}
	return 0
}

func (r *reader) end(address, port string) netip.AddrPort {
	s := r.str(address)
	if s == "" {
		return netip.AddrPort{}
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		r.fail(fmt.Errorf("flow record: %s: %w", address, err))
		return netip.AddrPort{}
	}
	n := r.int(port)
	if n < 0 || n > 65535 {
		r.fail(fmt.Errorf("flow record: %s is no port (got %d)", port, n))
	}
	return netip.AddrPortFrom(addr, uint16(n))
}
