package promstore

import (
	"context"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func TestAHeadThatOutgrewItsShareBecomesABlockAndLosesNothing(t *testing.T) {
	s := openTest(t, Config{})
	start := time.Now().Add(-20 * time.Minute).Truncate(time.Second)
	for i := range 300 {
		_, err := s.AppendMetrics(t.Context(), hostMetrics(start.Add(time.Duration(i)*time.Second), 4))
		require.NoError(t, err)
	}
	_, err := s.AppendMetrics(t.Context(), hostMetrics(start.Add(-time.Minute), 4)) // out of order
	require.NoError(t, err)
	require.NoError(t, s.upkeep())
	require.Zero(t, s.Status().Blocks, "neither due nor too large")

	s.cfg.MaxBytes = 2
	require.NoError(t, s.upkeep())
	require.NotZero(t, s.Status().Blocks)
	_, err = s.AppendMetrics(t.Context(), hostMetrics(start.Add(300*time.Second), 4))
	require.NoError(t, err)
	const expr = `count_over_time(system_cpu_time_seconds_total{cpu="cpu0",state="idle"}[1h])`
	require.EqualValues(t, 302, count1(t, s, expr))
	dir := s.cfg.Dir
	require.NoError(t, s.Close())
	s = openTest(t, Config{Dir: dir})
	require.EqualValues(t, 302, count1(t, s, expr))
}

func TestARepairKeepsMetricsRegisteredOnceAndDataWhole(t *testing.T) {
	reg := prometheus.NewRegistry()
	s, err := Open(Config{Dir: t.TempDir()}, nil, reg)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	_, err = s.AppendMetrics(t.Context(), gauge("x", time.Now(), 1))
	require.NoError(t, err)
	before, err := reg.Gather()
	require.NoError(t, err)
	s.reopen()
	require.EqualValues(t, 1, count1(t, s, "count(x)"))
	_, err = s.AppendMetrics(t.Context(), gauge("x", time.Now(), 1))
	require.NoError(t, err)
	after, err := reg.Gather() // once both have written: a counter shows when it has counted
	require.NoError(t, err)
	require.Len(t, after, len(before))
}

func TestAppendsQueriesRepairsAndCloseMayAllMeet(t *testing.T) {
	s := openTest(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, err := s.AppendMetrics(ctx, hostMetrics(time.Now(), 1+w))
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for ctx.Err() == nil {
				code, body := get(t, s, "/api/v1/query", url.Values{"query": {"sum by (state) (rate(system_cpu_time_seconds_total[1m]))"}})
				if code != 200 && code != 503 {
					t.Error(code, body)
				}
				s.Status()
			}
		})
	}
	for range 3 {
		require.NoError(t, s.upkeep())
		s.reopen()
	}
	cancel()
	wg.Wait()
	require.NotZero(t, s.Status().SamplesAppended)
	require.NoError(t, s.Close())
}

func TestQueriesBeyondTheWaitingRoomAreRefusedAsUnavailable(t *testing.T) {
	// The first query waits this out; the last has as long to answer.
	s := openTest(t, Config{QueryConcurrency: 1, QueryTimeout: 2 * time.Second})
	_, err := s.slots.Insert(t.Context(), "")
	require.NoError(t, err)
	code, body := get(t, s, "/api/v1/query", url.Values{"query": {"1"}})
	require.Equal(t, 503, code)
	require.Contains(t, body, `"errorType":"timeout"`)
	s.slots.inside.Store(1 + waitFactor)
	for _, path := range []string{"query", "labels"} {
		code, body = get(t, s, "/api/v1/"+path, url.Values{"query": {"1"}})
		require.Equal(t, 503, code)
		require.Contains(t, body, `"errorType":"unavailable"`)
	}
	s.slots.inside.Store(1)
	s.slots.Delete(0)
	code, _ = get(t, s, "/api/v1/query", url.Values{"query": {"1"}})
	require.Equal(t, 200, code)
}

func TestAQueryThatWouldHoldTooManySamplesIsRefused(t *testing.T) {
	s := openTest(t, Config{QueryMaxSamples: 1000})
	start := time.Now().Add(-10 * time.Minute)
	for i := range 40 {
		_, err := s.AppendMetrics(t.Context(), hostMetrics(start.Add(time.Duration(i)*10*time.Second), 8))
		require.NoError(t, err)
	}
	code, body := get(t, s, "/api/v1/query", url.Values{"query": {`{__name__=~".+"}[1h]`}})
	require.Equal(t, 422, code)
	require.Contains(t, body, "too many samples")
}
