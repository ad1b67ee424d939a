package costcmd

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/exporters/cloudwatchexporter"
	"github.com/vigie-otel/vigie/internal/costs"
)

var update = flag.Bool("update", false, "write docs/costs.md anew")

func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := New()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

func TestThePageIsWhatTheCommandPrints(t *testing.T) {
	const path = "../../docs/costs.md"
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	text := string(page)
	for _, part := range strings.Split(string(page), "<!-- vigie costs ")[1:] {
		args, rest, ok := strings.Cut(part, " -->\n")
		require.True(t, ok)
		was, _, ok := strings.Cut(rest, "<!-- end -->")
		require.True(t, ok)
		is, err := run(t, strings.Fields(args)...)
		require.NoError(t, err)
		require.Contains(t, text, "vigie costs "+strings.TrimSuffix(args, " --format markdown"), "the command line is shown")
		if *update {
			text = strings.Replace(text, part, args+" -->\n"+is+strings.TrimPrefix(rest, was), 1)
			continue
		}
		if d := cmp.Diff(is, was); d != "" {
			t.Errorf("docs/costs.md is stale: go test ./collector/costcmd -update\n%s", d)
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	require.Contains(t, text, costs.ListPrices().Date)
}

func TestTheListIsTheOneThatTheExporterHas(t *testing.T) {
	cfg := cloudwatchexporter.NewFactory().CreateDefaultConfig().(*cloudwatchexporter.Config)
	list := costs.ListPrices()
	require.InDelta(t, cfg.Prices.LogsPerGB, list.LogsIngested, 0)
	require.Len(t, list.Metrics, len(cfg.Prices.Metrics))
	for i, tier := range cfg.Prices.Metrics {
		require.InDelta(t, float64(tier.UpTo), list.Metrics[i].UpTo, 0)
		require.InDelta(t, tier.USD, list.Metrics[i].USD, 0)
	}
}

func TestFlagsChangeASize(t *testing.T) {
	out, err := run(t, "--size", "medium", "--nodes", "80", "--host-interval", "15s", "--no-cloudwatch-logs", "--format", "json")
	require.NoError(t, err)
	var got struct {
		Estimates []named
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Len(t, got.Estimates, 1)
	require.Equal(t, "yours", got.Estimates[0].Name)
	require.Equal(t, 80, got.Estimates[0].Cluster.Nodes)
	require.Equal(t, 8, got.Estimates[0].Cluster.CPUs, "what is not said stays")
	for _, l := range got.Estimates[0].Estimate.Lines {
		require.NotContains(t, l.What, "logs", "they go elsewhere")
	}
}

func TestOtherPricesAreStatedAndUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.yaml")
	list, err := run(t, "--format", "prices")
	require.NoError(t, err)
	mine := strings.NewReplacer("us-east-1", "eu-west-3", "2026-02", "2026-11", "logs_ingested: 0.5\n", "logs_ingested: 50\n").Replace(list)
	require.NotEqual(t, list, mine)
	require.NoError(t, os.WriteFile(path, []byte(mine), 0o600))
	out, err := run(t, "--size", "small", "--prices", path)
	require.NoError(t, err)
	require.Contains(t, out, "list prices of eu-west-3, 2026-11")
	require.Regexp(t, `CloudWatch: logs in +152 GB +7,604`, out)
}

func TestMistakesAreNamed(t *testing.T) {
	for says, args := range map[string][]string{
		"--size names the cluster":            {"--nodes", "80"},
		"size must be one of":                 {"--size", "huge"},
		"--format must be":                    {"--format", "html"},
		"nodes must be 0 to":                  {"--size", "small", "--nodes", "-1"},
		"--prices: open":                      {"--prices", "nowhere.yaml"},
		"host-interval must be 1s to 1h":      {"--size", "small", "--host-interval", "10ms"},
		`unknown command "small" for "costs"`: {"small"},
	} {
		_, err := run(t, args...)
		require.ErrorContains(t, err, says)
	}
}

func TestTheReadmeSaysWhatItCosts(t *testing.T) {
	out, err := run(t, "--format", "json")
	require.NoError(t, err)
	var got struct{ Estimates []named }
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Len(t, got.Estimates, 3)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	for title, prefix := range map[string]string{"Amazon Managed Prometheus": "AMP: ", "CloudWatch": "CloudWatch: ", "all": ""} {
		row := "| " + title + " |"
		for _, n := range got.Estimates {
			usd := 0.0
			for _, l := range n.Estimate.Lines {
				if strings.HasPrefix(l.What, prefix) {
					usd += l.USD
				}
			}
			cell := dollars(usd) + " USD"
			if prefix == "" {
				cell = "**" + cell + "**"
			}
			row += " " + cell + " |"
		}
		require.True(t, strings.Contains(string(readme), row), "README.md has not the row\n%s", row)
	}
}
