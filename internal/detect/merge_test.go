package detect

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/replay"
)

// split plays a scenario through n nodes, request by request in turn, whose
// summaries a gateway merges, and gives the gateway's findings and verdicts.
func split(t *testing.T, scenario string, n int) (map[finding.Class]time.Time, map[finding.Verdict]int) {
	sc, err := replay.Builtin(scenario)
	require.NoError(t, err)
	g, err := replay.New(sc, replay.Options{Seed: 2, Scale: 0.03, Duration: 5 * time.Minute})
	require.NoError(t, err)
	gateway, err := New(Config{Seed: 9})
	require.NoError(t, err)
	nodes := make([]*Detector, n)
	for i := range nodes {
		nodes[i], err = New(Config{Seed: 9})
		require.NoError(t, err)
	}
	found, verdicts := map[finding.Class]time.Time{}, map[finding.Verdict]int{}
	var ev replay.Event
	var second int64
	var buf []byte
	for i := 0; g.Next(&ev); i++ {
		if s := ev.UnixNano / 1e9; s != second {
			if second != 0 {
				for _, node := range nodes {
					node.Tick(time.Unix(s, 0))
					var ok bool
					if buf, ok = node.AppendSummary(buf[:0], ""); ok {
						require.Less(t, len(buf), 128<<10)
						require.NoError(t, gateway.MergeSummary(buf))
					}
				}
				for _, f := range gateway.Tick(time.Unix(s, 0)) {
					if _, ok := found[f.Class]; !ok {
						found[f.Class] = f.DetectedAt
					}
				}
				st, _ := gateway.Status("")
				verdicts[st.Verdict]++
			}
			second = s
		}
		ev.Service = nil
		nodes[i%n].Observe(&ev.Request)
	}
	var requests uint64
	for _, node := range nodes {
		st, _ := node.Status("")
		requests += st.Requests
	}
	st, _ := gateway.Status("")
	require.InEpsilon(t, requests, st.Requests, 0.01)
	return found, verdicts
}

func TestSummariesOfAStreamSplitEightWaysGiveTheSameVerdicts(t *testing.T) {
	for _, scenario := range []string{"flood", "goal"} {
		whole, verdicts := split(t, scenario, 1)
		parts, partVerdicts := split(t, scenario, 8)
		require.Len(t, parts, len(whole), scenario)
		for class, at := range whole {
			require.Contains(t, parts, class)
			require.WithinDuration(t, at, parts[class], 5*time.Second)
		}
		for _, v := range finding.Verdicts() {
			require.InDelta(t, verdicts[v], partVerdicts[v], 20, "%s: seconds of %s", scenario, v)
		}
	}
}

func summary(t testing.TB, seed uint64) []byte {
	d, err := New(Config{Seed: seed})
	require.NoError(t, err)
	sc, err := replay.Builtin("flood")
	require.NoError(t, err)
	g, err := replay.New(sc, replay.Options{Seed: 1, Scale: 0.01, Duration: 3 * time.Second})
	require.NoError(t, err)
	var ev replay.Event
	for g.Next(&ev) {
		ev.Service = []byte("shop")
		d.Observe(&ev.Request)
	}
	d.Tick(g.Start().Add(3 * time.Second))
	b, ok := d.AppendSummary(nil, "shop")
	require.True(t, ok)
	_, again := d.AppendSummary(nil, "shop")
	require.False(t, again, "nothing happened since")
	return b
}

func TestASummaryOfAnotherSeedOrVersionIsRefusedAndLeavesNothing(t *testing.T) {
	d, err := New(Config{Seed: 1})
	require.NoError(t, err)
	require.ErrorIs(t, d.MergeSummary(summary(t, 2)), ErrSummarySeed)
	b := summary(t, 1)
	b[2]++
	require.ErrorIs(t, d.MergeSummary(b), ErrSummaryVersion)
	b[2]--
	for n := range b {
		require.Error(t, d.MergeSummary(b[:n]))
	}
	require.Empty(t, d.Services())
	require.NoError(t, d.MergeSummary(b))
	require.Equal(t, []string{"shop"}, d.Services())
	require.EqualValues(t, 1, d.Stats().Summaries)
	require.EqualValues(t, len(b)+2, d.Stats().BadSummaries)
}

func FuzzMergeSummary(f *testing.F) {
	f.Add(summary(f, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := New(Config{Seed: 1})
		require.NoError(t, err)
		if err := d.MergeSummary(b); err != nil {
			require.Empty(t, d.Services())
			return
		}
		d.Tick(time.Unix(2_000_000_000, 0))
		d.Flush()
		for _, s := range d.Services() {
			d.Status(s)
			if again, ok := d.AppendSummary(nil, s); ok {
				o, _ := New(Config{Seed: 1})
				if err := o.MergeSummary(again); err != nil && !errors.Is(err, errSummary) {
					t.Fatal(err)
				}
			}
		}
	})
}
