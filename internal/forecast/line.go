package forecast

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// maxFit is how many medians a line is fitted to: 496 pairs, some 20 µs.
const maxFit = 32

// xy is a sample with its time in seconds before now (x ≤ 0).
type xy struct{ x, y float64 }

// line is a Theil–Sen fit (Sen 1968): y = at0 + slope·x, with x = 0 now.
type line struct {
	slope, low, high float64 // 1/s; low and high hold the slope with 95 % (independent noise)
	at0              float64
	upper, worst     float64 // how far peaks stand above the line: 98 %, and the highest
	noise            float64 // robust deviation of one sample from its neighbour, trend removed
	span             float64 // of y
}

// fit needs at least three samples.
func fit(s []xy) line {
	n := len(s)
	slopes := make([]float64, 0, n*(n-1)/2)
	for i := range s {
		for j := i + 1; j < n; j++ {
			if dx := s[j].x - s[i].x; dx > 0 {
				slopes = append(slopes, (s[j].y-s[i].y)/dx)
			}
		}
	}
	slices.Sort(slopes)
	l := line{slope: quantileSorted(slopes, 0.5)}
	// Sen's interval from the variance of Kendall's S.
	fn := float64(n)
	c := 1.96 * math.Sqrt(fn*(fn-1)*(2*fn+5)/18) / float64(len(slopes))
	l.low, l.high = quantileSorted(slopes, (1-c)/2), quantileSorted(slopes, (1+c)/2)

	res := make([]float64, n)
	for i, p := range s {
		res[i] = p.y - l.slope*p.x
	}
	l.at0 = median(res)
	steps := make([]float64, 0, n-1)
	lo, hi := s[0].y, s[0].y
	for i, p := range s {
		res[i] -= l.at0
		if i > 0 {
			steps = append(steps, math.Abs(res[i]-res[i-1]))
		}
		lo, hi = min(lo, p.y), max(hi, p.y)
	}
	l.span = hi - lo
	l.noise = median(steps) / (0.6745 * math.Sqrt2)
	return l
}

// peaks measures how far samples, not medians, stand above the line: the first
// of them to touch the limit is what counts.
func (l *line) peaks(raw []xy) {
	res := make([]float64, len(raw))
	for i, p := range raw {
		res[i] = l.residual(p)
	}
	l.upper, l.worst = max(quantile(res, 0.98), 0), max(slices.Max(res), 0)
}

// left reports whether the newest samples have left everything that the window
// has seen: a flood began, or a step came, too late to move a median. A
// sawtooth's teeth stay inside.
func (l line) left(raw []xy) bool {
	older := raw[:len(raw)-max(len(raw)/5, 3)]
	seen := max(0.02*l.span, 4*l.noise, 1.5*quantile(l.distances(older), 0.95))
	newest := make([]float64, 0, 3)
	for _, p := range raw[len(raw)-3:] {
		newest = append(newest, l.residual(p))
	}
	return math.Abs(median(newest)) > seen
}

// turned reports whether the newest half or quarter is explained far better by
// a line of its own than by that of the whole. Noise and sawteeth gain little
// from a line of their own; a corner or a bend gains four times and more.
func (l line) turned(raw []xy) bool {
	for _, share := range [...]float64{0.5, 0.25} {
		newest := since(raw, raw[0].x*share)
		if len(newest) < minPoints {
			return false
		}
		own := fit(thin(newest))
		if median(l.distances(newest)) > 2.5*median(own.distances(newest))+0.01*l.span {
			return true
		}
	}
	return false
}

func (l line) distances(s []xy) []float64 {
	d := make([]float64, len(s))
	for i, p := range s {
		d[i] = math.Abs(l.residual(p))
	}
	return d
}

func (l line) residual(p xy) float64 { return p.y - l.at0 - l.slope*p.x }

// thin reduces a window to at most maxFit medians, each of equal time.
func thin(raw []xy) []xy {
	if len(raw) <= maxFit {
		return raw
	}
	from := raw[0].x
	width := (raw[len(raw)-1].x - from) / maxFit
	out := make([]xy, 0, maxFit)
	var xs, ys []float64
	slot := 0
	flush := func() {
		if len(xs) > 0 {
			out = append(out, xy{median(xs), median(ys)})
			xs, ys = xs[:0], ys[:0]
		}
	}
	for _, p := range raw {
		if at := min(int((p.x-from)/width), maxFit-1); at != slot {
			flush()
			slot = at
		}
		xs, ys = append(xs, p.x), append(ys, p.y)
	}
	flush()
	return out
}

// relative turns the newest window of points into xy.
func relative(points []Point, now time.Time, window time.Duration) []xy {
	from, _ := slices.BinarySearchFunc(points, now.Add(-window), func(p Point, t time.Time) int { return p.At.Compare(t) })
	out := make([]xy, 0, len(points)-from)
	for _, p := range points[from:] {
		if isFinite(p.Value) {
			out = append(out, xy{p.At.Sub(now).Seconds(), p.Value})
		}
	}
	return out
}

// since gives the samples at x or later.
func since(s []xy, x float64) []xy {
	i, _ := slices.BinarySearchFunc(s, x, func(p xy, x float64) int { return cmp.Compare(p.x, x) })
	return s[i:]
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func median(v []float64) float64 { return quantile(v, 0.5) }

// quantile leaves v as it is.
func quantile(v []float64, q float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return quantileSorted(s, q)
}

func quantileSorted(s []float64, q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	at := min(max(q, 0), 1) * float64(len(s)-1)
	i := int(at)
	if i == len(s)-1 {
		return s[i]
	}
	return s[i] + (at-float64(i))*(s[i+1]-s[i])
}
