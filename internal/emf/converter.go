package emf

import (
	"sync"
	"time"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Converter makes documents of metrics. It may be used by several goroutines,
// which take turns: the order of a cumulative series' points is what its
// differences are made of.
type Converter struct {
	o Options

	mu      sync.Mutex // guards all below
	series  deltas
	known   map[string]*one // by name
	labels  labels
	allowed []bool
	props   []label
	dist    distribution
	key     []byte
	out     []byte
	open    map[string]*document
	order   []*document // open ones in the order in which they began
	spare   []*document
	places  map[place]*placed // a shortcut to open, by hashes
	unused  []*placed
	last    place // looked up last, and what was found: metrics of one scrape
	lastAt  *placed
	buckets buckets
	take    Take
	res     pcommon.Map
	resNo   int
	resHash uint64
	hashed  []label // the attributes that were hashed last
	hashIs  uint64
	now     time.Time
	dropped Dropped
}

// Take receives a document: the resource that its metrics are of and that one's
// number in the batch, its time (ms since the epoch) and how many data points are
// in it.
type Take func(resource pcommon.Map, number int, at int64, points int, document string)

// New returns a converter that began at a time: cumulative series that start
// later count from their first point.
func New(o Options, began time.Time) *Converter {
	c := &Converter{o: o, series: newDeltas(o.MaxSeries, o.Stale), known: map[string]*one{}, open: map[string]*document{}, places: map[place]*placed{}}
	c.series.began = began.UnixNano()
	return c
}

// Convert hands on the documents of md and counts the points that are in none.
func (c *Converter) Convert(md pmetric.Metrics, now time.Time, take Take) Dropped {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take, c.now, c.dropped = take, now, Dropped{}
	if c.o.Budget != nil {
		c.o.Budget.Begin(now)
		defer c.o.Budget.End()
	}
	for i := range md.ResourceMetrics().Len() {
		rm := md.ResourceMetrics().At(i)
		c.res, c.resNo = rm.Resource().Attributes(), i
		c.resHash = hashMap(c.res)
		for j := range rm.ScopeMetrics().Len() {
			sm := rm.ScopeMetrics().At(j)
			scope := xxh3.HashString(sm.Scope().Name())
			for k := range sm.Metrics().Len() {
				c.metric(sm.Metrics().At(k), scope)
			}
		}
		c.flush()
	}
	c.take, c.res = nil, pcommon.Map{}
	return c.dropped
}

func (c *Converter) metric(m pmetric.Metric, scope uint64) {
	k := kind{m.Name(), m.Unit(), m.Type() == pmetric.MetricTypeGauge}
	o := c.known[k.name]
	if o == nil || o.kind != k {
		o = c.prepare(k)
	}
	if o.unwanted {
		c.dropped[Unmatched] += points(m)
		return
	}
	o.seed = o.source*0x9e3779b97f4a7c15 ^ c.resHash ^ scope
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for i := range m.Gauge().DataPoints().Len() {
			c.gauge(o, m.Gauge().DataPoints().At(i))
		}
	case pmetric.MetricTypeSum:
		s := m.Sum()
		differ := s.AggregationTemporality() == pmetric.AggregationTemporalityCumulative && s.IsMonotonic()
		for i := range s.DataPoints().Len() {
			if differ {
				c.cumulative(o, s.DataPoints().At(i))
			} else {
				c.gauge(o, s.DataPoints().At(i))
			}
		}
	case pmetric.MetricTypeHistogram:
		h := m.Histogram()
		for i := range h.DataPoints().Len() {
			c.histogram(o, h.DataPoints().At(i), h.AggregationTemporality() == pmetric.AggregationTemporalityCumulative)
		}
	case pmetric.MetricTypeExponentialHistogram:
		h := m.ExponentialHistogram()
		for i := range h.DataPoints().Len() {
			c.exponential(o, h.DataPoints().At(i), h.AggregationTemporality() == pmetric.AggregationTemporalityCumulative)
		}
	case pmetric.MetricTypeSummary:
		for i := range m.Summary().DataPoints().Len() {
			c.summary(o, m.Summary().DataPoints().At(i))
		}
	default:
		c.dropped[Unsupported]++
	}
}

// flush writes what is open; documents do not outlive their resource.
func (c *Converter) flush() {
	for _, d := range c.order {
		c.write(d)
	}
	c.spare = append(c.spare, c.order...)
	if len(c.spare) > 1000 {
		clear(c.spare[1000:])
		c.spare = c.spare[:1000]
	}
	clear(c.open)
	if len(c.unused) < 1000 {
		for _, p := range c.places {
			c.unused = append(c.unused, p)
		}
	}
	clear(c.places)
	c.lastAt = nil
	c.order = c.order[:0]
}

func (c *Converter) write(d *document) {
	c.out = d.append(c.out[:0])
	c.take(c.res, c.resNo, d.at, d.points, string(c.out))
}
