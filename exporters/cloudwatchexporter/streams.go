package cloudwatchexporter

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/awsclient"
)

const (
	maxKnown       = 10_000 // streams and groups remembered; the least used go first
	retentionPause = 5 * time.Minute
)

// streams creates log groups and streams when they are needed, once, and
// remembers which exist. A stream that was forgotten costs one call that answers
// "exists already".
type streams struct {
	sdk     *cloudwatchlogs.Client
	cfg     CreateConfig
	timeout time.Duration // of a call
	log     *zap.Logger
	now     func() time.Time
	new     func(streams int) // counts

	mu     sync.Mutex
	known  lru                           // guarded by mu
	making map[destination]chan struct{} // guarded by mu; closed when the attempt is over
	unkept map[string]time.Time          // guarded by mu; groups whose retention is still to be set: when to try
}

func newStreams(sdk *cloudwatchlogs.Client, cfg CreateConfig, timeout time.Duration, log *zap.Logger, created func(int)) *streams {
	return &streams{
		sdk: sdk, cfg: cfg, timeout: timeout, log: log, now: time.Now, new: created,
		known: newLRU(maxKnown), making: map[destination]chan struct{}{}, unkept: map[string]time.Time{},
	}
}

// ensure makes sure that a stream exists, unless creating is switched off. Where
// several want the same stream, one creates it and the others wait for it.
func (s *streams) ensure(ctx context.Context, to destination) error {
	if !s.cfg.Enabled {
		return nil
	}
	documents := to.emf
	to.emf = false
	for {
		s.mu.Lock()
		if s.known.has(to) {
			s.mu.Unlock()
			s.keep(ctx, to.group)
			return nil
		}
		wait, busy := s.making[to]
		if !busy {
			wait = make(chan struct{})
			s.making[to] = wait
		}
		s.mu.Unlock()
		if !busy {
			err := s.create(ctx, to, documents)
			s.mu.Lock()
			if err == nil {
				s.known.add(to)
			}
			delete(s.making, to)
			close(wait)
			s.mu.Unlock()
			return err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// forget is for a stream that turned out not to exist.
func (s *streams) forget(to destination) {
	to.emf = false
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known.remove(to)
	s.known.remove(destination{group: to.group})
}

func (s *streams) create(ctx context.Context, to destination, documents bool) error {
	err := s.createStream(ctx, to)
	if awsclient.KindOf(err) != awsclient.Missing {
		return err
	}
	// The group is what is missing.
	if err := s.createGroup(ctx, to.group, documents); err != nil {
		return err
	}
	return s.createStream(ctx, to)
}

func (s *streams) createStream(ctx context.Context, to destination) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	_, err := s.sdk.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String(to.group), LogStreamName: aws.String(to.stream)})
	if _, exists := errors.AsType[*types.ResourceAlreadyExistsException](err); exists {
		return nil
	}
	if err != nil {
		return awsclient.Explain(err, "logs:CreateLogStream")
	}
	s.new(1)
	return nil
}

// createGroup is called by several at once when a group's first streams are; all
// but one hear that it exists already, and the same for an attempt that crossed.
func (s *streams) createGroup(ctx context.Context, group string, documents bool) error {
	in := &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group), Tags: s.cfg.Tags}
	if s.cfg.Class != "" && !documents {
		in.LogGroupClass = types.LogGroupClass(s.cfg.Class)
	}
	if s.cfg.KMSKeyID != "" {
		in.KmsKeyId = aws.String(s.cfg.KMSKeyID)
	}
	call, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	_, err := s.sdk.CreateLogGroup(call, in)
	if _, exists := errors.AsType[*types.ResourceAlreadyExistsException](err); exists {
		return nil
	}
	if err != nil {
		action := "logs:CreateLogGroup"
		if len(s.cfg.Tags) > 0 {
			action += " and logs:TagResource"
		}
		return awsclient.Explain(err, action)
	}
	s.log.Info("Log group created.", zap.String("group", group), zap.Int("retention_days", s.cfg.RetentionDays))
	if s.cfg.RetentionDays > 0 {
		s.mu.Lock()
		s.unkept[group] = time.Time{}
		s.mu.Unlock()
		s.keep(ctx, group)
	}
	return nil
}

// keep sets the retention of a group that we created. Data does not wait for it:
// what fails is told and tried again later.
func (s *streams) keep(ctx context.Context, group string) {
	s.mu.Lock()
	at, due := s.unkept[group]
	if due = due && !s.now().Before(at); due {
		s.unkept[group] = s.now().Add(retentionPause)
	}
	s.mu.Unlock()
	if !due {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	_, err := s.sdk.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(group), RetentionInDays: aws.Int32(int32(s.cfg.RetentionDays))})
	if err != nil {
		s.log.Warn("The log group keeps its events for ever until its retention can be set.", zap.String("group", group), zap.Error(awsclient.Explain(err, "logs:PutRetentionPolicy")))
		return
	}
	s.mu.Lock()
	delete(s.unkept, group)
	s.mu.Unlock()
}

// lru is a bounded set.
type lru struct {
	limit int
	order *list.List
	at    map[destination]*list.Element
}

func newLRU(limit int) lru {
	return lru{limit: limit, order: list.New(), at: map[destination]*list.Element{}}
}

func (l *lru) has(d destination) bool {
	e, ok := l.at[d]
	if ok {
		l.order.MoveToFront(e)
	}
	return ok
}

func (l *lru) add(d destination) {
	if l.has(d) {
		return
	}
	l.at[d] = l.order.PushFront(d)
	if l.order.Len() > l.limit {
		delete(l.at, l.order.Remove(l.order.Back()).(destination))
	}
}

func (l *lru) remove(d destination) {
	if e, ok := l.at[d]; ok {
		l.order.Remove(e)
		delete(l.at, d)
	}
}
