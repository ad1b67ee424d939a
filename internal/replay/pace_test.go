package replay

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// arrivals notes when each line came, by the wall clock of the bubble.
type arrivals struct {
	began   time.Time
	flushes []time.Duration
	events  []time.Duration // event time of each, since the start
	start   int64
	pending []time.Duration
	late    time.Duration // the longest that a line waited for its flush
}

func (a *arrivals) Add(_ context.Context, ev *Event) error {
	a.pending = append(a.pending, time.Duration(ev.UnixNano-a.start))
	return nil
}

func (a *arrivals) Flush(context.Context) error {
	now := time.Since(a.began)
	for _, at := range a.pending {
		a.late = max(a.late, now-at)
		a.events = append(a.events, at)
	}
	a.pending = a.pending[:0]
	a.flushes = append(a.flushes, now)
	return nil
}

func TestAPacedRunWritesEachLineWithinATenthOfASecondOfItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := generator(t, scenario(t, "flood"), Options{Seed: 1, Scale: 0.05, Duration: 20 * time.Second})
		a := &arrivals{began: time.Now(), start: g.Start().UnixNano()}
		var last Progress
		reports := 0
		require.NoError(t, Run(t.Context(), g, a, nil, Pace{Speed: 1, Report: func(p Progress) { last, reports = p, reports+1 }}))
		if took := time.Since(a.began); took < 19*time.Second || took > 21*time.Second {
			t.Errorf("20 s of traffic took %s", took)
		}
		if a.late > 100*time.Millisecond {
			t.Errorf("a line waited %s", a.late)
		}
		if int64(len(a.events)) != g.Truth().Lines || last.Lines != g.Truth().Lines {
			t.Errorf("%d lines arrived, %d reported, of %d", len(a.events), last.Lines, g.Truth().Lines)
		}
		if reports < 15 || last.Lag != 0 {
			t.Errorf("%d reports in 20 s, lag %s", reports, last.Lag)
		}
	})
}

func TestASpeedOfTenTakesATenthOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		g := generator(t, scenario(t, "flood"), Options{Seed: 1, Scale: 0.02, Duration: time.Minute})
		require.NoError(t, Run(t.Context(), g, NewLines(&bytes.Buffer{}, Combined), nil, Pace{Speed: 10}))
		if took := time.Since(began); took < 5900*time.Millisecond || took > 6100*time.Millisecond {
			t.Errorf("took %s", took)
		}
	})
}

func TestAStoppedRunLeavesWholeLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		var out bytes.Buffer
		g := generator(t, scenario(t, "flood"), Options{Seed: 1, Scale: 0.05})
		err := Run(ctx, g, NewLines(&out, Combined), nil, Pace{Speed: 1})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		if n := bytes.Count(out.Bytes(), []byte("\n")); int64(n) < g.Truth().Lines-1 || n == 0 || out.Bytes()[out.Len()-1] != '\n' {
			t.Errorf("%d whole lines of %d", n, g.Truth().Lines)
		}
	})
}
