package flow_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/names"
)

var byValue = cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})

func tuple(src, dst string) flow.Tuple {
	s, d := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	return flow.Tuple{Src: s.Addr(), SrcPort: s.Port(), Dst: d.Addr(), DstPort: d.Port()}
}

func flows() map[string]flow.Flow {
	return map[string]flow.Flow{
		"a TCP flow through a service, masqueraded": {
			Proto: flow.TCP, State: flow.StateEstablished,
			Orig:   tuple("198.51.100.7:40000", "10.100.0.1:443"),
			Reply:  tuple("10.0.3.4:8443", "10.0.1.1:51000"),
			Status: flow.SeenReply | flow.Assured | flow.Confirmed | flow.SrcNAT | flow.DstNAT,
			ID:     0xdeadbeef, Mark: 0x4000, Zone: 7, Timeout: 86400 * time.Second,
			OrigCount: flow.Counters{Packets: 12, Bytes: 3400}, ReplyCount: flow.Counters{Packets: 10, Bytes: 90000},
			Start: 1784000000123456789,
		},
		"a half-open IPv6 flow": {
			Proto: flow.TCP, State: flow.StateSynReceived, Status: flow.SeenReply | flow.Confirmed,
			Orig:  tuple("[2001:db8::7]:40000", "[2001:db8:1::1]:443"),
			Reply: tuple("[2001:db8:1::1]:443", "[2001:db8::7]:40000"),
		},
		"an echo": {
			Proto: flow.ICMP4, Status: flow.Confirmed,
			Orig: flow.Tuple{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"),
				ICMP: flow.ICMP{ID: 77, Type: 8, Code: 0}},
			Reply: flow.Tuple{Src: netip.MustParseAddr("10.0.0.2"), Dst: netip.MustParseAddr("10.0.0.1")},
		},
		"a protocol without a name": {
			Proto: 89,
			Orig:  flow.Tuple{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("224.0.0.5")},
			Reply: flow.Tuple{Src: netip.MustParseAddr("224.0.0.5"), Dst: netip.MustParseAddr("10.0.0.1")},
		},
	}
}

func TestAFlowSurvivesTheWayThroughARecord(t *testing.T) {
	read := time.Unix(1784000001, 5).UTC()
	for name, want := range flows() {
		t.Run(name, func(t *testing.T) {
			lr := plog.NewLogRecord()
			want.Record(lr, read)
			require.True(t, flow.IsRecord(lr))
			require.Equal(t, read, lr.Timestamp().AsTime())
			var got flow.Flow
			got.Mark = 99 // left over from the flow before
			require.NoError(t, got.ReadRecord(lr))
			require.Empty(t, cmp.Diff(want, got, byValue))
		})
	}
}

func TestARecordOfADirectFlowSaysNothingOfNAT(t *testing.T) {
	lr := plog.NewLogRecord()
	f := flows()["a half-open IPv6 flow"]
	f.Record(lr, time.Unix(1, 0))
	want := map[string]any{
		names.NetworkTransport: "tcp", names.NetworkConnectionState: "syn_received",
		names.SourceAddress: "2001:db8::7", names.SourcePort: int64(40000),
		names.DestinationAddress: "2001:db8:1::1", names.DestinationPort: int64(443),
		names.FlowHalfOpen: true, names.FlowStatus: int64(flow.SeenReply | flow.Confirmed),
	}
	require.Empty(t, cmp.Diff(want, lr.Attributes().AsRaw()))
}

func TestABrokenRecordIsToldByItsAttribute(t *testing.T) {
	for _, tc := range []struct {
		want   string
		damage func(plog.LogRecord)
	}{
		{names.NetworkTransport, func(lr plog.LogRecord) { lr.Attributes().Remove(names.NetworkTransport) }},
		{names.SourceAddress, func(lr plog.LogRecord) { lr.Attributes().PutStr(names.SourceAddress, "no address") }},
		{names.DestinationAddress, func(lr plog.LogRecord) { lr.Attributes().Remove(names.DestinationAddress) }},
		{names.SourcePort, func(lr plog.LogRecord) { lr.Attributes().PutInt(names.SourcePort, 70000) }},
		{names.FlowStatus, func(lr plog.LogRecord) { lr.Attributes().PutStr(names.FlowStatus, "6") }},
	} {
		lr := plog.NewLogRecord()
		f := flows()["a TCP flow through a service, masqueraded"]
		f.Record(lr, time.Unix(1, 0))
		tc.damage(lr)
		require.ErrorContains(t, new(flow.Flow).ReadRecord(lr), tc.want)
	}
}

func TestOtherRecordsAreNotFlows(t *testing.T) {
	lr := plog.NewLogRecord()
	require.False(t, flow.IsRecord(lr))
	lr.Attributes().PutStr(names.EventName, names.EventFlow)
	require.True(t, flow.IsRecord(lr), "event.name as an attribute counts")
	lr.SetEventName(names.EventFinding)
	require.False(t, flow.IsRecord(lr), "the field goes before the attribute")
}

func TestNATIsResolvedBothWays(t *testing.T) {
	f := flows()["a TCP flow through a service, masqueraded"]
	require.True(t, f.DNAT())
	require.True(t, f.SNAT())
	require.Equal(t, "10.100.0.1:443", f.Service().String())
	require.Equal(t, "10.0.3.4:8443", f.Backend().String())
	require.Equal(t, "198.51.100.7:40000", f.Client().String())
	require.Equal(t, "10.0.1.1:51000", f.Masqueraded().String())

	direct := flows()["a half-open IPv6 flow"]
	require.False(t, direct.NAT())
	require.Equal(t, direct.Service(), direct.Backend())

	f.Reply = flow.Tuple{} // an event without its reply tuple proves nothing
	require.False(t, f.NAT())
}

func TestHalfOpenIsAHandshakeNotCompleted(t *testing.T) {
	for s := range flow.NumStates {
		f := flow.Flow{Proto: flow.TCP, State: flow.State(s)}
		want := f.State == flow.StateSynSent || f.State == flow.StateSynReceived || f.State == flow.StateSynSent2 ||
			f.State == flow.StateCookieWait || f.State == flow.StateCookieEchoed
		require.Equal(t, want, f.HalfOpen(), f.State)
		require.Equal(t, f.State, flow.ParseState(f.State.String()))
		f.Status = flow.Assured
		require.False(t, f.HalfOpen(), "picked up in mid-stream")
	}
}

func TestATransportWithoutStatesIsNamedByHowFarItCame(t *testing.T) {
	require.Equal(t, "unreplied", (&flow.Flow{Proto: flow.UDP}).StateName())
	require.Equal(t, "replied", (&flow.Flow{Proto: flow.UDP, Status: flow.SeenReply}).StateName())
	require.Equal(t, "assured", (&flow.Flow{Proto: flow.UDP, Status: flow.SeenReply | flow.Assured}).StateName())
	require.Equal(t, "none", (&flow.Flow{Proto: flow.TCP}).StateName())
	require.Equal(t, "syn_sent", (&flow.Flow{Proto: flow.TCP, State: flow.StateSynSent}).StateName())
}

func TestTheSameTupleInAnotherZoneIsAnotherFlow(t *testing.T) {
	a := flows()["a half-open IPv6 flow"]
	b := a
	b.State, b.Timeout = flow.StateEstablished, time.Hour
	require.Equal(t, a.Key(), b.Key())
	b.Zone = 1
	require.NotEqual(t, a.Key(), b.Key())
}

func TestEveryProtocolIsNamedAndReadBack(t *testing.T) {
	for p := range 256 {
		got, ok := flow.ParseProto(flow.Proto(p).String())
		require.True(t, ok)
		require.Equal(t, flow.Proto(p), got)
	}
	_, ok := flow.ParseProto("256")
	require.False(t, ok)
}

func FuzzReadRecord(f *testing.F) {
	f.Add("tcp", "10.0.0.1", int64(80), "syn_sent", int64(4))
	f.Add("", "::", int64(-1), "", int64(-1))
	f.Fuzz(func(t *testing.T, proto, addr string, port int64, state string, n int64) {
		lr := plog.NewLogRecord()
		a := lr.Attributes()
		a.PutStr(names.NetworkTransport, proto)
		a.PutStr(names.SourceAddress, addr)
		a.PutStr(names.DestinationAddress, addr)
		a.PutInt(names.DestinationPort, port)
		a.PutStr(names.NetworkConnectionState, state)
		a.PutInt(names.FlowMark, n)
		var got, again flow.Flow
		if got.ReadRecord(lr) != nil {
			return
		}
		lr2 := plog.NewLogRecord()
		got.Record(lr2, time.Unix(0, 0))
		require.NoError(t, again.ReadRecord(lr2))
		if got.Proto.HasPorts() {
			require.Equal(t, got, again)
		}
	})
}
