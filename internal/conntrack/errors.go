package conntrack

import "errors"

// What a caller branches on. Errors of this package wrap one of them, or the
// syscall.Errno that the kernel gave.
var (
	// ErrInterrupted ends a dump during which the table changed its shape
	// (NLM_F_DUMP_INTR): entries may be missing or told twice. What was yielded
	// before is real.
	ErrInterrupted = errors.New("dump interrupted by a change of the table")
	// ErrOverrun says that events were lost because they came faster than they
	// were read (ENOBUFS). Listening goes on; a dump brings the picture up to date.
	ErrOverrun = errors.New("events lost, socket buffer overrun")
	// ErrPermission says that CAP_NET_ADMIN is missing.
	ErrPermission = errors.New("not permitted: grant CAP_NET_ADMIN in the user namespace of this network namespace")
	// ErrNoModule says that the kernel has no connection tracking, or has not
	// loaded it (nf_conntrack, nf_conntrack_netlink).
	ErrNoModule = errors.New("no connection tracking in this kernel: module nf_conntrack or nf_conntrack_netlink is not loaded")
	// ErrNamespaceGone says that a network namespace given by path is not there.
	ErrNamespaceGone = errors.New("network namespace is gone")
	// ErrMalformed says that a message is not what ctnetlink sends.
	ErrMalformed = errors.New("malformed ctnetlink message")
	// ErrUnsupported says that this system is not Linux.
	ErrUnsupported = errors.New("connection tracking is read on Linux only")
)
