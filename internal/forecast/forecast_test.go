package forecast

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 6, 30, 19, 0, 0, 0, time.UTC)

// shape is a fill as a function of seconds, with a random source of its own.
type shape func(s float64, r *rand.Rand) float64

// sampled gives a series of one sample each step, until it passes limit (-1: to
// the end), and when it passed: the truth.
func sampled(f shape, step, length time.Duration, limit float64, seed uint64) (pts []Point, hit float64) {
	r := rand.New(rand.NewPCG(seed, 1))
	hit = math.Inf(1)
	for d := time.Duration(0); d <= length; d += step {
		v := f(d.Seconds(), r)
		pts = append(pts, Point{start.Add(d), v})
		if limit >= 0 && v >= limit {
			return pts, d.Seconds()
		}
	}
	return pts, hit
}

// The fills that a connection-tracking table sees; all pass 262,144 in the end.
func fills() map[string]shape {
	const limit = 262_144
	return map[string]shape{
		"linear":                func(s float64, _ *rand.Rand) float64 { return 20_000 + 400*s },
		"linear with 2 % noise": func(s float64, r *rand.Rand) float64 { return (20_000 + 400*s) * (1 + 0.02*r.NormFloat64()) },
		"flat, then a flood": func(s float64, r *rand.Rand) float64 {
			return 20_000 + 300*r.NormFloat64() + 2_000*max(0, s-600)
		},
		"flat, then a slow flood": func(s float64, r *rand.Rand) float64 {
			return 20_000 + 300*r.NormFloat64() + 400*max(0, s-600)
		},
		"bursts each 20 s": func(s float64, _ *rand.Rand) float64 { return 20_000 + 8_000*math.Floor(s/20) },
		"a rising sawtooth of 90 s": func(s float64, _ *rand.Rand) float64 {
			return 20_000 + 150*s + 15_000*math.Mod(s, 90)/90
		},
		"steepening (a crowd that doubles each 4 min)": func(s float64, _ *rand.Rand) float64 {
			return 20_000 * math.Exp2(s/240)
		},
		"levelling off at 1.5 times the limit": func(s float64, _ *rand.Rand) float64 {
			return 1.5 * limit * (1 - math.Exp(-s/400))
		},
	}
}

func TestTheTimeLeftIsWithinAQuarterOfWhatThenHappens(t *testing.T) {
	const limit = 262_144
	for name, f := range fills() {
		for _, step := range []time.Duration{time.Second, 5 * time.Second} {
			var worst float64
			asked, answered := 0, 0
			for seed := range uint64(3) {
				pts, hit := sampled(f, step, 2*time.Hour, limit, seed)
				require.False(t, math.IsInf(hit, 1), name)
				begun := 30.0
				if strings.HasPrefix(name, "flat") {
					begun = 630
				}
				var tr Track
				for i, p := range pts {
					tr.Add(p.At, p.Value)
					s := p.At.Sub(start).Seconds()
					left := hit - s
					// Asked each 15 s from the first half minute on, over the second half
					// of the way to the limit, until a minute before it.
					if i%int(15*time.Second/step) != 0 || s < begun || p.Value < limit/2 || left < 60 {
						continue
					}
					asked++
					got, ok := Predict(tr.Points(), limit)
					if !ok {
						continue
					}
					answered++
					// The crossing lies between two samples: at the later one, or before.
					off := max(got.Left.Seconds()-left, left-step.Seconds()-got.Left.Seconds(), 0)
					worst = max(worst, off/left)
				}
			}
			t.Logf("%-45s each %-3s: asked %3d, answered %3d, worst error %4.1f %%", name, step, asked, answered, 100*worst)
			if worst > 0.25 {
				t.Errorf("%s each %s: off by %.0f %%", name, step, 100*worst)
			}
			if answered < asked*9/10 {
				t.Errorf("%s each %s: answered %d of %d", name, step, answered, asked)
			}
		}
	}
}

func TestAFloodIsForecastWithinTenSecondsOfItsBegin(t *testing.T) {
	pts, _ := sampled(fills()["flat, then a flood"], time.Second, 610*time.Second, -1, 1)
	p, ok := Predict(pts, 262_144)
	require.True(t, ok)
	require.InDelta(t, 111, p.Left.Seconds(), 60, "at 2,000 entries a second 222,000 are left")
}

func TestWhatDoesNotGrowTowardsTheLimitHasNoForecast(t *testing.T) {
	for name, f := range map[string]shape{
		"flat":            func(float64, *rand.Rand) float64 { return 50_000 },
		"noise":           func(_ float64, r *rand.Rand) float64 { return 50_000 + 5_000*r.NormFloat64() },
		"heavy tails":     func(_ float64, r *rand.Rand) float64 { return 50_000 + 2_000*math.Tan(math.Pi*(r.Float64()-0.5)*0.98) },
		"falling":         func(s float64, _ *rand.Rand) float64 { return 200_000 - 20*s },
		"a sawtooth":      func(s float64, _ *rand.Rand) float64 { return 50_000 + 60_000*math.Mod(s, 60)/60 },
		"a slow sawtooth": func(s float64, _ *rand.Rand) float64 { return 50_000 + 60_000*math.Mod(s, 150)/150 },
		"a step, 5 min ago": func(s float64, _ *rand.Rand) float64 {
			if s > 3300 {
				return 120_000
			}
			return 50_000
		},
		"a plateau below the limit": func(s float64, _ *rand.Rand) float64 { return 180_000 * (1 - math.Exp(-s/300)) },
	} {
		wrong := 0
		for seed := range uint64(10) {
			pts, _ := sampled(f, time.Second, time.Hour, -1, seed)
			if p, ok := Predict(pts, 262_144); ok {
				wrong++
				t.Logf("%s, seed %d: %+v", name, seed, p)
			}
		}
		// Sen's interval holds 95 %, and half of what it misses rises.
		if wrong > 1 {
			t.Errorf("%s: %d forecasts of 10", name, wrong)
		}
	}
}

func TestADailyWaveFarFromTheLimitIsNeverClose(t *testing.T) {
	wave := func(s float64, r *rand.Rand) float64 {
		return 60_000 + 30_000*math.Sin(2*math.Pi*s/86_400) + 500*r.NormFloat64()
	}
	pts, _ := sampled(wave, 5*time.Second, 24*time.Hour, -1, 1)
	var tr Track
	for i, p := range pts {
		tr.Add(p.At, p.Value)
		if i%60 != 0 {
			continue
		}
		if got, ok := Predict(tr.Points(), 262_144); ok && got.Left < 30*time.Minute {
			t.Fatalf("%s: %s left", p.At.Format(time.TimeOnly), got.Left)
		}
	}
}

func TestTheBandHoldsTheTruthMostly(t *testing.T) {
	held, all := 0, 0
	for seed := range uint64(40) {
		f := func(s float64, r *rand.Rand) float64 { return 20_000 + 400*s + 1_000*r.NormFloat64() }
		pts, _ := sampled(f, 5*time.Second, 300*time.Second, -1, seed)
		p, ok := Predict(pts, 262_144)
		require.True(t, ok)
		require.LessOrEqual(t, p.Earliest, p.Left)
		require.LessOrEqual(t, p.Left, p.Latest)
		rest, hit := sampled(f, 5*time.Second, time.Hour, 262_144, seed) // the same series, further
		require.Equal(t, pts, rest[:len(pts)])
		all++
		if p.Earliest <= seconds(hit-300) && seconds(hit-305) <= p.Latest { // between two samples
			held++
		}
	}
	require.GreaterOrEqual(t, held, all*8/10)
}

func TestASeriesAtItsLimitIsThere(t *testing.T) {
	pts, _ := sampled(func(float64, *rand.Rand) float64 { return 262_144 }, time.Second, time.Minute, -1, 1)
	p, ok := Predict(pts, 262_144)
	require.True(t, ok)
	require.Zero(t, p.Left)
}

func TestTooFewOrBrokenPointsHaveNoForecast(t *testing.T) {
	_, ok := Predict(nil, 10)
	require.False(t, ok)
	pts, _ := sampled(func(s float64, _ *rand.Rand) float64 { return s }, time.Second, 4*time.Second, -1, 1)
	_, ok = Predict(pts, 10)
	require.False(t, ok, "five points")
	for i := range 100 {
		pts = append(pts, Point{start.Add(time.Duration(i+10) * time.Second), math.NaN()})
	}
	_, ok = Predict(pts, 10)
	require.False(t, ok)
	_, ok = Predict(pts, math.Inf(1))
	require.False(t, ok)
}

func TestATrackHoldsAnHourInFixedMemoryAndDropsWhatIsOld(t *testing.T) {
	var tr Track
	for i := range 100_000 {
		tr.Add(start.Add(time.Duration(i)*100*time.Millisecond), float64(i))
	}
	tr.Add(start, 1)
	tr.Add(start.Add(24*time.Hour), math.NaN())
	require.EqualValues(t, 2, tr.Dropped())
	pts := tr.Points()
	require.LessOrEqual(t, len(pts), fineSize+coarseSize)
	for i := 1; i < len(pts); i++ {
		require.True(t, pts[i].At.After(pts[i-1].At), "%d: %s after %s", i, pts[i].At, pts[i-1].At)
		require.Greater(t, pts[i].Value, pts[i-1].Value)
	}
	require.Greater(t, pts[len(pts)-1].At.Sub(pts[0].At), time.Hour)
	require.LessOrEqual(t, cap(tr.fine), 2*fineSize)
}

func TestACounterThatResetsKeepsItsRate(t *testing.T) {
	var pts []Point
	for i := range 31 {
		v := float64(100 * i)
		if i > 15 {
			v = float64(100 * (i - 16)) // restarted from zero
		}
		pts = append(pts, Point{start.Add(time.Duration(i) * time.Second), v})
	}
	rate, ok := CounterRate(pts, 30*time.Second)
	require.True(t, ok)
	require.InDelta(t, 100, rate, 5)
	_, ok = CounterRate(pts[:1], time.Minute)
	require.False(t, ok)
}

func BenchmarkPredictAnHourEachSecond(b *testing.B) {
	var tr Track
	pts, _ := sampled(fills()["linear with 2 % noise"], time.Second, 10*time.Minute, -1, 1)
	for _, p := range pts {
		tr.Add(p.At, p.Value)
	}
	b.ReportAllocs()
	for b.Loop() {
		Predict(tr.Points(), 262_144)
	}
}
