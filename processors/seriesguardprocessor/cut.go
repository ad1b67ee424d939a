package seriesguardprocessor

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/vigie-otel/vigie/internal/sketch"
)

// reason is why a point does not pass.
type reason uint8

const (
	passed      reason = iota
	metricLimit        // max_series_per_metric
	totalLimit         // max_series
	namesLimit         // max_metrics
	reasons
)

var reasonNames = [reasons]string{"", "metric_limit", "total_limit", "names_limit"}

const (
	maxNamed = 100 // metrics that are named; the rest is "other"
	maxKeys  = 16  // attributes of a metric whose values are counted
	other    = "other"
)

// cuts is what was cut, by name. Guarded by the guard's mu. It takes memory only
// for what is cut: at most maxNamed × 36 KiB.
type cuts struct {
	named map[string]*cut // at most maxNamed
	other cut             // what has no name of its own
}

func newCuts() cuts { return cuts{named: map[string]*cut{}} }

// cut is what was cut of one metric.
type cut struct {
	metric *active // nil: max_metrics was reached
	sample string  // of other: one name
	points [reasons]int64

	// Of this window.
	since  time.Time // zero until report has seen it
	last   reason
	told   bool
	seen   int64 // points
	weight int64 // and the series that they stand for
	series sketch.HLL
	keys   []keyValues
}

// keyValues counts the values of one attribute in what was cut: the widest is
// most likely what made too many series.
type keyValues struct {
	key    string
	values sketch.HLL
}

// point is one that does not pass.
type point struct {
	metric *active // nil: max_metrics was reached
	name   string
	print  uint64
	weight int
}

// count takes in a point with where its labels come from: its resource, of which
// only job and instance are made, and its own attributes; or the resource alone,
// of whose attributes target_info is made.
func (cs *cuts) count(p point, why reason, id *identity, from ...pcommon.Map) {
	m, name := p.metric, p.name
	c := &cs.other
	if why != namesLimit { // where names explode, a name says nothing
		if known := cs.named[m.name]; known != nil {
			c = known
		} else if len(cs.named) < maxNamed {
			c = &cut{}
			cs.named[m.name] = c
		}
	}
	if c == &cs.other && c.sample == "" {
		c.sample = strings.Clone(name[:min(len(name), nameBytes)])
	}
	c.metric, c.last = m, why
	c.points[why]++
	c.seen++
	c.weight += int64(p.weight)
	if c == &cs.other {
		return
	}
	c.series.Add(p.print)
	for i, attrs := range from {
		c.values(id, attrs, i == 0 && len(from) > 1)
	}
}

// values counts the values of attributes.
func (c *cut) values(id *identity, attrs pcommon.Map, onlyIdentifying bool) {
	for key, v := range attrs.All() {
		if onlyIdentifying && !identifying(key) {
			continue
		}
		i := slices.IndexFunc(c.keys, func(k keyValues) bool { return k.key == key })
		if i < 0 {
			if len(c.keys) >= maxKeys || len(key) > nameBytes {
				continue
			}
			c.keys = append(c.keys, keyValues{key: strings.Clone(key)})
			i = len(c.keys) - 1
		}
		c.keys[i].values.Add(mix(id.label(id.seed, key, v)))
	}
}

// estimate is how many series were cut in this window.
func (c *cut) estimate() int64 {
	if c.seen == 0 {
		return 0
	}
	return int64(c.series.Estimate()) * c.weight / c.seen
}

// widest is the attribute with the most values in what was cut.
func (c *cut) widest() (key string, values uint64) {
	for i := range c.keys {
		if n := c.keys[i].values.Estimate(); n > values {
			key, values = c.keys[i].key, n
		}
	}
	return key, values
}

// turn begins a new window when the one before is over, and says so. The first
// begins when it is first looked at.
func (c *cut) turn(now time.Time, window time.Duration) bool {
	switch {
	case c.since.IsZero():
		c.since = now
		return false
	case now.Sub(c.since) < window:
		return false
	}
	*c = cut{metric: c.metric, points: c.points, since: now}
	return true
}

// tell says, once a window, that there is something to say.
func (c *cut) tell() bool {
	if c.seen == 0 || c.told {
		return false
	}
	c.told = true
	return true
}

// line is one line for the log.
type line struct {
	text   string
	fields []zap.Field
}

// report says of each metric that was cut, once a window, what was cut, and
// forgets those of which nothing was for a window.
func (g *guard) report(now time.Time) {
	g.mu.Lock()
	lines := g.linesLocked(now)
	g.mu.Unlock()
	for _, l := range lines {
		g.log.Warn(l.text, l.fields...)
	}
}

func (g *guard) linesLocked(now time.Time) (lines []line) {
	for name, c := range g.cuts.named {
		idle := c.seen == 0
		if c.turn(now, g.cfg.ActiveWindow) && idle {
			delete(g.cuts.named, name)
		} else if c.tell() {
			lines = append(lines, g.lineOf(name, c))
		}
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.fields[0].String, b.fields[0].String) })
	c := &g.cuts.other
	c.turn(now, g.cfg.ActiveWindow)
	if c.tell() {
		lines = append(lines, line{"new series of further metrics are cut", []zap.Field{
			zap.String("metric", strings.ToValidUTF8(c.sample, "")), zap.String("reason", reasonNames[c.last]),
			zap.Int64("points_cut", c.seen), zap.Int("metrics", len(g.metrics)), zap.Int("max_metrics", g.cfg.MaxMetrics),
		}})
	}
	return lines
}

func (g *guard) lineOf(name string, c *cut) line {
	key, values := c.widest()
	limit, key2 := g.perMetric, "max_series_per_metric"
	if c.last == totalLimit {
		limit, key2 = g.cfg.MaxSeries, "max_series"
	}
	return line{"new series of a metric are cut: take the widest attribute away before this processor, or raise the limit", []zap.Field{
		zap.String("metric", name), zap.String("reason", reasonNames[c.last]), zap.Int(key2, limit),
		zap.Int("active_series", c.metric.series), zap.Int64("series_cut", c.estimate()), zap.Int64("points_cut", c.seen),
		zap.String("widest_attribute", key), zap.Uint64("its_values", values),
	}}
}
