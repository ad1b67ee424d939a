package warroomexporter

import (
	"strconv"
	"sync"
	"sync/atomic"
)

// viewerQueue is how many deltas wait for one viewer: eight seconds of a network
// that stalls. Whoever falls further behind starts again with a snapshot.
const viewerQueue = 8

// frame is one event of the stream, encoded once for all.
type frame struct {
	seq  uint64
	data []byte
}

// sse writes an event of the stream. JSON holds no line break.
func sse(name string, seq uint64, body []byte) []byte {
	b := make([]byte, 0, len(body)+64)
	b = append(b, "event: "...)
	b = append(b, name...)
	b = append(b, "\nid: "...)
	b = strconv.AppendUint(b, seq, 10)
	b = append(b, "\ndata: "...)
	b = append(b, body...)
	return append(b, "\n\n"...)
}

// viewer is one open stream.
type viewer struct {
	queue  chan frame
	lagged atomic.Bool // a delta was lost: only a snapshot makes it whole
}

// viewers are the open streams.
type viewers struct {
	limit int
	done  chan struct{} // closed: all streams end

	mu     sync.Mutex
	all    map[*viewer]struct{} // guarded by mu; at most limit
	closed bool                 // guarded by mu

	resyncs, refused atomic.Uint64
}

func newViewers(limit int) *viewers {
	return &viewers{limit: limit, done: make(chan struct{}), all: map[*viewer]struct{}{}}
}

// join adds a viewer; nil where there are too many, or the room is closing.
func (vs *viewers) join() *viewer {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if vs.closed || len(vs.all) >= vs.limit {
		vs.refused.Add(1)
		return nil
	}
	v := &viewer{queue: make(chan frame, viewerQueue)}
	vs.all[v] = struct{}{}
	return v
}

func (vs *viewers) leave(v *viewer) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	delete(vs.all, v)
}

func (vs *viewers) count() int {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return len(vs.all)
}

// send gives a frame to each viewer and waits for none.
func (vs *viewers) send(f frame) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	for v := range vs.all {
		select {
		case v.queue <- f:
		default:
			v.lagged.Store(true)
		}
	}
}

// close ends all streams at once. It is safe twice.
func (vs *viewers) close() {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if !vs.closed {
		vs.closed = true
		close(vs.done)
	}
}
