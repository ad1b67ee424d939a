package promstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
)

// waitFactor: how many queries may wait for each that may run.
const waitFactor = 8

// slots admits queries: so many run, so many wait, the rest are refused. It is
// the engine's QueryTracker, and the handlers that do not go through the engine
// use it too.
type slots struct {
	run     chan struct{}
	inside  atomic.Int64 // running and waiting
	refused prometheus.Counter
}

func newSlots(n int, refused prometheus.Counter) *slots {
	return &slots{run: make(chan struct{}, n), refused: refused}
}

func (s *slots) GetMaxConcurrent() int { return cap(s.run) }

// Insert waits for a slot.
func (s *slots) Insert(ctx context.Context, _ string) (int, error) {
	if s.inside.Add(1) > int64(cap(s.run)*(1+waitFactor)) {
		s.inside.Add(-1)
		s.refused.Inc()
		return 0, fmt.Errorf("%w: %d are running and %d waiting", ErrBusy, cap(s.run), cap(s.run)*waitFactor)
	}
	select {
	case s.run <- struct{}{}:
		return 0, nil
	case <-ctx.Done():
		s.inside.Add(-1)
		const where = "query queue"
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return 0, promql.ErrQueryTimeout(where)
		}
		return 0, promql.ErrQueryCanceled(where)
	}
}

// Delete gives a slot back.
func (s *slots) Delete(int) {
	<-s.run
	s.inside.Add(-1)
}

func (s *slots) Close() error { return nil }
