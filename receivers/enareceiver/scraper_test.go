package enareceiver

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/scraper/scrapererror"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/receivers/enareceiver/internal/metadata"
)

// fakeDriver is a node's interfaces. Its methods are called by one goroutine.
type fakeDriver struct {
	ifaces  []iface
	drivers map[string]string
	counts  map[string]map[string]uint64
	err     map[string]error
	asked   map[string]int // how often for its driver
	closed  int
}

func (d *fakeDriver) interfaces() ([]iface, error) { return d.ifaces, d.err["list"] }
func (d *fakeDriver) name(i string) (string, error) {
	d.asked[i]++
	if d.drivers[i] == "" {
		return "", syscall.EOPNOTSUPP
	}
	return d.drivers[i], nil
}

func (d *fakeDriver) stats(i string) (map[string]uint64, error) {
	if err := d.err[i]; err != nil {
		return nil, err
	}
	return d.counts[i], nil
}
func (d *fakeDriver) close() { d.closed++ }

// node has two ENA interfaces, one new and one old, and pods behind veth pairs.
func node(t testing.TB) *fakeDriver {
	return &fakeDriver{
		ifaces:  []iface{{2, "ens5"}, {3, "ens6"}, {4, "eni1a2b"}, {5, "dummy0"}},
		drivers: map[string]string{"ens5": "ena", "ens6": "ena", "eni1a2b": "veth"},
		counts:  map[string]map[string]uint64{"ens5": recorded(t, "ena-exhausted.txt"), "ens6": recorded(t, "ena-in-tree-5.15.txt")},
		err:     map[string]error{}, asked: map[string]int{},
	}
}

func started(t testing.TB, d driver, interfaces ...string) (*enaScraper, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	cfg := defaultConfig().(*Config)
	cfg.Interfaces = interfaces
	s := newScraper(cfg, set, func() (driver, error) { return d, nil })
	require.NoError(t, s.start(t.Context(), componenttest.NewNopHost()))
	return s, logs
}

// points flattens metrics to "name interface allowance" → value.
func points(m pmetric.Metrics) map[string]int64 {
	out := map[string]int64{}
	each(m, func(key string, p pmetric.NumberDataPoint) { out[key] = p.IntValue() })
	return out
}

func each(m pmetric.Metrics, do func(string, pmetric.NumberDataPoint)) {
	for _, rm := range m.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, metric := range sm.Metrics().All() {
				for _, p := range metric.Sum().DataPoints().All() {
					a := p.Attributes().AsRaw()
					allowance, _ := a[names.ENAAllowance].(string)
					do(fmt.Sprintf("%s %s %s", metric.Name(), a[names.NetworkInterfaceName], allowance), p)
				}
			}
		}
	}
}

func TestEachENAInterfaceGivesWhatItsDriverKnows(t *testing.T) {
	s, logs := started(t, node(t))
	m, err := s.scrape(t.Context())
	require.NoError(t, err)
	want := map[string]int64{names.ENAConntrackAvailable + " ens5 ": 0}
	for k, v := range map[string]int64{"bw_in": 0, "bw_out": 0, "pps": 0, "conntrack": 18000, "linklocal": 0} {
		want[names.ENAAllowanceExceeded+" ens5 "+k] = v
	}
	for k, v := range map[string]int64{"bw_in": 77193, "bw_out": 8487, "pps": 0, "conntrack": 0, "linklocal": 0} {
		want[names.ENAAllowanceExceeded+" ens6 "+k] = v
	}
	require.Empty(t, gocmp.Diff(want, points(m)))
	require.Equal(t, 1, logs.FilterField(zap.String("interface", "ens6")).Len(), "that ens6 cannot say what is left is told")
}

func TestAVethIsAskedForItsDriverOnce(t *testing.T) {
	d := node(t)
	s, _ := started(t, d)
	for range 5 {
		_, err := s.scrape(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, map[string]int{"ens5": 1, "ens6": 1, "eni1a2b": 1, "dummy0": 1}, d.asked)
	require.Len(t, s.known, 4)
	d.ifaces = d.ifaces[:1]
	_, err := s.scrape(t.Context())
	require.NoError(t, err)
	require.Len(t, s.known, 1, "interfaces that are gone are forgotten")
}

func TestWithoutENAThereIsOneLineAndNoMetric(t *testing.T) {
	d := node(t)
	d.drivers = map[string]string{"ens5": "virtio_net"}
	s, logs := started(t, d)
	for range 5 {
		m, err := s.scrape(t.Context())
		require.NoError(t, err)
		require.Zero(t, m.DataPointCount())
	}
	require.Equal(t, 1, logs.Len())

	d.ifaces = append(d.ifaces, iface{9, "ens7"}) // attached while running
	d.drivers["ens7"], d.counts["ens7"] = "ena", recorded(t, "ena-2.8.1.txt")
	m, err := s.scrape(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 450878, points(m)[names.ENAConntrackAvailable+" ens7 "])
}

func TestADriverTooOldIsToldOnceAndNotAskedAgain(t *testing.T) {
	d := node(t)
	d.ifaces = d.ifaces[:1]
	d.counts["ens5"] = recorded(t, "ena-2.1.0K.txt")
	s, logs := started(t, d)
	for range 3 {
		m, err := s.scrape(t.Context())
		require.NoError(t, err)
		require.Zero(t, m.DataPointCount())
	}
	require.Equal(t, 1, logs.FilterMessageSnippet("2.2.10").Len())
	require.False(t, s.known[2].ena)
}

func TestARefusedReadNamesTheCapabilityOnceAndTheOtherInterfacesGoOn(t *testing.T) {
	d := node(t)
	d.err["ens5"] = os.NewSyscallError("ioctl", syscall.EPERM)
	s, logs := started(t, d)
	for range 3 {
		m, err := s.scrape(t.Context())
		require.NoError(t, err)
		require.Equal(t, len(exceeded), m.DataPointCount(), "ens6 only")
	}
	require.Equal(t, 1, logs.FilterMessageSnippet("CAP_NET_ADMIN").Len())
	delete(d.err, "ens5") // the profile was loosened
	m, err := s.scrape(t.Context())
	require.NoError(t, err)
	require.Contains(t, points(m), names.ENAConntrackAvailable+" ens5 ")
}

func TestAnInterfaceThatDisappearsWhileItIsReadIsNoError(t *testing.T) {
	d := node(t)
	d.err["ens5"] = syscall.ENODEV
	s, _ := started(t, d)
	m, err := s.scrape(t.Context())
	require.NoError(t, err)
	require.Equal(t, len(exceeded), m.DataPointCount())
}

func TestABusyDeviceIsAPartialError(t *testing.T) {
	d := node(t)
	d.err["ens5"] = syscall.EBUSY
	s, _ := started(t, d)
	m, err := s.scrape(t.Context())
	require.True(t, scrapererror.IsPartialScrapeError(err))
	require.ErrorContains(t, err, "read ENA statistics of ens5: device or resource busy")
	require.Equal(t, len(exceeded), m.DataPointCount(), "the other interface is given all the same")
}

func TestAfterAResetTheCountersStartAtTheLastReadBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := node(t)
		d.ifaces = d.ifaces[:2]
		s, _ := started(t, d)
		starts := func() map[string]time.Time {
			m, err := s.scrape(t.Context())
			require.NoError(t, err)
			out := map[string]time.Time{}
			each(m, func(key string, p pmetric.NumberDataPoint) {
				if p.StartTimestamp() != 0 {
					out[key] = p.StartTimestamp().AsTime()
				}
			})
			return out
		}
		require.Empty(t, starts(), "nobody knows since when the driver counts")
		before := time.Now()
		time.Sleep(10 * time.Second)
		d.counts["ens5"] = recorded(t, "ena-2.8.1.txt") // all zero: conntrack went back from 18000
		got := starts()
		require.Len(t, got, len(exceeded)+1, "all of ens5, nothing of ens6: %v", slices.SortedFunc(maps.Keys(got), cmp.Compare))
		for key, at := range got {
			require.Equal(t, before.UnixNano(), at.UnixNano(), key)
		}
	})
}

func TestOnlyTheNamedInterfacesAreRead(t *testing.T) {
	s, _ := started(t, node(t), "ens6")
	m, err := s.scrape(t.Context())
	require.NoError(t, err)
	require.Len(t, points(m), len(exceeded))
	require.Contains(t, points(m), names.ENAAllowanceExceeded+" ens6 bw_in")
}

func TestAMachineWithAThousandENAInterfacesIsReadUpToTheLimit(t *testing.T) {
	d := &fakeDriver{drivers: map[string]string{}, counts: map[string]map[string]uint64{}, err: map[string]error{}, asked: map[string]int{}}
	for i := range 1000 {
		name := fmt.Sprintf("ens%d", i)
		d.ifaces = append(d.ifaces, iface{i, name})
		d.drivers[name], d.counts[name] = "ena", recorded(t, "ena-2.8.1.txt")
	}
	s, logs := started(t, d)
	m, err := s.scrape(t.Context())
	require.NoError(t, err)
	require.Equal(t, maxInterfaces*(len(exceeded)+1), m.DataPointCount())
	require.Equal(t, 1, logs.FilterMessageSnippet("more than 64").Len())
}

func TestASystemWithoutEthtoolStartsAndSaysSoOnce(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	f := newFactory(func() (driver, error) { return nil, errNotSupported })
	r, err := f.CreateMetrics(t.Context(), set, f.CreateDefaultConfig(), new(consumertest.MetricsSink))
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, r.Shutdown(t.Context()))
	require.Equal(t, 1, logs.FilterMessageSnippet("not read").Len())
}

func TestTheReceiverReadsEachIntervalAndClosesItsSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := node(t)
		f := newFactory(func() (driver, error) { return d, nil })
		sink := new(consumertest.MetricsSink)
		r, err := f.CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), f.CreateDefaultConfig(), sink)
		require.NoError(t, err)
		require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
		time.Sleep(31*time.Second + time.Millisecond)
		synctest.Wait()
		require.Len(t, sink.AllMetrics(), 4, "after 1, 11, 21 and 31 s")
		require.NoError(t, r.Shutdown(t.Context()))
		require.Equal(t, 1, d.closed)
	})
}
