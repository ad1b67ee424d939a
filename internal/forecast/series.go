package forecast

import (
	"slices"
	"time"
)

// Point is one sample of a series, in any unit.
type Point struct {
	At    time.Time
	Value float64
}

// Sizes of a Track: 256 newest samples as they came, and 256 medians of 15 s
// behind them, 64 minutes. Together about 12 KiB whatever the rate.
const (
	fineSize   = 256
	coarseSize = 256
	coarseStep = 15 * time.Second
)

// Track keeps as much of one series as Predict can use, in fixed memory. The
// zero value is ready. Not safe for concurrent use.
type Track struct {
	fine, coarse []Point
	bucket       []float64 // samples of the coarse step that is being filled
	bucketAt     time.Time
	dropped      uint64
}

// Add takes a sample. One that is not newer than the last, or is not finite, is
// left out and counted.
func (t *Track) Add(at time.Time, value float64) {
	if n := len(t.fine); n > 0 && !at.After(t.fine[n-1].At) || !isFinite(value) {
		t.dropped++
		return
	}
	if step := at.Truncate(coarseStep); !step.Equal(t.bucketAt) {
		t.flush()
		t.bucketAt = step
	}
	if len(t.bucket) < fineSize { // more than 17 samples a second say nothing more
		t.bucket = append(t.bucket, value)
	}
	t.fine = push(t.fine, Point{at, value}, fineSize)
}

func (t *Track) flush() {
	if len(t.bucket) > 0 {
		t.coarse = push(t.coarse, Point{t.bucketAt.Add(coarseStep / 2), median(t.bucket)}, coarseSize)
		t.bucket = t.bucket[:0]
	}
}

// Points gives the series, oldest first: medians, then samples.
func (t *Track) Points() []Point {
	if len(t.fine) == 0 {
		return nil
	}
	out := make([]Point, 0, len(t.coarse)+len(t.fine))
	for _, p := range t.coarse {
		// A median whose step reaches into the samples would count them twice.
		if p.At.Add(coarseStep / 2).After(t.fine[0].At) {
			break
		}
		out = append(out, p)
	}
	return append(out, t.fine...)
}

// Last is the newest sample; ok is false for an empty Track.
func (t *Track) Last() (p Point, ok bool) {
	if len(t.fine) == 0 {
		return Point{}, false
	}
	return t.fine[len(t.fine)-1], true
}

// Dropped counts samples that were too old or not finite.
func (t *Track) Dropped() uint64 { return t.dropped }

// push appends p to s, which never grows past limit: the oldest goes.
func push(s []Point, p Point, limit int) []Point {
	if len(s) == limit {
		copy(s, s[1:])
		s[limit-1] = p
		return s
	}
	return append(s, p)
}

// CounterRate is how much a monotonic counter grew a second over its newest
// window. A value below its predecessor is a reset: what was counted since
// counts. ok is false with fewer than two points in the window.
func CounterRate(points []Point, window time.Duration) (rate float64, ok bool) {
	if len(points) < 2 {
		return 0, false
	}
	end := points[len(points)-1].At
	from, _ := slices.BinarySearchFunc(points, end.Add(-window), func(p Point, t time.Time) int { return p.At.Compare(t) })
	w := points[from:]
	if len(w) < 2 {
		return 0, false
	}
	sum := 0.0
	for i := 1; i < len(w); i++ {
		d := w[i].Value - w[i-1].Value
		if d < 0 {
			d = w[i].Value
		}
		sum += d
	}
	return sum / end.Sub(w[0].At).Seconds(), true
}

// Median is the median of the values; 0 of an empty series.
func Median(points []Point) float64 {
	v := make([]float64, len(points))
	for i, p := range points {
		v[i] = p.Value
	}
	return median(v)
}
