package conntrack

import (
	"encoding/hex"
	"flag"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/testkit/netlab"
)

var update = flag.Bool("update", false, "capture testdata/messages.txt from the kernel anew")

// TestCapture keeps testdata/messages.txt, which the decoder's tests and its
// fuzz target start from: what a kernel that counts and stamps flows sends.
func TestCapture(t *testing.T) {
	if !*update {
		t.Skip("captures only with -update")
	}
	ns := netlab.New(t, "a")
	ns.Sysctl("net.netfilter.nf_conntrack_acct", "1")
	ns.Sysctl("net.netfilter.nf_conntrack_timestamp", "1")
	end := func(s string, port uint16) flow.Tuple {
		a, b, _ := strings.Cut(s, " ")
		return flow.Tuple{Src: netip.MustParseAddr(a), SrcPort: port, Dst: netip.MustParseAddr(b), DstPort: 443}
	}
	icmp := func(s string, kind uint8) flow.Tuple {
		t := end(s, 0)
		t.DstPort, t.ICMP = 0, flow.ICMP{ID: 7, Type: kind}
		return t
	}
	nat := end("10.0.0.9 10.0.0.1", 8443)
	nat.DstPort = 50000
	ns.Fill(slices.Values([]flow.Flow{
		{Proto: flow.TCP, State: flow.StateEstablished, Status: flow.SeenReply | flow.Assured, Mark: 0x4000, Zone: 5,
			Orig: end("198.51.100.1 10.96.0.1", 1001), Reply: nat, Timeout: 12 * time.Hour},
		{Proto: flow.TCP, State: flow.StateSynSent, Orig: end("2001:db8::2 2001:db8:1::1", 1002)},
		{Proto: flow.UDP, Orig: end("198.51.100.3 10.0.0.9", 1003)},
		{Proto: flow.SCTP, State: flow.StateCookieWait, Orig: end("198.51.100.4 10.0.0.9", 1004)},
		{Proto: flow.ICMP4, Orig: icmp("198.51.100.5 10.0.0.9", 8)},
		{Proto: flow.ICMP6, Orig: icmp("2001:db8::6 2001:db8:1::1", 128)},
		{Proto: 89, Orig: end("198.51.100.7 224.0.0.5", 0)},
	}))
	c, err := Dial(Options{NetNS: ns.Path})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.send(func(seq uint32, b []byte) []byte {
		return finish(appendRequest(b, msgGet, nlmFlagDump, seq, familyUnspec))
	}))
	var lines []string
	require.NoError(t, c.answers(true, func(_ header, body []byte) bool {
		var f flow.Flow
		require.NoError(t, decodeFlow(body[nfgenHeader:], &f))
		f.Start = 0
		lines = append(lines, describe(&f)+"\n"+hex.EncodeToString(body)+"\n")
		return true
	}))
	slices.Sort(lines)
	require.NoError(t, os.WriteFile("testdata/messages.txt", []byte(strings.Join(lines, "")), 0o644))
}
