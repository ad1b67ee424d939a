package conntrack

import (
	"net/netip"

	"github.com/vigie-otel/vigie/internal/flow"
)

// Filter chooses entries. The zero Filter takes all. Everything that is set
// must match. The kernel's own filtering makes a dump cheap; where it is too
// old for a field, it sends more and the rest is sorted out in user space.
type Filter struct {
	// Status and StatusMask take entries with Status&StatusMask == Status bits.
	// In the kernel since Linux 5.15.
	Status, StatusMask flow.Status
	// IPv4, IPv6: set exactly one to take only that family. Any kernel.
	IPv4, IPv6 bool
	// Zone, when HasZone. In the kernel since Linux 6.8.
	Zone    uint16
	HasZone bool
	// Mark and MarkMask take entries with mark&MarkMask == Mark. In the kernel
	// since before Linux 4.20, where built with CONFIG_NF_CONNTRACK_MARK.
	Mark, MarkMask uint32
	// Orig and Reply match parts of a tuple exactly. In the kernel since Linux
	// 5.8, if an IPv4 address is among them: it gives the family. Of IPv6 the
	// kernel gets the family and the ports only, since it takes the addresses
	// the wrong way round: seen on Linux 6.18, it sends all that differ.
	Orig, Reply Match
}

// Match is the part of a tuple that must be equal; zero fields match all.
type Match struct {
	Src, Dst         netip.Addr
	SrcPort, DstPort uint16     // need Proto
	Proto            flow.Proto // one for both directions
}

// NotAssured takes entries that have not seen traffic both ways: of TCP
// exactly syn_sent and syn_received, the half-open ones, and among the others
// what has been answered at most once.
func NotAssured() Filter { return Filter{StatusMask: flow.Assured} }

// Takes reports whether f passes the filter.
func (x *Filter) Takes(f *flow.Flow) bool {
	if f.Status&x.StatusMask != x.Status&x.StatusMask ||
		f.Mark&x.MarkMask != x.Mark&x.MarkMask ||
		x.HasZone && f.Zone != x.Zone {
		return false
	}
	if x.IPv4 != x.IPv6 && f.Orig.Src.Is4() != x.IPv4 {
		return false
	}
	return x.Orig.takes(&f.Orig, f.Proto) && x.Reply.takes(&f.Reply, f.Proto)
}

func (m *Match) takes(t *flow.Tuple, proto flow.Proto) bool {
	return (m.Proto == 0 || m.Proto == proto) &&
		(m.SrcPort == 0 || m.SrcPort == t.SrcPort) &&
		(m.DstPort == 0 || m.DstPort == t.DstPort) &&
		(!m.Src.IsValid() || m.Src == t.Src) &&
		(!m.Dst.IsValid() || m.Dst == t.Dst)
}

func (x *Filter) all() bool { return *x == Filter{} }

// family is what goes into nfgenmsg: the one asked for, or the one of the
// addresses asked for.
func (x *Filter) family() uint8 {
	for _, a := range [...]netip.Addr{x.Orig.Src, x.Orig.Dst, x.Reply.Src, x.Reply.Dst} {
		if a.Is4() {
			return familyInet
		}
		if a.Is6() {
			return familyInet6
		}
	}
	switch {
	case x.IPv4 && !x.IPv6:
		return familyInet
	case x.IPv6 && !x.IPv4:
		return familyInet6
	}
	return familyUnspec
}

// flags is the CTA_FILTER_FLAG bit set of what m asks the kernel for.
func (m *Match) flags() (flags uint32) {
	if m.Src.Is4() {
		flags |= filterSrc
	}
	if m.Dst.Is4() {
		flags |= filterDst
	}
	if m.Proto != 0 {
		flags |= filterProto
		if m.SrcPort != 0 {
			flags |= filterSrcPort
		}
		if m.DstPort != 0 {
			flags |= filterDstPort
		}
	}
	return flags
}
