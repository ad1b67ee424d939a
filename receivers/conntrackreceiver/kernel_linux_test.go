package conntrackreceiver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/testkit/netlab"
)

// onKernel is a lab whose receiver reads the namespace at path.
func onKernel(t *testing.T, path string) *lab {
	l := newLab(t, nil)
	l.r.src = newKernel(path)
	t.Cleanup(l.r.src.close)
	return l
}

// read runs each tier once, without the loop.
func (l *lab) read(ctx context.Context) {
	l.metrics.Reset()
	l.logs.Reset()
	l.r.readStats(ctx)
	l.r.readHalfOpen(ctx)
	l.r.readFull(ctx)
}

// node is a namespace with a service: client → node (DNAT) → pod.
func node(t *testing.T) (client, node, pod *netlab.NS) {
	client, node, pod = netlab.New(t, "client"), netlab.New(t, "node"), netlab.New(t, "pod")
	client.Link(node, "198.51.100.7/24", "198.51.100.1/24")
	node.Link(pod, "10.0.0.1/24", "10.0.0.9/24")
	node.Run("ip", "route", "add", "10.0.0.9/32", "dev", "to-pod")
	client.Run("ip", "route", "add", "default", "via", "198.51.100.1")
	pod.Run("ip", "route", "add", "default", "via", "10.0.0.1")
	node.Sysctl("net.ipv4.ip_forward", "1")
	node.Track()
	return client, node, pod
}

func (l *lab) recorded(t *testing.T) (flows []flow.Flow) {
	for _, ld := range l.logs.AllLogs() {
		for _, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			var f flow.Flow
			require.NoError(t, f.ReadRecord(lr))
			flows = append(flows, f)
		}
	}
	return flows
}

func TestRealConnectionsThroughADNATRuleAreResolvedToThePod(t *testing.T) {
	client, node, pod := node(t)
	node.DNAT("tcp", "198.51.100.1:443", "10.0.0.9:8443")
	node.NFT(`table ip nat { chain dns { type nat hook prerouting priority -99;
		ip daddr 198.51.100.1 udp dport 53 dnat to 10.0.0.9:5353; }; }`)
	var tcp net.Listener
	var udp net.PacketConn
	pod.Do(func() (err error) {
		if tcp, err = net.Listen("tcp", "10.0.0.9:8443"); err != nil {
			return err
		}
		udp, err = net.ListenPacket("udp", "10.0.0.9:5353")
		return err
	})
	defer tcp.Close()
	defer udp.Close()
	go func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			c.Write([]byte("x"))
		}
	}()
	go func() {
		b := make([]byte, 16)
		for {
			n, from, err := udp.ReadFrom(b)
			if err != nil {
				return
			}
			udp.WriteTo(b[:n], from)
		}
	}()
	const n = 5
	client.Do(func() error {
		for _, network := range []string{"tcp", "udp"} {
			for range n {
				port := map[string]string{"tcp": "443", "udp": "53"}[network]
				c, err := net.Dial(network, "198.51.100.1:"+port)
				if err != nil {
					return err
				}
				t.Cleanup(func() { c.Close() }) // so that it is established below
				c.SetDeadline(time.Now().Add(5 * time.Second))
				if _, err := c.Write([]byte("x")); err != nil {
					return err
				}
				if _, err := c.Read(make([]byte, 1)); err != nil {
					return err
				}
			}
		}
		return nil
	})

	l := onKernel(t, node.Path)
	l.read(t.Context())
	got := l.last()
	require.EqualValues(t, 2*n, got[names.ConntrackUsage])
	require.EqualValues(t, n, got[names.ConntrackEntries+"{established,tcp,ipv4}"])
	require.EqualValues(t, n, got[names.ConntrackOwnerEntries+"{receive,10.0.0.9:8443} @10.0.0.9"])
	require.EqualValues(t, n, got[names.ConntrackOwnerEntries+"{receive,10.0.0.9:5353} @10.0.0.9"])
	require.Zero(t, got[names.ConntrackOwnerEntries+"{receive,other}"])

	resolved := 0
	for _, f := range l.recorded(t) {
		if f.Proto == flow.TCP {
			require.Equal(t, "198.51.100.1:443", f.Service().String())
			require.Equal(t, "10.0.0.9:8443", f.Backend().String())
			require.Equal(t, "198.51.100.7", f.Client().Addr().String())
			resolved++
		}
	}
	require.Equal(t, n, resolved)
}

func TestASYNFloodIsSeenHalfOpenOnItsTarget(t *testing.T) {
	client, node, pod := node(t)
	node.DNAT("tcp", "198.51.100.1:443", "10.0.0.9:8443")
	pod.NFT(`table ip mute { chain out { type filter hook output priority 0; policy drop; }; }`) // nobody answers
	const n = 600
	client.Do(func() error { return spoofSYNs(n, "198.51.100.1:443") })

	l := onKernel(t, node.Path)
	l.read(t.Context())
	got := l.last()
	require.EqualValues(t, n, got[names.ConntrackHalfOpen+"{receive,10.0.0.9:8443} @10.0.0.9"])
	require.InEpsilon(t, n, got[names.ConntrackHalfOpenSources+"{receive,10.0.0.9:8443} @10.0.0.9"], 0.12)
	flows := l.recorded(t)
	require.Len(t, flows, n)
	require.True(t, flows[0].HalfOpen())
	require.Equal(t, "10.0.0.9:8443", flows[0].Backend().String())
}

// spoofSYNs sends n SYNs, each from another /24 of 203.0.0.0/8, over a raw
// socket. They stay in the namespaces of the test.
func spoofSYNs(n int, target string) error {
	dst := netip.MustParseAddrPort(target)
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	to := &syscall.SockaddrInet4{Addr: dst.Addr().As4()}
	for i := range n {
		src := [4]byte{203, byte(i >> 8), byte(i), 9}
		p := make([]byte, 40)
		p[0], p[8], p[9] = 0x45, 64, syscall.IPPROTO_TCP // the kernel fills length and checksum of the IP header
		copy(p[12:], src[:])
		copy(p[16:], to.Addr[:])
		t := p[20:]
		t[0], t[1], t[2], t[3] = byte(2000>>8), byte(2000&0xff), byte(dst.Port()>>8), byte(dst.Port())
		t[12], t[13] = 5<<4, 0x02 // no options, SYN
		t[14] = 0xff
		sum := checksum(append(append(append([]byte{}, p[12:20]...), 0, syscall.IPPROTO_TCP, 0, 20), t...))
		t[16], t[17] = byte(sum>>8), byte(sum)
		if err := syscall.Sendto(fd, p, 0, to); err != nil {
			return fmt.Errorf("send SYN %d: %w", i, err)
		}
	}
	return nil
}

func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func TestWhatOverflowsALoweredLimitIsDroppedOrEarlyDropped(t *testing.T) {
	const limit, sent = 500, 1300
	netlab.Limit(t, limit)
	client, node, pod := node(t)
	pod.NFT(`table ip mute { chain out { type filter hook output priority 0; policy drop; }; }`)
	l := onKernel(t, node.Path)
	l.read(t.Context())
	before := l.last()
	client.Do(func() error { return spoofSYNs(sent, "10.0.0.9:80") })
	l.read(t.Context())
	got := l.last()
	lost := func(m map[string]float64) float64 {
		return m[names.ConntrackPacketDropped] + m[names.ConntrackEarlyDropped]
	}
	require.EqualValues(t, limit, got[names.ConntrackLimit])
	require.InDelta(t, limit, got[names.ConntrackUsage], limit/50)
	// Each SYN is in the table, was evicted from it, or was not let in.
	require.EqualValues(t, sent, got[names.ConntrackUsage]+lost(got)-lost(before))
}

func TestANamespaceThatDisappearsIsToldAndNotKeptAlive(t *testing.T) {
	ns := netlab.New(t, "a")
	ns.Fill(netlab.TCPFlows(10, netip.MustParseAddrPort("10.0.0.9:80"), flow.StateSynSent, 0))
	path := t.TempDir() + "/ns"
	require.NoError(t, os.Symlink(ns.Path, path))
	l := onKernel(t, path)
	l.read(t.Context())
	require.EqualValues(t, 10, l.last()[names.ConntrackUsage])
	k := l.r.src.(*kernel)
	require.Nil(t, k.proc, "left after each reading")
	require.Nil(t, k.conn)

	require.NoError(t, os.Remove(path))
	l.read(t.Context())
	l.read(t.Context())
	require.Zero(t, l.metrics.DataPointCount())
	require.Equal(t, 1, l.lines.Len(), l.lines.All())
}

func TestNewEntriesAreCountedInTheKernelAndByReading(t *testing.T) {
	for name, how := range map[string]func(*kernel, context.Context, int, *eventCounter) error{
		"counted": (*kernel).events, "read": (*kernel).readEvents,
	} {
		t.Run(name, func(t *testing.T) {
			ns := netlab.New(t, "a")
			c, stop := subscribed(t, ns, how)
			const n = 5000
			ns.Fill(netlab.TCPFlows(n, netip.MustParseAddrPort("10.0.0.9:80"), flow.StateSynSent, 0))
			reaches(c, 1+n, 30*time.Second)
			require.EqualValues(t, 1+n, c.created.Load())
			require.Zero(t, c.lost.Load())
			require.NoError(t, stop())
		})
	}
}

// subscribed begins to count and returns once the subscription has counted one
// entry. Nothing tells that it is there but that it counts: each is given one
// entry, after a while, and one that does not count it is ended and begun anew. So
// the one that is returned has been given one entry in all.
func subscribed(t *testing.T, ns *netlab.NS, how func(*kernel, context.Context, int, *eventCounter) error) (c *eventCounter, stop func() error) {
	t.Helper()
	pause := 100 * time.Millisecond
	for port := uint16(1); port <= 8; port++ {
		c = newEventCounter()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- how(newKernel(ns.Path), ctx, 0, c) }()
		stop = func() error { cancel(); return <-done }
		time.Sleep(pause) // the other goroutine is in the kernel: no bubble
		ns.Fill(netlab.TCPFlows(1, netip.AddrPortFrom(netip.MustParseAddr("10.0.0.8"), port), flow.StateSynSent, 0))
		if reaches(c, 1, 5*time.Second) {
			return c, stop
		}
		require.NoError(t, stop())
		pause *= 2
	}
	t.Fatal("no event is seen")
	return nil, nil
}

// reaches waits until so many entries are counted.
func reaches(c *eventCounter, atLeast uint64, within time.Duration) bool {
	for end := time.Now().Add(within); c.created.Load() < atLeast; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func TestCountingLeavesANamespaceThatIsGone(t *testing.T) {
	ns := netlab.New(t, "a")
	path := t.TempDir() + "/ns"
	require.NoError(t, os.Symlink(ns.Path, path))
	n, err := conntrack.CountNew(conntrack.Options{NetNS: path})
	if err != nil {
		t.Skip("needs CAP_BPF and CONFIG_BPF_SYSCALL: ", err)
	}
	n.Close()
	done := make(chan error)
	go func() { done <- newKernel(path).events(t.Context(), 0, newEventCounter()) }()
	require.NoError(t, os.Remove(path))
	require.ErrorIs(t, <-done, conntrack.ErrNamespaceGone)
}

// TestTheSameAsANonRootUserWithOneCapability runs this test binary again as
// nobody with CAP_NET_ADMIN alone, and as nobody with nothing, inside the
// namespace.
func TestTheSameAsANonRootUserWithOneCapability(t *testing.T) {
	if os.Getenv("VIGIE_TEST_CHILD") != "" {
		child(t)
		return
	}
	ns := netlab.New(t, "a")
	ns.Fill(netlab.TCPFlows(10, netip.MustParseAddrPort("10.0.0.9:80"), flow.StateSynSent, 0))
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "vigie")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.Chmod(dir, 0o755))
	binary := dir + "/test" // t.TempDir can't be entered by nobody
	require.NoError(t, os.WriteFile(binary, self, 0o755))
	const capNetAdmin, nobody = 12, 65534
	for as, caps := range map[string][]uintptr{"granted": {capNetAdmin}, "denied": nil} {
		t.Run(as, func(t *testing.T) {
			cmd := exec.Command(binary, "-test.run=^TestTheSameAsANonRootUserWithOneCapability$", "-test.v")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "VIGIE_TEST_CHILD="+as, "TMPDIR="+dir)
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Credential:  &syscall.Credential{Uid: nobody, Gid: nobody},
				AmbientCaps: caps,
			}
			var out []byte
			ns.Do(func() error {
				var err error
				if out, err = cmd.CombinedOutput(); err != nil {
					return fmt.Errorf("%w\n%s", err, out)
				}
				return nil
			})
			require.Contains(t, string(out), "as a non-root user: "+as)
		})
	}
}

func child(t *testing.T) {
	require.NotZero(t, os.Geteuid())
	l := onKernel(t, "/proc/self/ns/net") // to enter one's own takes no capability
	l.read(t.Context())
	got := l.last()
	require.EqualValues(t, 10, got[names.ConntrackUsage])
	require.Contains(t, got, names.ConntrackPacketDropped)
	switch os.Getenv("VIGIE_TEST_CHILD") {
	case "granted":
		require.EqualValues(t, 10, got[names.ConntrackEntries+"{syn_sent,tcp,ipv4}"])
		require.Len(t, l.recorded(t), 10)
		require.Zero(t, l.lines.Len(), l.lines.All())
		ls, err := conntrack.Listen(conntrack.ListenOptions{})
		require.NoError(t, err)
		ls.Close()
	case "denied":
		require.Equal(t, 1, l.lines.Len(), l.lines.All())
		require.Contains(t, fmt.Sprint(l.lines.All()[0].ContextMap()), "CAP_NET_ADMIN")
		for k := range got {
			require.False(t, strings.HasPrefix(k, names.ConntrackEntries+"{"), k)
		}
		_, err := conntrack.Listen(conntrack.ListenOptions{})
		require.ErrorIs(t, err, conntrack.ErrPermission)
	}
	t.Log("as a non-root user: " + os.Getenv("VIGIE_TEST_CHILD"))
}
