package conntrack

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/vigie-otel/vigie/internal/flow"
)

// decodeFlow reads the attributes of one entry (a message's body after
// struct nfgenmsg) into f, which it resets. It allocates nothing unless the
// message is malformed.
//
// Unknown attributes are skipped: newer kernels send more. An entry without a
// complete original tuple is malformed; anything else may be absent.
func decodeFlow(b []byte, f *flow.Flow) error {
	f.Reset()
	for {
		kind, p, rest, ok := nextAttr(b)
		if !ok {
			break
		}
		b = rest
		switch kind {
		case ctaTupleOrig:
			decodeTuple(p, &f.Orig, f)
		case ctaTupleReply:
			decodeTuple(p, &f.Reply, f)
		case ctaStatus:
			f.Status = flow.Status(u32(p))
		case ctaProtoInfo:
			f.State = decodeState(p)
		case ctaTimeout:
			f.Timeout = time.Duration(u32(p)) * time.Second
		case ctaMark:
			f.Mark = u32(p)
		case ctaID:
			f.ID = u32(p)
		case ctaZone:
			f.Zone = u16(p)
		case ctaCountersOrig:
			f.OrigCount.Packets, f.OrigCount.Bytes = decodePair(p)
		case ctaCountersReply:
			f.ReplyCount.Packets, f.ReplyCount.Bytes = decodePair(p)
		case ctaTimestamp:
			start, stop := decodePair(p)
			f.Start, f.Stop = int64(start), int64(stop)
		}
	}
	if !f.Orig.Src.IsValid() || !f.Orig.Dst.IsValid() || f.Proto == 0 {
		return fmt.Errorf("%w: entry without an original tuple", ErrMalformed)
	}
	return nil
}

// decodeTuple reads a nested CTA_TUPLE_*. The protocol of either direction is
// the flow's. A zone of one direction only (CTA_TUPLE_ZONE) counts for the flow
// as well: it takes part in telling flows apart.
func decodeTuple(b []byte, t *flow.Tuple, f *flow.Flow) {
	if !decodePlainTuple(b, t, f) {
		decodeAnyTuple(b, t, f)
	}
}

// Attribute headers as one little-endian word: length, then type. On a
// big-endian machine none matches, and each tuple takes the long way.
const (
	headIPs4   = 20 | (ctaTupleIP|nlaNested)<<16
	headIPs6   = 44 | (ctaTupleIP|nlaNested)<<16
	headSrc4   = 8 | ctaIPv4Src<<16
	headDst4   = 8 | ctaIPv4Dst<<16
	headSrc6   = 20 | ctaIPv6Src<<16
	headDst6   = 20 | ctaIPv6Dst<<16
	headProtos = 28 | (ctaTupleProto|nlaNested)<<16
	headNum    = 5 | ctaProtoNum<<16
	headSport  = 6 | ctaProtoSrc<<16
	headDport  = 6 | ctaProtoDst<<16
)

// decodePlainTuple reads a tuple laid out as the kernel lays out those with
// ports and without a zone: addresses, protocol, ports, and nothing else. These
// are nearly all, and comparing whole headers takes a third of walking them.
func decodePlainTuple(b []byte, t *flow.Tuple, f *flow.Flow) bool {
	switch len(b) {
	case 20 + 28:
		if word(b) != headIPs4 || word(b[4:]) != headSrc4 || word(b[12:]) != headDst4 || !decodePlainPorts(b[20:], t, f) {
			return false
		}
		t.Src = netip.AddrFrom4([4]byte(b[8:]))
		t.Dst = netip.AddrFrom4([4]byte(b[16:]))
		return true
	case 44 + 28:
		if word(b) != headIPs6 || word(b[4:]) != headSrc6 || word(b[24:]) != headDst6 || !decodePlainPorts(b[44:], t, f) {
			return false
		}
		t.Src = netip.AddrFrom16([16]byte(b[8:]))
		t.Dst = netip.AddrFrom16([16]byte(b[28:]))
		return true
	}
	return false
}

func word(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

func decodePlainPorts(b []byte, t *flow.Tuple, f *flow.Flow) bool {
	if len(b) != 28 || word(b) != headProtos || word(b[4:]) != headNum || word(b[12:]) != headSport || word(b[20:]) != headDport {
		return false
	}
	f.Proto = flow.Proto(b[8])
	t.SrcPort = be.Uint16(b[16:])
	t.DstPort = be.Uint16(b[24:])
	return true
}

// decodeAnyTuple reads a tuple of any layout.
func decodeAnyTuple(b []byte, t *flow.Tuple, f *flow.Flow) {
	for {
		kind, p, rest, ok := nextAttr(b)
		if !ok {
			return
		}
		b = rest
		switch kind {
		case ctaTupleIP:
			decodeAddresses(p, t)
		case ctaTupleProto:
			decodeProto(p, t, f)
		case ctaTupleZone:
			f.Zone = u16(p)
		}
	}
}

func decodeAddresses(b []byte, t *flow.Tuple) {
	for {
		kind, p, rest, ok := nextAttr(b)
		if !ok {
			return
		}
		b = rest
		switch {
		case kind == ctaIPv4Src && len(p) == 4:
			t.Src = netip.AddrFrom4([4]byte(p))
		case kind == ctaIPv4Dst && len(p) == 4:
			t.Dst = netip.AddrFrom4([4]byte(p))
		case kind == ctaIPv6Src && len(p) == 16:
			t.Src = netip.AddrFrom16([16]byte(p))
		case kind == ctaIPv6Dst && len(p) == 16:
			t.Dst = netip.AddrFrom16([16]byte(p))
		}
	}
}

func decodeProto(b []byte, t *flow.Tuple, f *flow.Flow) {
	for {
		kind, p, rest, ok := nextAttr(b)
		if !ok {
			return
		}
		b = rest
		switch kind {
		case ctaProtoNum:
			f.Proto = flow.Proto(u8(p))
		case ctaProtoSrc:
			t.SrcPort = u16(p)
		case ctaProtoDst:
			t.DstPort = u16(p)
		case ctaICMPID, ctaICMPv6ID:
			t.ICMP.ID = u16(p)
		case ctaICMPType, ctaICMPv6Type:
			t.ICMP.Type = u8(p)
		case ctaICMPCode, ctaICMPv6Code:
			t.ICMP.Code = u8(p)
		}
	}
}

// Kernel states in the order of enum tcp_conntrack and enum sctp_conntrack.
var (
	tcpStates = [...]flow.State{
		flow.StateNone, flow.StateSynSent, flow.StateSynReceived, flow.StateEstablished, flow.StateFinWait,
		flow.StateCloseWait, flow.StateLastAck, flow.StateTimeWait, flow.StateClosed, flow.StateSynSent2,
	}
	sctpStates = [...]flow.State{
		flow.StateNone, flow.StateClosed, flow.StateCookieWait, flow.StateCookieEchoed, flow.StateEstablished,
		flow.StateShutdownSent, flow.StateShutdownReceived, flow.StateShutdownAckSent, flow.StateHeartbeatSent,
	}
)

// decodeState reads CTA_PROTOINFO. DCCP, which Linux 6.16 removed, has states of
// its own that are not modelled.
func decodeState(b []byte) flow.State {
	kind, nested, _, ok := nextAttr(b)
	if !ok || kind == protoInfoDCCP {
		return flow.StateNone
	}
	states := tcpStates[:]
	if kind == protoInfoSCTP {
		states = sctpStates[:]
	}
	for {
		k, p, rest, ok := nextAttr(nested)
		if !ok {
			return flow.StateNone
		}
		nested = rest
		if k == protoInfoState {
			if n := int(u8(p)); n < len(states) {
				return states[n]
			}
			return flow.StateUnknown
		}
	}
}

// decodePair reads a nested pair of be64: packets and bytes, or start and stop.
// Machines that need them aligned get padding in between: the long way.
func decodePair(b []byte) (first, second uint64) {
	if len(b) == 24 && word(b) == 12|ctaCountersPackets<<16 && word(b[12:]) == 12|ctaCountersBytes<<16 {
		return be.Uint64(b[4:]), be.Uint64(b[16:])
	}
	return decodeAnyPair(b)
}

func decodeAnyPair(b []byte) (first, second uint64) {
	for {
		kind, p, rest, ok := nextAttr(b)
		if !ok {
			return first, second
		}
		b = rest
		if len(p) != 8 {
			continue
		}
		switch kind {
		case ctaCountersPackets:
			first = be.Uint64(p)
		case ctaCountersBytes:
			second = be.Uint64(p)
		}
	}
}

func u8(p []byte) uint8 {
	if len(p) < 1 {
		return 0
	}
	return p[0]
}

func u16(p []byte) uint16 {
	if len(p) < 2 {
		return 0
	}
	return be.Uint16(p)
}

func u32(p []byte) uint32 {
	if len(p) < 4 {
		return 0
	}
	return be.Uint32(p)
}
