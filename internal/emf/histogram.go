package emf

import (
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// distribution is values with how often each occurred, ascending.
type distribution struct {
	values, counts []float64
	sum, min, max  float64
	known          bool // min and max are the point's own, else made of values
	summed         bool // sum is the point's own
}

func (d *distribution) reset() {
	d.values, d.counts = d.values[:0], d.counts[:0]
	*d = distribution{values: d.values, counts: d.counts}
}

func (d *distribution) add(value float64, count uint64) {
	if count > 0 {
		d.values = append(d.values, value)
		d.counts = append(d.counts, float64(count))
	}
}

// buckets is what a cumulative histogram last was.
type buckets struct {
	start, at, seen int64
	count           uint64
	sum             float64
	scale           int32     // exponential
	zero            uint64    // exponential
	bounds          []float64 // explicit
	counts          []uint64  // explicit
	pos, neg        exponents
}

// exponents are the counts of an exponential histogram from offset on.
type exponents struct {
	offset int32
	counts []uint64
}

// at is the count of one bucket.
func (e *exponents) at(i int32) uint64 {
	if j := int64(i) - int64(e.offset); j >= 0 && j < int64(len(e.counts)) {
		return e.counts[j]
	}
	return 0
}

// coarsen halves the resolution so many times, as a sender does when its range
// grows.
func (e *exponents) coarsen(by int32) exponents {
	var c exponents
	if len(e.counts) == 0 {
		return c
	}
	c.offset = e.offset >> by
	c.counts = make([]uint64, (e.offset+int32(len(e.counts))-1)>>by-c.offset+1)
	for i, n := range e.counts {
		c.counts[(e.offset+int32(i))>>by-c.offset] += n
	}
	return c
}

// less takes from e what was; false when e had less of it somewhere, so that it
// began anew.
func (e *exponents) less(was exponents) (exponents, bool) {
	d := exponents{offset: e.offset, counts: slices.Clone(e.counts)}
	for i, n := range was.counts {
		b := was.offset + int32(i)
		if n == 0 {
			continue
		}
		if e.at(b) < n {
			return d, false
		}
		d.counts[b-d.offset] -= n
	}
	return d, true
}

// stepExplicit is deltas.step for a histogram: is becomes the difference.
func (d *deltas) stepExplicit(k series, is *buckets, now time.Time) Reason {
	return d.stepBuckets(k, is, now, func(was *buckets) bool {
		if !slices.Equal(was.bounds, is.bounds) || len(was.counts) != len(is.counts) {
			return false
		}
		for i, n := range was.counts {
			if is.counts[i] < n {
				return false
			}
		}
		for i, n := range was.counts {
			is.counts[i] -= n
		}
		return true
	})
}

// stepExponential is deltas.step for an exponential histogram.
func (d *deltas) stepExponential(k series, is *buckets, now time.Time) Reason {
	return d.stepBuckets(k, is, now, func(was *buckets) bool {
		if is.scale > was.scale || is.zero < was.zero {
			return false
		}
		pos, fine := is.pos.less(was.pos.coarsen(was.scale - is.scale))
		if !fine {
			return false
		}
		neg, fine := is.neg.less(was.neg.coarsen(was.scale - is.scale))
		if !fine {
			return false
		}
		is.pos, is.neg, is.zero = pos, neg, is.zero-was.zero
		return true
	})
}

// stepBuckets keeps a copy of is and lets subtract take what was; where that
// cannot be, the series began anew and all of it is new.
func (d *deltas) stepBuckets(k series, is *buckets, now time.Time, subtract func(was *buckets) bool) Reason {
	was := d.buckets[k]
	switch {
	case was == nil && !d.room(now):
		return TooManySeries
	case was != nil && is.at <= was.at:
		return OutOfOrder
	}
	kept := *is
	kept.seen = now.Unix()
	kept.counts, kept.bounds = slices.Clone(is.counts), slices.Clone(is.bounds)
	d.buckets[k] = &kept
	switch {
	case was == nil && d.since(is.start):
		return ok
	case was == nil:
		return Initial
	}
	if is.start <= was.at && is.count >= was.count && subtract(was) {
		is.count -= was.count
		is.sum -= was.sum
	}
	return ok
}

// explicit takes in a point; b's buffers are used again.
func (b *buckets) explicit(p pmetric.HistogramDataPoint) {
	*b = buckets{
		start: int64(p.StartTimestamp()), at: int64(p.Timestamp()), count: p.Count(), sum: p.Sum(),
		bounds: b.bounds[:0], counts: b.counts[:0],
	}
	for i := range p.ExplicitBounds().Len() {
		b.bounds = append(b.bounds, p.ExplicitBounds().At(i))
	}
	for i := range p.BucketCounts().Len() {
		b.counts = append(b.counts, p.BucketCounts().At(i))
	}
}

func exponentialOf(p pmetric.ExponentialHistogramDataPoint) *buckets {
	return &buckets{
		start: int64(p.StartTimestamp()), at: int64(p.Timestamp()), count: p.Count(), sum: p.Sum(), scale: p.Scale(), zero: p.ZeroCount(),
		pos: exponents{p.Positive().Offset(), p.Positive().BucketCounts().AsRaw()},
		neg: exponents{p.Negative().Offset(), p.Negative().BucketCounts().AsRaw()},
	}
}

// explicit puts each bucket at its middle. The outermost have no middle: they are
// at the smallest and largest value, where these are known, else at their bound.
func (d *distribution) explicit(b *buckets) {
	for i, n := range b.counts {
		var v float64
		switch {
		case len(b.bounds) == 0:
			// One bucket for everything: the mean is what is known.
			v = b.sum / float64(max(b.count, 1))
		case i == 0:
			v = b.bounds[0]
			if d.known {
				v = (d.min + min(v, d.max)) / 2
			} else if v > 0 {
				v /= 2
			}
		case i < len(b.bounds):
			v = b.bounds[i-1]/2 + b.bounds[i]/2
		default:
			v = b.bounds[len(b.bounds)-1]
			if d.known {
				v = (max(v, d.min) + d.max) / 2
			}
		}
		if d.known {
			v = min(max(v, d.min), d.max)
		}
		d.add(v, n)
	}
	if len(b.counts) == 0 && b.count > 0 {
		d.add(b.sum/float64(b.count), b.count)
	}
}

// exponential puts each bucket at its middle, the geometric one being no better
// for what CloudWatch makes of it.
func (d *distribution) exponential(b *buckets) {
	base := math.Exp2(math.Exp2(-float64(b.scale)))
	for i := len(b.neg.counts) - 1; i >= 0; i-- {
		lower := math.Pow(base, float64(b.neg.offset+int32(i)))
		d.add(-(lower+lower*base)/2, b.neg.counts[i])
	}
	d.add(0, b.zero)
	for i, n := range b.pos.counts {
		lower := math.Pow(base, float64(b.pos.offset+int32(i)))
		d.add((lower+lower*base)/2, n)
	}
	if d.known {
		for i, v := range d.values {
			d.values[i] = min(max(v, d.min), d.max)
		}
	}
}

// finish fills in what the point did not tell and checks that all are numbers
// that CloudWatch takes.
func (d *distribution) finish(scale float64) Reason {
	if len(d.values) == 0 {
		return ok
	}
	for i := range d.values {
		d.values[i] *= scale
		if !inRange(d.values[i]) {
			return NotANumber
		}
	}
	d.sum, d.min, d.max = d.sum*scale, d.min*scale, d.max*scale
	if !d.known {
		d.min, d.max = d.values[0], d.values[len(d.values)-1]
	}
	if !d.summed {
		d.sum = 0
		for i, v := range d.values {
			d.sum += v * d.counts[i]
		}
	}
	if !inRange(d.sum) || !inRange(d.min) || !inRange(d.max) {
		return NotANumber
	}
	return ok
}

// limit of what CloudWatch takes.
var largest = math.Exp2(360)

func inRange(v float64) bool { return v >= -largest && v <= largest }

// appendPart appends the values from i on, at most 100, and how many they were.
// The sum of a part is its share of the whole sum, so that the parts add up.
func (d *distribution) appendPart(b []byte, i int) ([]byte, int) {
	n := min(len(d.values)-i, maxValues)
	all, part, count := 0.0, 0.0, 0.0
	for j, v := range d.values {
		all += v * d.counts[j]
		if j >= i && j < i+n {
			part += v * d.counts[j]
			count += d.counts[j]
		}
	}
	sum, low, high := d.sum, d.min, d.max
	if n < len(d.values) {
		low, high = d.values[i], d.values[i+n-1]
		if all != 0 {
			sum *= part / all
		} else {
			sum = 0
		}
	}
	b = append(b, `{"Values":[`...)
	for j := i; j < i+n; j++ {
		if j > i {
			b = append(b, ',')
		}
		b = AppendFloat(b, d.values[j])
	}
	b = append(b, `],"Counts":[`...)
	for j := i; j < i+n; j++ {
		if j > i {
			b = append(b, ',')
		}
		b = AppendFloat(b, d.counts[j])
	}
	b = append(b, `],"Max":`...)
	b = AppendFloat(b, high)
	b = append(b, `,"Min":`...)
	b = AppendFloat(b, low)
	b = append(b, `,"Count":`...)
	b = AppendFloat(b, count)
	b = append(b, `,"Sum":`...)
	b = AppendFloat(b, sum)
	return append(b, '}'), n
}
