package conntrackcmd

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/testkit/netlab"
)

func execute(t *testing.T, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := New()
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func full(t *testing.T) *netlab.NS {
	ns := netlab.New(t, "a")
	ns.Run("ip", "address", "add", "10.0.0.9/32", "dev", "lo")
	ns.Fill(netlab.TCPFlows(70, netip.MustParseAddrPort("10.0.0.9:443"), flow.StateEstablished, flow.SeenReply|flow.Assured))
	ns.Fill(netlab.TCPFlows(30, netip.MustParseAddrPort("10.0.0.9:80"), flow.StateSynSent, 0))
	return ns
}

func TestJSONAgreesWithProc(t *testing.T) {
	ns := full(t)
	out, err := execute(t, "--json", "--netns", ns.Path)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(out, "\n"))
	var s Snapshot
	require.NoError(t, json.Unmarshal([]byte(out), &s))
	require.EqualValues(t, ns.Count(), s.Count)
	require.EqualValues(t, s.Count, s.Dump.Entries)
	require.EqualValues(t, 30, s.Dump.HalfOpen)
	require.Equal(t, Owner{Owner: "10.0.0.9:443", Target: true, Entries: 70}, s.Dump.Owners[0])
	require.EqualValues(t, 30, s.Dump.Targets[0].HalfOpen)
	require.Len(t, s.Dump.Sources, showSources)
	require.EqualValues(t, 2, s.Dump.Sources[0].Entries)
	require.NotZero(t, s.Limit)
}

func TestOnceIsPlainText(t *testing.T) {
	ns := full(t)
	out, err := execute(t, "--once", "--netns", ns.Path)
	require.NoError(t, err)
	require.Contains(t, out, "100 of ")
	require.Contains(t, out, "→ 10.0.0.9:443")
	require.NotContains(t, out, "\x1b")
}

func TestAnOutputThatIsNoTerminalGetsOneLook(t *testing.T) {
	ns := full(t)
	f, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, run(t.Context(), options{netns: ns.Path, interval: time.Hour}, f))
	text, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	require.Contains(t, string(text), "100 of ")
}

func TestAStreamIsOneObjectALineUntilItIsStopped(t *testing.T) {
	ns := full(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines := 0
	out := writer(func(b []byte) (int, error) {
		require.True(t, json.Valid(b))
		if lines++; lines == 3 {
			cancel()
		}
		return len(b), nil
	})
	require.NoError(t, run(ctx, options{netns: ns.Path, interval: time.Millisecond, json: true, stream: true}, out))
	require.Equal(t, 3, lines)
	require.NoError(t, run(t.Context(), options{netns: ns.Path, interval: time.Millisecond, json: true, stream: true},
		writer(func([]byte) (int, error) { return 0, syscall.EPIPE })), "a reader that went away")
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func TestGrowthIsToldAfterAFewLooks(t *testing.T) {
	ns := netlab.New(t, "a")
	o := newObserver(ns.Path)
	at := time.Unix(1_780_000_000, 0)
	var s Snapshot
	for i := range 12 {
		target := netip.AddrPortFrom(netip.MustParseAddr("10.0.0.9"), uint16(80+i))
		ns.Fill(netlab.TCPFlows(500, target, flow.StateSynSent, 0))
		var err error
		s, err = o.look(t.Context(), at.Add(time.Duration(i)*time.Second))
		require.NoError(t, err)
	}
	// 500 a second; the limit is too far off for a date, unless it is a small machine's.
	require.NotNil(t, s.Wall)
	require.EqualValues(t, 6000, s.Count)
	if s.Limit < 60_000 {
		require.NotNil(t, s.Wall.MinutesLeft)
	}
	require.NotNil(t, s.DropRates)
}

func TestWithoutEntriesTheReasonStaysOnTheScreen(t *testing.T) {
	ns := full(t)
	o := newObserver(ns.Path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // a dump that can't be, as without the capability
	at := time.Now()
	for i := range 3 {
		s, err := o.look(ctx, at.Add(time.Duration(i)))
		require.NoError(t, err)
		require.Nil(t, s.Dump)
		require.Equal(t, []string{"entries: context canceled"}, s.Notes)
		require.EqualValues(t, 100, s.Count)
	}
}

func TestWrongUseIsToldWithWhatWouldBeRight(t *testing.T) {
	_, err := execute(t, "--interval", "1ms")
	require.ErrorContains(t, err, "--interval must be 100ms or more (got 1ms), e.g. 2s")
	_, err = execute(t, "--once", "--netns", "/run/netns/vigie-no-such")
	require.ErrorContains(t, err, "network namespace is gone: /run/netns/vigie-no-such")
}

// TestTheLiveViewTakesTheScreenAndGivesItBack runs the view under script(1),
// which gives it a terminal.
func TestTheLiveViewTakesTheScreenAndGivesItBack(t *testing.T) {
	if os.Getenv("VIGIE_TEST_LIVE") != "" {
		require.NoError(t, run(t.Context(), options{netns: os.Getenv("VIGIE_TEST_LIVE"), interval: 100 * time.Millisecond}, os.Stdout))
		return
	}
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("needs script(1) for a terminal: ", err)
	}
	ns := full(t)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command("script", "-qec", self+" -test.run=^TestTheLiveViewTakesTheScreenAndGivesItBack$", "/dev/null")
	cmd.Env = append(os.Environ(), "VIGIE_TEST_LIVE="+ns.Path, "TERM=xterm")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var screen bytes.Buffer
	b := make([]byte, 4096)
	for frames, quit := 0, false; ; {
		n, err := out.Read(b)
		screen.Write(b[:n])
		frames += bytes.Count(b[:n], []byte("q quits"))
		if frames >= 3 && !quit {
			quit = true
			_, err := in.Write([]byte("q"))
			require.NoError(t, err)
		}
		if err != nil {
			break
		}
	}
	require.NoError(t, cmd.Wait())
	text := screen.String()
	require.Contains(t, text, enter)
	require.Contains(t, text, "10.0.0.9:443")
	require.Greater(t, strings.LastIndex(text, leave), strings.LastIndex(text, "q quits"), "the screen is given back last")
}
