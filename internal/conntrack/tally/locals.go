package tally

import (
	"net/netip"
	"slices"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/flow"
)

// Kind tells what one of our addresses is.
type Kind uint8

// The kinds. Only a pod's address may be given out as k8s.pod.ip.
const (
	Foreign Kind = iota
	Node         // an address of an interface of this network namespace
	Pod          // a host route behind an interface, behind a bridge, or configured as such
	Backend      // an address that this host's NAT rules lead to
)

// Locals knows which addresses are ours. The zero value knows none but what
// NAT rules tell. Read-only after it is made.
type Locals struct {
	Nodes map[netip.Addr]bool // of interfaces
	Pods  map[netip.Addr]bool // of host routes
	// PodPrefixes are networks of pods: behind a bridge, or configured.
	PodPrefixes []netip.Prefix
}

// NewLocals makes Locals of what a namespace has, and of the pods' networks that
// the user names.
func NewLocals(a conntrack.Addresses, pods []netip.Prefix) *Locals {
	l := &Locals{
		Nodes:       make(map[netip.Addr]bool, len(a.Interfaces)),
		Pods:        make(map[netip.Addr]bool, len(a.HostRoutes)),
		PodPrefixes: slices.Concat(pods, a.Bridges),
	}
	for _, addr := range a.Interfaces {
		l.Nodes[addr] = true
	}
	for _, addr := range a.HostRoutes {
		l.Pods[addr] = true
	}
	return l
}

// Kind tells what addr is.
func (l *Locals) Kind(addr netip.Addr) Kind {
	if l.Nodes[addr] || addr.IsLoopback() {
		return Node
	}
	if l.Pods[addr] {
		return Pod
	}
	for _, p := range l.PodPrefixes {
		if p.Contains(addr) {
			return Pod
		}
	}
	return Foreign
}

// Owner is whom an entry is charged to.
type Owner struct {
	// End is address and port of a target, the address alone (port 0) of who
	// opened the connections. The zero End is "other".
	End netip.AddrPort
	// Target tells the two apart.
	Target bool
	Kind   Kind
}

// String is the address, or address:port of a target, or "other".
func (o Owner) String() string {
	switch {
	case !o.End.Addr().IsValid():
		return "other"
	case o.Target && o.End.Port() != 0:
		return o.End.String()
	}
	return o.End.Addr().String()
}

// Owner charges f to its target if that is ours: the pod behind a service, or
// the local server. Else to who opened it, if that is ours. Else to the backend
// that a NAT rule of this host chose: such rules lead to our side. Else to
// nobody: the zero Owner. A client's address is never an owner.
func (l *Locals) Owner(f *flow.Flow) Owner {
	backend := f.Backend()
	if k := l.Kind(backend.Addr()); k != Foreign {
		return Owner{End: backend, Target: true, Kind: k}
	}
	dnat := f.DNAT()
	if dnat {
		if k := l.Kind(f.Orig.Dst); k != Foreign {
			return Owner{End: f.Service(), Target: true, Kind: k}
		}
	}
	if k := l.Kind(f.Orig.Src); k != Foreign {
		return Owner{End: netip.AddrPortFrom(f.Orig.Src, 0), Kind: k}
	}
	if dnat {
		return Owner{End: backend, Target: true, Kind: Backend}
	}
	return Owner{}
}
