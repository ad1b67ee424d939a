package flow

import "net/netip"

// DNAT reports whether the destination was rewritten: the client asked for
// Service and Backend answers. Compared by tuple rather than by IPS_DST_NAT, so
// that it also holds for a flow read from a record.
func (f *Flow) DNAT() bool {
	return f.Reply.Src.IsValid() && (f.Reply.Src != f.Orig.Dst || f.Reply.SrcPort != f.Orig.DstPort)
}

// SNAT reports whether the source was rewritten: the backend sees Masqueraded
// in place of the client.
func (f *Flow) SNAT() bool {
	return f.Reply.Dst.IsValid() && (f.Reply.Dst != f.Orig.Src || f.Reply.DstPort != f.Orig.SrcPort)
}

// NAT reports whether either end was rewritten.
func (f *Flow) NAT() bool { return f.DNAT() || f.SNAT() }

// Client is who opened the connection, before any source NAT.
func (f *Flow) Client() netip.AddrPort { return f.Orig.Source() }

// Service is the address that the client asked for: under DNAT a ClusterIP, a
// NodePort or a load balancer's address, else the server itself.
func (f *Flow) Service() netip.AddrPort { return f.Orig.Destination() }

// Backend is who really answers: under DNAT the pod behind Service, else
// Service itself. It is the zero AddrPort where the reply tuple is unknown.
func (f *Flow) Backend() netip.AddrPort { return f.Reply.Source() }

// Masqueraded is the client as the backend sees it: under SNAT the node's
// address and a port that the node chose, else Client itself.
func (f *Flow) Masqueraded() netip.AddrPort { return f.Reply.Destination() }
