package conntrackprocessor

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/names"
)

func address(i int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(0x0a000000+i))
	return netip.AddrFrom4(b)
}

// natted is the i-th flow through one of 200 services.
func natted(i int) flow.Flow {
	service := netip.AddrPortFrom(address(0x640000+i%200), 443)
	backend := netip.AddrPortFrom(address(0x030000+i%1000), 8443)
	client := netip.AddrPortFrom(address(0x010000+i/50_000), uint16(10_000+i%50_000))
	return flow.Flow{
		Proto: flow.TCP, State: flow.StateEstablished, Status: flow.Assured | flow.SeenReply | flow.Confirmed, Timeout: 86400 * time.Second,
		Orig:  flow.Tuple{Src: client.Addr(), SrcPort: client.Port(), Dst: service.Addr(), DstPort: service.Port()},
		Reply: flow.Tuple{Src: backend.Addr(), SrcPort: backend.Port(), Dst: client.Addr(), DstPort: client.Port()},
	}
}

func flowLogs(n, from int) plog.Logs {
	ld := plog.NewLogs()
	recs := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		f := natted(from + i)
		f.Record(recs.AppendEmpty(), time.Unix(1_750_000_000, 0))
	}
	return ld
}

func testTelemetry(t testing.TB) *telemetry {
	set, _ := settings("a")
	tel, err := newTelemetry(set.TelemetrySettings)
	require.NoError(t, err)
	return tel
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestTheNATIndexIsBoundedAndKeepsTheNewest(t *testing.T) {
	cfg := NATConfig{MaxFlows: 50_000, TTL: 5 * time.Minute}
	before := heap()
	x := newNATIndex(cfg, testTelemetry(t))
	now := time.Unix(1_750_000_000, 0)
	for i := range 500_000 {
		f := natted(i)
		x.add(&f, now)
	}
	require.LessOrEqual(t, x.young.flows+x.older.flows, cfg.MaxFlows)
	after := heap()
	t.Logf("%d flows take %.1f MB, %d bytes each", x.young.flows+x.older.flows, float64(after-before)/1e6, (after-before)/uint64(x.young.flows+x.older.flows))
	require.Less(t, (after-before)/uint64(cfg.MaxFlows), uint64(300), "the limit's documentation says about how much a flow takes")
	f := natted(499_999)
	e, r := x.backendOf(endOf(f.Client()), endOf(f.Service()))
	require.Equal(t, resolved, r)
	require.Equal(t, f.Backend(), e.addrPort())
	f = natted(0)
	_, r = x.backendOf(endOf(f.Client()), endOf(f.Service()))
	require.NotEqual(t, resolved, r, "the oldest are forgotten")
	runtime.KeepAlive(x)
}

func TestAFlowIsForgottenBetweenHalfATTLAndAWholeOneAfterItsLastRecord(t *testing.T) {
	x := newNATIndex(NATConfig{MaxFlows: 100, TTL: time.Minute}, testTelemetry(t))
	f, now := natted(1), time.Unix(1_750_000_000, 0)
	known := func() bool { _, r := x.backendOf(endOf(f.Client()), endOf(f.Service())); return r == resolved }
	x.add(&f, now)
	for range 10 { // told again and again
		now = now.Add(29 * time.Second)
		x.add(&f, now)
		x.age(now)
		require.True(t, known())
	}
	x.age(now.Add(29 * time.Second))
	require.True(t, known())
	x.age(now.Add(59 * time.Second))
	x.age(now.Add(90 * time.Second))
	require.False(t, known())
	require.True(t, x.empty())
}

func TestARolloutIsAmbiguousUntilTheOldBackendIsForgotten(t *testing.T) {
	x := newNATIndex(NATConfig{MaxFlows: 100, TTL: time.Minute}, testTelemetry(t))
	now := time.Unix(1_750_000_000, 0)
	old, fresh := natted(1), natted(1)
	fresh.Orig.SrcPort, fresh.Reply.DstPort = 9, 9
	fresh.Reply.Src = address(0x039999)
	x.add(&old, now)
	x.add(&fresh, now.Add(31*time.Second)) // in the next generation
	anybody := end{}
	_, r := x.backendOf(anybody, endOf(old.Service()))
	require.Equal(t, ambiguous, r)
	x.add(&fresh, now.Add(62*time.Second))
	e, r := x.backendOf(anybody, endOf(old.Service()))
	require.Equal(t, resolved, r)
	require.Equal(t, fresh.Backend(), e.addrPort())
}

func TestAScanOfAHundredThousandTargetsIsBoundedAndAFloodBesideItIsStillNamed(t *testing.T) {
	cfg := defaultConfig().SYNFlood
	s := newFlood(&cfg, 1)
	at := time.Unix(1_750_000_000, 0)
	before := heap()
	half := func(dst int, src int, left time.Duration) {
		f := flow.Flow{Proto: flow.TCP, State: flow.StateSynSent, Timeout: left,
			Orig: flow.Tuple{Src: address(src), SrcPort: 9, Dst: address(dst), DstPort: 80}}
		f.Reply = flow.Tuple{Src: f.Orig.Dst, SrcPort: 80, Dst: f.Orig.Src, DstPort: 9}
		s.add(&f, at)
	}
	for i := range 5_000 { // the flood comes with the first of the scan
		half(7, 0x200000+i, time.Duration(120-i%10)*time.Second)
	}
	for i := range 100_000 {
		half(0x100000+i, 1, 119*time.Second)
	}
	require.LessOrEqual(t, len(s.half.count), maxCounted)
	require.LessOrEqual(t, len(s.half.detail), cfg.MaxTargets)
	require.Positive(t, s.half.skipped)
	t.Logf("%.1f MB", float64(heap()-before)/1e6)
	var told []finding.Finding
	s.judge(at, func(f finding.Finding) { told = append(told, f) })
	require.Len(t, told, 1)
	require.Equal(t, "10.0.0.7:80", told[0].Service)
}

func TestMoreNodesThanTheLimitPassUnfollowed(t *testing.T) {
	cfg := defaultConfig()
	cfg.MaxResources = 10
	e := newEngine(cfg, testTelemetry(t), 1, func(pcommon.Resource, finding.Finding) {})
	for i := range 1000 {
		res := pcommon.NewResource()
		res.Attributes().PutStr("host.name", fmt.Sprint(i))
		n := e.nodeOf(res, time.Unix(0, 0))
		require.Equal(t, i < 10, n != nil)
	}
	e.tick(time.Unix(0, 0).Add(idle + time.Second))
	require.Empty(t, e.nodes, "gone nodes make room")
}

func BenchmarkFlowRecord(b *testing.B) {
	in := &instance{cfg: defaultConfig(), tel: testTelemetry(b)}
	in.nat = newNATIndex(in.cfg.NAT, in.tel)
	in.eng = newEngine(in.cfg, in.tel, 1, func(pcommon.Resource, finding.Finding) {})
	in.cfg.FlowRecords = PassFlowRecords // the same batch again and again
	ld := flowLogs(1000, 0)
	b.ReportAllocs()
	for b.Loop() {
		in.logs(ld, true)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
}

func BenchmarkResolveASpan(b *testing.B) {
	in := &instance{cfg: defaultConfig(), tel: testTelemetry(b)}
	in.nat = newNATIndex(in.cfg.NAT, in.tel)
	for i := range 50_000 {
		f := natted(i)
		in.nat.add(&f, time.Unix(1_750_000_000, 0))
	}
	s := ptrace.NewSpan()
	f := natted(49_999)
	s.Attributes().PutStr(names.ServerAddress, f.Service().Addr().String())
	s.Attributes().PutInt("server.port", int64(f.Service().Port()))
	s.Attributes().PutStr(names.ClientAddress, f.Client().Addr().String())
	s.Attributes().PutInt("client.port", int64(f.Client().Port()))
	b.ReportAllocs()
	for b.Loop() {
		in.resolve(s.Attributes())
		s.Attributes().Remove(names.NATBackendAddress)
		s.Attributes().Remove(names.NATBackendPort)
	}
}
