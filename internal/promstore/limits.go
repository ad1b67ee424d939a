package promstore

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// seriesLimits bounds the active series. tsdb asks it before it makes a series
// and tells it of each one made or collected, so the counts are tsdb's own.
// While the log is replayed it only counts: what was acknowledged is kept even
// if the limits have been lowered since.
type seriesLimits struct {
	total, perMetric int
	collected        atomic.Bool // series were collected: the cache may hold dead references
	armed            atomic.Bool

	mu     sync.Mutex
	n      int            // guarded by mu
	metric map[string]int // guarded by mu; at most one entry a series
}

func newSeriesLimits(total, perMetric int) *seriesLimits {
	l := &seriesLimits{total: total, perMetric: perMetric}
	l.reset()
	return l
}

func (l *seriesLimits) arm() { l.armed.Store(true) }

func (l *seriesLimits) reset() {
	l.armed.Store(false)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n, l.metric = 0, map[string]int{}
}

// PreCreation refuses a series over the limits.
func (l *seriesLimits) PreCreation(ls labels.Labels) error {
	if !l.armed.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n >= l.total {
		return refuse(reasonSeriesLimit, "%d series are active, which is max_series", l.n)
	}
	if name := ls.Get(model.MetricNameLabel); l.metric[name] >= l.perMetric {
		return refuse(reasonMetricSeriesLimit, "%s has %d active series, which is max_series_per_metric", name, l.metric[name])
	}
	return nil
}

// PostCreation counts a new series.
func (l *seriesLimits) PostCreation(ls labels.Labels) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	l.metric[ls.Get(model.MetricNameLabel)]++
}

// PostDeletion forgets series that tsdb collected.
func (l *seriesLimits) PostDeletion(gone map[chunks.HeadSeriesRef]labels.Labels) {
	if len(gone) == 0 {
		return
	}
	l.collected.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ls := range gone {
		l.n--
		name := ls.Get(model.MetricNameLabel)
		if l.metric[name]--; l.metric[name] <= 0 {
			delete(l.metric, name)
		}
	}
}
