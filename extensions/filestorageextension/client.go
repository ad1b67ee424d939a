package filestorageextension

import (
	"context"
	"errors"
	"sync"
	"syscall"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// client is one component's file.
type client struct {
	storage.Client

	mu    sync.Mutex
	owing map[string]bool // guarded by mu; keys that could not be deleted
}

// maxOwing bounds what is owed: a queue has a key for each request that it holds,
// and while the disk is full none is added.
const maxOwing = 100_000

// Batch does operations together. With a disk that is full, those that only read
// and note are done as far as they need no room:
//
//   - what is read is read; the queue's note beside it is not written, and is by the
//     next batch, since the queue writes all of it each time;
//   - what is to be deleted is, by the first batch that can.
//
// A batch that stores anything else fails with the disk's error.
func (c *client) Batch(ctx context.Context, ops ...*storage.Operation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := ops
	if len(c.owing) > 0 {
		all = append(ops[:len(ops):len(ops)], c.debtLocked(ops)...)
	}
	err := c.Client.Batch(ctx, all...)
	if err == nil {
		c.owing = nil
		return nil
	}
	if !full(err) {
		return err
	}
	reads, deletes := only(ops, storage.Get), only(ops, storage.Delete)
	if len(reads)+len(deletes) == 0 || !only(ops, storage.Set).queues() {
		return err
	}
	for _, op := range reads {
		value, err := c.Client.Get(ctx, op.Key)
		if err != nil {
			return err
		}
		op.Value = value
	}
	for _, op := range deletes {
		if c.owing == nil {
			c.owing = map[string]bool{}
		}
		if len(c.owing) >= maxOwing {
			return err
		}
		c.owing[op.Key] = true
	}
	return nil
}

// Get reads one key, which is not there while its deletion is owed.
func (c *client) Get(ctx context.Context, key string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owing[key] {
		return nil, nil
	}
	return c.Client.Get(ctx, key)
}

// Set stores one key.
func (c *client) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

// Delete removes one key.
func (c *client) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

// Walk is contrib's.
func (c *client) Walk(ctx context.Context, f storage.WalkFunc) error {
	w, ok := c.Client.(storage.Walker)
	if !ok {
		return errors.ErrUnsupported
	}
	return w.Walk(ctx, f)
}

// debtLocked is what is owed, without what the operations themselves store anew.
func (c *client) debtLocked(ops []*storage.Operation) []*storage.Operation {
	for _, op := range only(ops, storage.Set) {
		delete(c.owing, op.Key)
	}
	debt := make([]*storage.Operation, 0, len(c.owing))
	for key := range c.owing {
		debt = append(debt, storage.DeleteOperation(key))
	}
	return debt
}

type operations []*storage.Operation

// queues tells whether they write nothing but where exporterhelper's queue is.
func (o operations) queues() bool {
	for _, op := range o {
		switch op.Key {
		case "qmv0", "ri", "wi", "di", "si":
		default:
			return false
		}
	}
	return true
}

func only(ops []*storage.Operation, kind storage.OpType) (some operations) {
	for _, op := range ops {
		if op.Type == kind {
			some = append(some, op)
		}
	}
	return some
}

func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, storage.ErrStorageFull)
}
