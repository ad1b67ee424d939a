package hoststatreceiver

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// sock_diag(7), include/uapi/linux/inet_diag.h.
const (
	sizeofInetDiagReqV2 = 56
	offsetDiagState     = 1 // idiag_state in inet_diag_msg
	allButTimeWait      = ^uint32(1<<6) & 0x1fff
)

// diagSockets counts the sockets of this network namespace. TIME_WAIT is left
// out of the dump: it is known as one number.
func diagSockets(count socketCounts) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return os.NewSyscallError("socket(NETLINK_SOCK_DIAG)", err)
	}
	defer unix.Close(fd)
	// The kernel answers a dump within the call; the time-out only keeps a
	// scrape from hanging should it ever not.
	timeout := unix.Timeval{Sec: 2}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return os.NewSyscallError("setsockopt(SO_RCVTIMEO)", err)
	}
	buf := make([]byte, 32<<10)
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		for _, p := range []struct {
			name   string
			number uint8
		}{{tcp, unix.IPPROTO_TCP}, {udp, unix.IPPROTO_UDP}} {
			if err := diagDump(fd, buf, family, p.number, func(state uint8) { count.add(p.name, state) }); err != nil {
				return fmt.Errorf("dump %s sockets: %w", p.name, err)
			}
		}
	}
	return nil
}

func diagDump(fd int, buf []byte, family, protocol uint8, visit func(state uint8)) error {
	req := make([]byte, unix.NLMSG_HDRLEN+sizeofInetDiagReqV2)
	ne := binary.NativeEndian
	ne.PutUint32(req[0:], uint32(len(req)))
	ne.PutUint16(req[4:], unix.SOCK_DIAG_BY_FAMILY)
	ne.PutUint16(req[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	body := req[unix.NLMSG_HDRLEN:]
	body[0], body[1] = family, protocol
	ne.PutUint32(body[4:], allButTimeWait)
	if err := unix.Sendto(fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return os.NewSyscallError("sendto", err)
	}
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return os.NewSyscallError("recvfrom", err)
		}
		done, err := eachDiag(buf[:n], visit)
		if done || err != nil {
			return err
		}
	}
}

// eachDiag visits the messages of one datagram; done at NLMSG_DONE.
func eachDiag(b []byte, visit func(state uint8)) (done bool, err error) {
	ne := binary.NativeEndian
	for len(b) >= unix.NLMSG_HDRLEN {
		length := int(ne.Uint32(b))
		if length < unix.NLMSG_HDRLEN || length > len(b) {
			return false, fmt.Errorf("netlink message of %d bytes in %d", length, len(b))
		}
		body := b[unix.NLMSG_HDRLEN:length]
		switch ne.Uint16(b[4:]) {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			if len(body) >= 4 {
				if errno := -int32(ne.Uint32(body)); errno != 0 {
					return true, unix.Errno(errno)
				}
			}
			return true, nil
		default:
			if len(body) > offsetDiagState {
				visit(body[offsetDiagState])
			}
		}
		b = b[min(len(b), (length+3)&^3):]
	}
	return false, nil
}
