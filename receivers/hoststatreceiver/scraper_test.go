package hoststatreceiver

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/receivers/hoststatreceiver/internal/metadata"
)

func TestGuestTimeIsCountedOnce(t *testing.T) {
	stat := []byte("cpu  1000 100 50 9000 10 1 2 3 400 40\ncpu0 1000 100 50 9000 10 1 2 3 400 40\nintr 5\nbtime 1700000000\n")
	got := map[string]map[string]float64{}
	for cpu, seconds := range cpuTimes(stat) {
		got[cpu] = map[string]float64{}
		for i, s := range seconds {
			got[cpu][cpuStates[i].String()] = s
		}
	}
	want := map[string]map[string]float64{"cpu0": {
		"user": 6, "nice": 0.6, "system": 0.5, "idle": 90, "wait": 0.1,
		"interrupt": 0.01, "softirq": 0.02, "steal": 0.03, "guest": 4, "guest_nice": 0.4,
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	boot, ok := bootTime(stat)
	if !ok || boot.Unix() != 1700000000 {
		t.Errorf("boot time %v, %v", boot, ok)
	}
}

func TestKernelsWithoutGuestColumnsAndJunkAreRead(t *testing.T) {
	n := 0
	for _, seconds := range cpuTimes([]byte("cpu7 100 0 0 0\ncpu8 x\ncpu9 200 0 0 0 0 0 0 0\n\x00\xff")) {
		n++
		if seconds[colGuest] != 0 || seconds[colUser] == 0 {
			t.Errorf("got %v", seconds)
		}
	}
	if n != 2 {
		t.Errorf("read %d CPUs, want 2", n)
	}
}

func TestThreadCountSaysWhatItCouldNotRead(t *testing.T) {
	n, err := threadCount([]byte("0.1 0.2 0.3 2/345 999\n"))
	require.NoError(t, err)
	if n != 345 {
		t.Errorf("got %d threads", n)
	}
	if _, err := threadCount([]byte("junk")); err == nil {
		t.Error("junk was read as a count")
	}
}

// Real sockets: the kernel's answer through sock_diag has to hold the ones that
// this test opens, and agree with /proc/net about them.
func TestSocketsThatThisTestOpensAreCounted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("sock_diag is Linux's")
	}
	before := socketCounts{}
	require.NoError(t, diagSockets(before))

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	s, err := l.Accept()
	require.NoError(t, err)
	defer s.Close()
	u, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		u, err = net.ListenPacket("udp", "127.0.0.1:0")
	}
	require.NoError(t, err)
	defer u.Close()

	// Other processes open and close sockets too, so the kernel's own table is
	// asked for exactly this connection by the second reader below; here at
	// least these must have come.
	after, proc := socketCounts{}, socketCounts{}
	require.NoError(t, diagSockets(after))
	require.NoError(t, procSockets("/proc", proc))
	for _, k := range []socketKey{{tcp, stateEstablished}, {tcp, "LISTEN"}, {udp, stateClose}} {
		if after[k] == 0 || proc[k] == 0 {
			t.Errorf("%v: sock_diag has %d (before %d), /proc has %d; want at least 1", k, after[k], before[k], proc[k])
		}
	}
	if after[socketKey{tcp, stateTimeWait}] != 0 {
		t.Error("TIME_WAIT came through the dump; it is to come from sockstat")
	}
}

func TestAHostMountedElsewhereIsReadThere(t *testing.T) {
	root := t.TempDir()
	proc := filepath.Join(root, "proc")
	for _, dir := range []string{"net", "sys/fs", "sys/kernel"} {
		require.NoError(t, os.MkdirAll(filepath.Join(proc, dir), 0o755))
	}
	for name, body := range map[string]string{
		"stat":                   "cpu0 100 0 0 900 0 0 0 0 0 0\nbtime 1700000000\n",
		"loadavg":                "0 0 0 1/77 5\n",
		"sys/fs/file-nr":         "1216\t0\t2466177\n",
		"sys/kernel/threads-max": "192730\n",
		"sys/kernel/pid_max":     "32768\n",
		"net/sockstat":           "sockets: used 5\nTCP: inuse 5 orphan 0 tw 31 alloc 8 mem 1\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(proc, name), []byte(body), 0o600))
	}
	cfg := createDefaultConfig()
	cfg.RootPath = root
	s := newHostScraper(receivertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, s.start(t.Context(), componenttest.NewNopHost()))
	s.readSockets = func(c socketCounts) error { c.add(udp, 7); return nil }
	md, err := s.scrape(t.Context())
	require.NoError(t, err)

	got := map[string]float64{}
	for _, sm := range md.ResourceMetrics().At(0).ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			for _, dp := range m.Sum().DataPoints().All() {
				key := m.Name()
				for _, v := range dp.Attributes().All() {
					key += " " + v.AsString()
				}
				got[key] = dp.DoubleValue() + float64(dp.IntValue())
			}
		}
	}
	for key, want := range map[string]float64{
		"system.cpu.time cpu0 idle":                9,
		"system.cpu.time cpu0 guest":               0,
		"system.threads.count":                     77,
		"system.threads.limit":                     32768,
		"system.linux.file_descriptor.usage":       1216,
		"system.linux.file_descriptor.limit":       2466177,
		"system.network.connections tcp TIME_WAIT": 31,
		"system.network.connections udp CLOSE":     1,
	} {
		if v, ok := got[key]; !ok || v != want {
			t.Errorf("%s = %v (there: %v), want %v", key, v, ok, want)
		}
	}
}

func TestADescriptorLimitThatIsOffIsNone(t *testing.T) {
	for body, want := range map[string]struct {
		used, limit int64
		limited     bool
	}{
		"1216\t0\t2466177\n":             {1216, 2466177, true},
		"2.4 reported 7\n":               {-1, 0, false},
		"1600\t100\t65536\n":             {1500, 65536, true}, // kernels that keep spare ones
		"1216\t0\t9223372036854775807\n": {1216, 0, false},
		"":                               {-1, 0, false},
	} {
		used, limit, limited, err := fileNumbers([]byte(body))
		if want.used < 0 {
			require.Error(t, err, body)
			continue
		}
		require.NoError(t, err, body)
		if used != want.used || limited != want.limited || (limited && limit != want.limit) {
			t.Errorf("%q: %d of %d (%v)", body, used, limit, limited)
		}
	}
}

func TestTheKernelsOwnLimitsAreRead(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc/sys is Linux's")
	}
	s := newHostScraper(receivertest.NewNopSettings(metadata.Type), createDefaultConfig())
	require.NoError(t, s.start(t.Context(), componenttest.NewNopHost()))
	md, err := s.scrape(t.Context())
	require.NoError(t, err)
	got := map[string]int64{}
	for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Sum().DataPoints().Len() == 1 {
			got[m.Name()] = m.Sum().DataPoints().At(0).IntValue()
		}
	}
	for used, limit := range map[string]string{names.HostThreads: names.HostThreadLimit, names.HostFileDescriptorUsage: names.HostFileDescriptorLimit} {
		if got[used] < 1 {
			t.Errorf("%s is %d; this test alone has some", used, got[used])
		}
		if l, ok := got[limit]; ok && l < got[used] {
			t.Errorf("%s is %d, over %s, %d", used, got[used], limit, l)
		}
	}
}

func TestARefusedSockDiagFallsBackToProc(t *testing.T) {
	s := newHostScraper(receivertest.NewNopSettings(metadata.Type), createDefaultConfig())
	require.NoError(t, s.start(t.Context(), componenttest.NewNopHost()))
	s.readSockets = func(socketCounts) error { return os.ErrPermission }
	md, err := s.scrape(t.Context())
	require.NoError(t, err)
	if md.DataPointCount() == 0 {
		t.Error("nothing was read after the fall-back")
	}
}

func TestARelativeRootIsRefused(t *testing.T) {
	cfg := createDefaultConfig()
	cfg.RootPath = "hostfs"
	if err := cfg.Validate(); err == nil {
		t.Error("a relative root_path was taken")
	}
}

func FuzzSockDiag(f *testing.F) {
	f.Add([]byte{20, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = eachDiag(b, func(uint8) {})
	})
}

func BenchmarkDiagSockets(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := diagSockets(socketCounts{}); err != nil {
			b.Fatal(err)
		}
	}
}
