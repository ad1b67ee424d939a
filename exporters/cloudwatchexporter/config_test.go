package cloudwatchexporter

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func load(t *testing.T, yaml, id string) (*Config, error) {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	sub, err := conf.Sub("exporters::" + id)
	require.NoError(t, err)
	c := createDefaultConfig()
	if err := sub.Unmarshal(c); err != nil {
		return nil, err
	}
	return c, confmap.Validate(c)
}

func TestTheREADMEsExampleIsAConfiguration(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(readme), "```yaml\n")
	require.True(t, found)
	example, _, _ := strings.Cut(after, "```")

	c, err := load(t, example, "cloudwatch")
	require.NoError(t, err)
	require.Equal(t, "json", c.Logs.Format)
	require.Equal(t, [][]string{{"service.name", "http.route"}, {"service.name"}}, c.Metrics.Rules[0].Dimensions)
	require.Equal(t, int64(5_000_000_000), c.Budget.MaxLogBytesPerHour)
	require.Equal(t, int64(1_000_000_000), c.Queue.Get().QueueSize)
	require.Equal(t, 1, c.Queue.Get().NumConsumers, "what is not named keeps its default")
	require.True(t, c.Queue.Get().Batch.HasValue())
	require.Zero(t, c.BackOff.MaxElapsedTime)
	c, err = load(t, example, "cloudwatch/eks")
	require.NoError(t, err)
	require.Equal(t, presetContainerInsights, c.Preset)
}

func TestTheDefaultConfigurationIsValidWithoutRegionOrCredentials(t *testing.T) {
	c, err := load(t, "exporters:\n  cloudwatch:\n", "cloudwatch")
	require.NoError(t, err)
	require.Empty(t, c.Region)
}

func TestEverythingThatIsWrongIsToldAtOnce(t *testing.T) {
	_, err := load(t, `
exporters:
  cloudwatch:
    region: Paris
    preset: ecs
    compression: zstd
    concurrency: 0
    timeout: 0s
    denied_after: -1s
    logs: {group: "a b", stream: "{", format: xml, max_event_bytes: 5}
    metrics:
      namespace: AWS/Lambda
      unmatched: maybe
      max_series: 0
      stale_after: 1s
      rules: [{dimensions: [[a, a], [""]], unit: Furlongs}]
    create: {retention_days: 2, class: GLACIER, kms_key_id: alias/x}
    budget: {max_metrics: 0, on_logs_exceeded: panic, sample_one_in: 1}
    prices: {logs_per_gb: -1}
`, "cloudwatch")
	for _, want := range []string{
		`region must be the code`, `preset must be container_insights or empty (got "ecs")`, `compression must be gzip or none (got "zstd")`,
		"concurrency must be between 1 and 100 (got 0)", "timeout must be positive", "denied_after must be positive",
		`logs: format must be plain or json (got "xml")`, "max_event_bytes must be between", `group takes letters`, `stream: "{" has a {`,
		"AWS/ belongs to AWS", "unmatched must be keep or drop", "max_series must be between", "stale_after must be at least 1m",
		"rules[0]::metrics must name metrics", `rules[0]::dimensions[0] must name attributes, each once (got "a")`, `rules[0]::dimensions[1]`, `rules[0]::unit must be one of CloudWatch's (got "Furlongs")`,
		"retention_days must be one of", "class must be STANDARD", "kms_key_id must be a key's ARN",
		"max_metrics must be between", "on_logs_exceeded must be drop or sample", "sample_one_in must be at least 2", "logs_per_gb must not be negative",
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = load(t, "exporters:\n  cloudwatch: {preset: container_insights, metrics: {rules: [{metrics: [a]}]}}", "cloudwatch")
	require.ErrorContains(t, err, "use a second component")
}
