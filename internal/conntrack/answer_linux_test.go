package conntrack

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/vigie-otel/vigie/internal/flow"
)

// fakeKernel is a Conn whose other end answers each request by what answer
// makes of it: datagrams, in which the request's sequence number is put.
func fakeKernel(t *testing.T, answer func(request []byte) [][]byte) *Conn {
	t.Helper()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer unix.Close(ends[1])
		buf := make([]byte, bufferSize)
		for {
			n, err := unix.Read(ends[1], buf)
			if err != nil || n == 0 {
				return
			}
			for _, d := range answer(buf[:n]) {
				if _, err := unix.Write(ends[1], d); err != nil {
					return
				}
			}
		}
	}()
	c := &Conn{fd: ends[0], buf: make([]byte, bufferSize)}
	t.Cleanup(func() { c.Close(); <-done })
	return c
}

func message(kind, flags uint16, seq uint32, body []byte) []byte {
	b := host.AppendUint32(nil, uint32(nlmsgHeader+len(body)))
	b = host.AppendUint16(b, kind)
	b = host.AppendUint16(b, flags)
	b = host.AppendUint32(b, seq)
	b = host.AppendUint32(b, 0)
	b = append(b, body...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func seqOf(request []byte) uint32 { return host.Uint32(request[8:]) }

func done(request []byte) []byte { return message(nlmsgDone, 0, seqOf(request), make([]byte, 4)) }

func refusal(request []byte, errno unix.Errno) []byte {
	return message(nlmsgError, 0, seqOf(request), host.AppendUint32(nil, uint32(-int32(errno))))
}

// entries are the captured ones, as an answer to request.
func entries(t *testing.T, request []byte, flags uint16) (b []byte) {
	for _, c := range captures(t) {
		b = append(b, message(subsysConntrack<<8, flags, seqOf(request), c.body)...)
	}
	return b
}

// dumped returns what a dump gave, by transport, and its last error.
func dumped(t *testing.T, c *Conn, x Filter) (flows []string, last error) {
	for f, err := range c.Dump(t.Context(), x) {
		if last = err; err == nil {
			flows = append(flows, f.Proto.String())
		}
	}
	slices.Sort(flows)
	return flows, last
}

func TestADumpThatTheKernelInterruptedIsToldAtItsEnd(t *testing.T) {
	interrupted := true
	c := fakeKernel(t, func(r []byte) [][]byte {
		flags := uint16(0)
		if interrupted {
			flags = nlmFlagInterrupt
		}
		return [][]byte{entries(t, r, flags), done(r)}
	})
	flows, err := dumped(t, c, Filter{})
	require.ErrorIs(t, err, ErrInterrupted)
	require.Len(t, flows, 7, "what came is real")
	interrupted = false
	flows, err = dumped(t, c, Filter{})
	require.NoError(t, err)
	require.Len(t, flows, 7)
}

func TestAKernelThatIgnoresAFilterGivesTheSameAsOneThatDoesNot(t *testing.T) {
	x := Filter{StatusMask: flow.Assured, IPv4: true, Zone: 0, HasZone: true}
	want := []string{"89", "icmp", "sctp", "udp"}
	c := fakeKernel(t, func(r []byte) [][]byte { return [][]byte{entries(t, r, 0), done(r)} })
	got, err := dumped(t, c, x)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, FilterUserSpace, c.KernelFilters())
}

func TestAKernelThatRefusesAFilterIsAskedWithoutAndNotAgain(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EOPNOTSUPP, unix.EINVAL} {
		refused := 0
		c := fakeKernel(t, func(r []byte) [][]byte {
			if len(r) > nlmsgHeader+nfgenHeader {
				refused++
				return [][]byte{refusal(r, errno)}
			}
			return [][]byte{entries(t, r, 0), done(r)}
		})
		for range 2 {
			got, err := dumped(t, c, Filter{Mark: 0x4000, MarkMask: 0x4000})
			require.NoError(t, err)
			require.Equal(t, []string{"tcp"}, got)
		}
		require.Equal(t, 1, refused)
		require.Equal(t, FilterUserSpace, c.KernelFilters())
	}
}

func TestARefusalIsAnErrorToBranchOn(t *testing.T) {
	for errno, want := range map[unix.Errno]error{
		unix.EPERM: ErrPermission, unix.EINVAL: ErrNoModule, unix.ENOMEM: unix.ENOMEM,
	} {
		c := fakeKernel(t, func(r []byte) [][]byte { return [][]byte{refusal(r, errno)} })
		flows, err := dumped(t, c, Filter{})
		require.ErrorIs(t, err, want)
		require.Empty(t, flows)
		_, err = c.Usage()
		require.ErrorIs(t, err, want)
		_, err = c.CPUStats(nil)
		require.ErrorIs(t, err, want)
	}
}

func TestAMalformedEntryIsToldAndTheDumpGoesOn(t *testing.T) {
	c := fakeKernel(t, func(r []byte) [][]byte {
		return [][]byte{
			message(subsysConntrack<<8, 0, seqOf(r), make([]byte, nfgenHeader)), // without a tuple
			entries(t, r, 0), done(r),
		}
	})
	bad, good := 0, 0
	for f, err := range c.Dump(t.Context(), Filter{}) {
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			require.Nil(t, f)
			bad++
			continue
		}
		good++
	}
	require.Equal(t, []int{1, 7}, []int{bad, good})
}

func TestADatagramThatIsCutOffEndsTheDumpByAnError(t *testing.T) {
	c := fakeKernel(t, func(r []byte) [][]byte {
		e := entries(t, r, 0)
		return [][]byte{e[:len(e)-30]}
	})
	flows, err := dumped(t, c, Filter{})
	require.ErrorIs(t, err, ErrMalformed)
	require.Len(t, flows, 6)
}

func TestAnAnswerToAnEarlierRequestIsPassedOver(t *testing.T) {
	c := fakeKernel(t, func(r []byte) [][]byte {
		old := message(subsysConntrack<<8, 0, seqOf(r)-1, captures(t)[0].body)
		return [][]byte{old, message(nlmsgDone, 0, seqOf(r)-1, make([]byte, 4)), entries(t, r, 0), done(r)}
	})
	flows, err := dumped(t, c, Filter{})
	require.NoError(t, err)
	require.Len(t, flows, 7)
}

func TestAClosedConnSaysSo(t *testing.T) {
	c := fakeKernel(t, func([]byte) [][]byte { return nil })
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	_, err := dumped(t, c, Filter{})
	require.ErrorContains(t, err, "file already closed")
}
