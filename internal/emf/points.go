package emf

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

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
