package enareceiver

import (
	"bufio"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorded reads what ethtool -S printed.
func recorded(t testing.TB, name string) map[string]uint64 {
	f, err := os.Open(filepath.Join("testdata", "ethtool", name))
	require.NoError(t, err)
	defer f.Close()
	stats := map[string]uint64{}
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, ok := strings.Cut(strings.TrimSpace(s.Text()), ": ")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		stats[key], err = strconv.ParseUint(value, 10, 64)
		require.NoError(t, err, s.Text())
	}
	require.NotEmpty(t, stats)
	return stats
}

func TestTheAllowancesOfOldAndNewDriversAreDecoded(t *testing.T) {
	all := [len(exceeded)]bool{true, true, true, true, true}
	for name, want := range map[string]struct {
		ok bool
		allowances
	}{
		"ena-2.1.0K.txt":       {false, allowances{available: -1}},
		"ena-in-tree-5.15.txt": {true, allowances{[...]uint64{77193, 8487, 0, 0, 0}, all, -1}},
		"ena-2.8.1.txt":        {true, allowances{[...]uint64{0, 0, 0, 0, 0}, all, 450878}},
		"ena-exhausted.txt":    {true, allowances{[...]uint64{0, 0, 0, 18000, 0}, all, 0}},
	} {
		got, ok := decode(recorded(t, name))
		require.Equal(t, want.ok, ok, name)
		require.Equal(t, want.allowances, got, name)
	}
}

func TestAnotherDriversStatisticsHaveNoAllowances(t *testing.T) {
	_, ok := decode(map[string]uint64{"peer_ifindex": 7, "rx_queue_0_xdp_packets": 3}) // veth
	require.False(t, ok)
	_, ok = decode(nil)
	require.False(t, ok)
}

func TestAnAllowanceThatTheDriverCouldNotGetIsUnknownNotHuge(t *testing.T) {
	a, ok := decode(map[string]uint64{conntrackAvailable: math.MaxUint64, "pps_allowance_exceeded": 1})
	require.True(t, ok)
	require.EqualValues(t, -1, a.available)
}
