package conntrackreceiver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/receivers/conntrackreceiver/internal/metadata"
)

// after runs the receiver for d of the bubble's time.
func (l *lab) after(t *testing.T, d time.Duration) {
	t.Helper()
	l.start(t)
	time.Sleep(d)
	synctest.Wait()
}

func TestEachTierRunsAtItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, nil)
		l.flows = flood(3, "10.0.0.9:80")
		l.after(t, 61*time.Second)
		l.stop(t)
		require.Equal(t, 7, l.filtered, "at 0, 10, … 60 s")
		require.Equal(t, 3, l.dumps, "at 0, 30 and 60 s")
		require.Equal(t, 31+7+3, l.reads, "at 0, 2, … 60 s, and the count before each dump")
		require.True(t, l.closed)
	})
}

func TestTheCPUBudgetRulesTheFullDumpsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, nil)
		l.flows = flood(3, "10.0.0.9:80")
		l.cost = time.Second        // at 1% one dump in 100 s
		l.after(t, 303*time.Second) // T0 reports after the dump at 300 s
		l.stop(t)
		require.Equal(t, 4, l.dumps)
		require.InDelta(t, 4, l.last()["vigie.conntrack.read.cpu_time{full}"], 0.1)
		require.InDelta(t, 12, l.last()["vigie.conntrack.read.entries{full}"], 0)
	})
}

func TestATableThatJumpsIsLookedAtForHalfOpenFlowsAtOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		cost time.Duration
		want []time.Duration // after the flood's beginning at 11 s
	}{
		"a small table":                       {0, []time.Duration{1 * time.Second, 3 * time.Second, 5 * time.Second}},
		"a large one, as the budget (5%) has": {150 * time.Millisecond, []time.Duration{2 * time.Second, 5 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, nil)
				l.flows = flood(3, "10.0.0.9:80")
				l.filterCost = tc.cost
				l.start(t)
				time.Sleep(11 * time.Second)
				began := time.Now()
				for i := range 3 { // 1,000 more before each T0 reading, at 12, 14 and 16 s
					l.with(func() { l.flows = flood(1000*(i+1), "10.0.0.9:80") })
					time.Sleep(2 * time.Second)
				}
				synctest.Wait()
				l.stop(t)
				var got []time.Duration
				for _, at := range l.filteredAt {
					if d := at.Sub(began); d > 0 {
						got = append(got, d)
					}
				}
				require.Equal(t, tc.want, got)
			})
		})
	}
}

func TestTheTableIsReportedByStateOwnerAndTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(c *Config) { c.TopOwners = 3 })
		l.flows = flood(200, "10.0.0.9:80")
		for i := range 50 {
			l.flows = append(l.flows, established(fmt.Sprintf("198.51.100.%d:999", i), "10.96.0.1:443", "10.0.0.8:8443"))
		}
		for i := range 30 {
			l.flows = append(l.flows, established(fmt.Sprintf("10.0.0.8:%d", 40000+i), "203.0.113.5:443", "203.0.113.5:443"))
		}
		l.flows = append(l.flows,
			established("198.51.100.1:999", "10.0.0.1:22", "10.0.0.1:22"),
			established("198.51.100.1:999", "203.0.113.5:443", "203.0.113.5:443"))
		l.cpus = []conntrack.CPUStats{{Drop: 5, EarlyDrop: 2, InsertFailed: 1}, {Drop: 1}}
		l.after(t, time.Second)
		l.stop(t)

		got := l.last()
		for k := range got {
			if strings.HasPrefix(k, "vigie.conntrack.read.") || strings.Contains(k, "source_prefixes") {
				delete(got, k)
			}
		}
		require.Empty(t, cmp.Diff(map[string]float64{
			names.ConntrackUsage:                                              282,
			names.ConntrackLimit:                                              1000,
			names.ConntrackPacketDropped:                                      6,
			names.ConntrackEarlyDropped:                                       2,
			names.ConntrackInsertFailed:                                       1,
			names.ConntrackEntries + "{syn_sent,tcp,ipv4}":                    200,
			names.ConntrackEntries + "{established,tcp,ipv4}":                 82,
			names.ConntrackHalfOpen + "{receive,10.0.0.9:80} @10.0.0.9":       200,
			names.ConntrackHalfOpen + "{receive,other}":                       0,
			names.ConntrackOwnerEntries + "{receive,10.0.0.9:80} @10.0.0.9":   200,
			names.ConntrackOwnerEntries + "{receive,10.0.0.8:8443} @10.0.0.8": 50,
			names.ConntrackOwnerEntries + "{transmit,10.0.0.8} @10.0.0.8":     30,
			names.ConntrackOwnerEntries + "{receive,other}":                   2,
			names.ConntrackRecordsDropped:                                     0,
		}, got))
		require.InEpsilon(t, 200, l.last()[names.ConntrackHalfOpenSources+"{receive,10.0.0.9:80} @10.0.0.9"], 0.1)
	})
}

func TestNoMetricCarriesAClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(c *Config) { c.TopOwners = 1000 })
		l.flows = append(flood(300, "10.0.0.9:80"), flood(300, "203.0.113.5:443")...)
		for i := range 200 {
			l.flows = append(l.flows, established(fmt.Sprintf("198.51.100.%d:999", i), "203.0.113.5:443", "203.0.113.5:443"))
		}
		l.after(t, time.Second)
		l.stop(t)
		points := 0
		for _, md := range l.metrics.AllMetrics() {
			eachPoint(md, func(name string, p pmetric.NumberDataPoint, pod string) {
				points++
				text := fmt.Sprint(p.Attributes().AsRaw(), pod)
				require.NotContains(t, text, "198.", name)
				require.NotContains(t, text, "203.", name)
			})
		}
		require.Positive(t, points)
	})
}

func TestAnEmptyTableIsNotDumpedAndReportsZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, nil)
		l.after(t, time.Minute)
		l.stop(t)
		require.Zero(t, l.dumps+l.filtered)
		require.Zero(t, l.last()[names.ConntrackUsage])
		require.Contains(t, l.last(), names.ConntrackHalfOpen+"{receive,other}")
	})
}

func TestAFloodThatEndsGoesBackToZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, nil)
		l.flows = flood(100, "10.0.0.9:80")
		l.after(t, time.Second)
		l.with(func() { l.flows = nil })
		l.metrics.Reset()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		l.stop(t)
		require.NotContains(t, l.last(), names.ConntrackHalfOpen+"{receive,10.0.0.9:80} @10.0.0.9")
		require.Zero(t, l.last()[names.ConntrackHalfOpen+"{receive,other}"])
	})
}

func TestWithoutTheCapabilityUsageGoesOnAndTheRestIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, nil)
		l.flows = flood(3, "10.0.0.9:80")
		l.dumpErr = fmt.Errorf("dump: %w", conntrack.ErrPermission)
		l.after(t, 5*time.Minute)
		l.stop(t)
		require.EqualValues(t, 3, l.last()[names.ConntrackUsage])
		require.NotContains(t, l.last(), names.ConntrackHalfOpen+"{receive,other}")
		require.Equal(t, 1, l.lines.Len(), l.lines.All())
		require.Contains(t, fmt.Sprint(l.lines.All()[0].ContextMap()), "CAP_NET_ADMIN")
	})
}

func TestAModuleOrNamespaceThatIsNotThereIsOneLineAndItsReturnAnother(t *testing.T) {
	for _, gone := range []error{conntrack.ErrNoModule, conntrack.ErrNamespaceGone} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, nil)
			l.flows = flood(3, "10.0.0.9:80")
			l.statsErr = gone
			l.after(t, 5*time.Minute)
			require.Zero(t, l.metrics.DataPointCount())
			require.Equal(t, 1, l.lines.Len(), l.lines.All())

			l.with(func() { l.statsErr = nil })
			time.Sleep(time.Minute)
			synctest.Wait()
			l.stop(t)
			require.EqualValues(t, 3, l.last()[names.ConntrackUsage])
			require.Equal(t, 2, l.lines.Len(), l.lines.All())
		})
	}
}

func TestALimitChangedAtRunTimeIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, nil)
		l.after(t, time.Second)
		require.EqualValues(t, 1000, l.last()[names.ConntrackLimit])
		l.with(func() { l.limit = 2000 })
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 2000, l.last()[names.ConntrackLimit])
		l.with(func() { l.limit = 0 }) // unlimited has no number
		l.metrics.Reset()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		l.stop(t)
		require.NotContains(t, l.last(), names.ConntrackLimit)
	})
}

func TestAnInterruptedDumpIsReportedAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, nil)
		l.flows = flood(3, "10.0.0.9:80")
		l.dumpErr = conntrack.ErrInterrupted
		l.after(t, time.Second)
		l.stop(t)
		require.EqualValues(t, 3, l.last()[names.ConntrackEntries+"{syn_sent,tcp,ipv4}"])
		require.Zero(t, l.lines.Len())
	})
}

func TestRecordsAreBoundedWhatMattersFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(c *Config) { c.MaxRecords = 10; c.HalfOpenInterval = 0 })
		for i := range 20 {
			l.flows = append(l.flows, established(fmt.Sprintf("198.51.100.%d:999", i), "10.0.0.1:22", "10.0.0.1:22"))
		}
		for i := range 7 {
			l.flows = append(l.flows, established(fmt.Sprintf("198.51.100.%d:999", i), "10.96.0.1:443", "10.0.0.8:8443"))
		}
		l.after(t, 3*time.Second)
		l.stop(t)
		require.Equal(t, 10, l.logs.LogRecordCount())
		records := l.logs.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		nat := 0
		for _, lr := range records.All() {
			var f flow.Flow
			require.True(t, flow.IsRecord(lr))
			require.NoError(t, f.ReadRecord(lr))
			if f.NAT() {
				nat++
			}
		}
		require.Equal(t, 7, nat)
		require.EqualValues(t, 17, l.last()[names.ConntrackRecordsDropped])
	})
}

func TestHalfOpenFlowsAreRecordsOfTheHalfOpenTierOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, nil)
		l.flows = append(flood(4, "10.0.0.9:80"), established("198.51.100.1:999", "10.96.0.1:443", "10.0.0.8:8443"))
		l.after(t, 11*time.Second)
		l.stop(t)
		halfOpen := 0
		for _, ld := range l.logs.AllLogs() {
			for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
				var f flow.Flow
				require.NoError(t, f.ReadRecord(lr))
				if f.HalfOpen() {
					halfOpen++
				}
			}
		}
		require.Equal(t, 2*4, halfOpen, "at 0 and 10 s; not again in the full dump")
		require.Equal(t, 2*4+1, l.logs.LogRecordCount())
	})
}

func TestLostEventsAreCountedAndFollowedByADumpWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(c *Config) { c.Events.Enabled = true; c.FullInterval = 10 * time.Minute })
		l.flows = flood(3, "10.0.0.9:80")
		l.cost = 200 * time.Millisecond // at 1%: not again before 20 s
		l.listen = func(ctx context.Context, c *eventCounter) error {
			time.Sleep(5 * time.Second)
			c.created.Add(1000)
			c.overrun()
			c.overrun()
			<-ctx.Done()
			return nil
		}
		began := time.Now()
		l.after(t, time.Minute)
		l.stop(t)
		require.EqualValues(t, 1000, l.last()[names.ConntrackCreated])
		require.EqualValues(t, 2, l.last()[names.ConntrackEventsLost])
		require.Len(t, l.dumpedAt, 2)
		require.Equal(t, 20*time.Second, l.dumpedAt[1].Sub(began))
	})
}

func TestListeningThatFailsIsTriedAgainAndToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(c *Config) { c.Events.Enabled = true })
		tries := 0
		l.listen = func(context.Context, *eventCounter) error { tries++; return conntrack.ErrPermission }
		l.after(t, 61*time.Second)
		l.stop(t)
		require.Equal(t, 7, tries)
		require.Equal(t, 1, l.lines.Len())
	})
}

func TestAKernelThatDoesNotFilterIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, nil)
		l.flows, l.support = flood(3, "10.0.0.9:80"), conntrack.FilterUserSpace
		l.after(t, time.Minute)
		l.stop(t)
		require.Equal(t, 1, l.lines.FilterMessageSnippet("does not filter").Len())
	})
}

func TestShutdownEndsADumpInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, nil)
		l.flows, l.block = flood(3, "10.0.0.9:80"), true
		l.after(t, time.Second)
		l.stop(t)
		l.stop(t)
		require.Zero(t, l.lines.Len(), "being stopped is no error: %v", l.lines.All())
	})
}

func TestShutdownBeforeStartIsFine(t *testing.T) {
	l := newLab(t, nil)
	l.stop(t)
}

func TestAConsumerThatRefusesIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, nil)
		l.r.metrics = refusing{}
		l.after(t, time.Minute)
		l.stop(t)
		require.Equal(t, 1, l.lines.Len(), l.lines.All())
	})
}

func TestPipelinesOfOneComponentShareAnInstance(t *testing.T) {
	f := NewFactory()
	cfg := f.CreateDefaultConfig()
	set := receivertest.NewNopSettings(metadata.Type)
	var l lab
	m, err := f.CreateMetrics(t.Context(), set, cfg, &l.metrics)
	require.NoError(t, err)
	logs, err := f.CreateLogs(t.Context(), set, cfg, &l.logs)
	require.NoError(t, err)
	require.Same(t, m, logs)

	another, err := f.CreateMetrics(t.Context(), set, f.CreateDefaultConfig(), &l.metrics)
	require.NoError(t, err)
	require.NotSame(t, m, another)

	require.NoError(t, m.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, logs.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, m.Shutdown(t.Context()))
	require.NoError(t, logs.Shutdown(t.Context()))

	again, err := f.CreateMetrics(t.Context(), set, cfg, &l.metrics)
	require.NoError(t, err)
	require.NotSame(t, m, again, "a restarted pipeline gets a new instance")
}

type refusing struct{}

func (refusing) Capabilities() (c consumer.Capabilities) { return c }

func (refusing) ConsumeMetrics(context.Context, pmetric.Metrics) error { return errors.New("full") }
