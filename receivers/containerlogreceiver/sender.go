package containerlogreceiver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/tail"
)

// sender owns the consumer and the storage; see doc.go.
type sender struct {
	config *Config
	logger *zap.Logger
	next   consumer.Logs
	store  *store
	counts *counts

	in   <-chan *batch
	acks chan<- []tail.Mark
}

// run takes batches until there are no more. halt ends the offering of a batch
// that is refused again and again; it is not marked as read then, and not lost
// if there is a storage.
func (s *sender) run(halt context.Context) {
	abandoned := false
	for b := range s.in {
		// What comes behind a batch that is left to the next run is left to it too:
		// its marks would say that both were read.
		abandoned = abandoned || b.records > 0 && !s.offer(halt, b)
		if abandoned {
			// Nor are its files known ones: the next run must begin with them, and
			// not take them for old.
			b.marks, b.forgotten, b.alive = nil, nil, time.Time{}
		}
		s.store.save(context.WithoutCancel(halt), b, time.Now())
		s.acks <- b.marks
	}
	s.store.flush(context.WithoutCancel(halt), time.Now())
}

// offer gives a batch to the consumer until it is accepted or refused for good.
// A refusal that can be repeated holds up everything behind it: that is how
// pressure reaches the readers.
func (s *sender) offer(halt context.Context, b *batch) (done bool) {
	began, wait := time.Now(), s.config.Retry.InitialInterval
	logs, left := b.logs, b.records
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
		limit := s.config.Retry.MaxElapsedTime
		switch {
		case consumererror.IsPermanent(err):
			s.drop(left, dropPermanent, err)
			return true
		case limit > 0 && time.Since(began) >= limit:
			s.drop(left, dropGaveUp, err)
			return true
		case logs.LogRecordCount() == 0:
			// A processor took the records out before it refused.
			s.drop(left, dropVanished, err)
			return true
		case halt.Err() != nil:
			return s.abandon(left, err)
		}
		s.counts.retries.Add(1)
		select {
		case <-time.After(wait/2 + rand.N(wait/2+1)):
		case <-halt.Done():
			return s.abandon(left, err)
		}
		wait = min(2*wait, s.config.Retry.MaxInterval)
	}
}

// abandon leaves a batch to the next run, which reads it again; without storage
// there is none that could.
func (s *sender) abandon(records int, err error) (done bool) {
	if s.store.client == nil {
		s.drop(records, dropShutdown, err)
	}
	return false
}

func (s *sender) drop(records int, reason dropReason, err error) {
	s.counts.dropped[reason].Add(int64(records))
	s.logger.Error("Dropped log records", zap.Int("records", records), zap.Stringer("reason", reason), zap.Error(err))
}
