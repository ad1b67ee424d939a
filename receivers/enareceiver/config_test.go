package enareceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestTheDefaultConfigIsValidAndReadsEach10Seconds(t *testing.T) {
	cfg := defaultConfig().(*Config)
	require.NoError(t, confmap.Validate(cfg))
	require.Equal(t, 10*time.Second, cfg.CollectionInterval)
}

func TestEverythingThatIsWrongIsToldAtOnce(t *testing.T) {
	cfg := defaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"collection_interval": "1s",
		"interfaces":          []any{"ens5", ""},
	}).Unmarshal(cfg))
	err := confmap.Validate(cfg)
	require.ErrorContains(t, err, "collection_interval must be 10s or longer (got 1s): each read is an admin command")
	require.ErrorContains(t, err, "empty name")
}
