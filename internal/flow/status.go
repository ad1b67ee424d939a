package flow

// Status is the set of IPS_* bits of an entry
// (include/uapi/linux/netfilter/nf_conntrack_common.h).
type Status uint32

// The bits; the kernel's name stands beside each.
const (
	Expected    Status = 1 << 0  // IPS_EXPECTED: announced by another flow (FTP data)
	SeenReply   Status = 1 << 1  // IPS_SEEN_REPLY
	Assured     Status = 1 << 2  // IPS_ASSURED
	Confirmed   Status = 1 << 3  // IPS_CONFIRMED: in the table
	SrcNAT      Status = 1 << 4  // IPS_SRC_NAT
	DstNAT      Status = 1 << 5  // IPS_DST_NAT
	SeqAdjust   Status = 1 << 6  // IPS_SEQ_ADJUST
	SrcNATDone  Status = 1 << 7  // IPS_SRC_NAT_DONE
	DstNATDone  Status = 1 << 8  // IPS_DST_NAT_DONE
	Dying       Status = 1 << 9  // IPS_DYING
	FixedTime   Status = 1 << 10 // IPS_FIXED_TIMEOUT
	Template    Status = 1 << 11 // IPS_TEMPLATE
	Untracked   Status = 1 << 12 // IPS_UNTRACKED, until Linux 4.12; IPS_NAT_CLASH since
	Helper      Status = 1 << 13 // IPS_HELPER
	Offload     Status = 1 << 14 // IPS_OFFLOAD: handled by a flow table
	HardOffload Status = 1 << 15 // IPS_HW_OFFLOAD: handled by the network card
)
