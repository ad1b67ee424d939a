package ports

import (
	"errors"
	"net"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The kernel has some 28,000 ports to choose from: were the 500 not held, some 20 of
// what it chooses here would be among them, or one of them there twice.
func TestNoAddressIsGivenTwiceNorToWhoeverLeavesTheChoiceToTheKernel(t *testing.T) {
	held(t)
	const n = 1000
	mine := map[string]bool{}
	for range n / 2 {
		a := Address(t)
		require.False(t, mine[a], "%s a second time", a)
		mine[a] = true
	}
	target, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer target.Close()
	for range n {
		other, err := pick()
		require.NoError(t, err)
		require.False(t, mine[other], "the kernel gave %s to a listener", other)
	}
	for range n / 10 {
		c, err := net.Dial("tcp", target.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		require.False(t, mine[c.LocalAddr().String()], "the kernel gave %s to a connection", c.LocalAddr())
	}
}

func TestAnAddressIsRefusedUntilItIsListenedOnAndAgainAfter(t *testing.T) {
	held(t)
	a := Address(t)
	for range 3 {
		_, err := net.Dial("tcp", a)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		l, err := net.Listen("tcp", a)
		require.NoError(t, err)
		c, err := net.Dial("tcp", a)
		require.NoError(t, err)
		s, err := l.Accept()
		require.NoError(t, err)
		_, err = net.Listen("tcp", a)
		require.ErrorIs(t, err, syscall.EADDRINUSE, "two who listen are still one too many")
		require.NoError(t, l.Close())
		require.NoError(t, s.Close()) // the side that closes first leaves the port in TIME_WAIT
		require.NoError(t, c.Close())
	}
}

func TestAnAddressIsGivenBackWhenItsTestEnds(t *testing.T) {
	held(t)
	var back int
	for range 5 { // another process may have had one of them since
		var a string
		t.Run("holds one", func(t *testing.T) { a = Address(t) })
		if alone(t, a) == nil {
			back++
		}
	}
	require.Positive(t, back)
	require.ErrorIs(t, alone(t, Address(t)), syscall.EADDRINUSE, "held until this test ends")
}

// held skips where ports are not held.
func held(t *testing.T) {
	t.Helper()
	_, release, err := hold()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("%s: ports are not held", runtime.GOOS)
	}
	require.NoError(t, err)
	release()
}

// alone listens without sharing the port.
func alone(t *testing.T, address string) error {
	t.Helper()
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		err2 := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0) })
		return errors.Join(err, err2)
	}}
	l, err := lc.Listen(t.Context(), "tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}
