package k8seventsreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/storeclient"
)

// eventsReceiver starts and stops what reads.
type eventsReceiver struct {
	set    receiver.Settings
	config *Config
	next   consumer.Logs
	dial   dialer // nil: the network's

	counts    *counts
	health    *health
	positions *positions
	sender    *sender

	stop context.CancelFunc // reading
	halt context.CancelFunc // offering, and giving the Lease back
	done sync.WaitGroup
	end  []func(context.Context) error // after that
}

// Start opens the storage; the API server is looked for beside it.
func (r *eventsReceiver) Start(ctx context.Context, host component.Host) error {
	client, err := storeclient.Open(ctx, host, r.config.Storage, component.KindReceiver, r.set.ID)
	if err != nil {
		return err
	}
	if client != nil {
		r.end = append(r.end, client.Close)
	}
	r.counts = new(counts)
	unregister, err := register(r.set.TelemetrySettings, r.counts)
	if err != nil {
		return err
	}
	r.end = append(r.end, func(context.Context) error { return unregister() })
	r.health = &health{host: host, logger: r.set.Logger, failing: map[string]error{}}
	r.positions = &positions{client: client, counts: r.counts, logger: r.set.Logger, by: map[string]string{}}
	r.positions.load(ctx)
	r.sender = &sender{
		next: r.next, logger: r.set.Logger, retry: r.config.Retry, told: newTold(r.config.Remembered),
		positions: r.positions, counts: r.counts, resumes: client != nil || r.config.LeaderElection.Enabled,
	}
	reading, stop := context.WithCancel(context.Background())
	offering, halt := context.WithCancel(context.Background())
	r.stop, r.halt = stop, halt
	r.done.Go(func() { r.run(reading, offering) })
	return nil
}

// run finds the API server, and reads or competes to.
func (r *eventsReceiver) run(ctx, halt context.Context) {
	c, namespace := r.reach(ctx)
	if c == nil {
		return
	}
	defer c.http.CloseIdleConnections()
	if r.config.LeaderElection.Enabled {
		r.elect(ctx, halt, c, namespace)
		return
	}
	r.counts.leading.Store(1)
	r.read(ctx, halt, c)
}

// reach makes the clients, which needs files that may come later.
func (r *eventsReceiver) reach(ctx context.Context) (*cluster, string) {
	for wait := r.config.Retry.InitialInterval; ; wait = min(2*wait, r.config.Retry.MaxInterval) {
		namespace := ""
		c, err := r.config.connect(r.dial)
		if err == nil && r.config.LeaderElection.Enabled {
			namespace, err = r.config.leaseNamespace()
		}
		if err == nil {
			r.health.works("cluster")
			return c, namespace
		}
		r.health.failed("cluster", err)
		if !pause(ctx, wait) {
			return nil, ""
		}
	}
}

// read reads all namespaces until ctx ends.
func (r *eventsReceiver) read(ctx, halt context.Context, c *cluster) {
	namespaces := r.config.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{""}
	}
	var reading sync.WaitGroup
	for _, n := range namespaces {
		w := &watcher{
			namespace: n, fromEnd: r.config.StartAt == "end", batch: r.config.Batch, retry: r.config.Retry,
			events: c.events.Events(n), sender: r.sender, counts: r.counts, health: r.health,
		}
		reading.Go(func() { w.run(ctx, halt) })
	}
	reading.Wait()
}

// Shutdown stops reading, offers what was read, and gives the Lease back with the
// position. A pipeline that refuses and an API server that does not answer hold it
// up for half of ctx's time, or two seconds: then another instance, or the next run,
// begins with what was not accepted.
func (r *eventsReceiver) Shutdown(ctx context.Context) error {
	if r.stop != nil {
		r.stop()
		patience := 2 * time.Second
		if until, ok := ctx.Deadline(); ok {
			patience = min(patience, time.Until(until)/2)
		}
		timer := time.AfterFunc(patience, r.halt)
		r.done.Wait()
		timer.Stop()
		r.halt()
		r.stop = nil
	}
	var errs []error
	for i := len(r.end) - 1; i >= 0; i-- {
		errs = append(errs, r.end[i](ctx))
	}
	r.end = nil
	return errors.Join(errs...)
}

func zapLease(l *lease) zap.Field { return zap.String("lease", l.Describe()) }
