package k8seventsreceiver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
)

// sender offers batches to the pipeline and remembers what it took. Its state is
// in what it points to, so that each watcher may use it.
type sender struct {
	next      consumer.Logs
	logger    *zap.Logger
	retry     Retry
	told      *told
	positions *positions
	counts    *counts
	resumes   bool // someone goes on from the position: a storage, or a Lease
}

// send offers a batch until it is accepted or refused for good, then advances the
// namespace's position. It gives false if halt ended the offering: the batch is not
// told then, and whoever reads next begins with it.
func (s *sender) send(halt context.Context, namespace string, b *batch) bool {
	if b.records > 0 && !s.offer(halt, b) {
		return false
	}
	for uid, n := range b.counts {
		s.told.add(uid, n)
	}
	s.positions.set(namespace, b.version)
	return true
}

func (s *sender) offer(halt context.Context, b *batch) bool {
	logs, left, wait := b.logs, b.records, s.retry.InitialInterval
	for {
		err := s.next.ConsumeLogs(context.WithoutCancel(halt), logs)
		if err == nil {
			s.counts.accepted.Add(int64(left))
			return true
		}
		// Some of it may have been accepted.
		var part consumererror.Logs
		if errors.As(err, &part) && part.Data().LogRecordCount() <= left {
			s.counts.accepted.Add(int64(left - part.Data().LogRecordCount()))
			logs, left = part.Data(), part.Data().LogRecordCount()
		}
		switch {
		case consumererror.IsPermanent(err):
			s.drop(left, dropPermanent, err)
			return true
		case logs.LogRecordCount() == 0:
			// A processor took the records out before it refused.
			s.drop(left, dropVanished, err)
			return true
		}
		s.counts.retries.Add(1)
		if !pause(halt, wait) {
			if !s.resumes {
				s.drop(left, dropShutdown, err)
			}
			return false
		}
		wait = min(2*wait, s.retry.MaxInterval)
	}
}

func (s *sender) drop(records int, reason dropReason, err error) {
	s.counts.dropped[reason].Add(int64(records))
	s.logger.Error("Dropped Kubernetes events", zap.Int("records", records), zap.Stringer("reason", reason), zap.Error(err))
}

// pause waits between half of d and d, or until ctx ends: then it gives false.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d/2 + rand.N(d/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
