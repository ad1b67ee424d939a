package conntrack

import (
	"context"
	"errors"
	"iter"

	"golang.org/x/sys/unix"

	"github.com/vigie-otel/vigie/internal/flow"
)

// Dump yields the entries that pass the filter, in no order. The Flow is the
// same one each time and valid until the next. What ends the iteration is the
// last pair, with a nil Flow: ErrInterrupted, ErrPermission, ErrNoModule, ctx's
// error, or the kernel's. A malformed entry is yielded as its error with a nil
// Flow, and the dump goes on.
//
// The work is the kernel's walk of its whole hash table, 0.3 CPU-s at a million
// buckets even where the namespace is empty: ask Stats or Proc for the count
// first, and dump only what has entries.
func (c *Conn) Dump(ctx context.Context, x Filter) iter.Seq2[*flow.Flow, error] {
	return func(yield func(*flow.Flow, error) bool) {
		stopped, err := c.dump(ctx, &x, yield)
		if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL) && !x.all() {
			// A kernel built without a field of the filter refuses it: all of
			// it in user space then.
			c.features.refused = true
			stopped, err = c.dump(ctx, &x, yield)
		}
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// dump runs one dump; stopped tells that the caller wants no more.
func (c *Conn) dump(ctx context.Context, x *Filter, yield func(*flow.Flow, error) bool) (stopped bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	err = c.send(func(seq uint32, b []byte) []byte {
		family := x.family()
		if c.features.refused {
			return finish(appendRequest(b, msgGet, nlmFlagDump, seq, familyUnspec))
		}
		return finish(appendFilter(appendRequest(b, msgGet, nlmFlagDump, seq, family), x))
	})
	if err != nil {
		return false, err
	}
	var (
		f         flow.Flow
		all       = x.all()
		seen      verdict
		cancelled error
	)
	err = c.answers(true, func(h header, body []byte) bool {
		if h.kind>>8 != subsysConntrack || len(body) < nfgenHeader {
			return true
		}
		// The context is asked once a few hundred entries: Err takes a lock.
		if seen.entries++; seen.entries&0xff == 0 {
			if cancelled = ctx.Err(); cancelled != nil {
				return false
			}
		}
		if err := decodeFlow(body[nfgenHeader:], &f); err != nil {
			stopped = !yield(nil, err)
			return !stopped
		}
		if !all {
			seen.filtered = h.flags&nlmFlagFiltered != 0
			if !x.Takes(&f) {
				seen.strangers++
				return true
			}
		}
		stopped = !yield(&f, nil)
		return !stopped
	})
	if err == nil && !stopped {
		c.features.learn(seen, all)
	}
	if cancelled != nil {
		return false, cancelled
	}
	return stopped, err
}
