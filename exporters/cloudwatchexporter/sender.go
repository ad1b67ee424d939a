package cloudwatchexporter

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/awsclient"
	"github.com/vigie-otel/vigie/internal/names"
)

const (
	probePause = 30 * time.Second // between attempts at a group that is given up
	maxBlocked = 1000             // groups that are remembered as not to be had
	// beside is how long before a group was refused something else may have
	// arrived to show that not everything is: what is left of a request stands at
	// the head of the queue, so that nothing can arrive after.
	beside = time.Minute
)

// sender takes requests off the queue and brings them to CloudWatch. Parts of a
// request (streams) go side by side, the batches of a stream one after another.
type sender struct {
	cfg    *Config
	source *awsclient.Source
	log    *zap.Logger
	tel    *telemetry
	now    func() time.Time

	slots    chan struct{} // bounds the requests under way
	stopping chan struct{} // closed when Shutdown begins
	stopOnce sync.Once
	base     context.Context // ends when the grace of a Shutdown is over
	end      context.CancelFunc

	mu      sync.Mutex
	client  *client             // guarded by mu; nil until there is a configuration
	streams *streams            // guarded by mu, with client
	blocked map[string]*blocked // guarded by mu; by group
	success time.Time           // guarded by mu; when something last arrived
}

// blocked is a group that cannot be written to: no permission, or not there.
type blocked struct {
	since, tried time.Time
}

func newSender(cfg *Config, source *awsclient.Source, log *zap.Logger, tel *telemetry) *sender {
	base, end := context.WithCancel(context.Background())
	return &sender{
		cfg: cfg, source: source, log: log, tel: tel, now: time.Now, base: base, end: end,
		stopping: make(chan struct{}), slots: make(chan struct{}, cfg.Concurrency), blocked: map[string]*blocked{},
	}
}

// stop ends what waits at once and what is under way after grace. It is safe
// twice; the second call's grace counts.
func (s *sender) stop(grace time.Duration) {
	s.stopOnce.Do(func() { close(s.stopping) })
	if grace == 0 {
		s.end()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.client != nil {
			s.client.http.CloseIdleConnections()
		}
		return
	}
	time.AfterFunc(grace, s.end)
}

// unsentError carries what is left of a request.
type unsentError struct {
	rest *request
	err  error
}

func (e *unsentError) Error() string { return e.err.Error() }
func (e *unsentError) Unwrap() error { return e.err }

func unsent(err error) *request {
	if u, ok := errors.AsType[*unsentError](err); ok {
		return u.rest
	}
	return nil
}

// push sends a request. What could not be sent and may be later comes back in
// the error; what never can is counted and gone.
func (s *sender) push(ctx context.Context, req xexporterhelper.Request) error {
	r := req.(*request)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.base, cancel)()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	results := make([]error, len(r.parts))
	rest := make([][]event, len(r.parts))
	var all sync.WaitGroup
	for i := range r.parts {
		s.slots <- struct{}{}
		all.Go(func() {
			defer func() { <-s.slots }()
			rest[i], results[i] = s.sendPart(ctx, r.parts[i].to, r.parts[i].events)
		})
	}
	all.Wait()
	return s.conclude(r, rest, results)
}

// prepare waits for credentials and makes the client.
func (s *sender) prepare(ctx context.Context) error {
	s.mu.Lock()
	made := s.client != nil
	s.mu.Unlock()
	if made {
		return nil
	}
	// No time-out: an attempt that fails would be a log line each, and all that
	// could be done meanwhile is to wait.
	select {
	case <-s.source.Ready():
	case <-s.stopping:
	case <-ctx.Done():
	}
	cfg, err := s.source.Config()
	if err != nil {
		return err
	}
	c, err := newClient(ctx, cfg, s.cfg)
	if err != nil {
		return err
	}
	c.now = s.now
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		s.client = c
		s.streams = newStreams(c.sdk, s.cfg.Create, s.cfg.Timeout, s.log, func(n int) { s.tel.count(s.tel.created, "", "", n) })
		s.streams.now = s.now
	}
	return nil
}

// conclude tells health how it went and gathers what is left.
func (s *sender) conclude(r *request, rest [][]event, results []error) error {
	left := newRequest()
	var worst error
	var pause time.Duration
	for i, err := range results {
		if err == nil {
			continue
		}
		if worst == nil || awsclient.KindOf(err) == awsclient.Denied {
			worst = err
		}
		pause = max(pause, retryAfter(err))
		at := left.part(r.parts[i].to)
		for _, e := range rest[i] {
			left.add(at, e)
		}
	}
	if worst == nil {
		s.mu.Lock()
		clear := len(s.blocked) == 0
		s.mu.Unlock()
		if clear {
			s.source.Told(nil)
		}
		return nil
	}
	s.source.Told(worst)
	if len(left.parts) == 0 {
		return nil
	}
	var err error = &unsentError{rest: left, err: worst}
	if pause > 0 {
		err = exporterhelper.NewThrottleRetry(err, pause)
	}
	return err
}

// sendPart sends a stream's events in order. It returns those that are left with
// the error that stopped it; other errors mean that events were dropped, and are
// counted here.
func (s *sender) sendPart(ctx context.Context, to destination, events []event) ([]event, error) {
	sortEvents(events)
	if s.givenUp(to.group) {
		s.tel.drop(dropDenied, len(events))
		return nil, nil
	}
	for len(events) > 0 {
		now := s.now()
		from, until := acceptable(events, now)
		s.tel.drop(dropTooOld, from)
		s.tel.drop(dropTooNew, len(events)-until)
		if events = events[from:until]; len(events) == 0 {
			return nil, nil
		}
		n := nextBatch(events)
		err := s.sendBatch(ctx, to, events[:n])
		switch kind := awsclient.KindOf(err); {
		case err == nil:
		case kind == awsclient.Invalid:
			s.tel.drop(dropInvalid, n)
			s.log.Error("CloudWatch refuses log events for good; they are dropped.", zap.String("group", to.group), zap.String("stream", to.stream), zap.Int("events", n), zap.Error(err))
		case (kind == awsclient.Denied || kind == awsclient.Missing) && s.block(to.group):
			s.tel.drop(dropDenied, len(events))
			s.source.Told(err)
			s.log.Error("A log group is not to be had, others are; its events are dropped until it is.", zap.String("group", to.group), zap.Int("events", len(events)), zap.Error(err))
			return nil, nil
		default:
			return events, err
		}
		events = events[n:]
	}
	return nil, nil
}

// sendBatch makes sure of the stream and sends. A stream that vanished is made
// again, once.
func (s *sender) sendBatch(ctx context.Context, to destination, batch []event) error {
	made := s.streams.ensure(ctx, to)
	if kind := awsclient.KindOf(made); made != nil && kind != awsclient.Denied {
		return made
	}
	// Without the permission to create it may exist all the same.
	answer, err := s.put(ctx, to, batch)
	if awsclient.KindOf(err) == awsclient.Missing && made == nil && s.cfg.Create.Enabled {
		s.streams.forget(to)
		if made = s.streams.ensure(ctx, to); made == nil {
			answer, err = s.put(ctx, to, batch)
		}
	}
	if err != nil {
		if made != nil && awsclient.KindOf(err) == awsclient.Missing {
			return made
		}
		return awsclient.Explain(err, "logs:PutLogEvents")
	}
	s.arrived(to.group, batch, answer)
	return nil
}

func (s *sender) put(ctx context.Context, to destination, batch []event) (rejected, error) {
	answer, err := s.client.put(ctx, to, batch)
	s.tel.count(s.tel.requests, names.CloudWatchOutcome, awsclient.KindOf(err).String(), 1)
	return answer, err
}

// arrived counts a batch, less what the service took no part of.
func (s *sender) arrived(group string, batch []event, r rejected) {
	from, until := 0, len(batch)
	if r.tooOldTo >= 0 {
		n := min(r.tooOldTo, until)
		s.tel.drop(dropTooOld, n)
		from = n
	}
	if r.expiredTo > from {
		n := min(r.expiredTo, until)
		s.tel.drop(dropExpired, n-from)
		from = n
	}
	if r.tooNewFrom >= from && r.tooNewFrom < until {
		s.tel.drop(dropTooNew, until-r.tooNewFrom)
		until = r.tooNewFrom
	}
	bytes := 0
	for i := range batch[from:until] {
		bytes += batch[from+i].size()
	}
	s.tel.count(s.tel.sent, "", "", until-from)
	s.tel.count(s.tel.bytes, "", "", bytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.success = s.now()
	delete(s.blocked, group)
}

// givenUp reports whether a group has been blocked for so long that its events
// are dropped without asking; from time to time it says no, so that a permission
// that was granted is noticed.
func (s *sender) givenUp(group string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.blocked[group]
	if b == nil || !s.lostLocked(b) {
		return false
	}
	if now := s.now(); now.Sub(b.tried) >= probePause {
		b.tried = now
		return false
	}
	return true
}

// block notes that a group cannot be written to and reports whether to give it
// up: while nothing else arrives either, all wait for as long as the queue holds;
// but one group must not keep the others waiting for more than denied_after.
func (s *sender) block(group string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	b := s.blocked[group]
	if b == nil {
		if len(s.blocked) >= maxBlocked {
			return false
		}
		b = &blocked{since: now}
		s.blocked[group] = b
	}
	b.tried = now
	return s.lostLocked(b)
}

func (s *sender) lostLocked(b *blocked) bool {
	return s.cfg.DeniedAfter > 0 && s.now().Sub(b.since) >= s.cfg.DeniedAfter && s.success.After(b.since.Add(-beside))
}
