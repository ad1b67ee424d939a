package clientip

import (
	"bytes"
	"net/netip"

	"github.com/gaissmai/bart"
)

// MaxHops bounds how many hops of one X-Forwarded-For are read, from the right.
// Real chains have up to five (CDN, load balancer, ingress, mesh, sidecar); a
// longer run of trusted proxies ends at this hop.
const MaxHops = 32

// Resolver finds clients under a fixed list of trusted proxies. The zero value
// and nil trust nobody.
type Resolver struct {
	trusted bart.Lite
	any     bool
}

// New returns a Resolver that trusts the proxies in these prefixes. IPv4-mapped
// IPv6 prefixes of /96 or longer are taken as the IPv4 ones they stand for.
func New(trusted []netip.Prefix) *Resolver {
	r := &Resolver{}
	for _, p := range trusted {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		r.trusted.Insert(p.Masked())
		r.any = true
	}
	return r
}

// Trusts says whether addr is one of the trusted proxies.
func (r *Resolver) Trusts(addr netip.Addr) bool {
	return r != nil && r.any && r.trusted.Lookup(addr)
}

// Client returns the address to charge for a request that arrived from peer
// with this X-Forwarded-For value (several header lines joined by commas).
//
// A zero peer means that the log does not carry it (Envoy's default format);
// then the rightmost hop stands for the peer, since the logging proxy appended
// it. A hop that is no address ends the walk at the last hop that was one:
// whatever lies beyond is unverifiable. The result is the zero Addr only if
// there was no address at all.
func (r *Resolver) Client(peer netip.Addr, forwarded []byte) netip.Addr {
	client := peer
	if client.IsValid() && !r.Trusts(client) {
		return client
	}
	rest := forwarded
	for range MaxHops {
		if len(rest) == 0 {
			return client
		}
		hop := rest
		if i := bytes.LastIndexByte(rest, ','); i >= 0 {
			hop, rest = rest[i+1:], rest[:i]
		} else {
			rest = nil
		}
		addr, ok := ParseHop(hop)
		if !ok {
			return client
		}
		client = addr
		if !r.Trusts(addr) {
			return client
		}
	}
	return client
}
