package replay

import "math"

// The distributions that the inner loop draws from are laid out beforehand as
// tables of equally likely entries: one random number and one load a draw.

// tableSize is a power of two; a draw masks the random number with it.
const tableSize = 4096

// weighted lays n indices out in proportion to their weights; each that has any
// weight gets at least one entry.
func weighted(weights []float64) []uint16 {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	out := make([]uint16, 0, tableSize)
	carry := 0.0
	for i, w := range weights {
		carry += w / sum * tableSize
		n := int(carry)
		if n == 0 && w > 0 {
			n = 1
		}
		carry -= float64(n)
		for range n {
			if len(out) < tableSize {
				out = append(out, uint16(i))
			}
		}
	}
	for i := 0; len(out) < tableSize; i++ {
		out = append(out, out[i])
	}
	return out
}

// geometric weights: each next one has the given share of the one before, as the
// versions of an application in the field.
func geometric(n int, ratio float64) []float64 {
	out := make([]float64, n)
	w := 1.0
	for i := range out {
		out[i] = w
		w *= ratio
	}
	return out
}

// zipfSize entries hold the popularity of contents with a fine enough tail.
const zipfSize = 1 << 16

// zipf is the quantile table of a Zipf law with exponent s over n ranks.
func zipf(n int, s float64) []uint16 {
	n = min(n, math.MaxUint16)
	cumulative := make([]float64, n)
	sum := 0.0
	for i := range cumulative {
		sum += math.Pow(float64(i+1), -s)
		cumulative[i] = sum
	}
	out := make([]uint16, zipfSize)
	rank := 0
	for i := range out {
		u := (float64(i) + 0.5) / zipfSize * sum
		for rank < n-1 && cumulative[rank] < u {
			rank++
		}
		out[i] = uint16(rank)
	}
	return out
}

// lognormal holds 1,024 quantiles of a log-normal law with mean 1.
func lognormal(sigma float64) []float32 {
	out := make([]float32, 1024)
	sum := 0.0
	for i := range out {
		p := (float64(i) + 0.5) / float64(len(out))
		v := math.Exp(sigma * math.Sqrt2 * math.Erfinv(2*p-1))
		out[i] = float32(v)
		sum += v
	}
	mean := float32(sum / float64(len(out)))
	for i := range out {
		out[i] /= mean
	}
	return out
}

// exponential holds 1,024 quantiles of the exponential law with mean 1.
func exponential() []float32 {
	out := make([]float32, 1024)
	for i := range out {
		out[i] = float32(-math.Log(1 - (float64(i)+0.5)/float64(len(out))))
	}
	return out
}
