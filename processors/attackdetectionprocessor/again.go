package attackdetectionprocessor

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// maxRefused is how many batches a pipeline remembers, eight bytes each. Past it
// the oldest is forgotten and would be judged twice.
const maxRefused = 256

// refused knows the batches of one pipeline that were judged and then refused
// behind. They come again as they were, from a reader of files several times a
// second: judged each time, an outage would look like a flood.
type refused struct {
	seed maphash.Seed

	mu   sync.Mutex
	keys []uint64 // guarded by mu; oldest first
}

func newRefused() *refused { return &refused{seed: maphash.MakeSeed()} }

// has tells whether a batch was judged before.
func (r *refused) has(key uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.keys, key)
}

// settle notes what became of a batch: with an error that may pass, next comes
// again.
func (r *refused) settle(key uint64, err error, next uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.keys, key); i >= 0 {
		r.keys = slices.Delete(r.keys, i, i+1)
	}
	if err == nil || consumererror.IsPermanent(err) {
		return
	}
	if len(r.keys) == maxRefused {
		r.keys = slices.Delete(r.keys, 0, 1)
	}
	r.keys = append(r.keys, next)
}

// logs is the key of a batch: whose records they are, how many, and what the first
// and the last say and when. A mark changes none of it.
func (r *refused) logs(ld plog.Logs) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	for _, rl := range ld.ResourceLogs().All() {
		hashResource(&h, rl.Resource())
		for _, sl := range rl.ScopeLogs().All() {
			records := sl.LogRecords()
			hashNumber(&h, uint64(records.Len()))
			if records.Len() > 0 {
				hashRecord(&h, records.At(0))
				hashRecord(&h, records.At(records.Len()-1))
			}
		}
	}
	return h.Sum64()
}

func hashRecord(h *maphash.Hash, lr plog.LogRecord) {
	hashNumber(h, uint64(lr.Timestamp()))
	hashNumber(h, uint64(lr.ObservedTimestamp()))
	switch body := lr.Body(); body.Type() {
	case pcommon.ValueTypeStr:
		_, _ = h.WriteString(body.Str())
	case pcommon.ValueTypeBytes:
		_, _ = h.Write(body.Bytes().AsRaw())
	}
}

// restOfLogs is the key of what comes again of a batch: of a part, where the other
// one was accepted.
func (r *refused) restOfLogs(key uint64, err error) uint64 {
	if part, ok := errors.AsType[consumererror.Logs](err); ok {
		return r.logs(part.Data())
	}
	return key
}

// traces is the key of a batch of spans.
func (r *refused) traces(td ptrace.Traces) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	for _, rs := range td.ResourceSpans().All() {
		hashResource(&h, rs.Resource())
		for _, ss := range rs.ScopeSpans().All() {
			hashNumber(&h, uint64(ss.Spans().Len()))
			for _, span := range ss.Spans().All() {
				id := span.SpanID()
				_, _ = h.Write(id[:])
			}
		}
	}
	return h.Sum64()
}

func (r *refused) restOfTraces(key uint64, err error) uint64 {
	if part, ok := errors.AsType[consumererror.Traces](err); ok {
		return r.traces(part.Data())
	}
	return key
}

func hashResource(h *maphash.Hash, res pcommon.Resource) {
	for k, v := range res.Attributes().All() {
		_, _ = h.WriteString(k)
		if v.Type() == pcommon.ValueTypeStr {
			_, _ = h.WriteString(v.Str())
		}
	}
}

func hashNumber(h *maphash.Hash, n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	_, _ = h.Write(b[:])
}
