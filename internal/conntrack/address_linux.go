package conntrack

import (
	"bytes"
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
	// Bridges are the networks behind a bridge of the host: containers of
	// Docker, pods of kind, flannel and kubenet.
	Bridges []netip.Prefix
}

// LocalAddresses reads the addresses of a namespace. It needs no capability
// unless the namespace is another one.
func LocalAddresses(o Options) (a Addresses, err error) {
	err = InNetNS(o.NetNS, func() error {
		bridges := make(map[uint32]bool)
		if err := routeDump(unix.RTM_GETLINK, unix.RTM_NEWLINK, unix.SizeofIfInfomsg, func(info, attrs []byte) {
			if isBridge(attrs) {
				bridges[host.Uint32(info[4:])] = true
			}
		}); err != nil {
			return fmt.Errorf("read interfaces: %w", err)
		}
		if err := routeDump(unix.RTM_GETADDR, unix.RTM_NEWADDR, unix.SizeofIfAddrmsg, a.addInterface); err != nil {
			return fmt.Errorf("read interface addresses: %w", err)
		}
		if err := routeDump(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, unix.SizeofRtMsg, func(rt, attrs []byte) {
			a.addRoute(rt, attrs, bridges)
		}); err != nil {
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

func isBridge(attrs []byte) (yes bool) {
	eachAttr(attrs, func(kind int, p []byte) {
		if kind != unix.IFLA_LINKINFO {
			return
		}
		eachAttr(p, func(kind int, p []byte) {
			if kind == unix.IFLA_INFO_KIND {
				yes = string(bytes.TrimRight(p, "\x00")) == "bridge"
			}
		})
	})
	return yes
}

func (a *Addresses) addRoute(rt, attrs []byte, bridges map[uint32]bool) {
	bits, table, kind := int(rt[1]), rt[4], rt[7]
	if table != unix.RT_TABLE_MAIN || kind != unix.RTN_UNICAST {
		return
	}
	var dst netip.Addr
	var device uint32
	gateway := false
	eachAttr(attrs, func(kind int, p []byte) {
		switch kind {
		case unix.RTA_DST:
			dst, _ = netip.AddrFromSlice(p)
		case unix.RTA_GATEWAY, unix.RTA_VIA:
			gateway = true
		case unix.RTA_OIF:
			if len(p) == 4 {
				device = host.Uint32(p)
			}
		}
	})
	switch {
	case !dst.IsValid() || device == 0 || gateway:
	case bits == dst.BitLen():
		a.HostRoutes = append(a.HostRoutes, dst)
	case bridges[device] && !dst.IsLinkLocalUnicast():
		a.Bridges = append(a.Bridges, netip.PrefixFrom(dst, bits))
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
