package detect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/replay"
)

// The scenarios run small here, so that the package's tests take seconds; what
// they reach over many seeds and at length is TestScenariosAtLength's.

func TestAttacksAreFoundInTimeAndLittleElseIsMarked(t *testing.T) {
	if testing.Short() {
		t.Skip("replays of several minutes are long")
	}
	for _, c := range []struct {
		scenario  string
		seed      uint64
		length    time.Duration
		within    float64 // s
		precision float64
		recall    float64
	}{
		{"flood", 2, 8 * time.Minute, 4, 0.99, 0.95},
		{"low-and-many", 2, 6 * time.Minute, 60, 0.95, 0.9},
		{"cache-busting", 1, 6 * time.Minute, 10, 0.99, 0.9},
		// Each of a scan's clients must act before it can be told.
		{"scan", 3, 6 * time.Minute, 30, 0.99, 0.6},
		{"stuffing-fast", 5, 6 * time.Minute, 60, 0.99, 0.8},
		{"slowloris", 1, 6 * time.Minute, 30, 0.99, 0.9},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			t.Parallel()
			r := play(t, c.scenario, c.seed, 0.03, func(o *replay.Options) { o.Duration = c.length })
			t.Log(r)
			require.NotEmpty(t, r.delay)
			require.GreaterOrEqual(t, r.delay[0], 0.0, "never found")
			require.LessOrEqual(t, r.delay[0], c.within)
			require.GreaterOrEqual(t, float64(r.right)/float64(r.right+r.wrong), c.precision)
			require.GreaterOrEqual(t, float64(r.right)/float64(r.right+r.missed), c.recall)
			for _, f := range r.found {
				require.Equal(t, finding.Closed, f.Status)
			}
			require.LessOrEqual(t, r.closeLag, 90.0)
		})
	}
}

func TestNoCrowdIsAnAttack(t *testing.T) {
	if testing.Short() {
		t.Skip("replays of several minutes are long")
	}
	for _, scenario := range []string{"kickoff", "goal", "push", "half-time", "retry-storm", "carrier-nat", "crawlers"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			r := play(t, scenario, 2, 0.015, func(o *replay.Options) { o.Duration = 12 * time.Minute })
			t.Log(r)
			require.Empty(t, r.found)
			require.Zero(t, r.wrong)
			require.Zero(t, r.verdicts[finding.Attack]+r.verdicts[finding.Mixed])
			if scenario == "kickoff" || scenario == "goal" || scenario == "half-time" {
				require.Greater(t, r.verdicts[finding.Crowd], 60)
			}
		})
	}
}

func TestAFloodDuringAGoalIsMixed(t *testing.T) {
	r := play(t, "goal-flood", 3, 0.02, nil)
	t.Log(r)
	require.GreaterOrEqual(t, r.delay[0], 0.0)
	require.LessOrEqual(t, r.delay[0], 20.0)
	require.True(t, r.mixed)
}
