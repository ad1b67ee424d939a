package conntrackreceiver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/vigie-otel/vigie/internal/conntrack"
)

// eventCounter is what the events goroutine tells the loop.
type eventCounter struct {
	created atomic.Uint64
	lost    atomic.Uint64
	resync  chan struct{} // one place: a loss asks for a dump, several for one
}

func newEventCounter() *eventCounter { return &eventCounter{resync: make(chan struct{}, 1)} }

// overrun counts a loss. ENOBUFS: the kernel dropped events, and how many it
// does not say; only a dump brings the picture up to date.
func (c *eventCounter) overrun() {
	c.lost.Add(1)
	select {
	case c.resync <- struct{}{}:
	default:
	}
}

// events counts in the kernel where it may (CAP_BPF), else reads each event.
func (k *kernel) events(ctx context.Context, readBuffer int, c *eventCounter) error {
	n, err := conntrack.CountNew(conntrack.Options{NetNS: k.netns})
	if err != nil {
		return k.readEvents(ctx, readBuffer, c)
	}
	defer n.Close()
	base := c.created.Load()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		// The subscription keeps a namespace alive that is gone for all others.
		if _, err := os.Stat(k.netns); k.netns != "" && err != nil {
			return fmt.Errorf("%w: %s", conntrack.ErrNamespaceGone, k.netns)
		}
		now, err := n.Count()
		if err != nil {
			return err
		}
		c.created.Store(base + now)
	}
}

// readEvents keeps pace to more than 50,000 events a second.
func (k *kernel) readEvents(ctx context.Context, readBuffer int, c *eventCounter) error {
	l, err := conntrack.Listen(conntrack.ListenOptions{
		Options:    conntrack.Options{NetNS: k.netns},
		Events:     conntrack.EventNew,
		ReadBuffer: readBuffer,
	})
	if err != nil {
		return err
	}
	defer l.Close()
	for _, err := range l.Events(ctx) {
		switch {
		case err == nil:
			c.created.Add(1)
		case errors.Is(err, conntrack.ErrOverrun):
			c.overrun()
		case errors.Is(err, conntrack.ErrMalformed):
			c.created.Add(1) // an event all the same
		default:
			return err
		}
	}
	return nil
}
