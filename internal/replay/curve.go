package replay

import "math"

// level interpolates the background's curve at t nanoseconds.
func (b *Background) level(t int64) float64 {
	c := b.Curve
	if len(c) == 0 {
		return 1
	}
	if t <= int64(c[0].At) {
		return c[0].Level
	}
	for i := 1; i < len(c); i++ {
		if t < int64(c[i].At) {
			f := float64(t-int64(c[i-1].At)) / float64(c[i].At-c[i-1].At)
			return c[i-1].Level * math.Pow(c[i].Level/c[i-1].Level, f)
		}
	}
	return c[len(c)-1].Level
}

// hours is a television site's day: visits by hour (UTC+0 of its audience)
// relative to the mean; the deep night, the noon news, the evening.
var hours = [24]float64{0.62, 0.38, 0.25, 0.2, 0.2, 0.27, 0.46, 0.74, 0.9, 0.93, 0.96, 1.05, 1.2, 1.15, 1.02, 1, 1.05, 1.2, 1.42, 1.68, 1.95, 2.02, 1.6, 1.05}

// diurnal is the level of the day at the given second of it.
func diurnal(second float64) float64 {
	h := math.Mod(second/3600, 24)
	i := int(h)
	f := h - float64(i)
	f = f * f * (3 - 2*f) // no corners at the full hours
	return hours[i]*(1-f) + hours[(i+1)%24]*f
}

// A crowd's arrival shape over x in [0,1), with mean 1.
func crowdShape(shape string, x float64) float64 {
	switch shape {
	case "bell": // a Gaussian around the middle
		d := (x - 0.5) / 0.2
		return math.Exp(-d*d/2) / 0.4951
	case "surge": // full within a twentieth, then a decay with a quarter as its constant
		const rise, fall = 0.05, 0.25
		const mean = rise/2 + fall*(1-0.02237) // exp(-0.95/0.25) = 0.02237
		if x < rise {
			return x / rise / mean
		}
		return math.Exp(-(x-rise)/fall) / mean
	case "ramp": // e-folds three times
		return 3 * math.Exp(3*(x-1)) / (1 - math.Exp(-3))
	default:
		return 1
	}
}

// An attack's rate at t ns after its start, as a share of its mean over the
// duration.
func (a *Attack) shapeAt(t int64) float64 {
	switch a.Shape {
	case "ramp":
		full := 1 - float64(min(a.Ramp, a.Duration))/float64(a.Duration)/2 // the mean of a line and a plateau
		return min(1, float64(t)/float64(max(a.Ramp, 1))) / full
	case "pulse":
		on := int64(float64(a.Period) * a.Duty)
		if t%int64(a.Period) >= on {
			return 0
		}
		whole := int64(a.Duration) / int64(a.Period) * on
		rest := min(int64(a.Duration)%int64(a.Period), on)
		return float64(a.Duration) / float64(whole+rest)
	default:
		return 1
	}
}
