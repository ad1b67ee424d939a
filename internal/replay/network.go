package replay

import (
	"encoding/binary"
	"net/netip"
)

// netKind is how people get their addresses.
type netKind uint8

const (
	netHome    netKind = iota // an address a household
	netHome6                  // a /64 a household, an interface identifier a device
	netCarrier                // carrier-grade NAT: thousands behind an address
	netOffice                 // dozens behind an address
	netHosting                // a data centre: VPN exits, monitors, bots
)

// network is a block that an operator hands addresses out from.
type network struct {
	kind   netKind
	base   uint32 // IPv4
	mask   uint32 // host bits
	base6  uint64 // IPv6: the operator's /32, in the upper half
	shared uint32 // addresses in use, where they are shared
}

// operators is the world as one site sees it: a few large access providers, many
// small ones, their carriers' NAT, offices.
type operators struct {
	nets  []network
	table []uint16 // by share of the audience
	fixed []uint16 // without carriers: television sets
	nat   []uint16 // carriers alone
	key   uint64
}

// firstOctets are allocated, routable unicast /8s of several registries.
var firstOctets = []uint32{2, 5, 31, 37, 46, 62, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 109, 176, 178, 185, 188, 193, 194, 195, 212, 213, 217, 24, 50, 63, 66, 68, 71, 73, 76, 96, 98, 99, 107, 108, 174, 184, 1, 14, 27, 36, 42, 49, 58, 59, 60, 61, 101, 103, 106, 110, 111, 112, 113, 114, 115, 116, 118, 119, 120, 121, 122, 123, 124, 125, 41, 102, 105, 154, 196, 197, 177, 179, 181, 186, 187, 189, 190, 191, 200, 201}

func block(r *rng, bits uint) (base, mask uint32) {
	mask = 1<<(32-bits) - 1
	return (pick(r, firstOctets)<<24 | uint32(r.next())&0xffffff) &^ mask, mask
}

func newOperators(r *rng) *operators {
	o := &operators{key: r.next()}
	var all, fixed, nat []float64
	add := func(n network, share float64) {
		o.nets = append(o.nets, n)
		f, c := share, 0.0
		if n.kind == netCarrier {
			f, c = 0, share
		}
		all, fixed, nat = append(all, share), append(fixed, f), append(nat, c)
	}
	share6 := r.between(0.15, 0.45)
	for i, w := range geometric(r.intn(5, 9), r.between(0.6, 0.8)) { // large providers
		for range r.intn(6, 16) {
			base, mask := block(r, uint(r.intn(13, 16)))
			add(network{kind: netHome, base: base, mask: mask}, w*(1-share6)/10)
		}
		add(network{kind: netHome6, base6: uint64(0x2a000000+r.below(0x100000)+i) << 32}, w*share6)
	}
	for range r.intn(100, 200) { // small ones
		base, mask := block(r, uint(r.intn(17, 21)))
		add(network{kind: netHome, base: base, mask: mask}, r.betweenLog(0.0005, 0.006))
	}
	for range r.intn(3, 5) { // carriers: a /24 to a /22 of NAT addresses each
		base, mask := block(r, uint(r.intn(22, 24)))
		add(network{kind: netCarrier, base: base, mask: mask, shared: uint32(r.intn(24, 200))}, r.between(0.1, 0.3))
	}
	for range r.intn(30, 60) {
		base, mask := block(r, 24)
		add(network{kind: netOffice, base: base, mask: mask, shared: uint32(r.intn(1, 4))}, r.between(0.0003, 0.002))
	}
	o.table, o.fixed, o.nat = weighted(all), weighted(fixed), weighted(nat)
	return o
}

// address is what subscriber number h of the network has; equal h, equal address.
func (n *network) address(h uint64) (hi, lo uint64) {
	switch {
	case n.kind == netHome6:
		// The household's /64 in the lower 32 bits of the upper half.
		return n.base6 | h>>32, mix(h) | 1
	case n.shared > 0:
		return 0, uint64(n.base | (7+uint32(h>>32)%n.shared)&n.mask)
	default:
		return 0, uint64(n.base | uint32(h>>32)&n.mask)
	}
}

// toAddr is the address of a session or bot.
func toAddr(hi, lo uint64) netip.Addr {
	if hi == 0 {
		return netip.AddrFrom4([4]byte{byte(lo >> 24), byte(lo >> 16), byte(lo >> 8), byte(lo)})
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
	return netip.AddrFrom16(b)
}
