package k8seventsreceiver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

const (
	listTimeout  = time.Minute
	watchAtLeast = 5 * time.Minute // the API server ends a watch between this and twice this
	// tooNewTimes is how often a position may be ahead of the API server before it is
	// taken for another history's, as after a restored backup: a replica that lags
	// catches up within seconds.
	tooNewTimes = 5
)

var errHalted = errors.New("halted before the pipeline took the events")

// watcher reads the events of a namespace ("" is all) while it runs; its goroutine
// owns it.
type watcher struct {
	namespace string
	fromEnd   bool // with no position, begin with what comes
	batch     Batch
	retry     Retry
	events    corev1client.EventInterface
	sender    *sender
	counts    *counts
	health    *health

	relist bool // the API server does not know the position any more
	tooNew int  // how often in a row it did not know it yet
	moved  bool // something was read since the last failure
}

// run lists and watches until ctx ends. What was read by then is offered until halt.
func (w *watcher) run(ctx, halt context.Context) {
	wait := w.retry.InitialInterval
	for ctx.Err() == nil {
		w.moved = false
		err := w.once(ctx, halt)
		if ctx.Err() != nil || errors.Is(err, errHalted) {
			return
		}
		if w.moved {
			wait = w.retry.InitialInterval
		}
		w.learn(err)
		if !pause(ctx, wait) {
			return
		}
		wait = min(2*wait, w.retry.MaxInterval)
	}
}

// once lists, where no position is known, and watches until the watch ends.
func (w *watcher) once(ctx, halt context.Context) error {
	if w.relist || w.sender.positions.get(w.namespace) == "" {
		if err := w.list(ctx, halt); err != nil {
			return err
		}
		w.relist, w.tooNew = false, 0
	}
	return w.watch(ctx, halt)
}

// learn takes in how a list or watch ended.
func (w *watcher) learn(err error) {
	switch {
	case err == nil: // a watch ends now and then
		return
	case apierrors.IsGone(err) || apierrors.IsResourceExpired(err):
		// The first list of all can expire between two pages: nothing was missed.
		if !w.relist && w.sender.positions.get(w.namespace) != "" {
			w.counts.gaps.Add(1)
		}
		w.relist = true
		return
	case apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge):
		w.tooNew++
		w.relist = w.relist || w.tooNew >= tooNewTimes
	}
	w.counts.errors.Add(1)
	w.health.failed(w.source(), err)
}

func (w *watcher) source() string {
	if w.namespace == "" {
		return "events"
	}
	return "events of " + w.namespace
}

// list tells what there is and was not told, a page at a time, and then knows the
// position. Pages are in the order of names, so it is not known before the last.
func (w *watcher) list(ctx, halt context.Context) error {
	last := w.sender.positions.get(w.namespace)
	opts := metav1.ListOptions{Limit: int64(w.batch.MaxRecords)}
	skip := last == "" && w.fromEnd
	if skip {
		opts.Limit = 1
	}
	version := ""
	for {
		page, err := w.page(ctx, opts)
		if err != nil {
			return err
		}
		w.health.works(w.source())
		if version == "" {
			version = page.ResourceVersion
			if last != "" && newer(last, version) {
				last = "" // another history, whose revisions say nothing of ours
			}
		}
		if skip {
			break
		}
		b := newBatch()
		for i := range page.Items {
			ev := &page.Items[i]
			if last != "" && !newer(ev.ResourceVersion, last) {
				w.counts.duplicates.Add(1)
				continue
			}
			if before := w.sender.told.count(ev.UID); before > 0 && count(ev) > before+1 {
				w.counts.folded.Add(int64(count(ev) - before - 1))
			}
			w.take(b, ev)
		}
		if !w.sender.send(halt, w.namespace, b) {
			return errHalted
		}
		w.moved = true
		if page.Continue == "" {
			break
		}
		opts.Continue = page.Continue
	}
	w.sender.positions.set(w.namespace, version)
	return nil
}

func (w *watcher) page(ctx context.Context, opts metav1.ListOptions) (*corev1.EventList, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	return w.events.List(ctx, opts)
}

// take adds an event to a batch, unless it was told as it is.
func (w *watcher) take(b *batch, ev *corev1.Event) {
	if n := count(ev); n <= b.counts[ev.UID] || n <= w.sender.told.count(ev.UID) {
		w.counts.duplicates.Add(1)
		return
	}
	b.add(ev, time.Now())
}

// watch tells what happens after the position. While a batch is offered nothing is
// read, so a pipeline that refuses slows the API server down.
func (w *watcher) watch(ctx, halt context.Context) error {
	lasts := watchAtLeast + rand.N(watchAtLeast)
	seconds := int64(lasts / time.Second)
	// An API server that is gone without a word ends nothing.
	watching, cancel := context.WithTimeout(ctx, lasts+30*time.Second)
	defer cancel()
	stream, err := w.events.Watch(watching, metav1.ListOptions{
		ResourceVersion: w.sender.positions.get(w.namespace), AllowWatchBookmarks: true, TimeoutSeconds: &seconds,
	})
	if err != nil {
		return err
	}
	defer stream.Stop()
	w.counts.watches.Add(1)
	w.health.works(w.source())

	b := newBatch()
	var due <-chan time.Time
	for {
		var end error
		flush, ended := false, false
		select {
		case <-ctx.Done():
			flush, ended = true, true
		case <-due:
			flush = true
		case ev, ok := <-stream.ResultChan():
			if end = w.see(b, ev, ok); end != nil || !ok {
				flush, ended = true, true
			} else if due == nil {
				due = time.After(w.batch.Timeout)
			}
			flush = flush || b.records >= w.batch.MaxRecords
		}
		if !flush {
			continue
		}
		if !w.sender.send(halt, w.namespace, b) {
			return errHalted
		}
		if ended {
			return end
		}
		b, due = newBatch(), nil
	}
}

// see takes in what a watch says; the error ends it.
func (w *watcher) see(b *batch, said watch.Event, ok bool) error {
	if !ok {
		return nil
	}
	ev, isEvent := said.Object.(*corev1.Event)
	if said.Type == watch.Error || !isEvent {
		return apierrors.FromObject(said.Object)
	}
	w.moved, w.tooNew = true, 0
	// Deleted: its time is over. Bookmark: so far nothing else.
	if said.Type == watch.Added || said.Type == watch.Modified {
		w.take(b, ev)
	}
	b.version = ev.ResourceVersion
	return nil
}
