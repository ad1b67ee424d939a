package flow

import "strconv"

// Proto is an IP protocol number.
type Proto uint8

// The protocols that conntrack follows by more than addresses.
const (
	ICMP4   Proto = 1
	TCP     Proto = 6
	UDP     Proto = 17
	DCCP    Proto = 33
	GRE     Proto = 47
	ICMP6   Proto = 58
	SCTP    Proto = 132
	UDPLite Proto = 136
)

// String is the value of network.transport; a protocol without a name of its
// own is its number.
func (p Proto) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case ICMP4:
		return "icmp"
	case ICMP6:
		return "icmpv6"
	case SCTP:
		return "sctp"
	case DCCP:
		return "dccp"
	case GRE:
		return "gre"
	case UDPLite:
		return "udplite"
	}
	return strconv.Itoa(int(p))
}

// ParseProto is the reverse of String; ok is false for what is neither a known
// name nor a number below 256.
func ParseProto(name string) (p Proto, ok bool) {
	for _, p := range [...]Proto{TCP, UDP, ICMP4, ICMP6, SCTP, DCCP, GRE, UDPLite} {
		if p.String() == name {
			return p, true
		}
	}
	n, err := strconv.ParseUint(name, 10, 8)
	return Proto(n), err == nil
}

// HasPorts reports whether the tuples of p carry ports.
func (p Proto) HasPorts() bool {
	switch p {
	case TCP, UDP, SCTP, DCCP, UDPLite, GRE:
		return true
	}
	return false
}
