package detect

import "math"

// pace is the request rate that a service usually has: an exponentially
// weighted mean of the rate's logarithm and of its deviation, beside the median
// of the same hour of the week. It stands still while something is suspicious
// and may not drift faster than driftCap.
type pace struct {
	mean, dev float64 // of ln(1 + requests a second)
	fast      float64 // mean of the last fastSpan
	n         int     // ticks learned
	hours     [168][4]float32
	hour      int64 // number of the hour being averaged
	hourSum   float64
	hourN     int
}

const (
	paceSpan = 300.0 // s, of the mean
	fastSpan = 30.0
	// driftCap is how much the expected rate may change a minute once it is
	// known: the steepest match ramp of the 1998 World Cup is 2.5× in 15 minutes,
	// 6.3 % a minute, and should be told as a crowd.
	driftCap    = 0.02
	paceWarmUp  = 10 // ticks until there is an expectation,
	paceSettled = 30 // and until a surge does not move it: a log may begin in the middle of one
	// surgeBar is how many times its expectation a rate must reach to be called
	// a crowd, if that is beyond surgeSigma deviations too. Growth above 1.4× in
	// 15 minutes is rarer than one minute in a hundred on the 1998 World Cup.
	surgeBar   = 1.4
	surgeSigma = 4.0
	// visitSize is how many requests come together, as a visit: their number
	// varies that much more than Poisson's.
	visitSize = 8.0
)

// learn takes the rate of the last ten seconds. While it is that of a surge, however
// young the expectation is, it only drifts.
func (p *pace) learn(second int64, rate float64, surging bool) {
	x := math.Log1p(rate)
	if surging && p.n >= paceSettled {
		p.mean += min(max(x-p.mean, -driftCap/60*paceSpan), driftCap/60*paceSpan) / paceSpan
		return
	}
	p.n++
	a := max(1/float64(p.n), 1/paceSpan)
	off := x - p.mean
	// Deviation is of the last half minute's course: a trend is not noise.
	p.fast += max(1/float64(p.n), 1.0/fastSpan) * (x - p.fast)
	p.dev += a * (min(math.Abs(x-p.fast), 1) - p.dev)
	if p.n > 60 {
		off = min(max(off, -driftCap/60*paceSpan), driftCap/60*paceSpan)
	}
	p.mean += a * off
	h := second / 3600
	if h != p.hour {
		p.closeHour(h)
	}
	p.hourSum += x
	p.hourN++
}

func (p *pace) closeHour(next int64) {
	if p.hourN >= 600 {
		w := &p.hours[((p.hour%168)+168)%168]
		copy(w[1:], w[:3])
		w[0] = float32(p.hourSum / float64(p.hourN))
	}
	p.hour, p.hourSum, p.hourN = next, 0, 0
}

// usual is the median of this hour of the last weeks; 0 without two of them.
func (p *pace) usual(second int64) float64 {
	w := p.hours[((second/3600%168)+168)%168]
	n := 0
	for ; n < len(w) && w[n] > 0; n++ {
		for j := n; j > 0 && w[j] < w[j-1]; j-- {
			w[j], w[j-1] = w[j-1], w[j]
		}
	}
	if n < 2 {
		return 0
	}
	return math.Expm1(float64(w[n/2]))
}

// expected is the rate to expect, requests a second; 0 while it is unknown.
func (p *pace) expected(second int64) float64 {
	if p.n < paceWarmUp {
		return 0
	}
	return max(math.Expm1(p.mean), p.usual(second))
}

// surge says whether rate is above what is expected, widened by factor.
func (p *pace) surge(second int64, rate, factor float64) bool {
	e := p.expected(second)
	if e == 0 || rate < 5 {
		return false
	}
	e *= max(factor, 1)
	noise := 3 * math.Sqrt(visitSize/(10*e+1))
	return math.Log1p(rate)-math.Log1p(e) > max(math.Log(surgeBar), surgeSigma*1.25*p.dev, noise)
}
