package conntrack

import "encoding/binary"

// Numbers of the kernel's interface that golang.org/x/sys/unix lacks, and those
// that it has on Linux only: the decoder builds and is fuzzed everywhere.
const (
	subsysConntrack = 1 // NFNL_SUBSYS_CTNETLINK

	// enum cntl_msg_types
	msgNew         = 0 // IPCTNL_MSG_CT_NEW
	msgGet         = 1 // IPCTNL_MSG_CT_GET
	msgDelete      = 2 // IPCTNL_MSG_CT_DELETE
	msgStatsCPU    = 4 // IPCTNL_MSG_CT_GET_STATS_CPU
	msgStatsGlobal = 5 // IPCTNL_MSG_CT_GET_STATS

	// include/uapi/linux/netlink.h
	nlmsgError       = 2
	nlmsgDone        = 3
	nlmFlagRequest   = 0x1
	nlmFlagInterrupt = 0x10  // NLM_F_DUMP_INTR
	nlmFlagFiltered  = 0x20  // NLM_F_DUMP_FILTERED
	nlmFlagDump      = 0x300 // NLM_F_ROOT|NLM_F_MATCH
	nlmFlagExcl      = 0x200
	nlmFlagCreate    = 0x400
	nlaNested        = 1 << 15
	nlaTypeMask      = 1<<14 - 1 // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
	nlmsgHeader      = 16
	nfgenHeader      = 4
	nlaHeader        = 4

	familyUnspec = 0
	familyInet   = 2  // AF_INET
	familyInet6  = 10 // AF_INET6

	// enum ctattr_type
	ctaTupleOrig     = 1
	ctaTupleReply    = 2
	ctaStatus        = 3
	ctaProtoInfo     = 4
	ctaTimeout       = 7
	ctaMark          = 8
	ctaCountersOrig  = 9
	ctaCountersReply = 10
	ctaID            = 12
	ctaZone          = 18
	ctaTimestamp     = 20
	ctaMarkMask      = 21
	ctaFilter        = 25
	ctaStatusMask    = 26

	// enum ctattr_tuple, ctattr_ip, ctattr_l4proto
	ctaTupleIP     = 1
	ctaTupleProto  = 2
	ctaTupleZone   = 3
	ctaIPv4Src     = 1
	ctaIPv4Dst     = 2
	ctaIPv6Src     = 3
	ctaIPv6Dst     = 4
	ctaProtoNum    = 1
	ctaProtoSrc    = 2
	ctaProtoDst    = 3
	ctaICMPID      = 4
	ctaICMPType    = 5
	ctaICMPCode    = 6
	ctaICMPv6ID    = 7
	ctaICMPv6Type  = 8
	ctaICMPv6Code  = 9
	protoInfoTCP   = 1 // enum ctattr_protoinfo
	protoInfoDCCP  = 2
	protoInfoSCTP  = 3
	protoInfoState = 1 // the same number in TCP, DCCP and SCTP

	ctaCountersPackets = 1 // enum ctattr_counters, be64
	ctaCountersBytes   = 2
	ctaTimestampStart  = 1 // enum ctattr_tstamp, be64
	ctaTimestampStop   = 2

	// enum ctattr_filter; the flags are bits in the host's order, one for each
	// part of the tuple that must match (CTA_FILTER_FLAG, since Linux 5.8).
	ctaFilterOrigFlags  = 1
	ctaFilterReplyFlags = 2
	filterSrc           = 1 << 0
	filterDst           = 1 << 1
	filterProto         = 1 << 3
	filterSrcPort       = 1 << 4
	filterDstPort       = 1 << 5
)

// Headers of netlink are in the host's order, what conntrack puts into
// attributes in the network's.
var (
	host = binary.NativeEndian
	be   = binary.BigEndian
)

// align4 rounds up to where the next attribute or message begins.
func align4(n int) int { return (n + 3) &^ 3 }

// header is struct nlmsghdr.
type header struct {
	length int
	kind   uint16
	flags  uint16
	seq    uint32
	port   uint32
}

// nextMessage splits the first message off b. ok is false where b does not
// begin with a whole message; a datagram that was cut off looks like that too.
func nextMessage(b []byte) (h header, body, rest []byte, ok bool) {
	if len(b) < nlmsgHeader {
		return h, nil, nil, false
	}
	h = header{
		length: int(host.Uint32(b)), kind: host.Uint16(b[4:]), flags: host.Uint16(b[6:]),
		seq: host.Uint32(b[8:]), port: host.Uint32(b[12:]),
	}
	if h.length < nlmsgHeader || h.length > len(b) {
		return h, nil, nil, false
	}
	return h, b[nlmsgHeader:h.length], b[min(align4(h.length), len(b)):], true
}

// nextAttr splits the first attribute off b. A rest too short for an attribute
// ends the list without being one, as the kernel's nla_for_each does.
func nextAttr(b []byte) (kind int, payload, rest []byte, ok bool) {
	if len(b) < nlaHeader {
		return 0, nil, nil, false
	}
	n := int(host.Uint16(b))
	if n < nlaHeader || n > len(b) {
		return 0, nil, nil, false
	}
	return int(host.Uint16(b[2:])) & nlaTypeMask, b[nlaHeader:n], b[min(align4(n), len(b)):], true
}
