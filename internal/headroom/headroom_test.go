package headroom_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/headroom"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/promstore"
)

// at is whole: samples are, too.
var at = time.Now().Truncate(time.Second)

func store(t testing.TB) *promstore.Store {
	s, err := promstore.Open(promstore.Config{Dir: t.TempDir()}, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// metric is one OpenTelemetry metric of a host, a sample each step over the time
// before at - late.
type metric struct {
	name, unit string
	counter    bool
	gauge      bool
	attrs      map[string]string
	value      func(ago float64) float64 // seconds before at
	late       time.Duration
}

func feed(t testing.TB, s *promstore.Store, host string, length, step time.Duration, ms ...metric) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "host")
	rm.Resource().Attributes().PutStr("service.instance.id", host)
	scope := rm.ScopeMetrics().AppendEmpty()
	for _, m := range ms {
		out := scope.Metrics().AppendEmpty()
		out.SetName(m.name)
		out.SetUnit(m.unit)
		var points pmetric.NumberDataPointSlice
		if m.gauge {
			points = out.SetEmptyGauge().DataPoints()
		} else {
			sum := out.SetEmptySum()
			sum.SetIsMonotonic(m.counter)
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			points = sum.DataPoints()
		}
		for ago := length; ago >= m.late; ago -= step {
			p := points.AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(at.Add(-ago)))
			p.SetDoubleValue(m.value(ago.Seconds()))
			for k, v := range m.attrs {
				p.Attributes().PutStr(k, v)
			}
		}
	}
	dropped, err := s.AppendMetrics(t.Context(), md)
	require.NoError(t, err)
	require.Zero(t, dropped)
}

func constant(v float64) func(float64) float64 { return func(float64) float64 { return v } }

func conntrack(usage func(float64) float64, limit float64) []metric {
	return []metric{
		{name: names.ConntrackUsage, unit: "{entry}", value: usage},
		{name: names.ConntrackLimit, unit: "{entry}", value: constant(limit)},
	}
}

func find(t *testing.T, rep headroom.Report, name, resource string) headroom.Wall {
	t.Helper()
	i := slices.IndexFunc(rep.Walls, func(w headroom.Wall) bool {
		return strings.HasPrefix(w.Name, name) && strings.Contains(w.Resource, resource)
	})
	require.GreaterOrEqual(t, i, 0, "no wall %s of %s in %+v; missing %+v", name, resource, rep.Walls, rep.Missing)
	return rep.Walls[i]
}

func missing(rep headroom.Report, name string) string {
	for _, m := range rep.Missing {
		if strings.HasPrefix(m.Name, name) {
			return m.Why
		}
	}
	return ""
}

func TestAnEmptyStoreHasNoWallsAndSaysOfEachWhy(t *testing.T) {
	s := store(t)
	rep := headroom.Read(t.Context(), s, at).With(headroom.Cluster(t.Context(), s, at))
	require.Empty(t, rep.Walls)
	for _, name := range []string{"Connection tracking, kernel", "Connection tracking, ENA", "ENA packet", "Memory", "CPU", "File descriptors, machine", "Threads", "File descriptors, process", "Disk", "Pod addresses", "Nodes"} {
		require.NotEmpty(t, missing(rep, name), name)
	}
	require.Contains(t, missing(rep, "Connection tracking, kernel"), names.ConntrackUsage)
}

func TestAFillingTableIsForecastAndComesBeforeWhatDoesNotGrow(t *testing.T) {
	s := store(t)
	// 400 entries a second; 262,144 is reached 300 s from now.
	feed(t, s, "node-a", 10*time.Minute, time.Second, conntrack(func(ago float64) float64 { return 142_144 - 400*ago }, 262_144)...)
	feed(t, s, "node-b", 10*time.Minute, time.Second, conntrack(constant(200_000), 262_144)...)
	rep := headroom.Read(t.Context(), s, at)
	require.Len(t, rep.Walls, 2)
	a, b := rep.Walls[0], rep.Walls[1]
	require.Equal(t, "node-a", a.Resource)
	require.True(t, a.Growing)
	require.InDelta(t, 5, *a.MinutesLeft, 0.2)
	require.InDelta(t, 400, a.Growth, 10)
	require.Contains(t, a.Source, "system_network_conntrack_usage")
	require.LessOrEqual(t, *a.Earliest, *a.MinutesLeft)
	require.InDelta(t, 142_144.0/262_144, *a.Utilization, 1e-9)
	require.Equal(t, "node-b", b.Resource)
	require.Nil(t, b.MinutesLeft)
	require.False(t, b.Growing)
	require.Contains(t, b.Why, "does not grow")
}

func TestReadingsFarApartAreNotTakenForStairs(t *testing.T) {
	s := store(t)
	feed(t, s, "node-a", 40*time.Minute, 30*time.Second, conntrack(func(ago float64) float64 { return 200_000 - 20*ago }, 260_000)...)
	w := find(t, headroom.Read(t.Context(), s, at), "Connection", "node-a")
	require.NotNil(t, w.MinutesLeft, w.Why)
	require.InDelta(t, 50, *w.MinutesLeft, 3)
}

func TestTheProcessorsForecastIsTakenWhileItSpeaks(t *testing.T) {
	s := store(t)
	eta := metric{name: names.ConntrackTimeToExhaustion, unit: "s", gauge: true, attrs: map[string]string{names.ConntrackWall: "kernel"}, value: constant(120)}
	feed(t, s, "fresh", 5*time.Minute, time.Second, append(conntrack(constant(1000), 2000), eta)...)
	eta.late = 30 * time.Second // the growth has ended, half a minute ago
	feed(t, s, "silent", 5*time.Minute, time.Second, append(conntrack(constant(1000), 2000), eta)...)
	rep := headroom.Read(t.Context(), s, at)
	fresh := find(t, rep, "Connection", "fresh")
	require.InDelta(t, 2, *fresh.MinutesLeft, 1e-9)
	require.Contains(t, fresh.Source, "processor")
	require.Nil(t, find(t, rep, "Connection", "silent").MinutesLeft)
}

func TestATableThatDropsIsHitNowWhateverItsCountSays(t *testing.T) {
	s := store(t)
	counter := func(name string, rate float64) metric {
		return metric{name: name, unit: "{entry}", counter: true, value: func(ago float64) float64 { return 1e6 - rate*ago }}
	}
	feed(t, s, "full", 5*time.Minute, time.Second, append(conntrack(constant(262_000), 262_144),
		counter(names.ConntrackPacketDropped, 1), counter(names.ConntrackEarlyDropped, 19))...)
	feed(t, s, "filling", 5*time.Minute, time.Second, conntrack(func(ago float64) float64 { return 262_000 - 800*ago }, 262_144)...)
	rep := headroom.Read(t.Context(), s, at)
	w := rep.Walls[0]
	require.Equal(t, "full", w.Resource)
	require.True(t, w.Losing)
	require.Zero(t, *w.MinutesLeft)
	require.InDelta(t, 20, w.LossRate, 0.5, "drop and early drop together")
}

func TestAnOldReadingHasNoForecastAndSaysItsAge(t *testing.T) {
	s := store(t)
	ms := conntrack(func(ago float64) float64 { return 142_144 - 400*ago }, 262_144)
	ms[0].late, ms[1].late = 100*time.Second, 100*time.Second
	feed(t, s, "gone", 10*time.Minute, time.Second, ms...)
	w := find(t, headroom.Read(t.Context(), s, at), "Connection", "gone")
	require.True(t, w.Stale)
	require.Nil(t, w.MinutesLeft)
	require.InDelta(t, 100, w.AgeSeconds, 1)
	require.Contains(t, w.Why, "100 s old")
}

func TestAnAllowanceThatRunsDryIsForecastFromWhatIsLeft(t *testing.T) {
	s := store(t)
	nic := map[string]string{names.NetworkInterfaceName: "eth0"}
	exceeded := func(allowance string, rate float64) metric {
		return metric{name: names.ENAAllowanceExceeded, unit: "{packet}", counter: true, attrs: map[string]string{names.NetworkInterfaceName: "eth0", names.ENAAllowance: allowance},
			value: func(ago float64) float64 { return 5000 - rate*ago }}
	}
	feed(t, s, "node", 20*time.Minute, 10*time.Second,
		metric{name: names.ENAConntrackAvailable, unit: "{connection}", gauge: true, attrs: nic, value: func(ago float64) float64 { return 6000 + 10*ago }},
		exceeded("conntrack", 0), exceeded("pps", 3), exceeded("bw_in", 0))
	rep := headroom.Read(t.Context(), s, at)
	w := find(t, rep, "Connection tracking, ENA", "eth0")
	require.InDelta(t, 10, *w.MinutesLeft, 0.5)
	require.InDelta(t, 6000, *w.Left, 1)
	require.Nil(t, w.Utilization, "the driver does not say of how many")
	pps := find(t, rep, "ENA packet", "pps")
	require.True(t, pps.Losing)
	require.Equal(t, pps, rep.Walls[0], "what loses now is the worst")
	require.False(t, find(t, rep, "ENA packet", "bw_in").Losing)
}

func TestMemoryCPUDescriptorsAndDisksAreRead(t *testing.T) {
	s := store(t)
	disk := func(device, mount, state string, v float64) metric {
		return metric{name: "system.filesystem.usage", unit: "By", attrs: map[string]string{"device": device, "mountpoint": mount, "state": state, "mode": "rw"}, value: constant(v)}
	}
	feed(t, s, "node", 10*time.Minute, time.Second,
		metric{name: "system.linux.memory.available", unit: "By", value: func(ago float64) float64 { return 3e9 + 1e7*ago }},
		metric{name: "system.memory.limit", unit: "By", value: constant(16e9)},
		metric{name: "system.cpu.time", unit: "s", counter: true, attrs: map[string]string{"cpu": "cpu0", "state": "idle"}, value: func(ago float64) float64 { return 1e5 - 0.25*ago }},
		metric{name: "system.cpu.time", unit: "s", counter: true, attrs: map[string]string{"cpu": "cpu0", "state": "user"}, value: func(ago float64) float64 { return 1e5 - 0.75*ago }},
		metric{name: "process_open_fds", gauge: true, value: constant(900)},
		metric{name: "process_max_fds", gauge: true, value: constant(1000)},
		disk("/dev/sda1", "/", "used", 70e9), disk("/dev/sda1", "/", "free", 30e9), disk("/dev/sda1", "/", "reserved", 5e9),
		disk("/dev/sda1", "/var/lib/containers", "used", 70e9), disk("/dev/sda1", "/var/lib/containers", "free", 30e9),
	)
	rep := headroom.Read(t.Context(), s, at)
	mem := find(t, rep, "Memory", "node")
	require.InDelta(t, 5, *mem.MinutesLeft, 0.2, "3 GB at 10 MB/s")
	require.InDelta(t, 13.0/16, *mem.Utilization, 0.001)
	cpu := find(t, rep, "CPU", "node")
	require.InDelta(t, 0.75, *cpu.Utilization, 0.01)
	require.Nil(t, cpu.MinutesLeft)
	require.InDelta(t, 0.9, *find(t, rep, "File descriptors, process", "node").Utilization, 1e-9)
	d := find(t, rep, "Disk", "/")
	require.InDelta(t, 0.7, *d.Utilization, 1e-9)
	require.Equal(t, "node /", d.Resource, "a device that is mounted twice is one disk")
	require.Len(t, rep.Walls, 4)
}

func TestALoadThatSteppedUpIsNoWallThatComesNearer(t *testing.T) {
	s := store(t)
	busy := func(ago float64) float64 { // seconds busy since the epoch of the test: 5 %, and 45 % for the last 30 s
		return 1e5 - 0.05*max(ago, 30) - 0.45*min(ago, 30)
	}
	feed(t, s, "node", 20*time.Minute, time.Second,
		metric{name: "system.cpu.time", unit: "s", counter: true, attrs: map[string]string{"cpu": "cpu0", "state": "user"}, value: busy},
		metric{name: "system.cpu.time", unit: "s", counter: true, attrs: map[string]string{"cpu": "cpu0", "state": "idle"}, value: func(ago float64) float64 { return 1e6 - ago - busy(ago) + 1e5 }})
	w := find(t, headroom.Read(t.Context(), s, at), "CPU", "node")
	require.InDelta(t, 0.25, *w.Utilization, 0.02)
	require.Nil(t, w.MinutesLeft, w.Why)
}

func TestAUseWithoutItsLimitIsToldAsMissing(t *testing.T) {
	s := store(t)
	feed(t, s, "node", time.Minute, time.Second, conntrack(constant(1), 2)[0])
	rep := headroom.Read(t.Context(), s, at)
	require.Empty(t, rep.Walls)
	require.Contains(t, missing(rep, "Connection tracking, kernel"), "system_network_conntrack_limit")
}

func TestAHostsDescriptorsAndThreadsAreWalls(t *testing.T) {
	s := store(t)
	feed(t, s, "node", 10*time.Minute, 10*time.Second,
		metric{name: names.HostFileDescriptorUsage, unit: "{file_descriptor}", value: func(ago float64) float64 { return 80_000 - 20*ago }},
		metric{name: names.HostFileDescriptorLimit, unit: "{file_descriptor}", value: constant(100_000)},
		metric{name: names.HostThreads, unit: "{thread}", value: constant(8192)},
		metric{name: names.HostThreadLimit, unit: "{thread}", value: constant(32768)})
	rep := headroom.Read(t.Context(), s, at)
	files := find(t, rep, "File descriptors, machine", "node")
	require.InDelta(t, 0.8, *files.Utilization, 1e-9)
	require.InDelta(t, 20_000/20/60., *files.MinutesLeft, 1)
	threads := find(t, rep, "Threads", "node")
	require.InDelta(t, 0.25, *threads.Utilization, 1e-9)
	require.Nil(t, threads.MinutesLeft)
	require.Equal(t, "File descriptors, machine", rep.Walls[0].Name, "what grows comes first")
}

func TestDescriptorsWithoutALimitAreSaidToBeSo(t *testing.T) {
	for name, ms := range map[string][]metric{
		"host_stat tells no limit": {{name: names.HostFileDescriptorUsage, unit: "{file_descriptor}", value: constant(1216)}},
		"the node exporter tells the number that means none": {
			{name: "node_filefd_allocated", gauge: true, value: constant(1216)},
			{name: "node_filefd_maximum", gauge: true, value: constant(math.MaxInt64)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := store(t)
			feed(t, s, "node", time.Minute, 10*time.Second, ms...)
			rep := headroom.Read(t.Context(), s, at)
			require.Empty(t, rep.Walls)
			require.Contains(t, missing(rep, "File descriptors, machine"), "memory")
		})
	}
}

func TestValuesThatAreNoNumbersAreLeftOutOfTheAnswer(t *testing.T) {
	s := store(t)
	feed(t, s, "node", time.Minute, time.Second, conntrack(constant(math.NaN()), math.Inf(1))...)
	for _, w := range headroom.Read(t.Context(), s, at).Walls {
		require.Nil(t, w.Used)
		require.Nil(t, w.Utilization)
		require.Nil(t, w.MinutesLeft)
	}
}

type broken struct{}

var errBroken = errors.New("store unavailable")

func (broken) Query(context.Context, string, time.Time) (*promql.Result, error) {
	return nil, errBroken
}
func (broken) QueryRange(context.Context, string, time.Time, time.Time, time.Duration) (*promql.Result, error) {
	return nil, errBroken
}

func TestAStoreThatCannotAnswerIsSaidForEachWall(t *testing.T) {
	rep := headroom.Read(t.Context(), broken{}, at)
	require.Empty(t, rep.Walls)
	require.Contains(t, missing(rep, "Memory"), "store unavailable")
}

func TestAThousandNodesAreCutToTheWorst(t *testing.T) {
	s := store(t)
	for i := range 210 {
		feed(t, s, strings.Repeat("n", i+1), 20*time.Second, time.Second, conntrack(constant(float64(i)), 1000)...)
	}
	rep := headroom.Read(t.Context(), s, at)
	require.Len(t, rep.Walls, headroom.MaxWalls)
	require.Equal(t, 10, rep.Hidden)
	require.InDelta(t, 209, *rep.Walls[0].Used, 0)
}

func BenchmarkReadOneHostAnHourAtOneHertz(b *testing.B) {
	s := store(b)
	feed(b, s, "node", 29*time.Minute, time.Second, conntrack(func(ago float64) float64 { return 200_000 - 20*ago }, 262_144)...)
	feed(b, s, "node", 29*time.Minute, time.Second,
		metric{name: "system.linux.memory.available", unit: "By", value: constant(1e9)},
		metric{name: "system.memory.limit", unit: "By", value: constant(16e9)})
	b.ReportAllocs()
	for b.Loop() {
		headroom.Read(b.Context(), s, at)
	}
}
