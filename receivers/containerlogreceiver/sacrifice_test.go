package containerlogreceiver

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestANamespaceTooFarBehindGivesUpTheLeastFirst(t *testing.T) {
	kinds := []string{`{"level":"debug","msg":"d"}`, `{"level":"info","msg":"i"}`, "words {}", `{"level":"warn","msg":"w"}`, `{"level":"error","msg":"e"}`, combined}
	all := []string{"d", "i", "words {}", "w", "e", combined}
	for level := range 7 {
		d := newDesk(t, func(c *Config) { c.Sacrifice.AfterLag = 10 * time.Second })
		d.cri(pod, "stdout F {}")
		d.cri("pods/quiet_web_u/app/0.log", "stdout F {}")
		require.Len(t, d.records(time.Second), 2)
		d.hold = true
		for _, k := range kinds {
			d.cri(pod, "stdout F "+k)
		}
		d.hold = true
		d.r.spaces.get("shop").level = level
		d.r.summed = d.now.Add(time.Hour) // the level stays
		d.cri("pods/quiet_web_u/app/0.log", "stdout F "+kinds[0])
		d.hold = false
		got := d.after(time.Second)
		require.ElementsMatch(t, append([]string{"d"}, all[min(level, 6):]...), got, "level %d", level)
		var given int64
		for c := range d.r.spaces.get("shop").sacrificed {
			given += d.r.spaces.get("shop").sacrificed[c][pressureTime].Load()
		}
		require.Equal(t, int64(level), given)
	}
}

func TestALagIsALevelOfSacrifice(t *testing.T) {
	s := Sacrifice{AfterLag: 10 * time.Second, AfterBytes: 1000}
	for _, c := range []struct {
		bytes int64
		lag   time.Duration
		level int
		why   pressure
	}{{0, 0, 0, pressureTime}, {999, 9 * time.Second, 0, pressureTime}, {0, 10 * time.Second, 1, pressureTime}, {2500, 10 * time.Second, 2, pressureBytes}, {1 << 40, time.Hour, 6, pressureTime}} {
		level, why := s.level(c.bytes, c.lag)
		require.Equal(t, c.level, level)
		require.Equal(t, c.why, why)
	}
	level, _ := (&Sacrifice{}).level(1<<40, time.Hour)
	require.Zero(t, level, "nothing is given up by default")
}

func TestWhatIsNotInTheOrderIsNeverGivenUp(t *testing.T) {
	s := Sacrifice{Order: []string{"info", "debug"}}
	require.Equal(t, order{classDebug: 2, classInfo: 1}, s.levels())
}

// While nothing is accepted the reader stops; what it then catches up with is
// what shows how far behind it is, by its files' own growth.
func TestAStallShowsAsLagAndCausesTheSacrifice(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Sacrifice.AfterLag = 3 * time.Second; c.Batch.MaxRecords = 2 })
	d.cri(pod, "stdout F {}")
	require.Len(t, d.records(time.Second), 1)
	d.hold = true
	for range 6 {
		d.cri(pod, `stdout F {"level":"debug","msg":"d"}`, `stdout F {"level":"error","msg":"e"}`)
		d.after(time.Second)
	}
	require.GreaterOrEqual(t, time.Duration(d.r.spaces.get("shop").behind.Load()), 5*time.Second)
	d.hold = false
	got := strings.Join(d.after(3*time.Second), "")
	require.Equal(t, 6, strings.Count(got, "e"), "errors are all there")
	require.Less(t, strings.Count(got, "d"), 6)
	require.Zero(t, d.r.spaces.get("shop").lag.Load(), "and it has caught up")
}
