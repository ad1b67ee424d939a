package detect

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
)

// What a pod that was restarted a minute before kick-off has learned.
func TestABaselineOfOneMinuteAccusesNobodyOfTheCrowd(t *testing.T) {
	if testing.Short() {
		t.Skip("replays of several minutes are long")
	}
	for _, seed := range []uint64{1, 12} {
		r := play(t, "restart", seed, 0.1, nil)
		t.Log(r)
		require.Empty(t, r.found)
		require.Zero(t, r.wrong)
		require.Greater(t, r.verdicts[finding.Crowd], 200)
		r = play(t, "restart-flood", seed, 0.1, nil)
		t.Log(r)
		require.Len(t, r.found, 1)
		require.LessOrEqual(t, r.delay[0], 5.0)
		require.GreaterOrEqual(t, r.delay[0], 0.0)
	}
}

// On a site of forty requests a second a few visits decide what is odd, for a while.
func TestAFewVisitsDoNotSayWhatIsOdd(t *testing.T) {
	if testing.Short() {
		t.Skip("a replay of twenty minutes is long")
	}
	r := play(t, "kickoff", 17, 0.47/33, nil)
	t.Log(r)
	require.Empty(t, r.found)
}

func TestHowLongClientsStayIsKnownAsFarAsTheyWereSeen(t *testing.T) {
	span := func(lives ...uint16) uint16 {
		b := reference{limit: baselineRows}
		for i := range 1000 {
			b.rows = append(b.rows, row{life: lives[i%len(lives)]})
		}
		b.build(1)
		return b.span
	}
	require.Equal(t, uint16(64), span(0, 10, 30, 60))
	require.Equal(t, uint16(math.MaxUint16), span(0, 10, 3000), "as long as is counted")
	few := make([]uint16, 100)
	few[0], few[1] = 1000, 500
	require.Equal(t, uint16(8), span(few...), "two in a hundred say nothing of the others")
}

// Bots do not come before the attack; who was here for longer than the baseline has
// seen anybody stay is of the site's own.
func TestWhoIsOlderThanTheBaselineIsKnown(t *testing.T) {
	known := func(life uint16) float32 {
		ref := reference{span: 60}
		x := excess{rows: []row{{key: 1, w: 1, life: life}}, post: []float32{1}, mask: []uint16{0}, n: 1}
		var op opinion
		x.describe(&op, &ref)
		return op.known
	}
	require.Zero(t, known(60))
	require.Equal(t, float32(1), known(61))
}

func TestWhoLoadsNothingButAssetsIsNoVisitor(t *testing.T) {
	c := client{n: 12, static: 12, tmpls: 0b11111}
	require.True(t, c.rounded())
	require.False(t, c.visits())
	c.dyn, c.n = 3, 15
	require.True(t, c.visits())
}
