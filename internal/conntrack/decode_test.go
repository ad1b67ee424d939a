package conntrack

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/flow"
)

// describe is a flow on one line, without what changes from capture to capture.
func describe(f *flow.Flow) string {
	return fmt.Sprintf("%v %v>%v %v | %v>%v %v | %s %#x mark=%#x zone=%d timeout=%s %v %v", f.Proto,
		f.Orig.Source(), f.Orig.Destination(), f.Orig.ICMP, f.Reply.Source(), f.Reply.Destination(), f.Reply.ICMP,
		f.StateName(), uint32(f.Status), f.Mark, f.Zone, f.Timeout, f.OrigCount, f.ReplyCount)
}

type captured struct {
	want string
	body []byte // from struct nfgenmsg on
}

func captures(t testing.TB) (all []captured) {
	t.Helper()
	text, err := os.ReadFile("testdata/messages.txt")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		body, err := hex.DecodeString(lines[i+1])
		require.NoError(t, err)
		all = append(all, captured{want: lines[i], body: body})
	}
	require.Len(t, all, 7)
	return all
}

func TestACapturedMessageDecodesToItsFlow(t *testing.T) {
	var f flow.Flow
	for _, c := range captures(t) {
		require.NoError(t, decodeFlow(c.body[nfgenHeader:], &f))
		require.NotZero(t, f.Start, "nf_conntrack_timestamp was on")
		require.Equal(t, c.want, describe(&f))
	}
}

func TestNothingOfOneEntryStaysInTheNext(t *testing.T) {
	all := captures(t)
	var fresh, reused flow.Flow
	for _, first := range all {
		for _, second := range all {
			require.NoError(t, decodeFlow(first.body[nfgenHeader:], &reused))
			require.NoError(t, decodeFlow(second.body[nfgenHeader:], &reused))
			fresh = flow.Flow{}
			require.NoError(t, decodeFlow(second.body[nfgenHeader:], &fresh))
			require.Equal(t, fresh, reused)
		}
	}
}

func TestACutOffMessageIsAnErrorOrAShorterFlowNeverAPanic(t *testing.T) {
	var f flow.Flow
	for _, c := range captures(t) {
		for n := range len(c.body) - nfgenHeader {
			if err := decodeFlow(c.body[nfgenHeader:][:n], &f); err != nil {
				require.ErrorIs(t, err, ErrMalformed)
				require.Less(t, n, 84, "the original tuple comes first")
			}
		}
	}
}

func TestTheShortWayThroughATupleReadsWhatTheLongWayReads(t *testing.T) {
	short := 0
	for _, c := range captures(t) {
		for b := c.body[nfgenHeader:]; ; {
			kind, p, rest, ok := nextAttr(b)
			if !ok {
				break
			}
			b = rest
			if kind != ctaTupleOrig && kind != ctaTupleReply {
				continue
			}
			var a, any flow.Flow
			decodeAnyTuple(p, &any.Orig, &any)
			if decodePlainTuple(p, &a.Orig, &a) {
				short++
				require.Equal(t, any, a)
			}
		}
	}
	require.Equal(t, 8, short, "both tuples of TCP, UDP and SCTP")
}

func TestAPairIsReadWithAndWithoutPadding(t *testing.T) {
	pair := func(pad bool) (b []byte) {
		b = appendAttr(b, ctaCountersPackets, 0, 0, 0, 0, 0, 0, 1, 2)
		if pad {
			b = appendAttr(b, 3)
		}
		return appendAttr(b, ctaCountersBytes, 0, 0, 0, 1, 0, 0, 0, 5)
	}
	for _, pad := range []bool{false, true} {
		packets, bytes := decodePair(pair(pad))
		require.EqualValues(t, 0x102, packets)
		require.EqualValues(t, 1<<32+5, bytes)
	}
}

func TestAStateThatThisBuildDoesNotKnowIsUnknown(t *testing.T) {
	b := appendNested(nil, ctaProtoInfo, func(b []byte) []byte {
		return appendNested(b, protoInfoTCP, func(b []byte) []byte { return appendAttr(b, protoInfoState, 200) })
	})
	_, p, _, ok := nextAttr(b)
	require.True(t, ok)
	require.Equal(t, flow.StateUnknown, decodeState(p))
}

func TestEachKernelStateHasAName(t *testing.T) {
	for kind, states := range map[uint16][]flow.State{protoInfoTCP: tcpStates[:], protoInfoSCTP: sctpStates[:]} {
		for n, want := range states {
			b := appendNested(nil, kind, func(b []byte) []byte { return appendAttr(b, protoInfoState, byte(n)) })
			require.Equal(t, want, decodeState(b))
			require.NotEqual(t, flow.StateUnknown, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range captures(f) {
		msg := append(host.AppendUint32(nil, uint32(nlmsgHeader+len(c.body))), subsysConntrack<<8>>8, subsysConntrack, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0)
		f.Add(append(msg, c.body...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e Event
		rest := b
		for len(rest) > 0 {
			h, body, next, ok := nextMessage(rest)
			if !ok {
				break
			}
			require.Less(t, len(next), len(rest), "a message takes something away")
			rest = next
			if ok, err := decodeEvent(h, body, &e); ok && err == nil {
				require.True(t, e.Flow.Orig.Src.IsValid())
				require.NotZero(t, e.Flow.Proto)
			}
			var short, long flow.Flow
			if decodePlainTuple(body, &short.Orig, &short) {
				decodeAnyTuple(body, &long.Orig, &long)
				require.Equal(t, long, short)
			}
			first, second := decodePair(body)
			first2, second2 := decodeAnyPair(body)
			require.Equal(t, [2]uint64{first2, second2}, [2]uint64{first, second})
			decodeCPUStats(body)
			decodeUsage(body)
		}
		var p Proc
		p.parseStat(nil, b)
	})
}
