package configs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/ledger"
)

// The ledger finds, for each destination of each shape, where its data is from.
func TestTheLedgerKnowsTheWayToEachDestination(t *testing.T) {
	for _, name := range Names {
		conf := shape(t, name, everything)
		ways, err := ledger.WaysOf(conf, nil)
		require.NoError(t, err, name)
		require.NotEmpty(t, ways, name)
		for _, w := range ways {
			t.Logf("%s: %s to %s from %v, batched %v, on disk %v, unknown %q", name, w.Signal, w.To, w.From, w.Batched, w.Durable, w.Unknown)
			if len(w.From) == 0 && len(w.Unknown) == 0 {
				t.Errorf("%s: %s reach %s from nowhere", name, w.Signal, w.To)
			}
		}
	}
}
