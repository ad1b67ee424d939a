package conntrackreceiver

import (
	"context"
	"iter"
	"time"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/flow"
)

// source is where the receiver reads: the kernel, or a test's table. All but
// events is called by the loop's goroutine only.
type source interface {
	// stats reads usage and appends the counters of each CPU to dst. Counters
	// that the system lacks are no error.
	stats(dst []conntrack.CPUStats) (conntrack.Usage, []conntrack.CPUStats, error)
	dump(ctx context.Context, x conntrack.Filter) iter.Seq2[*flow.Flow, error]
	// filters tells where the last filtered dump was filtered.
	filters() conntrack.FilterSupport
	addresses() (conntrack.Addresses, error)
	// cpu runs fn and returns what it cost.
	cpu(fn func()) time.Duration
	// events counts NEW events until ctx is done.
	events(ctx context.Context, readBuffer int, c *eventCounter) error
	close()
}

// kernel reads the kernel. Its own namespace stays open; another one, by path,
// is entered for each reading and left, since an open socket would keep a
// namespace alive after its pod is gone, and hide that.
type kernel struct {
	netns string
	proc  *conntrack.Proc
	conn  *conntrack.Conn
	last  conntrack.FilterSupport
}

func newKernel(netns string) *kernel { return &kernel{netns: netns} }

func (k *kernel) stats(dst []conntrack.CPUStats) (u conntrack.Usage, _ []conntrack.CPUStats, err error) {
	if k.proc == nil {
		err = conntrack.InNetNS(k.netns, func() (err error) {
			k.proc, err = conntrack.OpenProc("/proc")
			return err
		})
		if err != nil {
			return u, dst, err
		}
	}
	defer k.leave()
	if u, err = k.proc.Usage(); err != nil {
		k.close() // the module may be back under the same names
		return u, dst, err
	}
	if stats, err := k.proc.CPUStats(dst); err == nil {
		dst = stats
	}
	return u, dst, nil
}

func (k *kernel) dump(ctx context.Context, x conntrack.Filter) iter.Seq2[*flow.Flow, error] {
	return func(yield func(*flow.Flow, error) bool) {
		if k.conn == nil {
			c, err := conntrack.Dial(conntrack.Options{NetNS: k.netns})
			if err != nil {
				yield(nil, err)
				return
			}
			k.conn = c
		}
		defer k.leave()
		for f, err := range k.conn.Dump(ctx, x) {
			if !yield(f, err) {
				break
			}
		}
		if s := k.conn.KernelFilters(); s != conntrack.FilterUnknown {
			k.last = s
		}
	}
}

func (k *kernel) filters() conntrack.FilterSupport { return k.last }

func (k *kernel) addresses() (conntrack.Addresses, error) {
	return conntrack.LocalAddresses(conntrack.Options{NetNS: k.netns})
}

func (k *kernel) cpu(fn func()) time.Duration { return conntrack.CPU(fn) }

func (k *kernel) leave() {
	if k.netns != "" {
		k.close()
	}
}

func (k *kernel) close() {
	if k.proc != nil {
		k.proc.Close()
		k.proc = nil
	}
	if k.conn != nil {
		k.conn.Close()
		k.conn = nil
	}
}
