package warroomexporter

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const other = "other"

// arrivals counts what comes in, by source, and holds the last value of each
// metric name.
type arrivals struct {
	maxSources, maxMetrics int

	mu            sync.Mutex
	sources       map[sourceKey]*arrival // guarded by mu; at most maxSources + one "other" a signal
	lastMetrics   map[string]lastValue   // guarded by mu; at most maxMetrics
	metricsHidden uint64                 // guarded by mu: data points of names beyond maxMetrics
}

type sourceKey struct{ signal, service, scope string }

// arrival is one source's count: in all, and by second over the last ten.
type arrival struct {
	total  uint64
	last   time.Time
	second int64 // Unix second of the newest bucket
	recent [rateSeconds + 1]uint64
}

// rateSeconds is what a rate is averaged over; the second under way is left out.
const rateSeconds = 10

// refresh is how often a metric's last value is taken anew: faster than anyone
// reads would only cost, since each takes its labels along.
const refresh = 500 * time.Millisecond

// number is a float64 that JSON can carry: NaN and infinities become null.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', -1, 64), nil
}

type lastValue struct {
	Name    string            `json:"name"`
	Unit    string            `json:"unit"`
	Value   number            `json:"value"`
	Points  int               `json:"points"` // data points in the newest batch that had it
	Labels  map[string]string `json:"labels"`
	At      time.Time         `json:"at"`
	Service string            `json:"service"`
}

func newArrivals(maxSources, maxMetrics int) *arrivals {
	return &arrivals{
		maxSources: maxSources, maxMetrics: maxMetrics,
		sources: map[sourceKey]*arrival{}, lastMetrics: map[string]lastValue{},
	}
}

func (a *arrivals) metrics(md pmetric.Metrics, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, rm := range md.ResourceMetrics().All() {
		service := serviceOf(rm.Resource())
		for _, sm := range rm.ScopeMetrics().All() {
			points := 0
			for _, m := range sm.Metrics().All() {
				points += a.lastOf(m, service, now)
			}
			a.add("metrics", service, sm.Scope().Name(), points, now)
		}
	}
}

func (a *arrivals) logs(ld plog.Logs, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, rl := range ld.ResourceLogs().All() {
		service := serviceOf(rl.Resource())
		for _, sl := range rl.ScopeLogs().All() {
			a.add("logs", service, sl.Scope().Name(), sl.LogRecords().Len(), now)
		}
	}
}

func (a *arrivals) traces(td ptrace.Traces, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, rs := range td.ResourceSpans().All() {
		service := serviceOf(rs.Resource())
		for _, ss := range rs.ScopeSpans().All() {
			a.add("traces", service, ss.Scope().Name(), ss.Spans().Len(), now)
		}
	}
}

// add counts n of a source. The caller holds mu.
func (a *arrivals) add(signal, service, scope string, n int, now time.Time) {
	key := sourceKey{signal, service, scope}
	s := a.sources[key]
	if s == nil {
		if len(a.sources) >= a.maxSources {
			key = sourceKey{signal, other, ""}
		} else {
			key.scope = cut(scope, 128)
		}
		if s = a.sources[key]; s == nil {
			s = &arrival{second: now.Unix()}
			a.sources[key] = s
		}
	}
	s.total += uint64(n)
	s.last = now
	s.bucket(now.Unix())
	s.recent[now.Unix()%int64(len(s.recent))] += uint64(n)
}

// bucket empties the buckets of the seconds that have passed since the newest.
func (s *arrival) bucket(second int64) {
	for passed := min(second-s.second, int64(len(s.recent))); passed > 0; passed-- {
		s.recent[(second-passed+1)%int64(len(s.recent))] = 0
	}
	s.second = max(s.second, second)
}

// rate is a second's average over the last rateSeconds whole seconds.
func (s *arrival) rate(now time.Time) float64 {
	s.bucket(now.Unix())
	var sum uint64
	for i, n := range s.recent {
		if int64(i) != now.Unix()%int64(len(s.recent)) {
			sum += n
		}
	}
	return float64(sum) / rateSeconds
}

// sourceRow is a source as the page shows it.
type sourceRow struct {
	Signal  string    `json:"signal"`
	Service string    `json:"service"`
	Scope   string    `json:"scope"`
	Total   uint64    `json:"total"`
	Rate    float64   `json:"rate"` // per second, over the last ten
	Last    time.Time `json:"last"`
}

// list returns the sources, the busiest first.
func (a *arrivals) list(now time.Time) []sourceRow {
	a.mu.Lock()
	defer a.mu.Unlock()
	rows := make([]sourceRow, 0, len(a.sources))
	for k, s := range a.sources {
		rows = append(rows, sourceRow{k.signal, k.service, k.scope, s.total, s.rate(now), s.last})
	}
	slices.SortFunc(rows, func(x, y sourceRow) int {
		if x.Rate != y.Rate {
			if x.Rate > y.Rate {
				return -1
			}
			return 1
		}
		return strings.Compare(x.Signal+x.Service+x.Scope, y.Signal+y.Service+y.Scope)
	})
	return rows
}

// values returns the last value of each metric name, by name, and how many data
// points had a name beyond the limit.
func (a *arrivals) values() ([]lastValue, uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	rows := make([]lastValue, 0, len(a.lastMetrics))
	for _, v := range a.lastMetrics {
		rows = append(rows, v)
	}
	slices.SortFunc(rows, func(x, y lastValue) int { return strings.Compare(x.Name, y.Name) })
	return rows, a.metricsHidden
}

// lastOf keeps a metric's last data point and returns how many it has. The
// caller holds mu.
func (a *arrivals) lastOf(m pmetric.Metric, service string, now time.Time) int {
	value, attrs, n := lastPoint(m)
	if n == 0 {
		return 0
	}
	name := m.Name()
	switch old, ok := a.lastMetrics[name]; {
	case ok && now.Sub(old.At) < refresh:
		return n
	case !ok && len(a.lastMetrics) >= a.maxMetrics:
		a.metricsHidden += uint64(n)
		return n
	}
	v := lastValue{Name: cut(name, 256), Unit: cut(m.Unit(), 64), Value: number(value), Points: n, At: now, Service: service, Labels: map[string]string{}}
	for k, av := range attrs.All() {
		if len(v.Labels) == 12 {
			break
		}
		v.Labels[cut(k, 64)] = cut(av.AsString(), 128)
	}
	a.lastMetrics[v.Name] = v
	return n
}

// lastPoint is the newest value of a metric: a histogram's is its mean.
func lastPoint(m pmetric.Metric) (value float64, attrs pcommon.Map, n int) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return numberPoint(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		return numberPoint(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		if d := m.Histogram().DataPoints(); d.Len() > 0 {
			p := d.At(d.Len() - 1)
			return mean(p.Sum(), p.Count()), p.Attributes(), d.Len()
		}
	case pmetric.MetricTypeExponentialHistogram:
		if d := m.ExponentialHistogram().DataPoints(); d.Len() > 0 {
			p := d.At(d.Len() - 1)
			return mean(p.Sum(), p.Count()), p.Attributes(), d.Len()
		}
	case pmetric.MetricTypeSummary:
		if d := m.Summary().DataPoints(); d.Len() > 0 {
			p := d.At(d.Len() - 1)
			return mean(p.Sum(), p.Count()), p.Attributes(), d.Len()
		}
	}
	return 0, pcommon.Map{}, 0
}

func numberPoint(d pmetric.NumberDataPointSlice) (float64, pcommon.Map, int) {
	if d.Len() == 0 {
		return 0, pcommon.Map{}, 0
	}
	p := d.At(d.Len() - 1)
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(p.IntValue()), p.Attributes(), d.Len()
	}
	return p.DoubleValue(), p.Attributes(), d.Len()
}

func mean(sum float64, count uint64) float64 {
	if count == 0 {
		return 0
	}
	return sum / float64(count)
}
