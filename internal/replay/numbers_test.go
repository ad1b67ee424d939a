package replay

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersAreWhatTheGeneratorDoes(t *testing.T) {
	for scenario, people := range map[string]Class{"kickoff": ClassKickOff, "half-time": ClassAds, "match-day": ClassViewer} {
		n, err := NumbersOf(scenario, people)
		require.NoError(t, err)
		require.Len(t, n.VisitsPerSecond, stages)
		sum := 0.0
		for _, v := range n.VisitsPerSecond {
			sum += v * float64(n.Seconds) / stages
		}
		require.InEpsilon(t, n.Visits, sum, 1e-3, scenario)
		requests := 0.0
		for _, s := range n.Steps {
			require.NotContains(t, s.Name, "route_", "a step without a name")
			require.LessOrEqual(t, s.Least, s.Most)
			requests += s.Share * float64(s.Least+s.Most) / 2
		}
		require.InDelta(t, n.RequestsPerVisit, requests, 0.1, scenario)
	}
	n, err := NumbersOf("kickoff", ClassKickOff)
	require.NoError(t, err)
	require.InEpsilon(t, 1_500_000, n.Visits, 0.02, "the scenario says 1.5 million sign-ins in 15 minutes")
	require.Equal(t, 900, n.Seconds)

	// The generator at a hundredth of the size, counted.
	s, err := Builtin("kickoff")
	require.NoError(t, err)
	g, err := New(s, Options{Seed: 3, Scale: 0.01, WithoutAttacks: true})
	require.NoError(t, err)
	var ev Event
	signIns := 0
	for g.Next(&ev) {
		if ev.Class == ClassKickOff && len(ev.Account) > 0 {
			signIns++
		}
	}
	require.InEpsilon(t, n.Visits*0.01, float64(signIns), 0.15, "one sign-in a visit, and some mistype")

	_, err = NumbersOf("kickoff", ClassAds)
	require.ErrorContains(t, err, "kickoff has no half_time_ads")
}
