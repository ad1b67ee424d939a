package costs

// Line is one position of the bill.
type Line struct {
	What     string  `json:"what"`
	Quantity float64 `json:"quantity"`
	Unit     string  `json:"unit"`
	USD      float64 `json:"usd"` // a month
}

// Estimate is a month.
type Estimate struct {
	Series           float64 `json:"series"`             // active, in AMP
	SamplesPerSecond float64 `json:"samples_per_second"` // into AMP
	HostShare        float64 `json:"host_share"`         // of the samples, 0 to 1: those at the host interval
	Lines            []Line  `json:"lines"`
	USD              float64 `json:"usd"`
}

// Of estimates a cluster's month. Both arguments must be valid.
func Of(c Cluster, p Prices) Estimate {
	var e Estimate
	add := func(what string, quantity float64, unit string, usd float64) {
		if usd <= 0 {
			return
		}
		e.Lines = append(e.Lines, Line{what, quantity, unit, usd})
		e.USD += usd
	}
	c.series(&e)
	samples := e.SamplesPerSecond * secondsAMonth
	add("AMP: samples in", samples/1e9, "billion", tiered(p.AMPSamples, samples))
	storedGB := samples * bytesPerSample * ampMonths / (1 << 30)
	add("AMP: samples kept", storedGB, "GB", storedGB*p.AMPStorage)
	reads := samples * c.Reads
	add("AMP: samples read by rules and dashboards", reads/1e9, "billion", reads*p.AMPQueries)

	if c.LogsInCloudWatch {
		gb := c.LogGBPerDay * hours / 24
		add("CloudWatch: logs in", gb, "GB", gb*p.LogsIngested)
		kept := c.LogGBPerDay * float64(c.LogRetentionDays) * logCompression
		add("CloudWatch: logs kept", kept, "GB", kept*p.LogsStored)
		metrics := float64(filterMetrics + c.CloudWatchMetrics)
		add("CloudWatch: metrics and alarms", metrics+alarms, "", tiered(p.Metrics, metrics)+alarms*p.Alarms)
	} else {
		metrics := float64(c.CloudWatchMetrics)
		add("CloudWatch: metrics", metrics, "", tiered(p.Metrics, metrics))
	}

	if spans := c.SpansPerSecond * secondsAMonth; c.TracesAPI {
		traces := spans / spansPerTrace
		add("X-Ray: traces", traces/1e6, "million", traces*p.TracesAPI)
	} else {
		gb := spans * spanBytes / 1e9
		add("X-Ray: spans in", gb, "GB", tiered(p.SpansIngested, gb))
	}

	add("Grafana: people", float64(c.Editors+c.Viewers), "", float64(c.Editors)*p.GrafanaEditors+float64(c.Viewers)*p.GrafanaViewers)
	zones := c.LogGBPerDay * hours / 24 * wireShare * zoneShare
	add("Between zones: agents to gateways", zones, "GB", zones*p.CrossZone)
	cpus := float64(c.Nodes)*agentCPUs + float64(c.Gateways)*gatewayCPUs
	disk := float64(c.Gateways * gatewayGB)
	add("Vigie's own pods", cpus, "vCPU", cpus*hours*p.CPUHours+disk*p.Volumes)
	return e
}

// series adds up what reaches AMP.
func (c *Cluster) series(e *Estimate) {
	nodes, pods := float64(c.Nodes), float64(c.Nodes*c.PodsPerNode)
	host := nodes * float64(seriesPerCPU*c.CPUs+seriesPerNode)
	hostRate := host / c.HostInterval.Seconds()
	e.Series = host + nodes*restSeries + pods*seriesPerPod + float64(c.AppSeries)
	e.SamplesPerSecond = hostRate + nodes*restSamples + pods*seriesPerPod/podInterval + float64(c.AppSeries)/c.AppInterval.Seconds()
	if c.Gateways > 0 {
		e.Series += clusterSeries + float64(c.Gateways*gatewaySeries)
		e.SamplesPerSecond += clusterSeries/podInterval + float64(c.Gateways*gatewaySeries)/ownInterval
	}
	if e.SamplesPerSecond > 0 {
		e.HostShare = hostRate / e.SamplesPerSecond
	}
}
