package conntrackcmd

import (
	"flag"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/forecast"
)

var update = flag.Bool("update", false, "write testdata anew")

func flooded() *Snapshot {
	at := time.Date(2026, 11, 22, 20, 45, 12, 0, time.UTC)
	soon, early, late := 1.5, 1.2, 1.9
	return &Snapshot{
		At: at, NetNS: "/run/netns/node", Count: 241_172, Limit: 262_144,
		Dropped:   Drops{Packets: 12, EarlyDropped: 3456, InsertFailed: 7},
		DropRates: &Rates{},
		Wall: &forecast.Wall{Name: "nf_conntrack", Used: 241_172, Limit: 262_144, Utilization: 0.92, Growth: 233,
			MinutesLeft: &soon, Earliest: &early, Latest: &late},
		Dump: &Dump{
			At: at.Add(-4 * time.Second), CPU: 0.482, Entries: 241_100, HalfOpen: 190_000, Unreplied: 190_021,
			States: []State{{"tcp", "ipv4", "syn_sent", 190_000}, {"tcp", "ipv4", "established", 51_000}, {"udp", "ipv6", "unreplied", 100}},
			Owners: []Owner{
				{Owner: "10.0.3.4:8443", Target: true, Entries: 215_000, HalfOpen: 190_000, Prefixes: 61_234},
				{Owner: "10.0.3.9", Entries: 900}, {Owner: "other", Entries: 25_200},
			},
			Targets: []Owner{{Owner: "10.0.3.4:8443", Target: true, Entries: 215_000, HalfOpen: 190_000, Prefixes: 61_234}},
			Sources: []Source{
				{netip.MustParseAddr("198.51.100.7"), 1204, 3},
				{netip.MustParseAddr("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"), 800, 800},
			},
		},
	}
}

func TestTheViewIsDrawnAsInTheGoldenFiles(t *testing.T) {
	for name, draw := range map[string]func() []string{
		"narrow": func() []string { return render(flooded(), 80, 0, style{}) },
		"wide":   func() []string { return render(flooded(), 120, 0, style{}) },
		"unprivileged": func() []string {
			s := flooded()
			s.Dump, s.Wall, s.DropRates = nil, nil, nil
			s.Notes = []string{"entries: not permitted: grant CAP_NET_ADMIN in the user namespace of this network namespace"}
			return render(s, 80, 0, style{})
		},
		"losing": func() []string {
			s := flooded()
			s.Count = s.Limit
			s.DropRates = &Rates{Packets: 31, EarlyDropped: 812}
			s.Wall = &forecast.Wall{Losing: true, LossRate: 842.4, MinutesLeft: new(float64)}
			s.Dump = nil
			return render(s, 80, 0, style{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(draw(), "\n") + "\n"
			file := "testdata/" + name + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

func TestNoLineIsWiderThanTheTerminalColouredOrNot(t *testing.T) {
	for _, st := range []style{{}, {colour: true}} {
		for width := 40; width <= 200; width++ {
			for _, l := range render(flooded(), width, 0, st) {
				require.LessOrEqual(t, visible(l), width, l)
			}
		}
	}
}

func TestAFrameIsNoTallerThanTheTerminal(t *testing.T) {
	for height := 1; height < 40; height++ {
		require.LessOrEqual(t, len(render(flooded(), 80, height, style{})), height)
	}
}

func TestAFrameClearsBehindItsTextAndNothingBefore(t *testing.T) {
	got := string(frame([]string{"a", "b"}, "q quits"))
	require.Equal(t, "\x1b[Ha\x1b[K\r\nb\x1b[K\r\nq quits\x1b[K\x1b[J", got)
}

func TestColourSaysHowBadItIs(t *testing.T) {
	st := style{colour: true}
	s := flooded()
	require.Contains(t, gauge(s, 80, st)[0], "\x1b[1;31m", "92 %")
	s.Count = 200_000
	require.Contains(t, gauge(s, 80, st)[0], "\x1b[33m", "76 %")
	s.Count = 1
	require.Contains(t, gauge(s, 80, st)[0], "\x1b[32m")
}

func TestNumbersAreReadable(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 262144: "262,144", 1234567: "1,234,567"} {
		require.Equal(t, want, number(n))
	}
	require.Equal(t, "90 s", left(1.5))
	require.Equal(t, "45 min", left(45))
	require.Equal(t, "3 h", left(180))
}
