package forecast

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestATableThatIsPinnedIsHitByWhatItLosesNotByItsSlope(t *testing.T) {
	used, _ := sampled(func(_ float64, r *rand.Rand) float64 { return 262_144 - float64(r.IntN(50)) }, time.Second, 5*time.Minute, -1, 1)
	lost, _ := sampled(func(s float64, _ *rand.Rand) float64 { return 900 * max(0, s-200) }, time.Second, 5*time.Minute, -1, 1)
	r := Resource{Name: "nf_conntrack", Used: used, Limit: 262_144, Lost: lost}
	w, ok := r.Wall()
	require.True(t, ok)
	require.True(t, w.Losing)
	require.InDelta(t, 900, w.LossRate, 1)
	left, ok := w.Left()
	require.True(t, ok)
	require.Zero(t, left)

	r.Lost = lost[:100] // before anything was lost
	w, _ = r.Wall()
	require.False(t, w.Losing)
	require.Nil(t, w.MinutesLeft, "full, but nothing grows and nothing is lost")
	require.InDelta(t, 1, w.Utilization, 0.001)
}

func TestAnAllowanceIsAWallOfWhatIsLeft(t *testing.T) {
	// Only "available" is known: counted up towards a limit of zero.
	used, _ := sampled(func(s float64, _ *rand.Rand) float64 { return -(77_000 - 100*s) }, time.Second, 5*time.Minute, -1, 1)
	r := Resource{Name: "ena", Used: used}
	w, _ := r.Wall()
	left, ok := w.Left()
	require.True(t, ok)
	require.InDelta(t, 470, left.Seconds(), 10)
	require.Zero(t, w.Utilization)
}

func TestTheWorstWallComesFirst(t *testing.T) {
	m := func(v float64) *float64 { return &v }
	walls := []Wall{
		{Name: "disk", Utilization: 0.4},
		{Name: "memory", Utilization: 0.97},
		{Name: "ena", MinutesLeft: m(12), Utilization: 0.5},
		{Name: "fds", MinutesLeft: m(0), Losing: true, LossRate: 5, Limit: 1000},
		{Name: "nf_conntrack", MinutesLeft: m(3)},
		{Name: "nf_conntrack", Resource: "b", MinutesLeft: m(0), Losing: true, LossRate: 900, Limit: 262_144},
		{Name: "cpu", Utilization: 0.4},
	}
	Sort(walls)
	var got []string
	for _, w := range walls {
		got = append(got, w.Name)
	}
	require.Equal(t, []string{"fds", "nf_conntrack", "nf_conntrack", "ena", "memory", "cpu", "disk"}, got)
}

func TestAWallWithoutForecastSaysNullInJSON(t *testing.T) {
	b, err := json.Marshal(Wall{Name: "disk", Used: 1, Limit: 2, Utilization: 0.5})
	require.NoError(t, err)
	require.Contains(t, string(b), `"minutes_left":null`)
	_, ok := (&Resource{}).Wall()
	require.False(t, ok)
}
