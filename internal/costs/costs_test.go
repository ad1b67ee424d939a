package costs

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestABillIsTheSumOfItsLines(t *testing.T) {
	last := 0.0
	for _, name := range Sizes() {
		c, err := Size(name)
		require.NoError(t, err)
		require.NoError(t, c.Validate())
		e := Of(c, ListPrices())
		sum := 0.0
		for _, l := range e.Lines {
			require.Positive(t, l.USD, l.What)
			sum += l.USD
		}
		require.InDelta(t, sum, e.USD, 1e-9)
		require.Greater(t, e.USD, last, "a larger cluster costs more")
		last = e.USD
	}
	_, err := Size("huge")
	require.ErrorContains(t, err, "small medium large")
}

func TestNothingCostsNothing(t *testing.T) {
	e := Of(Cluster{HostInterval: time.Second, AppInterval: time.Second}, ListPrices())
	require.Zero(t, e.USD)
	require.Empty(t, e.Lines)
}

// By hand: 10,000 samples a second are 26.28 thousand million a month; 2 at 0.90
// and 24.28 at 0.35 for ten million.
func TestSamplesAreBilledByTier(t *testing.T) {
	c := Cluster{AppSeries: 150_000, AppInterval: 15 * time.Second, HostInterval: time.Second}
	e := Of(c, ListPrices())
	require.InDelta(t, 10_000, e.SamplesPerSecond, 1e-9)
	require.Equal(t, "AMP: samples in", e.Lines[0].What)
	require.InDelta(t, 26.28, e.Lines[0].Quantity, 1e-9)
	require.InDelta(t, 200*0.90+2428*0.35, e.Lines[0].USD, 1e-6)
}

// The measurement that the constants are of: 2 CPUs, one interface, 11,002
// samples in 147 s, 288 series.
func TestAnAgentSendsWhatWasCounted(t *testing.T) {
	host := float64(seriesPerCPU*2 + seriesPerHost)
	require.InDelta(t, 288, host+restSeries, 0.5)
	require.InEpsilon(t, 11002.0/147, host+restSamples, 0.01)
}

// Vigie's own pods are priced by what the chart requests.
func TestWhatTheChartRequestsIsWhatIsPriced(t *testing.T) {
	type part struct {
		Resources   struct{ Requests struct{ CPU string } }
		Persistence struct{ Size string }
	}
	text, err := os.ReadFile("../../deploy/helm/vigie/values.yaml")
	require.NoError(t, err)
	var values struct{ Agent, Gateway part }
	require.NoError(t, yaml.Unmarshal(text, &values))
	require.Equal(t, fmt.Sprintf("%.0fm", 1000*agentCPUs), values.Agent.Resources.Requests.CPU)
	require.Equal(t, fmt.Sprintf("%.0fm", 1000*gatewayCPUs), values.Gateway.Resources.Requests.CPU)
	require.Equal(t, fmt.Sprintf("%dGi", gatewayGB), values.Gateway.Persistence.Size)
}

func TestEachKnobMovesItsOwnLines(t *testing.T) {
	base, err := Size("medium")
	require.NoError(t, err)
	bill := func(change func(*Cluster)) map[string]float64 {
		c := base
		change(&c)
		require.NoError(t, c.Validate())
		out := map[string]float64{}
		for _, l := range Of(c, ListPrices()).Lines {
			out[l.What] = l.USD
		}
		return out
	}
	before := bill(func(*Cluster) {})
	for name, k := range map[string]struct {
		change func(*Cluster)
		line   string
		factor float64
	}{
		"twice the logs":          {func(c *Cluster) { c.LogGBPerDay *= 2 }, "CloudWatch: logs in", 2},
		"twice the retention":     {func(c *Cluster) { c.LogRetentionDays *= 2 }, "CloudWatch: logs kept", 2},
		"twice the spans":         {func(c *Cluster) { c.SpansPerSecond *= 2 }, "X-Ray: spans in", 2},
		"twice the reading":       {func(c *Cluster) { c.Reads *= 2 }, "AMP: samples read by rules and dashboards", 2},
		"no logs in CloudWatch":   {func(c *Cluster) { c.LogsInCloudWatch = false }, "CloudWatch: logs in", 0},
		"the host each minute":    {func(c *Cluster) { c.HostInterval = time.Minute }, "AMP: samples in", 0.5 /* less than */},
		"traces by the older way": {func(c *Cluster) { c.TracesAPI = true }, "X-Ray: spans in", 0},
	} {
		after := bill(k.change)
		if name == "the host each minute" {
			require.Less(t, after[k.line], before[k.line], name)
			continue
		}
		require.InDelta(t, before[k.line]*k.factor, after[k.line], 1e-6, name)
	}
	require.InDelta(t, 200*secondsAMonth/spansPerTrace*5e-6, bill(func(c *Cluster) { c.TracesAPI = true })["X-Ray: traces"], 1e-6)
}

func TestPricesAreReadOverTheListAndNonsenseIsRefused(t *testing.T) {
	p, err := ReadPrices(strings.NewReader("region: eu-west-3\ndate: 2026-11\nlogs_ingested: 0.5985\n"))
	require.NoError(t, err)
	require.Equal(t, "eu-west-3", p.Region)
	require.InDelta(t, 0.5985, p.LogsIngested, 0)
	require.Equal(t, ListPrices().Metrics, p.Metrics, "what is not named stays")

	p, err = ReadPrices(strings.NewReader(""))
	require.NoError(t, err)
	require.Equal(t, ListPrices(), p)

	for text, says := range map[string]string{
		"logs_in: 1":                        "logs_in",
		"logs_ingested: -1":                 "logs_ingested must not be negative",
		"region: ''":                        "need a region and a date",
		"metrics: []":                       "metrics must have a tier",
		"metrics: [{up_to: 5, usd: 1}]":     "metrics must have rising up_to",
		"amp_samples: [{usd: 1}, {usd: 2}]": "amp_samples must have rising up_to",
		"amp_samples: [{up_to: 1, usd: .nan}, {usd: 1}]": "amp_samples must have",
	} {
		_, err := ReadPrices(strings.NewReader(text))
		require.ErrorContains(t, err, says, text)
	}
}

func TestAClusterThatMakesNoSenseIsRefusedAtOnce(t *testing.T) {
	c := Cluster{Nodes: -1, LogGBPerDay: math.NaN(), HostInterval: time.Millisecond, AppInterval: time.Second}
	err := c.Validate()
	for _, says := range []string{"nodes must be", "log-gb-per-day must not", "host-interval must be 1s to 1h"} {
		require.ErrorContains(t, err, says)
	}
}
