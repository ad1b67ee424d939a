package warroomexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/names"
)

func account(signal, account, reason string, items float64) series {
	attrs := []string{names.LedgerSignal, signal, names.LedgerTo, "warroom", names.LedgerAccount, account}
	if reason != "" {
		attrs = append(attrs, names.LedgerReason, reason)
	}
	return series{names.LedgerItems, "{item}", false, attrs, steady(items)}
}

func bookOf(signal string, off func(float64) float64, known float64) []series {
	of := []string{names.LedgerSignal, signal, names.LedgerTo, "warroom"}
	return []series{
		account(signal, "read", "", 1000), account(signal, "made", "", 5), account(signal, "sent", "", 901),
		account(signal, "waiting", "", 75), account(signal, "dropped", "filtered", 10), account(signal, "dropped", "send failed", 20),
		account(signal, "removed", "", 2), account(signal, "queued_at_start", "", 3),
		{names.LedgerOff, "{item}", false, of, off}, {names.LedgerKnown, "{ledger}", false, of, steady(known)},
	}
}

func TestTheBooksSayWhatBecameOfWhatWasReadAndWhichAreOff(t *testing.T) {
	w, _ := roomOf(t, testConfig(t))
	now := time.Now()
	for job, off := range map[string]float64{"vigie-agent": 7, "vigie-gateway": -3} {
		tell(t, w, now, job, "node", bookOf("logs", steady(off), 1)...)
	}
	tell(t, w, now, "vigie-agent", "node", bookOf("metrics", func(ago float64) float64 { return map[bool]float64{true: 4}[ago > 60] }, 1)...)
	tell(t, w, now, "vigie-agent", "node", bookOf("traces", steady(0), 0)...)
	b := readBooks(t.Context(), w.store, now)
	require.Empty(t, b.Why)
	require.Len(t, b.Rows, 3)
	logs, metrics, traces := b.Rows[0], b.Rows[1], b.Rows[2]
	require.Equal(t, "logs", logs.Signal, "what is off comes first")
	require.InDelta(t, 10, float64(logs.Off), 0, "seven too many here do not make up for three too few there")
	require.InDelta(t, 2000, float64(logs.Read), 0)
	require.Equal(t, []droppedItem{{"send failed", 40}, {"filtered", 20}}, logs.Dropped)
	require.Zero(t, float64(metrics.Off), "what was off and is not")
	require.InDelta(t, 3, float64(metrics.Before), 0)
	require.InDelta(t, 2, float64(metrics.Removed), 0)
	require.False(t, metrics.Unknown)
	require.True(t, traces.Unknown)
}

func TestWithoutALedgerThePageSaysSo(t *testing.T) {
	w, _ := roomOf(t, testConfig(t))
	b := readBooks(t.Context(), w.store, time.Now())
	require.Empty(t, b.Rows)
	require.Contains(t, b.Why, names.LedgerItems)
}
