package costcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vigie-otel/vigie/internal/costs"
)

type flags struct {
	size, prices, format string
	cluster              costs.Cluster
	noLogs               bool
}

// named is an estimate with what it is of.
type named struct {
	Name     string         `json:"name"`
	Cluster  costs.Cluster  `json:"cluster"`
	Estimate costs.Estimate `json:"estimate"`
}

// New is `vigie costs`.
func New() *cobra.Command {
	f := &flags{}
	cmd := &cobra.Command{
		Use:   "costs [--size small|medium|large] [--nodes N …]",
		Short: "Estimate what a cluster's telemetry costs in AWS a month",
		Long: `Estimates what a cluster's telemetry costs in AWS a month, at list prices whose
region and date are stated. Without --size all three sizes; with it that size, and
what other flags change of it. Nothing is asked of AWS: what runs already is
measured better, by vigie.cloudwatch.cost_estimate and vigie.series_guard.*.`,
		Example: `  vigie costs
  vigie costs --size medium --nodes 80 --log-gb-per-day 250
  vigie costs --size medium --host-interval 1s --prices paris.yaml`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Flags(), cmd.OutOrStdout())
		},
	}
	p := cmd.Flags()
	p.StringVar(&f.size, "size", "", "cluster to begin with: small, medium, large")
	p.StringVar(&f.prices, "prices", "", "YAML file with other prices, region and date; --format prices prints the list as such a file")
	p.StringVar(&f.format, "format", "text", "text, markdown, json, or prices")
	c := &f.cluster
	p.IntVar(&c.Nodes, "nodes", 0, "machines, the month's mean")
	p.IntVar(&c.CPUs, "cpus", 0, "vCPUs of a node")
	p.IntVar(&c.PodsPerNode, "pods-per-node", 0, "pods of one container, the mean")
	p.IntVar(&c.Gateways, "gateways", 0, "gateways")
	p.DurationVar(&c.HostInterval, "host-interval", 0, "how often a node's CPU, memory and network are sent to AMP (VIGIE_AMP_HOST_INTERVAL); 15s as shipped")
	p.IntVar(&c.AppSeries, "app-series", 0, "active series that pods expose or send themselves")
	p.DurationVar(&c.AppInterval, "app-interval", 0, "how often those are sent")
	p.Float64Var(&c.LogGBPerDay, "log-gb-per-day", 0, "what containers write")
	p.IntVar(&c.LogRetentionDays, "log-retention-days", 0, "how long CloudWatch keeps it")
	p.BoolVar(&f.noLogs, "no-cloudwatch-logs", false, "logs go elsewhere")
	p.IntVar(&c.CloudWatchMetrics, "cloudwatch-metrics", 0, "distinct metrics by EMF, where CloudWatch has metrics too")
	p.Float64Var(&c.SpansPerSecond, "spans-per-second", 0, "spans that sampling keeps")
	p.BoolVar(&c.TracesAPI, "traces-api", false, "X-Ray's older API (VIGIE_XRAY=awsxray) rather than spans by OTLP")
	p.Float64Var(&c.Reads, "reads", 0, "samples that rules, alerts and dashboards read for each written")
	p.IntVar(&c.Editors, "editors", 0, "people who change dashboards in Amazon Managed Grafana")
	p.IntVar(&c.Viewers, "viewers", 0, "people who look at them")
	return cmd
}

func (f *flags) run(set *pflag.FlagSet, w io.Writer) error {
	prices, err := f.readPrices()
	if err != nil {
		return err
	}
	changed := false
	set.Visit(func(fl *pflag.Flag) {
		changed = changed || (fl.Name != "size" && fl.Name != "prices" && fl.Name != "format")
	})
	if changed && f.size == "" {
		return errors.New("--size names the cluster that the other flags change, e.g. --size medium --nodes 80")
	}
	sizes := costs.Sizes()
	if f.size != "" {
		sizes = []string{f.size}
	}
	var all []named
	for _, name := range sizes {
		cluster, err := costs.Size(name)
		if err != nil {
			return err
		}
		f.over(set, &cluster)
		if err := cluster.Validate(); err != nil {
			return err
		}
		if changed {
			name = "yours"
		}
		all = append(all, named{name, cluster, costs.Of(cluster, prices)})
	}
	switch f.format {
	case "text":
		return text(w, all, prices)
	case "markdown":
		return markdown(w, all, prices)
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{"prices": prices, "estimates": all})
	case "prices":
		return writePrices(w, prices)
	}
	return fmt.Errorf("--format must be text, markdown, json or prices (got %q)", f.format)
}

func (f *flags) readPrices() (costs.Prices, error) {
	if f.prices == "" {
		return costs.ListPrices(), nil
	}
	file, err := os.Open(f.prices)
	if err != nil {
		return costs.Prices{}, fmt.Errorf("--prices: %w", err)
	}
	defer file.Close()
	p, err := costs.ReadPrices(file)
	if err != nil {
		return p, fmt.Errorf("--prices %s: %w", f.prices, err)
	}
	return p, nil
}

// over puts what was given on the command line over a size.
func (f *flags) over(set *pflag.FlagSet, c *costs.Cluster) {
	given := f.cluster
	for name, put := range map[string]func(){
		"nodes": func() { c.Nodes = given.Nodes }, "cpus": func() { c.CPUs = given.CPUs }, "pods-per-node": func() { c.PodsPerNode = given.PodsPerNode },
		"gateways": func() { c.Gateways = given.Gateways }, "host-interval": func() { c.HostInterval = given.HostInterval },
		"app-series": func() { c.AppSeries = given.AppSeries }, "app-interval": func() { c.AppInterval = given.AppInterval },
		"log-gb-per-day": func() { c.LogGBPerDay = given.LogGBPerDay }, "log-retention-days": func() { c.LogRetentionDays = given.LogRetentionDays },
		"no-cloudwatch-logs": func() { c.LogsInCloudWatch = !f.noLogs }, "cloudwatch-metrics": func() { c.CloudWatchMetrics = given.CloudWatchMetrics },
		"spans-per-second": func() { c.SpansPerSecond = given.SpansPerSecond }, "traces-api": func() { c.TracesAPI = given.TracesAPI },
		"reads": func() { c.Reads = given.Reads }, "editors": func() { c.Editors = given.Editors }, "viewers": func() { c.Viewers = given.Viewers },
	} {
		if set.Changed(name) {
			put()
		}
	}
}
