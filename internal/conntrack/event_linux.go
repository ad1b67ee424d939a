package conntrack

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DefaultReadBuffer holds the events of about a second at 50,000 a second
// while the reader does not run: each takes some 640 bytes of socket memory.
const DefaultReadBuffer = 32 << 20

// ListenOptions say which events to hear.
type ListenOptions struct {
	Options
	// Events is a set of EventNew, EventUpdate, EventDestroy; zero means EventNew.
	Events EventType
	// ReadBuffer is the socket's buffer in bytes; zero means DefaultReadBuffer.
	ReadBuffer int
}

// Listener hears what happens to the entries of one network namespace.
//
// While one is open, the kernel makes a message for each change, some 2–4 µs of
// CPU in the packet's path (nf_conntrack_events 2, the default since Linux 5.19,
// makes none while nobody listens).
type Listener struct {
	socket *os.File
	batch  *batch
}

// Listen subscribes. Without CAP_NET_ADMIN it gives ErrPermission.
func Listen(o ListenOptions) (*Listener, error) {
	if o.Events == 0 {
		o.Events = EventNew
	}
	if o.ReadBuffer == 0 {
		o.ReadBuffer = DefaultReadBuffer
	}
	fd := -1
	err := InNetNS(o.NetNS, func() (err error) {
		if fd, err = netfilterSocket(unix.SOCK_NONBLOCK); err != nil {
			return err
		}
		return subscribe(fd, o)
	})
	if err != nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		return nil, err
	}
	return &Listener{socket: os.NewFile(uintptr(fd), "ctnetlink"), batch: newBatch()}, nil
}

func subscribe(fd int, o ListenOptions) error {
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	// SO_RCVBUFFORCE passes net.core.rmem_max, and needs CAP_NET_ADMIN in the
	// initial user namespace; elsewhere the ordinary limit has to do.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, o.ReadBuffer) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, o.ReadBuffer); err != nil {
			return fmt.Errorf("set SO_RCVBUF: %w", err)
		}
	}
	for _, g := range [...]struct {
		event EventType
		group int
	}{
		{EventNew, unix.NFNLGRP_CONNTRACK_NEW},
		{EventUpdate, unix.NFNLGRP_CONNTRACK_UPDATE},
		{EventDestroy, unix.NFNLGRP_CONNTRACK_DESTROY},
	} {
		if o.Events&g.event == 0 {
			continue
		}
		err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, g.group)
		if errors.Is(err, unix.EPERM) {
			return ErrPermission
		}
		if err != nil {
			return fmt.Errorf("join the group of %s events: %w", g.event, err)
		}
	}
	return nil
}

// Close ends the subscription; Events that waits in another goroutine returns.
func (l *Listener) Close() error { return l.socket.Close() }

// Events yields events until ctx is done or the Listener is closed. The Event
// is the same one each time and valid until the next. ErrOverrun comes with a
// nil Event and does not end the iteration: events were lost before it. Any
// other error with a nil Event is either a malformed message, after which it
// goes on, or the last pair.
func (l *Listener) Events(ctx context.Context) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		l.socket.SetReadDeadline(time.Time{}) // of an earlier Events
		stop := context.AfterFunc(ctx, func() { l.socket.SetReadDeadline(time.Unix(1, 0)) })
		defer stop()
		var e Event
		for {
			err := l.batch.receive(l.socket)
			switch {
			case err == nil:
			case errors.Is(err, unix.ENOBUFS):
				if !yield(nil, ErrOverrun) {
					return
				}
				continue
			case ctx.Err() != nil:
				return
			case errors.Is(err, os.ErrClosed):
				return
			default:
				yield(nil, fmt.Errorf("read conntrack events: %w", err))
				return
			}
			for i := range l.batch.got {
				for b := l.batch.datagram(i); len(b) > 0; {
					h, body, rest, ok := nextMessage(b)
					if !ok {
						if !yield(nil, fmt.Errorf("%w: event cut off", ErrMalformed)) {
							return
						}
						break
					}
					b = rest
					ok, err := decodeEvent(h, body, &e)
					switch {
					case err != nil:
						ok = yield(nil, err)
					case ok:
						ok = yield(&e, nil)
					default:
						ok = true
					}
					if !ok {
						return
					}
				}
			}
		}
	}
}

const (
	batchLen      = 64   // datagrams a system call
	batchDatagram = 2048 // an event is one datagram, 200–600 bytes
)

// batch receives many datagrams by one recvmmsg: at 50,000 events a second the
// system call is what costs.
type batch struct {
	buf   [batchLen * batchDatagram]byte
	iov   [batchLen]unix.Iovec
	heads [batchLen]mmsghdr
	got   int
}

// mmsghdr is struct mmsghdr.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

func newBatch() *batch {
	b := new(batch)
	for i := range b.heads {
		b.iov[i].Base = &b.buf[i*batchDatagram]
		b.iov[i].SetLen(batchDatagram)
		b.heads[i].hdr.Iov = &b.iov[i]
		b.heads[i].hdr.SetIovlen(1)
	}
	return b
}

// receive waits for at least one datagram.
func (b *batch) receive(socket *os.File) error {
	conn, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var errno unix.Errno
	err = conn.Read(func(fd uintptr) bool {
		var n uintptr
		for {
			n, _, errno = unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&b.heads[0])),
				batchLen, unix.MSG_DONTWAIT, 0, 0)
			if errno != unix.EINTR {
				break
			}
		}
		b.got = 0
		if errno == 0 {
			b.got = int(n)
		}
		return errno != unix.EAGAIN
	})
	if err != nil {
		return err
	}
	if errno != 0 {
		return errno
	}
	return nil
}

func (b *batch) datagram(i int) []byte {
	n := min(int(b.heads[i].n), batchDatagram)
	return b.buf[i*batchDatagram:][:n]
}
