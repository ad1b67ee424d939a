package conntrackprocessor

import (
	"context"
	"encoding/binary"
	"math"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"

	"github.com/vigie-otel/vigie/internal/conntrack"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/testkit/netlab"
)

// kernelLab is a node that forwards its service 198.51.100.1:443 to a pod, and
// a processor that is fed with dumps of the node's table. The component never
// reads the kernel; this test does it in the receiver's place.
type kernelLab struct {
	t                 *testing.T
	client, node, pod *netlab.NS
	conn              *conntrack.Conn
	logs              processor.Logs
	sink              *consumertest.LogsSink
	metrics           processor.Metrics
	derived           *consumertest.MetricsSink
	raw               int // socket of the client that writes IP headers itself
	sums              conntrack.Summer
}

func newKernelLab(t *testing.T) *kernelLab {
	l := &kernelLab{t: t, client: netlab.New(t, "client"), node: netlab.New(t, "node"), pod: netlab.New(t, "pod"), sink: new(consumertest.LogsSink)}
	l.client.Link(l.node, "198.51.100.7/24", "198.51.100.1/24")
	l.node.Link(l.pod, "10.0.0.1/24", "10.0.0.9/24")
	l.client.Run("ip", "route", "add", "default", "via", "198.51.100.1")
	l.pod.Run("ip", "route", "add", "default", "via", "10.0.0.1")
	l.node.Run("ip", "route", "add", "198.18.0.0/15", "via", "198.51.100.7") // answers to forged sources come to nothing
	l.node.Sysctl("net.ipv4.ip_forward", "1")
	l.node.DNAT("tcp", "198.51.100.1:443", "10.0.0.9:8443")

	var err error
	l.conn, err = conntrack.Dial(conntrack.Options{NetNS: l.node.Path})
	require.NoError(t, err)
	t.Cleanup(func() { l.conn.Close() })
	f := NewFactory()
	set, _ := settings("kernel")
	l.logs, err = f.CreateLogs(t.Context(), set, f.CreateDefaultConfig(), l.sink)
	require.NoError(t, err)
	l.derived = new(consumertest.MetricsSink)
	l.metrics, err = f.CreateMetrics(t.Context(), set, f.CreateDefaultConfig(), l.derived)
	require.NoError(t, err)
	for _, c := range []component.Component{l.logs, l.metrics} {
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
		t.Cleanup(func() { _ = c.Shutdown(context.Background()) })
	}
	return l
}

// listen accepts connections on the pod and keeps them.
func (l *kernelLab) listen() {
	var ln net.Listener
	l.pod.Do(func() (err error) { ln, err = net.Listen("tcp", "10.0.0.9:8443"); return err })
	l.t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			l.t.Cleanup(func() { c.Close() })
		}
	}()
}

// dump feeds the half-open entries and then all others, as the receiver does. It
// returns how many entries there were: one whose handshake completes in between is
// fed twice and counted once.
func (l *kernelLab) dump() int {
	seen := make(map[flow.Key]bool)
	for _, full := range [...]bool{false, true} {
		at, ld := time.Now(), plog.NewLogs()
		recs := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for f, err := range l.conn.Dump(l.t.Context(), conntrack.Filter{}) {
			require.NoError(l.t, err)
			if f.HalfOpen() != full {
				f.Record(recs.AppendEmpty(), at)
				seen[f.Key()] = true
			}
		}
		require.NoError(l.t, l.logs.ConsumeLogs(l.t.Context(), ld))
	}
	return len(seen)
}

// synFlood sends one SYN from each of n forged sources to the service.
func (l *kernelLab) synFlood(n, from int) {
	if l.raw == 0 {
		l.client.Do(func() (err error) {
			l.raw, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_RAW)
			return err
		})
		l.t.Cleanup(func() { syscall.Close(l.raw) })
	}
	to := syscall.SockaddrInet4{Addr: [4]byte{198, 51, 100, 1}}
	for i := range n {
		require.NoError(l.t, syscall.Sendto(l.raw, syn(from+i), 0, &to))
	}
}

// syn is an IPv4 packet with a SYN from 198.18.0.0/15 to 198.51.100.1:443.
func syn(i int) []byte {
	p := make([]byte, 40)
	p[0], p[8], p[9] = 0x45, 64, syscall.IPPROTO_TCP
	binary.BigEndian.PutUint16(p[2:], 40)
	binary.BigEndian.PutUint32(p[12:], 0xc6120000+uint32(i*251)%(1<<17)) // 198.18.0.0/15
	copy(p[16:], []byte{198, 51, 100, 1})
	t := p[20:]
	binary.BigEndian.PutUint16(t[0:], uint16(1024+i%60_000))
	binary.BigEndian.PutUint16(t[2:], 443)
	binary.BigEndian.PutUint32(t[4:], uint32(i))
	t[12], t[13] = 5<<4, 2 // SYN
	binary.BigEndian.PutUint16(t[14:], 65535)
	sum := uint32(syscall.IPPROTO_TCP + 20)
	for k := 12; k < 40; k += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[k:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(t[16:], ^uint16(sum))
	return p
}

// findings waits for what the instance's goroutine has under way.
func (l *kernelLab) findings() []finding.Finding {
	in := l.logs.(*logsFace).in
	in.out.send(l.t.Context())
	return findings(l.sink)
}

func TestARealSYNFloodThroughARealDNATRuleIsNamedWithinSeconds(t *testing.T) {
	l := newKernelLab(t)
	l.listen()
	begun := time.Now()
	l.synFlood(400, 0)
	l.dump()
	require.Empty(t, l.findings(), "400 handshakes that began this moment may all complete")
	// The kernel's seconds must pass for the entries to grow old; there is no
	// other clock to ask.
	for len(l.findings()) == 0 && time.Since(begun) < 10*time.Second {
		time.Sleep(500 * time.Millisecond)
		l.synFlood(100, 400+int(time.Since(begun)/time.Millisecond))
		l.dump()
	}
	got := l.findings()
	require.NotEmpty(t, got, "not named in 10 s")
	f := got[0]
	t.Logf("named %.1f s after its begin: %s", time.Since(begun).Seconds(), f.Sentence())
	require.Equal(t, finding.SYNFlood, f.Class)
	require.Equal(t, "198.51.100.1:443", f.Service)
	require.Equal(t, finding.Actor{Kind: finding.KindTarget, Value: "198.51.100.1:443", Share: 1}, f.Actors[0])
	require.Equal(t, finding.Actor{Kind: "backend", Value: "10.0.0.9:8443", Share: 1}, f.Actors[len(f.Actors)-1])
	require.InDelta(t, begun.Unix(), f.StartedAt.Unix(), 3)
}

func TestABurstOfRealConnectionsIsNoFlood(t *testing.T) {
	l := newKernelLab(t)
	l.listen()
	to := netip.MustParseAddrPort("198.51.100.1:443")
	var conns []int
	defer func() {
		for _, fd := range conns {
			syscall.Close(fd)
		}
	}()
	l.client.Do(func() error {
		for range 500 {
			fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
			if err != nil {
				return err
			}
			conns = append(conns, fd)
			if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}); err != nil && err != syscall.EINPROGRESS {
				return err
			}
		}
		return nil
	})
	for range 6 {
		require.Equal(t, len(conns), l.dump(), "each of them is in the table")
		time.Sleep(500 * time.Millisecond)
	}
	require.Empty(t, l.findings())
}

// usage feeds what the receiver's first tier would, and returns it.
func (l *kernelLab) usage() (count, lost uint64) {
	u, err := l.conn.Usage()
	require.NoError(l.t, err)
	cpus, err := l.conn.CPUStats(nil)
	require.NoError(l.t, err)
	s := l.sums.Add(cpus)
	md := pmetric.NewMetrics()
	ms := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for name, v := range map[string]uint64{
		names.ConntrackUsage: u.Count, names.ConntrackLimit: u.Limit,
		names.ConntrackPacketDropped: s.Drop, names.ConntrackEarlyDropped: s.EarlyDrop,
	} {
		m := ms.AppendEmpty()
		m.SetName(name)
		p := m.SetEmptySum().DataPoints().AppendEmpty()
		p.SetIntValue(int64(v))
		p.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	}
	require.NoError(l.t, l.metrics.ConsumeMetrics(l.t.Context(), md))
	return u.Count, s.Drop + s.EarlyDrop
}

// forecast is the time to exhaustion that the last reading gave; ok is false
// where it gave none.
func (l *kernelLab) forecast() (left time.Duration, ok bool) {
	all := l.derived.AllMetrics()
	for _, sm := range all[len(all)-1].ResourceMetrics().At(0).ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			if m.Name() == names.ConntrackTimeToExhaustion {
				return time.Duration(m.Gauge().DataPoints().At(0).DoubleValue() * float64(time.Second)), true
			}
		}
	}
	return 0, false
}

func TestARealTableThatFillsIsForecastAndItsOverflowIsCounted(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a real table for 15 s")
	}
	const limit, rate = 14_000, 1000
	netlab.Limit(t, limit)
	l := newKernelLab(t)
	l.listen()
	const step, late = 200 * time.Millisecond, 300 * time.Millisecond
	type told struct{ at, left time.Duration }
	var (
		all   []told // forecasts
		fair  []told // those of them that were made while the SYNs came evenly
		sent  int
		hit   time.Duration // when the table was full
		due   time.Duration // hit, or when it was due had the last SYNs come evenly
		last  time.Duration // when the step before ended
		burst = -time.Hour  // when SYNs last came in a burst that made up for lost time
		begun = time.Now()
	)
	for hit == 0 || time.Since(begun) < hit+2*time.Second {
		time.Sleep(step)
		at := time.Since(begun)
		require.Less(t, at, 40*time.Second, "the table never filled")
		n := int(at.Seconds()*rate) - sent
		l.synFlood(n, sent)
		sent += n
		count, lost := l.usage()
		if time.Since(begun)-last > step+late {
			burst = at
		}
		if left, ok := l.forecast(); ok && hit == 0 {
			all = append(all, told{at, left})
			if at-burst > time.Second {
				fair = append(fair, all[len(all)-1])
			}
		}
		if hit == 0 && (count >= limit || lost > 0) {
			hit, due = at, at
			if burst == at {
				due = limit * time.Second / rate
			}
		}
		last = time.Since(begun)
	}
	require.NotEmpty(t, all)
	require.True(t, len(fair) > 0 || burst >= 0, "no forecast is left to judge")
	worst := 0.0
	for _, x := range fair {
		if left := due - x.at; left >= 2*time.Second {
			worst = max(worst, math.Abs((x.left-left).Seconds())/left.Seconds())
		}
	}
	t.Logf("full after %s; %d forecasts from %s on, %d of them judged and off by %.0f %% at most", hit.Round(time.Millisecond), len(all), all[0].at.Round(time.Millisecond), len(fair), 100*worst)
	require.LessOrEqual(t, worst, 0.25)

	count, lost := l.usage()
	require.InDelta(t, sent-int(count), int(lost), 0.02*float64(sent), "what did not stay was dropped or thrown out")
	left, ok := l.forecast()
	require.True(t, ok && left == 0, "pinned")
	got := l.findings()
	require.NotEmpty(t, got)
	require.Equal(t, finding.ConntrackExhaustion, got[0].Class)
	require.Less(t, got[0].DetectedAt, begun.Add(hit), "before the first loss")
	t.Log(got[len(got)-1].Sentence())
}
