package netlab

import (
	"encoding/binary"
	"fmt"
	"iter"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vigie-otel/vigie/internal/flow"
)

// Fill puts entries into the table of the namespace, in batches, and fails the
// test if the kernel refuses one. Of each flow it takes the tuples, protocol,
// TCP or SCTP state, status, timeout (1 h where zero), mark and zone. A reply
// tuple without addresses becomes the reverse of the original.
func (ns *NS) Fill(flows iter.Seq[flow.Flow]) {
	ns.t.Helper()
	if refused := ns.TryFill(flows); refused != nil {
		ns.t.Fatalf("fill the table of %s: %v", ns.name, refused)
	}
}

// TryFill is Fill that goes on when an entry is refused, and returns the last
// such error: with a full table, ENOMEM.
func (ns *NS) TryFill(flows iter.Seq[flow.Flow]) (refused error) {
	ns.t.Helper()
	return ns.each(flows, appendEntry)
}

// Delete takes entries out of the table of the namespace again, by their
// original tuples.
func (ns *NS) Delete(flows iter.Seq[flow.Flow]) {
	ns.t.Helper()
	if refused := ns.each(flows, appendDelete); refused != nil {
		ns.t.Fatalf("delete from the table of %s: %v", ns.name, refused)
	}
}

// each sends one message a flow, in batches whose last message asks for an
// answer, and returns the last error among the answers.
func (ns *NS) each(flows iter.Seq[flow.Flow], add func([]byte, *flow.Flow, uint16) []byte) (refused error) {
	ns.t.Helper()
	ns.Do(func() error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		const batch = 256
		var b []byte
		n := 0
		var last flow.Flow
		for f := range flows {
			if n > 0 {
				b = add(b, &last, 0)
			}
			last = f
			if n++; n == batch {
				if err := exchange(fd, add(b, &last, unix.NLM_F_ACK), &refused); err != nil {
					return err
				}
				b, n = b[:0], 0
			}
		}
		if n == 0 {
			return nil
		}
		return exchange(fd, add(b, &last, unix.NLM_F_ACK), &refused)
	})
	return refused
}

const lastSeq = 1 // of the message whose answer ends a batch

func exchange(fd int, b []byte, refused *error) error {
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(fd, buf)
		if err != nil {
			return err
		}
		for a := buf[:n]; len(a) >= 20; {
			length := int(binary.NativeEndian.Uint32(a))
			seq := binary.NativeEndian.Uint32(a[8:])
			if code := int32(binary.NativeEndian.Uint32(a[16:])); code != 0 {
				*refused = unix.Errno(-code)
			}
			if seq == lastSeq {
				return nil
			}
			a = a[min((length+3)&^3, len(a)):]
		}
	}
}

// appendEntry appends one IPCTNL_MSG_CT_NEW. This and appendDelete are the only
// places of the tree that write to a table, and they are in tests.
func appendEntry(b []byte, f *flow.Flow, flags uint16) []byte {
	reply := f.Reply
	if !reply.Src.IsValid() {
		reply = flow.Tuple{Src: f.Orig.Dst, SrcPort: f.Orig.DstPort, Dst: f.Orig.Src, DstPort: f.Orig.SrcPort, ICMP: f.Orig.ICMP}
		if f.Proto == flow.ICMP4 || f.Proto == flow.ICMP6 {
			reply.ICMP.Type = echoReply(f.Orig.ICMP.Type)
		}
	}
	timeout := f.Timeout
	if timeout == 0 {
		timeout = time.Hour
	}
	return appendMessage(b, 0, unix.NLM_F_CREATE|unix.NLM_F_EXCL|flags, f, func(b []byte) []byte {
		b = nest(b, 2, func(b []byte) []byte { return appendTuple(b, &reply, f.Proto) })
		b = attr(b, 3, binary.BigEndian.AppendUint32(nil, uint32(f.Status|flow.Confirmed))...)
		b = attr(b, 7, binary.BigEndian.AppendUint32(nil, uint32(timeout/time.Second))...)
		b = attr(b, 8, binary.BigEndian.AppendUint32(nil, f.Mark)...)
		return appendState(b, f)
	})
}

// appendDelete appends one IPCTNL_MSG_CT_DELETE.
func appendDelete(b []byte, f *flow.Flow, flags uint16) []byte {
	return appendMessage(b, 2, flags, f, func(b []byte) []byte { return b })
}

func appendMessage(b []byte, msg, flags uint16, f *flow.Flow, fill func([]byte) []byte) []byte {
	family := byte(unix.AF_INET)
	if f.Orig.Src.Is6() {
		family = unix.AF_INET6
	}
	seq := uint32(0)
	if flags&unix.NLM_F_ACK != 0 {
		seq = lastSeq
	}
	at := len(b)
	b = binary.NativeEndian.AppendUint32(b, 0)
	b = binary.NativeEndian.AppendUint16(b, unix.NFNL_SUBSYS_CTNETLINK<<8|msg)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|flags)
	b = binary.NativeEndian.AppendUint32(b, seq)
	b = binary.NativeEndian.AppendUint32(b, 0)
	b = append(b, family, 0, 0, 0)
	b = nest(b, 1, func(b []byte) []byte { return appendTuple(b, &f.Orig, f.Proto) })
	if f.Zone != 0 {
		b = attr(b, 18, binary.BigEndian.AppendUint16(nil, f.Zone)...)
	}
	b = fill(b)
	binary.NativeEndian.PutUint32(b[at:], uint32(len(b)-at))
	return b
}

func appendState(b []byte, f *flow.Flow) []byte {
	switch f.Proto {
	case flow.TCP:
		return nest(b, 4, func(b []byte) []byte {
			return nest(b, 1, func(b []byte) []byte { return attr(b, 1, byte(f.State)) })
		})
	case flow.SCTP:
		sctp := map[flow.State]byte{
			flow.StateClosed: 1, flow.StateCookieWait: 2, flow.StateCookieEchoed: 3, flow.StateEstablished: 4,
		}
		return nest(b, 4, func(b []byte) []byte {
			return nest(b, 3, func(b []byte) []byte {
				b = attr(b, 1, sctp[f.State])
				b = attr(b, 2, 0, 0, 0, 1) // verification tags
				return attr(b, 3, 0, 0, 0, 2)
			})
		})
	}
	return b
}

func appendTuple(b []byte, t *flow.Tuple, p flow.Proto) []byte {
	b = nest(b, 1, func(b []byte) []byte {
		src, dst := uint16(1), uint16(2)
		if t.Src.Is6() {
			src, dst = 3, 4
		}
		b = attr(b, src, t.Src.AsSlice()...)
		return attr(b, dst, t.Dst.AsSlice()...)
	})
	return nest(b, 2, func(b []byte) []byte {
		b = attr(b, 1, byte(p))
		switch p {
		case flow.ICMP4, flow.ICMP6:
			first := uint16(4)
			if p == flow.ICMP6 {
				first = 7
			}
			b = attr(b, first, binary.BigEndian.AppendUint16(nil, t.ICMP.ID)...)
			b = attr(b, first+1, t.ICMP.Type)
			return attr(b, first+2, t.ICMP.Code)
		}
		b = attr(b, 2, binary.BigEndian.AppendUint16(nil, t.SrcPort)...)
		return attr(b, 3, binary.BigEndian.AppendUint16(nil, t.DstPort)...)
	})
}

func echoReply(kind uint8) uint8 {
	if kind == 128 { // ICMPv6 echo request
		return 129
	}
	return 0
}

func nest(b []byte, kind uint16, fill func([]byte) []byte) []byte {
	at := len(b)
	b = fill(append(b, 0, 0, 0, 0))
	binary.NativeEndian.PutUint16(b[at:], uint16(len(b)-at))
	binary.NativeEndian.PutUint16(b[at+2:], kind|unix.NLA_F_NESTED)
	return b
}

func attr(b []byte, kind uint16, p ...byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(p)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, p...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// TCPFlows makes n flows from distinct clients in 10.0.0.0/8 to service, all
// the same otherwise: state and status as given.
func TCPFlows(n int, service netip.AddrPort, state flow.State, status flow.Status) iter.Seq[flow.Flow] {
	return func(yield func(flow.Flow) bool) {
		for i := range n {
			client := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			f := flow.Flow{Proto: flow.TCP, State: state, Status: status}
			f.Orig = flow.Tuple{Src: client, SrcPort: uint16(1024 + i%60000), Dst: service.Addr(), DstPort: service.Port()}
			if !yield(f) {
				return
			}
		}
	}
}

// Count is the number of entries in the namespace's table, as /proc has it.
func (ns *NS) Count() (n int) {
	ns.t.Helper()
	ns.Do(func() error {
		fd, err := unix.Open("/proc/sys/net/netfilter/nf_conntrack_count", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		b := make([]byte, 32)
		m, err := unix.Read(fd, b)
		if err != nil {
			return err
		}
		_, err = fmt.Sscan(string(b[:m]), &n)
		return err
	})
	return n
}
