package k8seventsreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// positionAnnotation of the Lease says up to where its holder told events.
const positionAnnotation = "vigie.dev/k8s-events-position"

// leaseTimeout is for one request about the Lease; it fits into the ten seconds in
// which a leader must renew.
const leaseTimeout = 4 * time.Second

// lease is the lock of the election, as client-go's own is, with the position on
// it. The elector's goroutine owns it.
type lease struct {
	client    coordinationv1client.LeaseInterface
	namespace string
	name      string
	identity  string
	positions *positions
	health    *health
	counts    *counts
	leading   atomic.Bool     // the positions are ours to say
	halt      context.Context // ends requests that Shutdown can't wait for

	last *coordinationv1.Lease
}

// Get reads the Lease, and from it where the leader is.
func (l *lease) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	got, err := l.client.Get(ctx, l.name, metav1.GetOptions{})
	if err != nil {
		if !apierrors.IsNotFound(err) {
			l.failed(err)
		}
		return nil, nil, err
	}
	l.health.works("lease")
	l.last = got
	if text, ok := got.Annotations[positionAnnotation]; ok && !l.leading.Load() {
		// One that can't be read is overwritten by the next leader.
		_ = l.positions.merge([]byte(text))
	}
	record := resourcelock.LeaseSpecToLeaderElectionRecord(&got.Spec)
	raw, err := json.Marshal(record)
	return record, raw, err
}

// Create makes the Lease.
func (l *lease) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	made, err := l.client.Create(ctx, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: l.name, Namespace: l.namespace, Annotations: map[string]string{positionAnnotation: string(l.positions.text())}},
		Spec:       resourcelock.LeaderElectionRecordToLeaseSpec(&record),
	}, metav1.CreateOptions{})
	return l.keep(made, err)
}

// Update renews or releases it.
func (l *lease) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if l.last == nil {
		return errors.New("the Lease was not read yet")
	}
	ctx, cancel := l.bound(ctx)
	defer cancel()
	next := l.last.DeepCopy()
	next.Spec = resourcelock.LeaderElectionRecordToLeaseSpec(&record)
	if next.Annotations == nil {
		next.Annotations = map[string]string{}
	}
	next.Annotations[positionAnnotation] = string(l.positions.text())
	return l.keep(l.client.Update(ctx, next, metav1.UpdateOptions{}))
}

func (l *lease) keep(got *coordinationv1.Lease, err error) error {
	switch {
	case err == nil:
		l.last = got
		l.health.works("lease")
	case !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err): // another one was faster
		l.failed(err)
	}
	return err
}

func (l *lease) failed(err error) {
	if l.halt.Err() != nil {
		return // it was us
	}
	l.counts.errors.Add(1)
	l.health.failed("lease", err)
}

// bound gives a request its time, and ends it with halt.
func (l *lease) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, leaseTimeout)
	unhook := context.AfterFunc(l.halt, cancel)
	return ctx, func() { unhook(); cancel() }
}

// RecordEvent tells nobody: an event about who reads events is one more to read.
func (l *lease) RecordEvent(string) {}

// Identity of this candidate.
func (l *lease) Identity() string { return l.identity }

// Describe names the Lease.
func (l *lease) Describe() string { return l.namespace + "/" + l.name }
