package conntrackreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestAConfigurationIsReadWithItsShares(t *testing.T) {
	cfg := defaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"max_cpu": "2.5%", "half_open_max_cpu": 0.1, "stats_interval": "1s", "pod_prefixes": []any{"10.244.0.0/16"},
		"events": map[string]any{"enabled": true},
	}).Unmarshal(cfg))
	require.NoError(t, cfg.Validate())
	require.InDelta(t, 0.025, float64(cfg.MaxCPU), 1e-9)
	require.InDelta(t, 0.1, float64(cfg.HalfOpenMaxCPU), 1e-9)
	require.True(t, cfg.Events.Enabled)
	require.Equal(t, "2.5%", cfg.MaxCPU.String())
}

func TestEverythingThatIsWrongIsReportedAtOnce(t *testing.T) {
	cfg := defaultConfig().(*Config)
	cfg.StatsInterval = 0
	cfg.FullInterval = time.Millisecond
	cfg.MaxCPU = 7
	cfg.TopOwners = -1
	cfg.PodPrefixes = []string{"pods"}
	err := cfg.Validate()
	for _, want := range []string{
		"stats_interval must be 100ms or more (got 0s), e.g. 2s",
		"full_interval must be 1s or more, or 0 for off (got 1ms), e.g. 30s",
		"max_cpu must be between 0% and 100% of one core (got 700%), e.g. 1%",
		"top_owners must be between 0 and 1000 (got -1)",
		`pod_prefixes takes networks (got "pods"), e.g. 10.244.0.0/16`,
	} {
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, new(Share).UnmarshalText([]byte("much")), `"much"`)
}

func TestAShareStretchesAnIntervalNeverShortensIt(t *testing.T) {
	require.Equal(t, 100*time.Second, Share(0.01).stretch(30*time.Second, time.Second))
	require.Equal(t, 30*time.Second, Share(0.01).stretch(30*time.Second, time.Millisecond))
	require.Equal(t, 30*time.Second, Share(0).stretch(30*time.Second, time.Hour), "no bound")
}
