package flow

import (
	"net/netip"
	"time"
)

// Flow is one entry of the kernel's connection-tracking table.
//
// The zero value is an empty entry. Fields that the kernel did not send are
// zero; counters and timestamps need nf_conntrack_acct and
// nf_conntrack_timestamp, which are off by default.
type Flow struct {
	Orig  Tuple // as the first packet was sent: the client, and the address it asked for
	Reply Tuple // as answers are expected, after NAT: who really answers, and to whom

	Proto   Proto
	State   State  // of TCP and SCTP; StateNone for all others
	Status  Status // IPS_* bits
	ID      uint32 // the kernel's id of the entry, CTA_ID
	Mark    uint32
	Zone    uint16
	Timeout time.Duration // until the entry expires if no packet comes; whole seconds

	OrigCount  Counters
	ReplyCount Counters

	Start int64 // when the entry was made, ns since the epoch; 0 unknown
	Stop  int64 // when it was destroyed, ns since the epoch; 0 unknown or alive
}

// Tuple is one direction of a flow.
type Tuple struct {
	Src, Dst         netip.Addr
	SrcPort, DstPort uint16 // TCP, UDP, UDP-Lite, SCTP, DCCP; the call id or key of GRE; else 0
	ICMP             ICMP
}

// ICMP stands in for ports in ICMP and ICMPv6 tuples.
type ICMP struct {
	ID         uint16 // of the echo
	Type, Code uint8
}

// Counters counts one direction of a flow, since it was made.
type Counters struct {
	Packets uint64
	Bytes   uint64
}

// Key tells flows apart: the original tuple, its protocol and zone. It is
// comparable. The same five-tuple in another zone is another flow.
type Key struct {
	Src, Dst netip.AddrPort
	ICMP     ICMP
	Zone     uint16
	Proto    Proto
}

// Key returns what identifies the flow in its table.
func (f *Flow) Key() Key {
	return Key{Src: f.Orig.Source(), Dst: f.Orig.Destination(), ICMP: f.Orig.ICMP, Zone: f.Zone, Proto: f.Proto}
}

// Reset makes f empty.
func (f *Flow) Reset() { *f = Flow{} }

// Source is the sender's address and port.
func (t *Tuple) Source() netip.AddrPort { return netip.AddrPortFrom(t.Src, t.SrcPort) }

// Destination is the receiver's address and port.
func (t *Tuple) Destination() netip.AddrPort { return netip.AddrPortFrom(t.Dst, t.DstPort) }

// NetworkType is the value of network.type: "ipv4" or "ipv6", "" for neither.
func (f *Flow) NetworkType() string {
	switch {
	case f.Orig.Src.Is4():
		return "ipv4"
	case f.Orig.Src.Is6():
		return "ipv6"
	}
	return ""
}
