package clientip

import (
	"encoding/binary"
	"net/netip"
)

// ParseHop reads one element of X-Forwarded-For, or a log's client field: an
// address, alone or with a port, with or without brackets, quotes and blanks
// around it, as in 192.0.2.1:443 or "[2001:db8::1]:443".
func ParseHop(b []byte) (netip.Addr, bool) {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '"') {
		b = b[1:]
	}
	for n := len(b); n > 0 && (b[n-1] == ' ' || b[n-1] == '\t' || b[n-1] == '"'); n-- {
		b = b[:n-1]
	}
	if len(b) == 0 {
		return netip.Addr{}, false
	}
	if b[0] == '[' {
		for i := 1; i < len(b); i++ {
			if b[i] == ']' {
				if rest := b[i+1:]; len(rest) > 0 && !isPort(rest) {
					return netip.Addr{}, false
				}
				return parse6(b[1:i])
			}
		}
		return netip.Addr{}, false
	}
	if a, n, ok := parse4(b); ok {
		if n == len(b) || isPort(b[n:]) {
			return a, true
		}
		return netip.Addr{}, false
	}
	return parse6(b)
}

// ParseAddr reads a bare IPv4 or IPv6 address. It differs from
// netip.ParseAddr in taking bytes, in dropping a zone (an interned zone would
// be kept for good), in unmapping IPv4-mapped addresses, and in allocating
// nothing when it fails.
func ParseAddr(b []byte) (netip.Addr, bool) {
	if a, n, ok := parse4(b); ok && n == len(b) {
		return a, true
	}
	return parse6(b)
}

// isPort says whether b is ":" and one to five digits.
func isPort(b []byte) bool {
	if len(b) < 2 || len(b) > 6 || b[0] != ':' {
		return false
	}
	for _, c := range b[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// parse4 reads a dotted quad at the start of b and says how long it was. What
// follows must not be a further digit or dot.
func parse4(b []byte) (a netip.Addr, n int, ok bool) {
	var v uint32
	i := 0
	for part := 0; ; part++ {
		start, octet := i, uint32(0)
		for i < len(b) && i-start < 4 {
			c := b[i] - '0'
			if c > 9 {
				break
			}
			octet = octet*10 + uint32(c)
			i++
		}
		if i == start || octet > 255 || i-start > 3 {
			return netip.Addr{}, 0, false
		}
		v = v<<8 | octet
		if part == 3 {
			break
		}
		if i >= len(b) || b[i] != '.' {
			return netip.Addr{}, 0, false
		}
		i++
	}
	if i < len(b) && b[i] == '.' {
		return netip.Addr{}, 0, false
	}
	var quad [4]byte
	binary.BigEndian.PutUint32(quad[:], v)
	return netip.AddrFrom4(quad), i, true
}

// parse6 reads an IPv6 address (RFC 4291, section 2.2), without its zone.
func parse6(b []byte) (netip.Addr, bool) {
	var out [16]byte
	at, ellipsis := 0, -1
	if len(b) >= 2 && b[0] == ':' && b[1] == ':' {
		ellipsis, b = 0, b[2:]
	}
	for len(b) > 0 && b[0] != '%' {
		if at == 16 {
			return netip.Addr{}, false
		}
		group, n := uint32(0), 0
		for n < len(b) && n < 5 {
			d := unhex(b[n])
			if d > 15 {
				break
			}
			group = group<<4 | uint32(d)
			n++
		}
		if n == 0 || n > 4 {
			return netip.Addr{}, false
		}
		if n < len(b) && b[n] == '.' {
			quad, used, ok := parse4(b)
			if !ok || at > 12 || (used < len(b) && b[used] != '%') {
				return netip.Addr{}, false
			}
			v4 := quad.As4()
			copy(out[at:], v4[:])
			at, b = at+4, nil
			break
		}
		out[at], out[at+1] = byte(group>>8), byte(group)
		at, b = at+2, b[n:]
		if len(b) == 0 || b[0] == '%' {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return netip.Addr{}, false
		}
		b = b[1:]
		if b[0] == ':' {
			if ellipsis >= 0 {
				return netip.Addr{}, false
			}
			ellipsis, b = at, b[1:]
		}
	}
	switch {
	case ellipsis < 0 && at != 16, ellipsis >= 0 && at == 16:
		return netip.Addr{}, false
	case ellipsis >= 0:
		tail := at - ellipsis
		copy(out[16-tail:], out[ellipsis:at])
		clear(out[ellipsis : 16-tail])
	}
	return netip.AddrFrom16(out).Unmap(), true
}

// unhex returns a hexadecimal digit's value, or 255.
func unhex(c byte) byte {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case c|0x20-'a' <= 5:
		return c | 0x20 - 'a' + 10
	}
	return 255
}
