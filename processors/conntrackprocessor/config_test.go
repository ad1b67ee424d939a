package conntrackprocessor

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestTheDefaultConfigIsValid(t *testing.T) {
	require.NoError(t, confmap.Validate(defaultConfig()))
}

func TestEverythingThatIsWrongIsToldAtOnce(t *testing.T) {
	cfg := defaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"flow_records":    "keep",
		"nat":             map[string]any{"ttl": "0s"},
		"syn_flood":       map[string]any{"min_half_open": 0, "age": "2m", "ratio": 2, "close_after": "0s", "max_targets": 0},
		"exhaustion":      map[string]any{"within": "-1s", "utilization": 95, "close_after": "-1s"},
		"update_interval": "-1s",
		"max_resources":   0,
		"queue_size":      -3,
	}).Unmarshal(cfg))
	err := confmap.Validate(cfg)
	for _, want := range []string{
		`flow_records must be drop or pass (got "keep")`, "nat::ttl must be positive (got 0s), e.g. 5m",
		"syn_flood::min_half_open", "syn_flood::age", "syn_flood::ratio must be within 0 and 1 (got 2)",
		"syn_flood::close_after", "syn_flood::max_targets", "exhaustion::within",
		"exhaustion::utilization must be within 0 and 1 (got 95)", "exhaustion::close_after", "update_interval",
		"max_resources must be positive (got 0)", "queue_size must be positive (got -3)",
	} {
		require.ErrorContains(t, err, want)
	}
	off := defaultConfig()
	off.NAT = NATConfig{}
	require.NoError(t, confmap.Validate(off), "no index needs no TTL")
}
