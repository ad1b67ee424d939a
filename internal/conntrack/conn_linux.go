package conntrack

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// bufferSize is the most that the kernel puts into one read of a dump
// (netlink_recvmsg caps max_recvmsg_len at 32 KiB). A larger one gains nothing.
const bufferSize = 32 << 10

// answerTimeout bounds the wait for the kernel, which answers while we ask.
const answerTimeout = 5 * time.Second

// Options say where to read.
type Options struct {
	// NetNS is the path of a network namespace, e.g. /run/netns/blue or
	// /proc/4242/ns/net; empty means the caller's own. Entering another one
	// needs CAP_SYS_ADMIN. An open Conn keeps the namespace alive: close it
	// soon where the namespace may go.
	NetNS string
}

// Conn asks the kernel for entries and counters of one network namespace.
// Not safe for concurrent use; one dump at a time.
type Conn struct {
	netns string
	fd    int
	seq   uint32
	buf   []byte
	req   []byte

	inDump   bool         // an answer is still on its way: the socket must be replaced first
	features kernelFilter // what this kernel was seen to filter
}

// Dial opens a Conn. It succeeds without CAP_NET_ADMIN; the first request then
// gives ErrPermission.
func Dial(o Options) (*Conn, error) {
	c := &Conn{netns: o.NetNS, fd: -1, buf: make([]byte, bufferSize)}
	if err := c.open(); err != nil {
		return nil, err
	}
	return c, nil
}

// Close releases the socket. Closing twice is fine.
func (c *Conn) Close() error {
	if c.fd < 0 {
		return nil
	}
	err := unix.Close(c.fd)
	c.fd = -1
	return err
}

func (c *Conn) open() error {
	return InNetNS(c.netns, func() (err error) {
		c.fd, err = netfilterSocket(0)
		if err != nil {
			return err
		}
		tv := unix.NsecToTimeval(int64(answerTimeout))
		if err = unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
			c.Close()
			return fmt.Errorf("set SO_RCVTIMEO: %w", err)
		}
		return nil
	})
}

func netfilterSocket(flags int) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|flags, unix.NETLINK_NETFILTER)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return -1, ErrNoModule
	}
	if err != nil {
		return -1, fmt.Errorf("open a netfilter socket: %w", err)
	}
	return fd, nil
}

// send starts a request: it replaces the socket where an earlier answer was
// not read to its end, since the kernel runs one dump a socket (EBUSY).
func (c *Conn) send(build func(seq uint32, b []byte) []byte) error {
	if c.fd < 0 {
		return fmt.Errorf("ask conntrack: %w", os.ErrClosed)
	}
	if c.inDump {
		c.Close()
		if err := c.open(); err != nil {
			return err
		}
		c.inDump = false
	}
	c.seq++
	c.req = build(c.seq, c.req[:0])
	// An unconnected netlink socket writes to the kernel.
	if _, err := unix.Write(c.fd, c.req); err != nil {
		return fmt.Errorf("ask conntrack: %w", err)
	}
	c.inDump = true
	return nil
}

// receive reads the next datagram into the Conn's buffer.
func (c *Conn) receive() ([]byte, error) {
	for {
		n, err := unix.Read(c.fd, c.buf)
		switch {
		case err == nil:
			return c.buf[:n], nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ENOBUFS):
			return nil, ErrOverrun
		default:
			return nil, fmt.Errorf("read from conntrack: %w", err)
		}
	}
}

// answers hands each message of the answer to the current request to take,
// until the kernel says that it is done, take returns false, or an error. The
// answer to a dump ends by NLMSG_DONE, any other by its first message: whether
// that is flagged NLM_F_MULTI can't be trusted (CT_GET_STATS is, and no
// NLMSG_DONE follows).
func (c *Conn) answers(dump bool, take func(h header, body []byte) bool) error {
	interrupted := false
	for {
		b, err := c.receive()
		if err != nil {
			return err
		}
		for len(b) > 0 {
			h, body, rest, ok := nextMessage(b)
			if !ok {
				return fmt.Errorf("%w: message cut off", ErrMalformed)
			}
			b = rest
			if h.seq != c.seq {
				continue // of an earlier request
			}
			interrupted = interrupted || h.flags&nlmFlagInterrupt != 0
			switch h.kind {
			case nlmsgDone, nlmsgError:
				c.inDump = false
				if err := answerError(body); err != nil {
					return err
				}
				if interrupted {
					return ErrInterrupted
				}
				return nil
			}
			if !take(h, body) {
				return nil
			}
			if !dump {
				c.inDump = false
				return nil
			}
		}
	}
}

// answerError reads struct nlmsgerr, or what NLMSG_DONE carries: a negative
// errno, 0 for none.
func answerError(body []byte) error {
	if len(body) < 4 {
		return nil
	}
	code := int32(host.Uint32(body))
	if code == 0 {
		return nil
	}
	errno := unix.Errno(-code)
	switch errno {
	case unix.EPERM:
		return ErrPermission
	case unix.EINVAL:
		// What nfnetlink says of a subsystem that is not there; also of a
		// request it can't parse, which kernelFilter tells apart.
		return fmt.Errorf("%w (%w)", ErrNoModule, errno)
	}
	return fmt.Errorf("conntrack answers: %w", errno)
}
