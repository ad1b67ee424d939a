package promstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// commitEvery bounds the samples that one commit holds in memory.
const commitEvery = 50_000

// appender is one batch on its way into the database. It lives under writeMu.
type appender struct {
	s          *Store
	app        storage.Appender
	minT, maxT int64 // ms, both allowed
	pending    int   // appended, not yet committed
	dropped    int
	first      error // the first refusal, for the answer
	builder    labels.ScratchBuilder
}

// append runs fn with an appender and commits what it appended. The error means
// that a part of the batch that was not yet acknowledged is lost; single refused
// samples are in the counts only.
func (s *Store) append(ctx context.Context, fn func(*appender)) (dropped int, first, err error) {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	if err := s.writable(); err != nil {
		return 0, nil, err
	}
	if s.limits.collected.Swap(false) {
		s.cache.clear()
	}
	now := s.hooks.now()
	a := &appender{
		s: s, app: s.session.Load().db.Appender(ctx),
		minT:    now.Add(-s.cfg.Retention).UnixMilli(),
		maxT:    now.Add(s.cfg.MaxFuture).UnixMilli(),
		builder: labels.NewScratchBuilder(16),
	}
	defer s.guard(&err)
	fn(a)
	err = a.commit()
	return a.dropped, a.first, err
}

// writable says why the store does not write now, if so. The caller holds
// writeMu, which keeps the session in place.
func (s *Store) writable() error {
	if s.closed || s.ctx.Err() != nil {
		return ErrClosed
	}
	if f := s.failure.Load(); f != nil {
		return *f
	}
	if !s.room() {
		return fmt.Errorf("%w: the file system of %s has less than %d bytes left", ErrDiskFull, s.cfg.Dir, s.cfg.MinFreeBytes)
	}
	return nil
}

// commit acknowledges what was appended: it is in the log when commit returns.
func (a *appender) commit() error {
	n := a.pending
	a.pending = 0
	if err := a.app.Commit(); err != nil {
		return a.s.fail(a.s.explain("write to", err))
	}
	a.s.tel.appended.Add(uint64(n))
	return nil
}

// series finds or prepares the series of ls, whose labels are sorted by name as
// both wires demand. When unsafe, their strings die with the batch.
func (a *appender) series(ls []prompb.Label, unsafe bool) (*cached, error) {
	key := labelsKey(ls)
	if c := a.s.cache.get(key, ls); c != nil {
		return c, nil
	}
	if err := a.checkLabels(ls); err != nil {
		return nil, err
	}
	a.builder.Reset()
	for _, l := range ls {
		if unsafe {
			l.Name, l.Value = strings.Clone(l.Name), strings.Clone(l.Value)
		}
		a.builder.Add(l.Name, l.Value)
	}
	a.builder.Sort()
	lset := a.builder.Labels().WithoutEmpty()
	if name, twice := lset.HasDuplicateLabelNames(); twice {
		return nil, refuse(reasonInvalidLabels, "label %q is named twice in %s", name, lset)
	}
	if !lset.Has(model.MetricNameLabel) || !lset.IsValid(validation) {
		return nil, refuse(reasonInvalidLabels, "invalid metric name or labels in %s", lset)
	}
	// tsdb's own copy of the labels, where it has one, so that the cache and the
	// head share it.
	ref, own := a.app.(storage.GetRef).GetRef(lset, lset.Hash())
	if ref != 0 {
		lset = own
	}
	return &cached{ref: ref, lset: lset, key: key}, nil
}

// checkLabels bounds what one series may carry.
func (a *appender) checkLabels(ls []prompb.Label) error {
	c := &a.s.cfg
	if len(ls) > c.MaxLabels {
		return refuse(reasonLabelLimit, "a series has %d labels; max_labels is %d", len(ls), c.MaxLabels)
	}
	for _, l := range ls {
		if len(l.Name) > c.MaxLabelNameBytes {
			return refuse(reasonLabelLimit, "a label name has %d bytes; max_label_name_bytes is %d", len(l.Name), c.MaxLabelNameBytes)
		}
		if len(l.Value) > c.MaxLabelValueBytes {
			return refuse(reasonLabelLimit, "the value of label %q has %d bytes; max_label_value_bytes is %d", l.Name, len(l.Value), c.MaxLabelValueBytes)
		}
	}
	return nil
}

// sample appends one float; a stale marker is a float of its own.
func (a *appender) sample(c *cached, t int64, v float64) {
	if err := a.inTime(t); err != nil {
		a.drop(1, err)
		return
	}
	ref, err := a.app.Append(c.ref, c.lset, t, v)
	a.done(c, ref, err)
}

// histogram appends one native histogram.
func (a *appender) histogram(c *cached, p *prompb.Histogram) {
	if err := a.inTime(p.Timestamp); err != nil {
		a.drop(1, err)
		return
	}
	if n := max(len(p.PositiveDeltas), len(p.PositiveCounts)) + max(len(p.NegativeDeltas), len(p.NegativeCounts)); n > a.s.cfg.MaxHistogramBuckets {
		a.drop(1, refuse(reasonBucketLimit, "a histogram has %d buckets; max_histogram_buckets is %d", n, a.s.cfg.MaxHistogramBuckets))
		return
	}
	// tsdb believes a hint that there was no reset, and panics when there was
	// one: it looks for itself instead.
	if p.ResetHint != prompb.Histogram_GAUGE {
		p.ResetHint = prompb.Histogram_UNKNOWN
	}
	var (
		h  *histogram.Histogram
		fh *histogram.FloatHistogram
	)
	if p.IsFloatHistogram() {
		fh = p.ToFloatHistogram()
	} else {
		h = p.ToIntHistogram()
	}
	ref, err := a.app.AppendHistogram(c.ref, c.lset, p.Timestamp, h, fh)
	a.done(c, ref, err)
}

// exemplar appends one exemplar. One that is refused is counted, never an error:
// its sample is what matters.
func (a *appender) exemplar(c *cached, p *prompb.Exemplar) {
	if a.s.cfg.MaxExemplars < 0 {
		return
	}
	if c.ref == 0 || a.inTime(p.Timestamp) != nil {
		a.s.tel.exemplars.Inc()
		return
	}
	a.builder.Reset()
	for _, l := range p.Labels {
		a.builder.Add(strings.Clone(l.Name), strings.Clone(l.Value))
	}
	a.builder.Sort()
	e := exemplar.Exemplar{Labels: a.builder.Labels(), Value: p.Value, Ts: p.Timestamp, HasTs: p.Timestamp != 0}
	if _, err := a.app.AppendExemplar(c.ref, c.lset, e); err != nil {
		a.s.tel.exemplars.Inc()
	}
}

// done books one sample that tsdb has taken or refused.
func (a *appender) done(c *cached, ref storage.SeriesRef, err error) {
	if err != nil {
		a.drop(1, err)
		return
	}
	if c.ref != ref {
		c.ref = ref
		a.s.cache.put(c, a.s.cfg.MaxSeries)
	} else if !c.kept {
		a.s.cache.put(c, a.s.cfg.MaxSeries)
	}
	a.pending++
}

// full reports whether the batch should be committed before more is appended.
func (a *appender) full() bool { return a.pending >= commitEvery }

// One request may hold millions of samples out of time: their errors say no
// more than that, and are made once.
var (
	errFuture = refuse(reasonFuture, "a sample is later than max_future allows")
	errTooOld = refuse(reasonTooOld, "a sample is older than the retention")
)

func (a *appender) inTime(t int64) error {
	if t > a.maxT {
		return errFuture
	}
	if t < a.minT {
		return errTooOld
	}
	return nil
}

// drop counts n samples refused because of err.
func (a *appender) drop(n int, err error) {
	if n == 0 {
		return
	}
	a.s.tel.drop(reasonOf(err), n)
	a.dropped += n
	if a.first == nil {
		a.first = err
	}
}

// reasonOf files tsdb's refusals under ours.
func reasonOf(err error) reason {
	if r, ok := err.(*refusal); ok { // bare, as nearly always: errors.As allocates
		return r.reason
	}
	var (
		r  *refusal
		he histogram.Error
	)
	switch {
	case errors.As(err, &r):
		return r.reason
	case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
		return reasonDuplicate
	case errors.Is(err, storage.ErrOutOfOrderSample):
		return reasonOutOfOrder
	case errors.Is(err, storage.ErrTooOldSample), errors.Is(err, storage.ErrOutOfBounds):
		return reasonTooOld
	case errors.Is(err, tsdb.ErrInvalidSample):
		return reasonInvalidLabels
	case errors.As(err, &he):
		return reasonHistogram
	case errors.Is(err, ErrDiskFull):
		return reasonDiskFull
	}
	return reasonUnavailable
}

// byTime sorts the samples of a series: the exporter does the same before it
// sends, and an unsorted batch would be out of order against itself.
func byTime(ss []prompb.Sample) {
	if len(ss) > 1 {
		slices.SortStableFunc(ss, func(x, y prompb.Sample) int { return cmpInt64(x.Timestamp, y.Timestamp) })
	}
}

func cmpInt64(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
