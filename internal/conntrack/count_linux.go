package conntrack

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// NewCounter counts the entries that are made in a namespace, without reading
// one: a socket-filter program on the subscription counts each event and drops
// it, so there is no queue, no loss and no wake-up. No kernel counter gives this
// number.
//
// Needs CAP_NET_ADMIN and CAP_BPF (before Linux 5.8 CAP_SYS_ADMIN) and a kernel
// with CONFIG_BPF_SYSCALL; without, use Listen. What an event costs the kernel
// is the same as with a Listener, less the queueing.
type NewCounter struct {
	fd      int
	counts  *ebpf.Map
	program *ebpf.Program
	percpu  []uint64
}

// CountNew begins to count.
func CountNew(o Options) (c *NewCounter, err error) {
	c = &NewCounter{fd: -1}
	defer func() {
		if err != nil {
			c.Close()
			c = nil
		}
	}()
	if err := c.load(); err != nil {
		return c, err
	}
	err = InNetNS(o.NetNS, func() (err error) {
		if c.fd, err = netfilterSocket(unix.SOCK_NONBLOCK); err != nil {
			return err
		}
		// The filter first: not one event may be queued.
		if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ATTACH_BPF, c.program.FD()); err != nil {
			return fmt.Errorf("attach the counting program: %w", err)
		}
		return subscribe(c.fd, ListenOptions{Events: EventNew, ReadBuffer: 1 << 12})
	})
	return c, err
}

func (c *NewCounter) load() (err error) {
	// Until Linux 5.11 maps count against RLIMIT_MEMLOCK; without the right to
	// raise it, loading may work all the same.
	_ = rlimit.RemoveMemlock()
	c.counts, err = ebpf.NewMap(&ebpf.MapSpec{
		Name: "vigie_ct_new", Type: ebpf.PerCPUArray, KeySize: 4, ValueSize: 8, MaxEntries: 1,
	})
	if err != nil {
		return bpfError("make a BPF map", err)
	}
	c.program, err = ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "vigie_ct_new", Type: ebpf.SocketFilter, License: "Apache-2.0",
		Instructions: asm.Instructions{
			asm.StoreImm(asm.RFP, -4, 0, asm.Word), // key 0
			asm.Mov.Reg(asm.R2, asm.RFP),
			asm.Add.Imm(asm.R2, -4),
			asm.LoadMapPtr(asm.R1, c.counts.FD()),
			asm.FnMapLookupElem.Call(),
			asm.JEq.Imm(asm.R0, 0, "drop"),
			// A plain add on the CPU's own value would lose counts where an
			// interrupt's event comes between load and store.
			asm.Mov.Imm(asm.R1, 1),
			asm.StoreXAdd(asm.R0, asm.R1, asm.DWord),
			asm.Mov.Imm(asm.R0, 0).WithSymbol("drop"), // keep 0 bytes
			asm.Return(),
		},
	})
	if err != nil {
		return bpfError("load the counting program", err)
	}
	return nil
}

func bpfError(act string, err error) error {
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%s: %w: grant CAP_BPF", act, err)
	}
	return fmt.Errorf("%s: %w", act, err)
}

// Count is how many entries were made since CountNew.
func (c *NewCounter) Count() (n uint64, err error) {
	if err := c.counts.Lookup(uint32(0), &c.percpu); err != nil {
		return 0, fmt.Errorf("read the count of new entries: %w", err)
	}
	for _, v := range c.percpu {
		n += v
	}
	return n, nil
}

// Close ends the count. Closing twice is fine.
func (c *NewCounter) Close() error {
	if c.fd >= 0 {
		unix.Close(c.fd)
		c.fd = -1
	}
	if c.program != nil {
		c.program.Close()
	}
	if c.counts != nil {
		c.counts.Close()
	}
	return nil
}
