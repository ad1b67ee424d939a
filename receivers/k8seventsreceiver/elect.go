package k8seventsreceiver

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"sync"
	"time"

	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/klog/v2"
)

// How long a leader that is silent keeps the Lease, how long it tries to renew, and
// how often: as the components of Kubernetes do.
const (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
)

// elect competes for the Lease until ctx ends, and reads while it has it.
func (r *eventsReceiver) elect(ctx, halt context.Context, c *cluster, namespace string) {
	// The elector would log each attempt; what changes is logged here.
	ctx = klog.NewContext(ctx, klog.Logger{})
	host, err := os.Hostname()
	if err != nil {
		host = "vigie"
	}
	identity := host + "_" + rand.Text()
	for ctx.Err() == nil {
		lock := &lease{
			client: c.leases.Leases(namespace), namespace: namespace, name: r.config.LeaderElection.Lease, identity: identity,
			positions: r.positions, health: r.health, counts: r.counts, halt: halt,
		}
		if err := r.term(ctx, halt, c, lock); err != nil {
			r.health.failed("lease", err)
			return
		}
	}
}

// term waits for the Lease, reads while it is held, and gives it back when nothing
// is read any more, with the position.
func (r *eventsReceiver) term(ctx, halt context.Context, c *cluster, lock *lease) error {
	leads := make(chan context.Context, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: retryPeriod, ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) { leads <- leading },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return fmt.Errorf("set up the election: %w", err)
	}
	holding, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	var ran sync.WaitGroup
	lost := make(chan struct{})
	ran.Go(func() { defer close(lost); elector.Run(holding) })
	defer ran.Wait()
	defer release()

	select {
	case <-ctx.Done():
	case <-lost:
	case leading := <-leads:
		lock.leading.Store(true)
		r.counts.leading.Store(1)
		r.set.Logger.Info("Reads Kubernetes events: this instance leads", zapLease(lock))
		reading, stop := both(ctx, leading)
		offering, stopOffering := both(halt, leading)
		r.read(reading, offering, c)
		stop()
		stopOffering()
		r.counts.leading.Store(0)
		r.set.Logger.Info("Reads no Kubernetes events any more: another instance may lead", zapLease(lock))
	}
	return nil
}

// both ends with the first of two contexts.
func both(a, b context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(a)
	unhook := context.AfterFunc(b, cancel)
	return ctx, func() { unhook(); cancel() }
}
