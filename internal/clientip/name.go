package clientip

import (
	"bytes"
	"net/netip"

	"github.com/zeebo/xxh3"
)

// Names is the range in which FromName puts clients that a log knows by name:
// the documentation range of RFC 9637, whose addresses no real client has.
var Names = netip.MustParsePrefix("3fff::/20")

// FromName returns a stand-in address for a client that the log names instead
// of giving its address (Apache with HostnameLookups, or anonymised logs whose
// clients are numbers). Equal names get equal addresses. The last two labels of
// a host name decide the /48 and the whole name the /64, so that hosts of one
// provider stay together as they would by address. It is false for "-" and for
// what is no name.
func FromName(b []byte) (netip.Addr, bool) {
	if len(b) == 0 || len(b) > 253 {
		return netip.Addr{}, false
	}
	word := false
	for _, c := range b {
		switch {
		case c-'0' <= 9, c|0x20-'a' <= 25:
			word = true
		case c == '.', c == '-', c == '_':
		default:
			return netip.Addr{}, false
		}
	}
	if !word {
		return netip.Addr{}, false
	}
	domain := b
	if i := bytes.LastIndexByte(b, '.'); i > 0 {
		if i = bytes.LastIndexByte(b[:i], '.'); i > 0 {
			domain = b[i+1:]
		}
	}
	group, host := xxh3.Hash(domain), xxh3.Hash(b)
	a := Names.Addr().As16()
	a[2] |= byte(group>>24) & 0x0f
	a[3], a[4], a[5] = byte(group>>16), byte(group>>8), byte(group)
	a[6], a[7] = byte(host>>8), byte(host)
	for i := range 8 {
		a[8+i] = byte(host >> (8 * i))
	}
	return netip.AddrFrom16(a), true
}
