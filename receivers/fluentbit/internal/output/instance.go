package output

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Verdict is what Fluent Bit is told of a chunk.
type Verdict int

// Verdicts, with Fluent Bit's numbers.
const (
	Failed Verdict = iota // FLB_ERROR: none of it will ever be accepted
	OK                    // FLB_OK: it is accepted, but for what was counted
	Retry                 // FLB_RETRY: bring it again
)

// maxHalfSent is how many chunks that were sent in part are remembered, 32 bytes
// each. Past it the oldest is forgotten and will be sent whole.
const maxHalfSent = 1024

// Instance is one [OUTPUT] section. Its methods may be called from many threads.
type Instance struct {
	config Config
	send   func(context.Context, plog.Logs) (rejected int64, err error)
	closer func() error
	seed   maphash.Seed
	log    io.Writer

	mu       sync.Mutex     // guards all below; never held while sending
	halfSent map[uint64]int // events of a chunk that were dealt with
	order    []uint64       // keys of halfSent, oldest first
	counts   Counts
	lastTold time.Time
}

// Counts are records since the start, but for Retries.
type Counts struct {
	Accepted  int64
	Malformed int64 // not an event of Fluent Bit's
	Rejected  int64 // by the server, for good
	TooLarge  int64 // a record alone over max_bytes
	Retries   int64 // chunks that Fluent Bit was asked to bring again
}

// Open connects lazily: an endpoint that is not there yet is no error. What is
// wrong is told to log, a line each and few of them.
func Open(c Config, log io.Writer) (*Instance, error) {
	client, err := dial(c)
	if err != nil {
		return nil, err
	}
	return &Instance{config: c, send: client.send, closer: client.close, seed: maphash.MakeSeed(), log: log, halfSent: map[uint64]int{}}, nil
}

// Counts says what became of records so far.
func (i *Instance) Counts() Counts {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.counts
}

// Close ends the connection. Nothing is waiting: Flush does not return before.
func (i *Instance) Close() error {
	c := i.Counts()
	fmt.Fprintf(i.log, "[vigie] %s: %d records accepted, %d malformed, %d rejected, %d too large, %d chunks retried\n", i.config.Endpoint, c.Accepted, c.Malformed, c.Rejected, c.TooLarge, c.Retries)
	return i.closer()
}

// Flush sends a chunk. It takes at most Timeout a request.
func (i *Instance) Flush(ctx context.Context, data, tag string) Verdict {
	key := i.key(data, tag)
	ch := newChunk(&i.config, data, tag, time.Now())
	ch.pass(i.resume(key))
	before := ch.skipped // counted when the chunk came the first time
	var c Counts
	for {
		done := ch.seen
		logs := ch.next()
		if logs.LogRecordCount() == 0 {
			break
		}
		if err := i.deliver(ctx, logs, &c); err != nil {
			c.Retries++
			i.remember(key, done)
			i.add(c, err)
			return Retry
		}
		c.Malformed += int64(ch.skipped - before)
		before = ch.skipped
	}
	c.Malformed += int64(ch.skipped - before)
	i.add(c, nil)
	if c.Accepted == 0 && c.Rejected+c.TooLarge+c.Malformed > 0 {
		return Failed
	}
	return OK
}

// deliver sends a request, in two halves where it is too long. An error is one
// that may pass.
func (i *Instance) deliver(ctx context.Context, logs plog.Logs, c *Counts) error {
	count := logs.LogRecordCount()
	if (&plog.ProtoMarshaler{}).LogsSize(logs) > i.config.MaxBytes {
		if count == 1 {
			c.TooLarge++
			return nil
		}
		first, second := halves(logs, count/2)
		if err := i.deliver(ctx, first, c); err != nil {
			return err
		}
		return i.deliver(ctx, second, c)
	}
	ctx, cancel := context.WithTimeout(ctx, i.config.Timeout)
	defer cancel()
	rejected, err := i.send(ctx, logs)
	switch {
	case err == nil:
		rejected = min(max(rejected, 0), int64(count))
		c.Rejected += rejected
		c.Accepted += int64(count) - rejected
	case final(err):
		c.Rejected += int64(count)
		i.tell("the server refuses records for good", err)
	default:
		return err
	}
	return nil
}

// final errors blame the data. Whatever else a server says may pass: a token that
// ended is renewed, a server that is full empties. Fluent Bit's Retry_Limit
// bounds it.
func final(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.Internal, codes.Unimplemented:
		return true
	}
	return false
}

// halves moves the first n records of logs into the first of two.
func halves(logs plog.Logs, n int) (first, second plog.Logs) {
	first, second = plog.NewLogs(), plog.NewLogs()
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			here := min(n, sl.LogRecords().Len())
			n -= here
			for to, half := range []plog.Logs{first, second} {
				if from := []int{0, here}[to]; from == []int{here, sl.LogRecords().Len()}[to] {
					continue
				}
				nrl := half.ResourceLogs().AppendEmpty()
				rl.Resource().CopyTo(nrl.Resource())
				nsl := nrl.ScopeLogs().AppendEmpty()
				sl.Scope().CopyTo(nsl.Scope())
				for k := []int{0, here}[to]; k < []int{here, sl.LogRecords().Len()}[to]; k++ {
					sl.LogRecords().At(k).CopyTo(nsl.LogRecords().AppendEmpty())
				}
			}
		}
	}
	return first, second
}

// key is by what a chunk is known again: Fluent Bit brings it with no name.
func (i *Instance) key(data, tag string) uint64 {
	var h maphash.Hash
	h.SetSeed(i.seed)
	_, _ = h.WriteString(tag)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(data)
	return h.Sum64()
}

// resume is how many events of a chunk were dealt with before.
func (i *Instance) resume(key uint64) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	n, ok := i.halfSent[key]
	if ok {
		delete(i.halfSent, key)
		at := slices.Index(i.order, key)
		i.order = slices.Delete(i.order, at, at+1)
	}
	return n
}

func (i *Instance) remember(key uint64, events int) {
	if events == 0 {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, ok := i.halfSent[key]; !ok { // two workers may hold equal chunks
		i.order = append(i.order, key)
	}
	i.halfSent[key] = events
	for len(i.order) > maxHalfSent {
		delete(i.halfSent, i.order[0])
		i.order = i.order[1:]
	}
}

// add counts what a chunk came to and tells what is new and wrong.
func (i *Instance) add(c Counts, err error) {
	i.mu.Lock()
	i.counts.Accepted += c.Accepted
	i.counts.Malformed += c.Malformed
	i.counts.Rejected += c.Rejected
	i.counts.TooLarge += c.TooLarge
	i.counts.Retries += c.Retries
	i.mu.Unlock()
	switch {
	case err != nil:
		i.tell("a chunk has to come again", err)
	case c.Malformed+c.Rejected+c.TooLarge > 0:
		i.tell(fmt.Sprintf("records are lost: %d malformed, %d rejected, %d too large", c.Malformed, c.Rejected, c.TooLarge), nil)
	}
}

// tell writes at most a line in five seconds.
func (i *Instance) tell(what string, err error) {
	i.mu.Lock()
	soon := time.Since(i.lastTold) < 5*time.Second
	if !soon {
		i.lastTold = time.Now()
	}
	i.mu.Unlock()
	if soon {
		return
	}
	if err != nil {
		what += ": " + err.Error()
	}
	fmt.Fprintf(i.log, "[vigie] %s: %s\n", i.config.Endpoint, what)
}
