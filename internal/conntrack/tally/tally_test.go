package tally_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/conntrack/tally"
	"github.com/vigie-otel/vigie/internal/flow"
)

func end(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func tuple(src, dst string) flow.Tuple {
	s, d := end(src), end(dst)
	return flow.Tuple{Src: s.Addr(), SrcPort: s.Port(), Dst: d.Addr(), DstPort: d.Port()}
}

// direct is a TCP flow without NAT.
func direct(client, server string, s flow.State) *flow.Flow {
	f := &flow.Flow{Proto: flow.TCP, State: s, Orig: tuple(client, server), Reply: tuple(server, client)}
	if s == flow.StateEstablished {
		f.Status = flow.SeenReply | flow.Assured
	}
	return f
}

func locals() *tally.Locals {
	addr := netip.MustParseAddr
	return &tally.Locals{
		Nodes:       map[netip.Addr]bool{addr("10.0.0.1"): true},
		Pods:        map[netip.Addr]bool{addr("10.0.0.9"): true},
		PodPrefixes: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")},
	}
}

func TestAnOwnerIsOneOfOursAndNeverAClient(t *testing.T) {
	nat := func(client, service, backend string) *flow.Flow {
		f := direct(client, service, flow.StateEstablished)
		f.Reply = tuple(backend, client)
		return f
	}
	for name, tc := range map[string]struct {
		flow *flow.Flow
		want tally.Owner
	}{
		"from outside to a pod":          {direct("198.51.100.1:999", "10.0.0.9:80", 3), tally.Owner{End: end("10.0.0.9:80"), Target: true, Kind: tally.Pod}},
		"from outside to the node":       {direct("198.51.100.1:999", "10.0.0.1:22", 3), tally.Owner{End: end("10.0.0.1:22"), Target: true, Kind: tally.Node}},
		"through a service to a pod":     {nat("198.51.100.1:999", "10.96.0.1:443", "10.0.0.9:8443"), tally.Owner{End: end("10.0.0.9:8443"), Target: true, Kind: tally.Pod}},
		"a node port to a pod elsewhere": {nat("198.51.100.1:999", "10.0.0.1:30443", "10.0.7.7:8443"), tally.Owner{End: end("10.0.0.1:30443"), Target: true, Kind: tally.Node}},
		"a pod to the outside":           {direct("10.0.0.9:40000", "203.0.113.5:443", 3), tally.Owner{End: end("10.0.0.9:0"), Kind: tally.Pod}},
		"a pod through a service away":   {nat("10.0.0.9:40000", "10.96.0.10:53", "10.0.7.7:53"), tally.Owner{End: end("10.0.0.9:0"), Kind: tally.Pod}},
		"forwarded through a service":    {nat("198.51.100.1:999", "10.96.0.1:443", "10.0.7.7:8443"), tally.Owner{End: end("10.0.7.7:8443"), Target: true, Kind: tally.Backend}},
		"a configured pod network":       {direct("198.51.100.1:999", "10.244.3.3:80", 3), tally.Owner{End: end("10.244.3.3:80"), Target: true, Kind: tally.Pod}},
		"on a laptop":                    {direct("127.0.0.1:999", "127.0.0.1:8640", 3), tally.Owner{End: end("127.0.0.1:8640"), Target: true, Kind: tally.Node}},
		"forwarded between strangers":    {direct("198.51.100.1:999", "203.0.113.5:443", 3), tally.Owner{}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.want, locals().Owner(tc.flow))
		})
	}
}

func TestATallyCountsEachEntryOnceInEachSum(t *testing.T) {
	y := tally.New(locals(), tally.Limits{})
	for i := range 300 {
		f := direct("198.51.100.1:999", "10.0.0.9:80", flow.StateSynSent)
		f.Orig.Src = netip.AddrFrom4([4]byte{198, 51, byte(i), byte(i)})
		y.Add(f)
	}
	for range 50 {
		y.Add(direct("198.51.100.1:999", "10.0.0.1:22", flow.StateEstablished))
		y.Add(direct("10.0.0.9:40000", "203.0.113.5:443", flow.StateEstablished))
	}
	y.Add(direct("198.51.100.1:999", "203.0.113.5:443", flow.StateSynSent))
	y.Add(&flow.Flow{Proto: flow.UDP, Orig: tuple("[2001:db8::1]:9", "[2001:db8::2]:53"), Reply: tuple("[2001:db8::2]:53", "[2001:db8::1]:9")})

	require.Equal(t, tally.Totals{Entries: 402, HalfOpen: 301, Unreplied: 302}, y.Totals())
	require.Equal(t, []tally.Mix{
		{"tcp", "ipv4", "syn_sent", 301}, {"tcp", "ipv4", "established", 100}, {"udp", "ipv6", "unreplied", 1},
	}, y.Mix())

	top, rest := y.Top(2)
	require.Equal(t, "10.0.0.9:80", top[0].String())
	require.EqualValues(t, 300, top[0].Entries)
	require.Equal(t, "10.0.0.1:22", top[1].Owner.String(), "ties by address")
	require.Equal(t, "other", rest.String())
	require.EqualValues(t, 52, rest.Entries)

	half, rest := y.TopHalfOpen(2)
	require.Len(t, half, 1, "owners without half-open entries are not listed")
	require.EqualValues(t, 300, half[0].HalfOpen)
	require.InEpsilon(t, 256, half[0].Prefixes, 0.1, "198.51.0.0/24 to 198.51.255.0/24")
	require.EqualValues(t, 1, rest.HalfOpen)
}

func TestOwnersOverTheLimitAreOther(t *testing.T) {
	y := tally.New(locals(), tally.Limits{Owners: 10})
	for port := range 100 {
		f := direct("198.51.100.1:999", "10.0.0.9:80", flow.StateEstablished)
		f.Reply.SrcPort, f.Orig.DstPort = uint16(port+1), uint16(port+1)
		y.Add(f)
	}
	top, rest := y.Top(1000)
	require.Len(t, top, 10)
	require.EqualValues(t, 90, rest.Entries)
}

func TestATallyThatWasResetGivesWhatANewOneGives(t *testing.T) {
	fill := func(y *tally.Tally, n int) {
		for i := range n {
			f := direct("198.51.100.1:999", "10.0.0.9:80", flow.StateSynSent)
			f.Orig.Src = netip.AddrFrom4([4]byte{198, byte(i >> 8), byte(i), 1})
			f.Orig.DstPort, f.Reply.SrcPort = uint16(i%7+1), uint16(i%7+1)
			y.Add(f)
		}
	}
	used, fresh := tally.New(locals(), tally.Limits{}), tally.New(locals(), tally.Limits{})
	fill(used, 5000)
	used.Reset(locals())
	fill(used, 700)
	fill(fresh, 700)
	a, arest := used.TopHalfOpen(3)
	b, brest := fresh.TopHalfOpen(3)
	require.Empty(t, cmp.Diff(b, a, cmpopts.EquateComparable(netip.AddrPort{})))
	require.Equal(t, brest, arest)
	require.Equal(t, fresh.Mix(), used.Mix())
}

func TestAnEntryOfAKnownOwnerAllocatesNothing(t *testing.T) {
	y := tally.New(locals(), tally.Limits{})
	f := direct("198.51.100.1:999", "10.0.0.9:80", flow.StateSynSent)
	y.Add(f)
	require.Zero(t, testing.AllocsPerRun(1000, func() { y.Add(f) }))
}

func BenchmarkAdd(b *testing.B) {
	y := tally.New(locals(), tally.Limits{})
	flows := []*flow.Flow{
		direct("198.51.100.1:999", "10.0.0.9:80", flow.StateSynSent),
		direct("198.51.100.1:999", "10.0.0.9:80", flow.StateEstablished),
		direct("10.0.0.9:40000", "203.0.113.5:443", flow.StateEstablished),
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		y.Add(flows[i%len(flows)])
		i++
	}
}
