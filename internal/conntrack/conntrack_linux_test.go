package conntrack_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/testkit/netlab"
)

func tuple(src, dst string) flow.Tuple {
	s, d := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	return flow.Tuple{Src: s.Addr(), SrcPort: s.Port(), Dst: d.Addr(), DstPort: d.Port()}
}

func echo(src, dst string, kind uint8) flow.Tuple {
	return flow.Tuple{Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst), ICMP: flow.ICMP{ID: 7, Type: kind}}
}

// every is one entry of each kind that the decoder tells apart.
func every() []flow.Flow {
	const established = flow.SeenReply | flow.Assured
	return []flow.Flow{
		{Proto: flow.TCP, State: flow.StateEstablished, Status: established, Mark: 0x4000,
			Orig: tuple("198.51.100.1:1001", "10.96.0.1:443"), Reply: tuple("10.0.0.9:8443", "10.0.0.1:50000")},
		{Proto: flow.TCP, State: flow.StateSynSent, Zone: 9,
			Orig: tuple("198.51.100.2:1002", "10.0.0.9:80"), Reply: tuple("10.0.0.9:80", "198.51.100.2:1002")},
		{Proto: flow.TCP, State: flow.StateSynReceived, Status: flow.SeenReply,
			Orig: tuple("[2001:db8::3]:1003", "[2001:db8:1::1]:80"), Reply: tuple("[2001:db8:1::1]:80", "[2001:db8::3]:1003")},
		{Proto: flow.UDP, Orig: tuple("198.51.100.4:1004", "10.0.0.9:53"), Reply: tuple("10.0.0.9:53", "198.51.100.4:1004")},
		{Proto: flow.ICMP4, Orig: echo("198.51.100.5", "10.0.0.9", 8), Reply: echo("10.0.0.9", "198.51.100.5", 0)},
		{Proto: flow.ICMP6, Orig: echo("2001:db8::6", "2001:db8:1::1", 128), Reply: echo("2001:db8:1::1", "2001:db8::6", 129)},
		{Proto: flow.SCTP, State: flow.StateEstablished, Status: established,
			Orig: tuple("198.51.100.7:1007", "10.0.0.9:2905"), Reply: tuple("10.0.0.9:2905", "198.51.100.7:1007")},
		{Proto: flow.TCP, State: flow.StateTimeWait, Status: established,
			Orig: tuple("198.51.100.8:1008", "10.0.0.9:80"), Reply: tuple("10.0.0.9:80", "198.51.100.8:1008")},
	}
}

func dial(t *testing.T, ns *netlab.NS) *conntrack.Conn {
	t.Helper()
	c, err := conntrack.Dial(conntrack.Options{NetNS: ns.Path})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func collect(t *testing.T, c *conntrack.Conn, x conntrack.Filter) (flows []flow.Flow) {
	t.Helper()
	for f, err := range c.Dump(t.Context(), x) {
		require.NoError(t, err)
		flows = append(flows, *f)
	}
	slices.SortFunc(flows, func(a, b flow.Flow) int { return cmp.Compare(a.Orig.Src.String(), b.Orig.Src.String()) })
	return flows
}

var asMade = []gocmp.Option{
	cmpopts.EquateComparable(netip.Addr{}),
	cmpopts.IgnoreFields(flow.Flow{}, "ID", "Timeout"),
	gocmp.Transformer("Unconfirmed", func(s flow.Status) uint32 { return uint32(s &^ flow.Confirmed) }),
}

func TestADumpGivesEachKindOfEntryAsItWasMade(t *testing.T) {
	ns := netlab.New(t, "a")
	want := every()
	ns.Fill(slices.Values(want))
	got := collect(t, dial(t, ns), conntrack.Filter{})
	slices.SortFunc(want, func(a, b flow.Flow) int { return cmp.Compare(a.Orig.Src.String(), b.Orig.Src.String()) })
	require.Empty(t, gocmp.Diff(want, got, asMade...))
	for _, f := range got {
		require.NotZero(t, f.ID)
		require.InDelta(t, 3600, f.Timeout.Seconds(), 5)
		require.NotZero(t, f.Status&flow.Confirmed)
	}
}

func TestAFilteredDumpIsWhatTheFilterTakesOfAWholeOne(t *testing.T) {
	ns := netlab.New(t, "a")
	ns.Fill(slices.Values(every()))
	whole := collect(t, dial(t, ns), conntrack.Filter{})
	addr := netip.MustParseAddr
	for name, tc := range map[string]struct {
		filter conntrack.Filter
		want   int
	}{
		"not assured":          {conntrack.NotAssured(), 5},
		"assured":              {conntrack.Filter{Status: flow.Assured, StatusMask: flow.Assured}, 3},
		"one zone":             {conntrack.Filter{Zone: 9, HasZone: true}, 1},
		"the default zone":     {conntrack.Filter{HasZone: true}, 7},
		"a mark":               {conntrack.Filter{Mark: 0x4000, MarkMask: 0x4000}, 1},
		"no mark":              {conntrack.Filter{MarkMask: 0xffffffff}, 7},
		"IPv6":                 {conntrack.Filter{IPv6: true}, 2},
		"both families":        {conntrack.Filter{IPv4: true, IPv6: true}, 8},
		"a source":             {conntrack.Filter{Orig: conntrack.Match{Src: addr("198.51.100.2")}}, 1},
		"a destination":        {conntrack.Filter{Orig: conntrack.Match{Dst: addr("10.0.0.9")}}, 5},
		"an IPv6 destination":  {conntrack.Filter{Orig: conntrack.Match{Dst: addr("2001:db8:1::1")}}, 2},
		"a backend":            {conntrack.Filter{Reply: conntrack.Match{Src: addr("10.0.0.9"), Proto: flow.TCP, SrcPort: 8443}}, 1},
		"a service, half open": {conntrack.Filter{StatusMask: flow.Assured, Orig: conntrack.Match{Dst: addr("10.0.0.9"), Proto: flow.TCP, DstPort: 80}}, 1},
		"a port, any address":  {conntrack.Filter{Orig: conntrack.Match{Proto: flow.UDP, DstPort: 53}}, 1},
		"nothing":              {conntrack.Filter{Zone: 77, HasZone: true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, ns)
			got := collect(t, c, tc.filter)
			require.Len(t, got, tc.want)
			var want []flow.Flow
			for _, f := range whole {
				if tc.filter.Takes(&f) {
					want = append(want, f)
				}
			}
			require.Empty(t, gocmp.Diff(want, got, append(asMade, cmpopts.EquateEmpty())...))
		})
	}
}

func TestTheKernelIsSeenToFilter(t *testing.T) {
	ns := netlab.New(t, "a")
	ns.Fill(slices.Values(every()))
	c := dial(t, ns)
	require.Equal(t, conntrack.FilterUnknown, c.KernelFilters())
	collect(t, c, conntrack.Filter{})
	require.Equal(t, conntrack.FilterUnknown, c.KernelFilters(), "a whole dump tells nothing")
	collect(t, c, conntrack.NotAssured())
	want := conntrack.FilterUserSpace
	if since(t, 5, 15) {
		want = conntrack.FilterInKernel
	}
	require.Equal(t, want, c.KernelFilters())
}

// since tells whether the kernel is of a release or later.
func since(t *testing.T, major, minor int) bool {
	var u unix.Utsname
	require.NoError(t, unix.Uname(&u))
	var a, b int
	_, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &a, &b)
	require.NoError(t, err)
	return a > major || a == major && b >= minor
}

func TestADumpThatIsLeftEarlyDoesNotSpoilTheNext(t *testing.T) {
	ns := netlab.New(t, "a")
	const n = 3000 // more than the kernel sends at once
	ns.Fill(netlab.TCPFlows(n, netip.MustParseAddrPort("10.255.0.1:80"), flow.StateSynSent, 0))
	c := dial(t, ns)
	for range 3 {
		for _, err := range c.Dump(t.Context(), conntrack.Filter{}) {
			require.NoError(t, err)
			break
		}
	}
	require.Len(t, collect(t, c, conntrack.Filter{}), n)
	u, err := c.Usage()
	require.NoError(t, err)
	require.EqualValues(t, n, u.Count)
}

func TestACancelledDumpEndsByTheContextsError(t *testing.T) {
	ns := netlab.New(t, "a")
	ns.Fill(netlab.TCPFlows(3000, netip.MustParseAddrPort("10.255.0.1:80"), flow.StateSynSent, 0))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for f, err := range dial(t, ns).Dump(ctx, conntrack.Filter{}) {
		last = err
		if f != nil {
			n++
			cancel()
		}
	}
	require.ErrorIs(t, last, context.Canceled)
	require.Less(t, n, 3000)
}

func TestUsageAndStatsAgreeWithProc(t *testing.T) {
	ns := netlab.New(t, "a")
	ns.Fill(slices.Values(every()))
	c := dial(t, ns)
	fromKernel, err := c.Usage()
	require.NoError(t, err)
	require.EqualValues(t, len(every()), fromKernel.Count)

	var p *conntrack.Proc
	require.NoError(t, conntrack.InNetNS(ns.Path, func() (err error) { p, err = conntrack.OpenProc("/proc"); return err }))
	defer p.Close()
	for range 2 { // the files are read again from their beginning
		fromProc, err := p.Usage()
		require.NoError(t, err)
		require.Equal(t, fromKernel, fromProc)
		a, err := c.CPUStats(nil)
		require.NoError(t, err)
		b, err := p.CPUStats(nil)
		require.NoError(t, err)
		require.Equal(t, a, b)
		require.NotEmpty(t, a)
	}
}

func TestANamespaceThatIsNotThereIsToldByAnError(t *testing.T) {
	_, err := conntrack.Dial(conntrack.Options{NetNS: "/run/netns/vigie-no-such"})
	require.ErrorIs(t, err, conntrack.ErrNamespaceGone)
	if os.Geteuid() == 0 {
		_, err = conntrack.Dial(conntrack.Options{NetNS: "/dev/null"})
		require.ErrorIs(t, err, conntrack.ErrNamespaceGone)
	}
}

func TestEventsTellWhatHappensToAnEntry(t *testing.T) {
	ns := netlab.New(t, "a")
	l, err := conntrack.Listen(conntrack.ListenOptions{
		Options: conntrack.Options{NetNS: ns.Path},
		Events:  conntrack.EventNew | conntrack.EventUpdate | conntrack.EventDestroy,
	})
	require.NoError(t, err)
	defer l.Close()
	made := every()[:3]
	made[0].Timeout = time.Second
	ns.Fill(slices.Values(made))
	ns.Delete(slices.Values(made[1:2]))

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	seen := map[conntrack.EventType][]flow.Flow{}
	for e, err := range l.Events(ctx) {
		require.NoError(t, err)
		seen[e.Type] = append(seen[e.Type], e.Flow)
		if e.Type == conntrack.EventDestroy {
			break
		}
	}
	require.NoError(t, ctx.Err())
	require.Len(t, seen[conntrack.EventNew], 3)
	require.Empty(t, gocmp.Diff(made, seen[conntrack.EventNew], asMade...))
	require.Equal(t, made[1].Orig, seen[conntrack.EventDestroy][0].Orig)
}

func TestALostEventIsToldAndListeningGoesOn(t *testing.T) {
	ns := netlab.New(t, "a")
	l, err := conntrack.Listen(conntrack.ListenOptions{Options: conntrack.Options{NetNS: ns.Path}, ReadBuffer: 8 << 10})
	require.NoError(t, err)
	defer l.Close()
	ns.Fill(netlab.TCPFlows(2000, netip.MustParseAddrPort("10.255.0.1:80"), flow.StateSynSent, 0))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	// The queue is still full when the loss is told, so one more entry an event
	// that is read, until one of them comes through.
	lost, after := 0, 0
	for e, err := range l.Events(ctx) {
		switch {
		case errors.Is(err, conntrack.ErrOverrun):
			lost++
		case err != nil:
			t.Fatal(err)
		case e.Flow.Proto == flow.UDP:
			after++
			cancel()
		case lost > 0:
			late := flow.Flow{Proto: flow.UDP, Orig: tuple("198.51.100.4:1004", "10.0.0.9:53")}
			late.Orig.SrcPort += e.Flow.Orig.SrcPort
			ns.Fill(slices.Values([]flow.Flow{late}))
		}
	}
	require.Positive(t, lost)
	require.Positive(t, after, "events after the loss")
}

func TestAClosedListenerEndsItsEvents(t *testing.T) {
	ns := netlab.New(t, "a")
	l, err := conntrack.Listen(conntrack.ListenOptions{Options: conntrack.Options{NetNS: ns.Path}})
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range l.Events(context.Background()) {
		}
	}()
	require.NoError(t, l.Close())
	<-done
}

func TestADumpAllocatesNothingPerEntry(t *testing.T) {
	ns := netlab.New(t, "a")
	c := dial(t, ns)
	perDump := func() float64 {
		return testing.AllocsPerRun(5, func() {
			for _, err := range c.Dump(context.Background(), conntrack.Filter{}) {
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	ns.Fill(netlab.TCPFlows(10, netip.MustParseAddrPort("10.255.0.1:80"), flow.StateSynSent, 0))
	few := perDump()
	ns.Fill(netlab.TCPFlows(5000, netip.MustParseAddrPort("10.255.0.2:80"), flow.StateSynSent, 0))
	require.LessOrEqual(t, perDump(), few)
}

func TestHostRoutesAndBridgesArePodsAndInterfaceAddressesAreOurs(t *testing.T) {
	ns, pod := netlab.New(t, "node"), netlab.New(t, "pod")
	ns.Link(pod, "10.0.0.1/24", "10.0.0.9/32")
	ns.Run("ip", "address", "add", "2001:db8::1/64", "dev", "to-pod", "nodad")
	ns.Run("ip", "route", "add", "10.0.0.9/32", "dev", "to-pod")
	ns.Run("ip", "-6", "route", "add", "2001:db8:5::9/128", "dev", "to-pod")
	ns.Run("ip", "route", "add", "10.7.7.7/32", "via", "10.0.0.9")
	ns.Run("ip", "route", "add", "10.8.0.0/16", "dev", "to-pod")
	ns.Run("ip", "link", "add", "cni0", "type", "bridge")
	ns.Run("ip", "address", "add", "10.244.1.1/24", "dev", "cni0")
	ns.Run("ip", "address", "add", "2001:db8:244::1/64", "dev", "cni0", "nodad")
	ns.Run("ip", "link", "set", "cni0", "up")
	a, err := conntrack.LocalAddresses(conntrack.Options{NetNS: ns.Path})
	require.NoError(t, err)
	addr := netip.MustParseAddr
	require.Subset(t, a.Interfaces, []netip.Addr{addr("127.0.0.1"), addr("::1"), addr("10.0.0.1"), addr("2001:db8::1")})
	require.ElementsMatch(t, a.HostRoutes, []netip.Addr{addr("10.0.0.9"), addr("2001:db8:5::9")})
	require.ElementsMatch(t, a.Bridges, []netip.Prefix{netip.MustParsePrefix("10.244.1.0/24"), netip.MustParsePrefix("2001:db8:244::/64")})
}

func TestEachNewEntryIsCountedWithoutReadingIt(t *testing.T) {
	ns := netlab.New(t, "a")
	c, err := conntrack.CountNew(conntrack.Options{NetNS: ns.Path})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		t.Skip("needs CAP_BPF and CONFIG_BPF_SYSCALL: ", err)
	}
	require.NoError(t, err)
	defer c.Close()
	const n = 20_000
	ns.Fill(netlab.TCPFlows(n, netip.MustParseAddrPort("10.255.0.1:80"), flow.StateSynSent, 0))
	got, err := c.Count()
	require.NoError(t, err)
	require.EqualValues(t, n, got)

	other := netlab.New(t, "b")
	other.Fill(netlab.TCPFlows(10, netip.MustParseAddrPort("10.255.0.1:80"), flow.StateSynSent, 0))
	got, err = c.Count()
	require.NoError(t, err)
	require.EqualValues(t, n, got, "another namespace's entries")
}

func TestATableThatChangesUnderTheDumpIsReadToItsEnd(t *testing.T) {
	ns := netlab.New(t, "a")
	const stay = 5000
	ns.Fill(netlab.TCPFlows(stay, netip.MustParseAddrPort("10.255.0.1:80"), flow.StateEstablished, flow.SeenReply|flow.Assured))
	c := dial(t, ns)
	stop, read := make(chan struct{}), make(chan error, 1)
	go func() { read <- dumpUntil(t.Context(), c, stop, stay) }()
	for i := range 10 {
		come := netlab.TCPFlows(2000, netip.AddrPortFrom(netip.MustParseAddr("10.255.0.2"), uint16(i+1)), flow.StateSynSent, 0)
		ns.Fill(come)
		ns.Delete(come)
	}
	close(stop)
	require.NoError(t, <-read)
}

// dumpUntil reads the table again and again, and once more after stop. What does
// not change, assured entries of the number given, must be told each time.
func dumpUntil(ctx context.Context, c *conntrack.Conn, stop <-chan struct{}, stay int) error {
	for running := true; running; {
		select {
		case <-stop:
			running = false
		default:
		}
		seen := make(map[flow.Key]bool, stay)
		interrupted := false
		for f, err := range c.Dump(ctx, conntrack.Filter{}) {
			switch {
			case errors.Is(err, conntrack.ErrInterrupted):
				interrupted = true
			case err != nil:
				return err
			case f.Assured():
				seen[f.Key()] = true
			}
		}
		if !interrupted && len(seen) != stay {
			return fmt.Errorf("%d of %d entries that do not change are told", len(seen), stay)
		}
	}
	return nil
}
