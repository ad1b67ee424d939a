package conntrackreceiver

import (
	"context"
	"errors"
	"sync/atomic"

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

func (k *kernel) events(ctx context.Context, readBuffer int, c *eventCounter) error {
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
