package conntrack

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Addresses are what a network namespace has at its own end.
type Addresses struct {
	// Interfaces are the addresses of its interfaces.
	Interfaces []netip.Addr
	// HostRoutes are the single addresses routed straight out of an interface:
	// how the CNIs of EKS and Calico reach the pods of a node.
	HostRoutes []netip.Addr
}

// LocalAddresses reads the addresses of a namespace. It needs no capability
// unless the namespace is another one.
func LocalAddresses(o Options) (a Addresses, err error) {
	err = InNetNS(o.NetNS, func() error {
		if err := routeDump(unix.RTM_GETADDR, unix.RTM_NEWADDR, unix.SizeofIfAddrmsg, a.addInterface); err != nil {
			return fmt.Errorf("read interface addresses: %w", err)
		}
		if err := routeDump(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, unix.SizeofRtMsg, a.addRoute); err != nil {
			return fmt.Errorf("read routes: %w", err)
		}
		return nil
	})
	return a, err
}

func (a *Addresses) addInterface(_, attrs []byte) {
	var local, address netip.Addr
	eachAttr(attrs, func(kind int, p []byte) {
		switch kind {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(p)
		case unix.IFA_ADDRESS:
			address, _ = netip.AddrFromSlice(p) // of the peer, on a point-to-point link
		}
	})
	if !local.IsValid() {
		local = address
	}
	if local.IsValid() {
		a.Interfaces = append(a.Interfaces, local)
	}
}

func (a *Addresses) addRoute(rt, attrs []byte) {
	bits, table, kind := int(rt[1]), rt[4], rt[7]
	if table != unix.RT_TABLE_MAIN || kind != unix.RTN_UNICAST {
		return
	}
	var dst netip.Addr
	gateway, device := false, false
	eachAttr(attrs, func(kind int, p []byte) {
		switch kind {
		case unix.RTA_DST:
			dst, _ = netip.AddrFromSlice(p)
		case unix.RTA_GATEWAY, unix.RTA_VIA:
			gateway = true
		case unix.RTA_OIF:
			device = true
		}
	})
	if dst.IsValid() && bits == dst.BitLen() && device && !gateway {
		a.HostRoutes = append(a.HostRoutes, dst)
	}
}

func eachAttr(b []byte, take func(kind int, p []byte)) {
	for {
		kind, p, rest, ok := nextAttr(b)
		if !ok {
			return
		}
		take(kind, p)
		b = rest
	}
}

// routeDump asks rtnetlink for all objects of one kind. Each answer of type
// want has a fixed struct of size bytes before its attributes.
func routeDump(ask, want uint16, size int, take func(fixed, attrs []byte)) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req := host.AppendUint32(nil, 0)
	req = host.AppendUint16(req, ask)
	req = host.AppendUint16(req, nlmFlagRequest|nlmFlagDump)
	req = append(req, make([]byte, 8+size)...) // sequence, port, struct: zeros
	if err := unix.Sendto(fd, finish(req), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buf := make([]byte, bufferSize)
	for {
		n, err := unix.Read(fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		for b := buf[:n]; len(b) > 0; {
			h, body, rest, ok := nextMessage(b)
			if !ok {
				return fmt.Errorf("%w: message cut off", ErrMalformed)
			}
			b = rest
			switch {
			case h.kind == nlmsgDone || h.kind == nlmsgError:
				return answerError(body)
			case h.kind == want && len(body) >= size:
				take(body[:size], body[align4(size):])
			}
		}
	}
}
