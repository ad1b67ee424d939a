package emf

import (
	"encoding/binary"
	"strconv"
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

// place says where a data point's value goes, by hashes: what has the same
// attributes, time and rule is in the same document. Finding it so costs a third
// of putting its labels together again.
type place struct {
	attrs uint64
	at    int64
	rule  *Rule
}

// placed is a document that takes all sets of dimensions, and their hashes for
// the budget.
type placed struct {
	d     *document
	sets  []uint64
	names []string // of the labels
	why   Reason   // or why there is none
}

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

// kind is what a metric is known by.
type kind struct {
	name, unit string
	gauge      bool
}

// one is a metric as it is written.
type one struct {
	kind
	name      string // as CloudWatch takes it
	unit      unit   // as well
	rule      *Rule  // nil for none
	unwanted  bool
	namespace string
	def       string // {"Name":…}
	member    string // ,"name":
	hash      uint64 // of name
	space     uint64 // of namespace
	source    uint64 // hash of the name as it came

	seed uint64 // of its series; changes with resource and scope
}

// prepare makes of a metric what can be made once.
func (c *Converter) prepare(k kind) *one {
	o := &one{kind: k, name: clean(k.name, maxName), namespace: c.o.Namespace, rule: c.rule(k.name), unit: unitOf(k.unit, !k.gauge)}
	o.unwanted = o.rule == nil && c.o.DropUnmatched || o.rule != nil && o.rule.Drop || o.name == ""
	high := false
	if o.rule != nil {
		high = o.rule.HighResolution
		if o.rule.Namespace != "" {
			o.namespace = o.rule.Namespace
		}
		if o.rule.Unit != "" {
			o.unit = unit{o.rule.Unit, 1}
		}
	}
	o.write(high)
	o.hash, o.space, o.source = xxh3.HashString(o.name), xxh3.HashString(o.namespace), xxh3.HashString(k.name)
	if len(c.known) >= maxCached {
		clear(c.known)
	}
	c.known[k.name] = o
	return o
}

// write makes definition and member of name and unit.
func (o *one) write(high bool) {
	def := AppendString([]byte(`{"Name":`), o.name)
	if o.unit.name != "" && o.unit.name != "None" {
		def = append(append(append(def, `,"Unit":"`...), o.unit.name...), '"')
	}
	if high {
		def = append(def, `,"StorageResolution":1`...)
	}
	o.def = string(append(def, '}'))
	o.member = string(append(AppendString([]byte{','}, o.name), ':'))
}

// part is a metric of its own that a summary has beside its quantiles.
func (o *one) part(suffix string, u unit) *one {
	p := *o
	p.name, p.unit = clean(o.name+suffix, maxName), u
	p.write(o.rule != nil && o.rule.HighResolution)
	p.hash = xxh3.HashString(p.name)
	return &p
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

func points(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	}
	return 0
}

func (c *Converter) gauge(o *one, p pmetric.NumberDataPoint) {
	if p.Flags().NoRecordedValue() {
		c.dropped[Stale]++
		return
	}
	v := p.DoubleValue()
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		v = float64(p.IntValue())
	}
	c.number(o, p.Timestamp(), p.Attributes(), c.hash(p.Attributes()), "", v, 1)
}

func (c *Converter) cumulative(o *one, p pmetric.NumberDataPoint) {
	if p.Flags().NoRecordedValue() {
		c.dropped[Stale]++
		return
	}
	integer := p.ValueType() == pmetric.NumberDataPointValueTypeInt
	is := number{start: int64(p.StartTimestamp()), at: int64(p.Timestamp())}
	if integer {
		is.i = p.IntValue()
	} else if is.f = p.DoubleValue(); !inRange(is.f) {
		c.dropped[NotANumber]++
		return
	}
	h := c.hash(p.Attributes())
	v, why := c.series.step(c.seriesOf(o, h, 0), is, integer, c.now)
	if why != ok {
		c.dropped[why]++
		return
	}
	c.number(o, p.Timestamp(), p.Attributes(), h, "", v, 1)
}

// number writes one value; points is 0 for what accompanies another value.
func (c *Converter) number(o *one, at pcommon.Timestamp, attrs pcommon.Map, h uint64, quantile string, v float64, points int) {
	v *= o.unit.scale
	if !inRange(v) {
		c.dropped[NotANumber] += points
		return
	}
	d, why := c.document(o, at, attrs, h, quantile)
	if why != ok {
		c.dropped[why] += points
		return
	}
	d.define(o)
	d.values = AppendFloat(d.values, v)
	d.points += points
}

func (c *Converter) histogram(o *one, p pmetric.HistogramDataPoint, cumulative bool) {
	if p.Flags().NoRecordedValue() {
		c.dropped[Stale]++
		return
	}
	b, h := &c.buckets, c.hash(p.Attributes())
	b.explicit(p)
	c.dist.reset()
	if cumulative {
		if why := c.series.stepExplicit(c.seriesOf(o, h, 0), b, c.now); why != ok {
			c.dropped[why]++
			return
		}
	} else if c.dist.known = p.HasMin() && p.HasMax(); c.dist.known {
		c.dist.min, c.dist.max = p.Min(), p.Max()
	}
	c.dist.sum, c.dist.summed = b.sum, p.HasSum()
	c.dist.explicit(b)
	c.distribution(o, p.Timestamp(), p.Attributes(), h)
}

func (c *Converter) exponential(o *one, p pmetric.ExponentialHistogramDataPoint, cumulative bool) {
	if p.Flags().NoRecordedValue() {
		c.dropped[Stale]++
		return
	}
	b, h := exponentialOf(p), c.hash(p.Attributes())
	c.dist.reset()
	if cumulative {
		if why := c.series.stepExponential(c.seriesOf(o, h, 0), b, c.now); why != ok {
			c.dropped[why]++
			return
		}
	} else if c.dist.known = p.HasMin() && p.HasMax(); c.dist.known {
		c.dist.min, c.dist.max = p.Min(), p.Max()
	}
	c.dist.sum, c.dist.summed = b.sum, p.HasSum()
	c.dist.exponential(b)
	c.distribution(o, p.Timestamp(), p.Attributes(), h)
}

// distribution writes what is in c.dist, in several documents if there are more
// than 100 values. An empty one is no event and writes nothing.
func (c *Converter) distribution(o *one, at pcommon.Timestamp, attrs pcommon.Map, h uint64) {
	if why := c.dist.finish(o.unit.scale); why != ok {
		c.dropped[why]++
		return
	}
	for i, points := 0, 1; i < len(c.dist.values); points = 0 {
		d, why := c.document(o, at, attrs, h, "")
		if why != ok {
			c.dropped[why] += points
			return
		}
		d.define(o)
		var n int
		d.values, n = c.dist.appendPart(d.values, i)
		d.points += points
		i += n
	}
}

// summary writes increase of count and sum, and the quantiles as they are.
func (c *Converter) summary(o *one, p pmetric.SummaryDataPoint) {
	if p.Flags().NoRecordedValue() {
		c.dropped[Stale]++
		return
	}
	points := 1
	h := c.hash(p.Attributes())
	for i, part := range [2]struct {
		suffix string
		is     number
		unit   unit
	}{
		{"_count", number{i: int64(p.Count())}, unit{"Count", 1}},
		{"_sum", number{f: p.Sum()}, o.unit},
	} {
		part.is.start, part.is.at = int64(p.StartTimestamp()), int64(p.Timestamp())
		v, why := c.series.step(c.seriesOf(o, h, uint64(i)+1), part.is, i == 0, c.now)
		if why != ok {
			c.dropped[why] += points
			points = 0
			continue
		}
		c.number(o.part(part.suffix, part.unit), p.Timestamp(), p.Attributes(), h, "", v, points)
		points = 0
	}
	for i := range p.QuantileValues().Len() {
		q := p.QuantileValues().At(i)
		if v := q.Value(); inRange(v) {
			// A summary without a recent observation has NaN here: nothing to tell.
			c.number(o, p.Timestamp(), p.Attributes(), h, strconv.FormatFloat(q.Quantile(), 'g', -1, 64), v, 0)
		}
	}
}

// document returns the open document for a point, begun if need be.
func (c *Converter) document(o *one, ts pcommon.Timestamp, attrs pcommon.Map, h uint64, quantile string) (*document, Reason) {
	at := int64(ts) / 1e6
	if at <= 0 {
		at = c.now.UnixMilli()
	}
	if quantile != "" {
		h = xxh3.HashStringSeed(quantile, h)
	}
	where := place{h, at, o.rule}
	p, labelled := c.lastAt, false
	if p == nil || c.last != where {
		p = c.places[where]
	}
	if p == nil {
		p, labelled = c.place(o, attrs, quantile), true
		c.places[where] = p
	}
	c.last, c.lastAt = where, p
	if p.why != ok {
		return nil, p.why
	}
	for _, name := range p.names {
		if name == o.name {
			return nil, NameClash
		}
	}
	if o.name == "_aws" {
		return nil, NameClash
	}
	any, all := c.budget(o, p.sets)
	switch {
	case !any:
		return nil, OverBudget
	case all && p.d != nil && p.d.fits(o.name):
		return p.d, ok
	}
	if !labelled {
		c.label(o, attrs, quantile)
	}
	if o.rule != nil && len(o.rule.Dimensions) > 0 {
		d := c.openDocument(o, at)
		if all {
			p.d = d
		}
		return d, ok
	}
	// All attributes are labels, so what has other attributes is in another
	// document, and there is one set: no need to look further.
	if p.d == nil {
		p.d = c.newDocument()
	} else {
		c.write(p.d)
	}
	p.d.start(at, o.namespace, &c.labels, c.allowed, c.props)
	return p.d, ok
}

// place puts together labels and keeps of them what finds them again.
func (c *Converter) place(o *one, attrs pcommon.Map, quantile string) *placed {
	p := &placed{}
	if n := len(c.unused); n > 0 {
		p, c.unused = c.unused[n-1], c.unused[:n-1]
	}
	*p = placed{sets: p.sets[:0], names: p.names[:0], why: c.label(o, attrs, quantile)}
	if p.why != ok {
		return p
	}
	for _, set := range c.labels.sets {
		p.sets = append(p.sets, c.labels.hash(set)^o.space)
	}
	for i := range c.labels.all {
		p.names = append(p.names, c.labels.all[i].name)
	}
	return p
}

// label puts together labels, sets and properties of a point.
func (c *Converter) label(o *one, attrs pcommon.Map, quantile string) Reason {
	l := &c.labels
	l.reset()
	var why Reason
	if o.rule != nil && len(o.rule.Dimensions) > 0 {
		why = l.byRule(o.rule.Dimensions, attrs, c.res, quantile)
	} else {
		why = l.byDefault(attrs, c.res, c.o.ResourceDimensions, quantile)
	}
	if why == ok {
		c.properties(attrs)
	}
	return why
}

// openDocument returns the document of what c.labels, c.props and c.allowed hold.
func (c *Converter) openDocument(o *one, at int64) *document {
	c.identify(at, o)
	d, open := c.open[string(c.key)]
	switch {
	case open && d.fits(o.name):
		return d
	case open:
		c.write(d)
	default:
		d = c.newDocument()
		c.open[string(c.key)] = d
	}
	d.start(at, o.namespace, &c.labels, c.allowed, c.props)
	return d
}

func (c *Converter) newDocument() *document {
	d := &document{}
	if n := len(c.spare); n > 0 {
		d, c.spare = c.spare[n-1], c.spare[:n-1]
	}
	c.order = append(c.order, d)
	return d
}

// properties gathers the members that are no dimensions.
func (c *Converter) properties(attrs pcommon.Map) {
	c.props = c.props[:0]
next:
	for _, name := range c.o.Properties {
		for i := range c.labels.all {
			if c.labels.all[i].name == name {
				continue next
			}
		}
		if v := clean(lookup(name, attrs, c.res), maxValue); v != "" {
			c.props = append(c.props, label{name, v})
		}
	}
}

// budget asks for each set and reports whether any is left, and whether all are.
func (c *Converter) budget(o *one, sets []uint64) (any, all bool) {
	c.allowed = c.allowed[:0]
	all = true
	for _, set := range sets {
		fine := c.o.Budget == nil || c.o.Budget.Allow(o.hash^set*0x9e3779b97f4a7c15, o.name)
		any, all = any || fine, all && fine
		c.allowed = append(c.allowed, fine)
	}
	return any, all
}

// identify puts into c.key what the metrics of a document have in common.
func (c *Converter) identify(at int64, o *one) {
	k := binary.LittleEndian.AppendUint64(c.key[:0], uint64(at))
	k = append(k, o.namespace...)
	k = append(k, 0)
	for i, set := range c.labels.sets {
		if !c.allowed[i] {
			continue
		}
		for _, j := range set {
			k = append(k, byte(j))
		}
		k = append(k, 0xff)
	}
	for _, all := range [2][]label{c.labels.all, c.props} {
		for i := range all {
			k = append(append(append(k, all[i].name...), 0), all[i].value...)
			k = append(k, 1)
		}
	}
	c.key = k
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

func (c *Converter) seriesOf(o *one, h, part uint64) series {
	return series{Hi: h ^ o.seed, Lo: o.seed + part + h*0x9e3779b97f4a7c15}
}

// hash is hashMap, but for attributes that are those of the point before: a
// scrape tells many things of one pod, and to compare is cheaper.
func (c *Converter) hash(m pcommon.Map) uint64 {
	if m.Len() == len(c.hashed) {
		same := true
		i := 0
		for k, v := range m.All() {
			if same = c.hashed[i].name == k && v.Type() == pcommon.ValueTypeStr && c.hashed[i].value == v.Str(); !same {
				break
			}
			i++
		}
		if same {
			return c.hashIs
		}
	}
	c.hashed = c.hashed[:0]
	for k, v := range m.All() {
		c.hashed = append(c.hashed, label{k, text(v)})
	}
	c.hashIs = hashMap(m)
	return c.hashIs
}

// hashMap does not depend on the order of the attributes.
func hashMap(m pcommon.Map) uint64 {
	var h uint64
	for k, v := range m.All() {
		h += xxh3.HashStringSeed(text(v), xxh3.HashString(k))
	}
	return h
}
