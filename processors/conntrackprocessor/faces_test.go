package conntrackprocessor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// What is refused comes again as it was: the ledger has what was made of it, and
// used up, once.
func TestWhatIsMadeAndUsedUpIsCountedOnceThoughItsBatchComesTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, ctx := newRig(t, ""), context.Background()
		r.line("flow tcp established 86400s 10.0.1.7:40000 > 10.100.0.1:443 via 10.0.3.4:8443 assured")
		r.line("record url.path=/")
		r.line("metric system.network.conntrack.max 262144")
		r.line("metric system.network.conntrack.count 60000")
		logs, metrics := plog.NewLogs(), pmetric.NewMetrics()
		r.logs.CopyTo(logs)
		r.metrics.CopyTo(metrics)

		r.refusal = errors.New("full")
		require.ErrorIs(t, r.l.ConsumeLogs(ctx, logs), r.refusal)
		require.ErrorIs(t, r.m.ConsumeMetrics(ctx, metrics), r.refusal)
		require.Greater(t, metrics.DataPointCount(), 2, "nothing was derived")
		books := func(signal string) (lines []string) {
			for line := range strings.Lines(r.telemetry()) {
				if strings.HasPrefix(line, "vigie.ledger.") && strings.Contains(line, "="+signal+"}") {
					lines = append(lines, line[len("vigie.ledger."):strings.Index(line, "{")]+line[strings.LastIndex(line, " "):len(line)-1])
				}
			}
			return lines
		}
		require.Equal(t, []string{"made 0", "removed 0"}, books("logs"))
		require.Equal(t, []string{"made 0", "removed 0"}, books("metrics"))

		r.refusal = nil
		r.line("send")
		require.Equal(t, []string{"made 0", "removed 1"}, books("logs"))
		require.Equal(t, []string{"made 2", "removed 0"}, books("metrics"))
		r.run("")
	})
}
