package insights

import (
	"math"
	"sync"
	"time"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	// forgotten is after how long without news a node, pod or counter goes.
	forgotten = 5 * time.Minute
	sweepEach = time.Minute
)

// Options of a Mapper.
type Options struct {
	// NodeCPUs is how many CPUs a node has of which no metric tells; 0 is unknown.
	NodeCPUs int
	// Limit bounds nodes, pods, services and counters, each. 0 means 20,000.
	Limit int
}

// Mapper remembers a cluster, or the part of it that it hears of.
type Mapper struct {
	o Options

	mu       sync.Mutex // guards all below
	cluster  string
	nodes    map[string]*entity
	pods     map[podKey]*entity
	services map[podKey]*entity
	counters map[uint64]counter
	swept    time.Time

	now       time.Time
	ignored   int
	touched   []*entity // in this batch, in order
	census    pcommon.Timestamp
	requests  pcommon.Timestamp
	censused  pcommon.Timestamp // the census that was written last
	requested pcommon.Timestamp
}

type podKey struct{ namespace, name string }

type counter struct {
	value float64
	at    pcommon.Timestamp
	seen  time.Time
}

// New returns a mapper that knows nothing.
func New(o Options) *Mapper {
	if o.Limit == 0 {
		o.Limit = 20_000
	}
	return &Mapper{o: o, nodes: map[string]*entity{}, pods: map[podKey]*entity{}, services: map[podKey]*entity{}, counters: map[uint64]counter{}}
}

// Map returns Container Insights' metrics and the number of data points that are
// none of its sources.
func (m *Mapper) Map(md pmetric.Metrics, now time.Time) (pmetric.Metrics, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now, m.ignored, m.census, m.requests = now, 0, 0, 0
	for i := range md.ResourceMetrics().Len() {
		rm := md.ResourceMetrics().At(i)
		if v, ok := rm.Resource().Attributes().Get("k8s.cluster.name"); ok && v.Str() != "" {
			m.cluster = v.Str()
		}
		for j := range rm.ScopeMetrics().Len() {
			sm := rm.ScopeMetrics().At(j)
			for k := range sm.Metrics().Len() {
				m.read(sm.Metrics().At(k), rm.Resource().Attributes())
			}
		}
	}
	out := writer{md: pmetric.NewMetrics(), cluster: m.cluster, resources: map[string]pmetric.MetricSlice{}}
	for _, e := range m.touched {
		m.write(&out, e)
		e.fresh = 0
	}
	clear(m.touched)
	m.touched = m.touched[:0]
	m.writeCluster(&out)
	m.sweep()
	return out.md, m.ignored
}

func (m *Mapper) read(metric pmetric.Metric, resource pcommon.Map) {
	take, known := sources[metric.Name()]
	var points pmetric.NumberDataPointSlice
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		points = metric.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		points = metric.Sum().DataPoints()
	default:
		m.ignored++
		return
	}
	if !known {
		m.ignored += points.Len()
		return
	}
	for i := range points.Len() {
		p := point{NumberDataPoint: points.At(i), resource: resource, name: metric.Name()}
		if p.Flags().NoRecordedValue() || math.IsNaN(p.value()) {
			continue
		}
		take(m, p)
	}
}

// point is a data point with what it is of.
type point struct {
	pmetric.NumberDataPoint
	resource pcommon.Map
	name     string
}

func (p point) value() float64 {
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(p.IntValue())
	}
	return p.DoubleValue()
}

// label is the first of some attributes that the point or its resource has.
func (p point) label(keys ...string) string {
	for _, k := range keys {
		if v, ok := p.Attributes().Get(k); ok && v.AsString() != "" {
			return v.AsString()
		}
		if v, ok := p.resource.Get(k); ok && v.AsString() != "" {
			return v.AsString()
		}
	}
	return ""
}

// node is the node that a point is of; nil when it has none, or there are too
// many.
func (m *Mapper) node(p point) *entity {
	name := p.label("k8s.node.name", "node")
	e := m.nodes[name]
	if e == nil {
		if name == "" || len(m.nodes) >= m.o.Limit {
			m.ignored++
			return nil
		}
		e = &entity{node: name}
		if m.o.NodeCPUs > 0 {
			e.set(cpuLimit, float64(m.o.NodeCPUs), 0)
			e.fresh = 0
		}
		m.nodes[name] = e
	}
	if id := p.label("host.id", "aws.ec2.instance.id"); id != "" {
		e.instance = id
	}
	m.touch(e)
	return e
}

// pod is the pod that a point is of; nil when it has none, or there are too many.
func (m *Mapper) pod(p point) *entity {
	key := podKey{p.label("k8s.namespace.name", "namespace"), p.label("k8s.pod.name", "pod")}
	e := m.pods[key]
	if e == nil {
		if key.name == "" || len(m.pods) >= m.o.Limit {
			m.ignored++
			return nil
		}
		e = &entity{namespace: key.namespace, name: key.name}
		m.pods[key] = e
	}
	if node := p.label("k8s.node.name", "node"); node != "" {
		e.node = node
	}
	if owner := p.label("k8s.deployment.name", "k8s.daemonset.name", "k8s.cronjob.name", "k8s.job.name"); owner != "" {
		e.owner = owner
	} else if p.label("k8s.statefulset.name") != "" {
		e.owner = key.name
	}
	if s := p.label("k8s.service.name"); s != "" {
		e.service = s
	}
	m.touch(e)
	return e
}

func (m *Mapper) service(p point, name string) *entity {
	key := podKey{p.label("namespace", "k8s.namespace.name"), name}
	e := m.services[key]
	if e == nil {
		if name == "" || len(m.services) >= m.o.Limit {
			m.ignored++
			return nil
		}
		e = &entity{namespace: key.namespace, service: name}
		m.services[key] = e
	}
	m.touch(e)
	return e
}

func (m *Mapper) touch(e *entity) {
	if e.fresh == 0 && (len(m.touched) == 0 || m.touched[len(m.touched)-1] != e) {
		m.touched = append(m.touched, e)
	}
	e.seen = m.now
}

// increase is by how much a counter grew since it was seen last, and in how many
// seconds; false the first time.
func (m *Mapper) increase(p point) (by, seconds float64, ok bool) {
	key := xxh3.HashString(p.name)
	for _, all := range [2]pcommon.Map{p.resource, p.Attributes()} {
		for k, v := range all.All() {
			key += xxh3.HashStringSeed(v.AsString(), xxh3.HashString(k))
		}
	}
	was, known := m.counters[key]
	if known && p.Timestamp() <= was.at || !known && len(m.counters) >= 4*m.o.Limit {
		return 0, 0, false
	}
	is := counter{p.value(), p.Timestamp(), m.now}
	m.counters[key] = is
	if by = is.value - was.value; by < 0 {
		by = is.value // began anew
	}
	return by, float64(is.at-was.at) / 1e9, known
}

// sweep forgets what was not heard of for a while.
func (m *Mapper) sweep() {
	if m.now.Sub(m.swept) < sweepEach {
		return
	}
	m.swept = m.now
	oldest := m.now.Add(-forgotten)
	for k, e := range m.nodes {
		if e.seen.Before(oldest) {
			delete(m.nodes, k)
		}
	}
	for _, all := range []map[podKey]*entity{m.pods, m.services} {
		for k, e := range all {
			if e.seen.Before(oldest) {
				delete(all, k)
			}
		}
	}
	for k, c := range m.counters {
		if c.seen.Before(oldest) {
			delete(m.counters, k)
		}
	}
}
