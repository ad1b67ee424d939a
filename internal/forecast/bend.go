package forecast

import (
	"math"
	"slices"
	"time"
)

// parts is how many pieces of a window give a slope each.
const parts = 8

// bend is the first-order law dv/dt = a + b·v: b is negative where a share of
// what is there expires, positive where growth feeds on itself.
type bend struct {
	a, b      float64
	low, high float64 // quartiles of b
	at0       float64 // level now
}

// bendOf asks whether the slope follows the level. b is the Theil–Sen slope of
// the pieces' slopes over their levels. ok only where Kendall's S says so at
// 0.5 % (|S| ≥ 22 of 28): noise bends every line a little, and an extrapolated
// bend is worse than none.
func bendOf(s []xy) (f bend, ok bool) {
	if len(s) < 3*parts {
		return bend{}, false
	}
	var piece [parts]xy // x: level, y: slope
	for i := range piece {
		c := s[i*len(s)/parts : (i+1)*len(s)/parts]
		l := fit(c)
		piece[i] = xy{l.at0 + l.slope*(c[0].x+c[len(c)-1].x)/2, l.slope}
		f.at0 = l.at0
	}
	bs := make([]float64, 0, parts*(parts-1)/2)
	kendall := 0
	for i := range piece {
		for j := i + 1; j < parts; j++ {
			dx, dy := piece[j].x-piece[i].x, piece[j].y-piece[i].y
			switch {
			case dx == 0 || dy == 0:
				continue
			case dx*dy > 0:
				kendall++
			default:
				kendall--
			}
			bs = append(bs, dy/dx)
		}
	}
	if kendall < 22 && kendall > -22 {
		return bend{}, false
	}
	slices.Sort(bs)
	f.b, f.low, f.high = quantileSorted(bs, 0.5), quantileSorted(bs, 0.25), quantileSorted(bs, 0.75)
	as := make([]float64, parts)
	for i, p := range piece {
		as[i] = p.y - f.b*p.x
	}
	f.a = median(as)
	return f, true
}

// holds reports whether the law gives the slopes of the newest quarter and of
// the newest eighth within 15 %, and explains the window far better than
// the line does. The corner at which a flood begins looks bent but fails the
// first, a sawtooth the second.
func (f bend) holds(s []xy, l line) bool {
	for _, parts := range [...]int{4, parts} {
		q := s[len(s)-len(s)/parts:]
		end := fit(q)
		mid := end.at0 + end.slope*(q[0].x+q[len(q)-1].x)/2
		if math.Abs(f.a+f.b*mid-end.slope) > 0.15*math.Abs(end.slope) {
			return false
		}
	}
	res := make([]float64, len(s))
	for i, p := range s {
		res[i] = p.y - (f.at0+f.a/f.b)*math.Exp(f.b*p.x) + f.a/f.b
	}
	offset := median(res)
	for i := range res {
		res[i] = math.Abs(res[i] - offset)
	}
	return median(res) < 0.5*median(l.distances(s))
}

// reaches turns the law into a prediction; l gives how far peaks stand above it.
func (f bend) reaches(l line, raw []xy, limit float64, w time.Duration) (Prediction, bool) {
	slope := f.a + f.b*f.at0
	if raw[len(raw)-1].y >= limit {
		return Prediction{Slope: slope, Window: w}, true
	}
	if slope <= 0 {
		return Prediction{}, false
	}
	gap := max(limit-f.at0, 0)
	return prediction(curve(slope, f.b, gap), curve(slope, f.high, max(gap-2*l.noise, 0)), curve(slope, f.low, gap), slope, w)
}

// curve is the time in which a growth of slope, that changes with the level by
// b, covers gap: ∫ dg / (slope + b·g). It is infinite where the growth ends
// before.
func curve(slope, b, gap float64) float64 {
	switch x := b * gap / slope; {
	case x <= -1:
		return math.Inf(1)
	case math.Abs(x) < 1e-3:
		return gap / slope
	default:
		return math.Log1p(x) / b
	}
}
