package ledger

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/confmap"
)

const (
	// still is how long nothing may have moved, beside the time that batches hold
	// theirs, before what is not explained is off.
	still = 5 * time.Second
	// window is how long something may be unexplained while others move.
	window = time.Minute
	// apart is the least time between two looks that a window remembers.
	apart = 500 * time.Millisecond
)

// Keeper keeps the books of one service, from its configuration and the process's
// counters. It is safe for concurrent use. After a reload the next service has a
// keeper of its own: its counters begin at zero.
type Keeper struct {
	tap *Tap

	mu     sync.Mutex
	ways   []Way            // guarded by mu
	opened bool             // guarded by mu; Start of ways is known
	wrong  error            // guarded by mu; why there are no ways
	past   map[string]*past // guarded by mu; by signal and destination
}

// past is what was seen of a book before.
type past struct {
	last  Book
	since time.Time // of last
	looks []look    // of the last window, oldest first
}

// look is what a book did not explain, at a time.
type look struct {
	at  time.Time
	off int64
}

// NewKeeper reads the process's counters through tap.
func NewKeeper(tap *Tap) *Keeper { return &Keeper{tap: tap, past: map[string]*past{}} }

// Configure finds the ways of a configuration, as WaysOf does. What it cannot read
// is told by Read from then on.
func (k *Keeper) Configure(conf, written *confmap.Conf) error {
	ways, err := WaysOf(conf, written)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ways, k.wrong, k.opened = ways, err, false
	return err
}

// Open notes what the queues on disk begin with. It is for the moment when the
// exporters have started and no receiver has: what an exporter has sent then, and
// what its queue holds, an earlier process has read. Only its first call counts.
func (k *Keeper) Open(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.opened || k.wrong != nil {
		return nil
	}
	k.opened = true
	// An exporter counts what it sent just before the queue lets go of it: between
	// the two it would be there twice.
	var last []Book
	for range 50 {
		s, err := k.tap.Read(ctx)
		if err != nil {
			return err
		}
		books := Books(s, k.ways)
		if slices.EqualFunc(last, books, same) {
			break
		}
		last = books
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	for i, b := range last {
		w := &k.ways[i]
		switch {
		case !w.Durable:
		case w.InItems:
			w.Start = b.Sent + b.Lost() + max(b.Queue, 0)
		case b.Queue > 0:
			w.Began = b.Queue
		}
	}
	return nil
}

// same tells whether nothing moved between two books of the same way.
func same(a, b Book) bool {
	return a.Read == b.Read && a.Made == b.Made && a.Sent == b.Sent && a.Removed == b.Removed && a.Lost() == b.Lost() && a.Queue == b.Queue
}

// Read is what the books say now.
func (k *Keeper) Read(ctx context.Context) ([]Book, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.wrong != nil {
		return nil, k.wrong
	}
	s, err := k.tap.Read(ctx)
	if err != nil {
		return nil, err
	}
	books, now := Books(s, k.ways), time.Now()
	for i := range books {
		if s.Overflow() > 0 {
			books[i].unknown("the process has more than %d series of counters", maxSeries)
			books[i].State, books[i].Off = Unknown, 0
		}
		k.judge(&books[i], &k.ways[i], now)
	}
	return books, nil
}

// judge lets what is not explained be on its way, as long as it can be.
func (k *Keeper) judge(b *Book, w *Way, now time.Time) {
	p := k.past[b.Signal+"/"+b.To]
	if p == nil {
		p = &past{}
		k.past[b.Signal+"/"+b.To] = p
	}
	if p.since.IsZero() || !same(p.last, *b) {
		p.since = now
	}
	p.last = *b
	p.looks = slices.DeleteFunc(p.looks, func(l look) bool { return now.Sub(l.at) > window+w.For })
	if n := len(p.looks); n == 0 || now.Sub(p.looks[n-1].at) >= apart {
		p.looks = append(p.looks, look{now, b.Off})
	}
	if w.Began > 0 && b.Queue == 0 && now.Sub(p.since) >= still+w.For {
		// The queue has been empty: what it began with is what is left over.
		w.Start, w.Began = w.Start-b.Waiting, 0
	}
	if b.State != Off || now.Sub(p.since) >= still+w.For {
		return
	}
	if b.Off = p.floor(now, w); b.Off == 0 {
		b.State = Moving
	}
}

// floor is what was unexplained throughout a window, beyond what batches may hold.
func (p *past) floor(now time.Time, w *Way) int64 {
	if len(p.looks) < 3 || now.Sub(p.looks[0].at) < window-apart {
		return 0
	}
	least, most := p.looks[0].off, p.looks[0].off
	for _, l := range p.looks {
		least, most = min(least, l.off), max(most, l.off)
	}
	switch {
	case least > w.Holds:
		return least
	case most < 0:
		return most
	}
	return 0
}
