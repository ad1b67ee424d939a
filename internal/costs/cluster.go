package costs

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Cluster is what is estimated. The zero value costs nothing; Size gives one to
// begin with.
type Cluster struct {
	Nodes       int // machines, the month's mean
	CPUs        int // vCPUs of a node
	PodsPerNode int // with one container, the mean
	Gateways    int

	// HostInterval is how often the node's CPU, memory and network are sent to AMP:
	// 15s as the agent is shipped (VIGIE_AMP_HOST_INTERVAL), which keeps each second
	// for the page alone.
	HostInterval time.Duration
	// AppSeries are active series beyond those that Vigie collects itself: what
	// pods expose or send, at AppInterval.
	AppSeries   int
	AppInterval time.Duration

	LogGBPerDay      float64 // what containers write
	LogRetentionDays int
	LogsInCloudWatch bool
	// CloudWatchMetrics are distinct metrics by EMF, 0 where AMP has them all.
	CloudWatchMetrics int

	SpansPerSecond float64 // that sampling keeps
	// TracesAPI counts traces by X-Ray's older API rather than spans by OTLP.
	TracesAPI bool

	// Reads is how many samples rules, alerts and dashboards read for each that is
	// written.
	Reads float64

	Editors, Viewers int // of Grafana who sign in at least once a month
}

// Sizes are the names that Size knows.
func Sizes() []string { return []string{"small", "medium", "large"} }

// Size is a cluster of that size, a description to change.
func Size(name string) (Cluster, error) {
	c := Cluster{HostInterval: 15 * time.Second, AppInterval: 15 * time.Second, LogRetentionDays: 30, LogsInCloudWatch: true, Reads: 4}
	switch name {
	case "small":
		c.Nodes, c.CPUs, c.PodsPerNode, c.Gateways, c.AppSeries, c.LogGBPerDay, c.SpansPerSecond, c.Editors, c.Viewers = 5, 4, 20, 1, 5_000, 5, 20, 1, 2
	case "medium":
		c.Nodes, c.CPUs, c.PodsPerNode, c.Gateways, c.AppSeries, c.LogGBPerDay, c.SpansPerSecond, c.Editors, c.Viewers = 50, 8, 30, 2, 50_000, 100, 200, 3, 10
	case "large":
		c.Nodes, c.CPUs, c.PodsPerNode, c.Gateways, c.AppSeries, c.LogGBPerDay, c.SpansPerSecond, c.Editors, c.Viewers = 500, 16, 30, 4, 500_000, 1000, 2000, 10, 50
	default:
		return c, fmt.Errorf("size must be one of %v (got %q)", Sizes(), name)
	}
	return c, nil
}

// Validate tells everything that is wrong at once.
func (c *Cluster) Validate() error {
	var errs []error
	for _, n := range []struct {
		name     string
		got, max int
	}{
		{"nodes", c.Nodes, 100_000}, {"cpus", c.CPUs, 1024}, {"pods-per-node", c.PodsPerNode, 1000}, {"gateways", c.Gateways, 1000},
		{"app-series", c.AppSeries, 1_000_000_000}, {"log-retention-days", c.LogRetentionDays, 3653}, {"cloudwatch-metrics", c.CloudWatchMetrics, 1_000_000_000},
		{"editors", c.Editors, 100_000}, {"viewers", c.Viewers, 100_000},
	} {
		if n.got < 0 || n.got > n.max {
			errs = append(errs, fmt.Errorf("%s must be 0 to %d (got %d)", n.name, n.max, n.got))
		}
	}
	for _, n := range []struct {
		name string
		got  float64
	}{{"log-gb-per-day", c.LogGBPerDay}, {"spans-per-second", c.SpansPerSecond}, {"reads", c.Reads}} {
		if !(n.got >= 0) || math.IsInf(n.got, 0) {
			errs = append(errs, fmt.Errorf("%s must not be negative (got %v)", n.name, n.got))
		}
	}
	for _, n := range []struct {
		name string
		got  time.Duration
	}{{"host-interval", c.HostInterval}, {"app-interval", c.AppInterval}} {
		if n.got < time.Second || n.got > time.Hour {
			errs = append(errs, fmt.Errorf("%s must be 1s to 1h (got %s), e.g. 15s", n.name, n.got))
		}
	}
	return errors.Join(errs...)
}

// Assumption is a figure that the estimate goes by beside the cluster's: what it is,
// how much, and where it comes from.
type Assumption struct {
	What string
	Is   string
	From string
}

// What an agent sends. The first three and restSamples were counted at a remote
// write endpoint: the agent shape on a machine of 2 CPUs and one network
// interface, without Kubernetes, 147 seconds, 288 series, 11,002 samples. Those of a
// pod were counted in the store of a gateway, in the cluster of `make e2e`: a pod with
// one container and one volume.
const (
	seriesPerCPU  = 10   // CPU time by state, each HostInterval
	seriesPerHost = 22   // memory, and the network of one interface, each HostInterval
	seriesPerLink = 8    // of these: an interface's; a node is counted with a second one
	restSeries    = 246  // load, disks, conntrack, the agent itself
	restSamples   = 32.7 // a second, of those
	seriesPerNode = seriesPerHost + seriesPerLink
	seriesPerPod  = 62   // of the kubelet 32, of cAdvisor 25, target_info 5, each 15 s
	clusterSeries = 6000 // API server and CoreDNS, each 15 s
	gatewaySeries = 500  // a gateway's own and the verdicts, each 10 s
	podInterval   = 15.0
	ownInterval   = 10.0

	bytesPerSample = 1.5 // stored, with its share of the labels
	ampMonths      = 5   // AMP keeps 150 days by default
	logCompression = 0.15
	spanBytes      = 1000
	spansPerTrace  = 10
	wireShare      = 0.125 // what is left of logs after zstd, from agents to gateways
	zoneShare      = 2.0 / 3
	agentCPUs      = 0.10 // what the chart requests
	gatewayCPUs    = 0.25
	gatewayGB      = 20
	alarms         = 6
	filterMetrics  = 2
	hours          = 730.0
	secondsAMonth  = hours * 3600
)

// Assumptions lists them for whoever judges the estimate.
func Assumptions() []Assumption {
	return []Assumption{
		{"series of a node, at the host interval", fmt.Sprintf("%d a vCPU + %d", seriesPerCPU, seriesPerNode), "counted on the wire: the agent without Kubernetes, 2 vCPUs"},
		{"other series of an agent", fmt.Sprintf("%d, %.1f samples a second", restSeries, restSamples), "counted on the wire"},
		{"series of a pod with one container", fmt.Sprintf("%d, each 15 s", seriesPerPod), "counted at a gateway in a real cluster: one container, one volume"},
		{"series of the control plane", fmt.Sprintf("%d, each 15 s", clusterSeries), "assumed; it grows with resources and verbs"},
		{"series of a gateway", fmt.Sprintf("%d, each 10 s", gatewaySeries), "assumed"},
		{"a stored sample", fmt.Sprintf("%.1f bytes, for %d months", bytesPerSample, ampMonths), "assumed within AWS' 1 to 2 bytes; AMP's default retention"},
		{"stored logs", fmt.Sprintf("%.0f %% of what came in", 100*logCompression), "AWS' own pricing examples"},
		{"a span", fmt.Sprintf("%d bytes, %d a trace; one in a hundred indexed, which is free", spanBytes, spansPerTrace), "assumed"},
		{"from agents to gateways", fmt.Sprintf("logs compressed to %.1f %%, two thirds of it to another zone", 100*wireShare), "assumed; three zones"},
		{"Vigie's own pods", fmt.Sprintf("%.2f vCPU an agent, %.2f a gateway and %d GB of disk", agentCPUs, gatewayCPUs, gatewayGB), "the chart's requests; CPU at an m6i's price"},
	}
}
