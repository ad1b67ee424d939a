package replay

import "math"

// rng is SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014): eight bytes of state, a nanosecond a number, and
// any state is a good one, so each population can have its own.
type rng struct{ state uint64 }

const golden = 0x9e3779b97f4a7c15

// mix is SplitMix64's finalizer: a bijection that scatters its input's bits.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// newRNG is a generator for one named purpose under a seed.
func newRNG(seed uint64, purpose string) rng {
	h := mix(seed + golden)
	for i := range len(purpose) {
		h = mix(h ^ uint64(purpose[i]) + golden)
	}
	return rng{state: h}
}

func (r *rng) next() uint64 {
	r.state += golden
	return mix(r.state)
}

// below is in [0, n); n > 0. The bias of the multiply-shift is below 2^-32 for
// the n used here.
func (r *rng) below(n int) int {
	return int((r.next() >> 32) * uint64(n) >> 32)
}

// unit is in [0, 1).
func (r *rng) unit() float64 { return float64(r.next()>>11) * 0x1p-53 }

// between is uniform in [low, high].
func (r *rng) between(low, high float64) float64 { return low + (high-low)*r.unit() }

// betweenLog is uniform in the logarithm.
func (r *rng) betweenLog(low, high float64) float64 {
	return low * math.Pow(high/low, r.unit())
}

func (r *rng) intn(low, high int) int { return low + r.below(high-low+1) }

// chance is true with probability p.
func (r *rng) chance(p float64) bool { return r.unit() < p }

// poisson is a Poisson variate; floor is exp(-mean), which the caller keeps.
// Above a mean of 30 the rounded normal approximation stands in.
func (r *rng) poisson(mean, floor float64) int {
	if mean <= 0 {
		return 0
	}
	if mean > 30 {
		u, v := 1-r.unit(), r.unit()
		n := mean + math.Sqrt(mean)*math.Sqrt(-2*math.Log(u))*math.Cos(2*math.Pi*v)
		return max(0, int(n+0.5))
	}
	n, p := 0, r.unit()
	for p > floor {
		p *= r.unit()
		n++
	}
	return n
}

func pick[T any](r *rng, from []T) T { return from[r.below(len(from))] }
