package dashboards

import (
	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
	"github.com/vigie-otel/vigie/internal/names"
)

var ours = like(metrics.Job, metrics.JobVigie)

// Labels of what leaves for AWS, and why there may be none.
var (
	guardProtected = metrics.Label(names.SeriesGuardProtected)
	guardMetric    = metrics.Label(names.SeriesGuardMetric)
	guardReason    = metrics.Label(names.SeriesGuardReason)
	costPart       = metrics.Label(names.CloudWatchCostPart)
	cloudReason    = metrics.Label(names.CloudWatchReason)
)

const (
	noAMP        = "only where VIGIE_AMP_ENDPOINT is set, and something was cut or dropped"
	noCloudWatch = "only where CloudWatch is configured"
)

// signals asks for one thing of log records, metric points and spans.
func signals(by string, logs, points, spans any) []p.Query {
	word := func(w string) string {
		if by == "" {
			return w
		}
		return "{{" + by + "}} " + w
	}
	return []p.Query{ask(sum(by, rate(logs, ours)), word("log records")), ask(sum(by, rate(points, ours)), word("metric points")), ask(sum(by, rate(spans, ours)), word("spans"))}
}

func conditional(why string, qs []p.Query) []p.Query {
	for i := range qs {
		qs[i] = when(qs[i], why)
	}
	return qs
}

// Vigie is the lookout itself.
func Vigie() p.Dashboard {
	lost := func(window string) string {
		return "(" + sum("", increase(window, metrics.ExporterFailedLogs, ours)) + " or vector(0)) + (" + sum("", increase(window, metrics.ExporterFailedMetrics, ours)) + " or vector(0)) + (" +
			sum("", increase(window, metrics.ExporterFailedSpans, ours)) + " or vector(0)) + (" + sum("", increase(window, metrics.ExporterEnqueueLogs, ours)) + " or vector(0)) + (" +
			sum("", increase(window, metrics.ExporterEnqueueMetrics, ours)) + " or vector(0)) + (" + sum("", increase(window, metrics.ExporterEnqueueSpans, ours)) + " or vector(0))"
	}
	first := "a counter of failures appears with the first failure"
	return page("vigie-self", "Vigie itself",
		"Does Vigie see everything, does it lose anything, and what does it cost?",
		[]p.Row{
			{Panels: []p.Panel{
				number("Instances", "Vigie processes that report. Fewer than nodes and gateways: one is down, and its node is unseen.", plain(p.Green), "count("+sel(metrics.ProcessUptime, ours)+")", 4, 5),
				number("Lost in 5 min", "Records, points and spans that exporters gave up or had no place for, within five minutes. Anything but 0: the destination refuses, or the queue is full.", bad(1, 1), lost("5m"), 4, 5),
				{Kind: p.Stat, Title: "Fullest queue", W: 4, H: 5, Unit: "percentunit", Decimals: p.P(0), Thresholds: bad(0.5, 0.8), NoValue: "no queue",
					Description: "How full the fullest sending queue is. Rising: the destination is slower than what comes in. At 100 % things are lost.",
					Queries:     []p.Query{ask("max("+sel(metrics.ExporterQueueSize, ours)+" / "+sel(metrics.ExporterQueueCapacity, ours)+")", "queue")}},
				{Kind: p.Stat, Title: "Logs behind by", W: 4, H: 5, Unit: "s", Thresholds: bad(5, 30),
					Description: "How late logs are on the worst node. The verdict is as late as this.",
					Queries:     []p.Query{ask(over("max", "", sel(metrics.LogsLagTime)), "behind")}},
				{Kind: p.Stat, Title: "Processors used", W: 4, H: 5, Unit: "short", Decimals: p.P(2), Thresholds: plain(p.Sky),
					Description: "Cores that all of Vigie uses together.",
					Queries:     []p.Query{ask(sum("", rate(metrics.ProcessCPU, ours)), "cores")}},
				{Kind: p.Stat, Title: "Memory used", W: 4, H: 5, Unit: "bytes", Thresholds: plain(p.Sky),
					Description: "Resident memory that all of Vigie uses together.",
					Queries:     []p.Query{ask(sum("", sel(metrics.ProcessRSS, ours)), "memory")}},
			}},
			{Title: "Pipelines", Panels: []p.Panel{
				flow("Accepted", "What receivers took, a second.", signals("", metrics.ReceiverAcceptedLogs, metrics.ReceiverAcceptedMetrics, metrics.ReceiverAcceptedSpans)),
				flow("Sent", "What exporters handed over, a second. Less than accepted by what connectors and detectors end on purpose.", signals("", metrics.ExporterSentLogs, metrics.ExporterSentMetrics, metrics.ExporterSentSpans)),
				flow("Refused at the door", "What receivers refused, a second: backpressure, mostly of the memory limiter. Senders with a queue send again.", signals("", metrics.ReceiverRefusedLogs, metrics.ReceiverRefusedMetrics, metrics.ReceiverRefusedSpans)),
			}},
			{Title: "Queues and losses", Panels: []p.Panel{
				line("Queues", "How full each exporter's queue is.", "percentunit", 8, 7, ask(over("max", "exporter, data_type", sel(metrics.ExporterQueueSize, ours)+" / "+sel(metrics.ExporterQueueCapacity, ours)), "{{exporter}} {{data_type}}")),
				flowOf(8, 7, "Given up", "What exporters could not hand over, a second, after all retries. The collector's log names the reason.",
					conditional(first, signals("exporter", metrics.ExporterFailedLogs, metrics.ExporterFailedMetrics, metrics.ExporterFailedSpans))),
				flowOf(8, 7, "No place in the queue", "What found its queue full, a second. Make the destination faster, or the queue larger (on disk).",
					conditional(first, signals("exporter", metrics.ExporterEnqueueLogs, metrics.ExporterEnqueueMetrics, metrics.ExporterEnqueueSpans))),
				flowOf(8, 7, "Refused for memory", "What the memory limiter refused, a second. Give the process more memory, or look for what grew.",
					conditional(first, signals("", metrics.MemoryRefusedLogs, metrics.MemoryRefusedMetrics, metrics.MemoryRefusedSpans))),
				line("Readings that failed", "Points a second that a scraper could not read. The log of the instance names the file or the right that is missing.", "short", 8, 7, ask(sum("scraper", rate(metrics.ScraperErrored, ours)), "{{scraper}}")),
				line("Targets that can't be reached", "Scrape targets that do not answer, by job. Whatever they tell is missing from these dashboards.", "short", 8, 7, ask("count by (job) ("+sel(metrics.Up, notPods)+" == 0) or 0 * count by (job) ("+sel(metrics.Up, notPods)+")", "{{job}}")),
			}},
			{Title: "The ledger: what became of all that was read", Panels: ledger()},
			{Title: "Configuration", Panels: configuration()},
			{Title: "The detector", Panels: []p.Panel{
				line("Requests judged", "Requests a second that were judged, by where they were read from.", "reqps", 8, 7, ask(sum("source", rate(metrics.DetectionRequests, ours)), "{{source}}")),
				line("Limits met", "Requests a second that met a limit: late ones count but are in no rate; overflow is services past max_services.", "reqps", 8, 7,
					when(ask(sum("limit", rate(metrics.DetectionLimited, ours)), "{{limit}}"), "none while nothing met a limit")),
				line("Summaries", "Summaries a second between agents and gateway, by outcome. Anything refused or dropped: versions or seeds differ, or the gateway is late.", "short", 8, 7,
					ask(sum("outcome", rate(metrics.DetectionSummaries, ours)), "{{outcome}}"), ask(sum("outcome", rate(metrics.AttackMetricsSummaries, ours)), "as metrics: {{outcome}}")),
			}},
			{Title: "The cluster's pods and events", Panels: podScrapes()},
			{Title: "What it costs", Panels: []p.Panel{
				line("Processors by instance", "Cores that each process uses: the ten most.", "short", 8, 7, ask(top(10, sum("job, instance", rate(metrics.ProcessCPU, ours))), "{{job}} {{instance}}")),
				line("Memory by instance", "Resident memory of each process: the ten largest.", "bytes", 8, 7, ask(top(10, sum("job, instance", sel(metrics.ProcessRSS, ours))), "{{job}} {{instance}}")),
				line("Samples a day, at this rate", "Metric points that exporters sent, as a day of them. Amazon Managed Prometheus is paid by samples taken in.", "short", 8, 7, ask("86400 * "+sum("exporter", rate(metrics.ExporterSentMetrics, ours)), "{{exporter}}")),
			}},
			{Title: "To AMP and CloudWatch", Panels: []p.Panel{
				line("Active series, of the limit", "Series that the guard in front of Amazon Managed Prometheus follows, of those it lets through. At 100 % new ones are cut: the next panel says whose.", "percentunit", 8, 7,
					when(ask(sum("job, instance", sel(metrics.GuardSeries, ours, isnt(guardProtected, "true")))+" / "+over("max", "job, instance", sel(metrics.GuardLimit, ours)), "{{job}} {{instance}}"), noAMP)),
				{Kind: p.Bars, Title: "Largest metrics", W: 8, H: 7, Unit: "short", Thresholds: plain(p.Sky), NoValue: "no Amazon Managed Prometheus",
					Description: "Metrics with most active series. A label that grows without bound shows here first.",
					Queries:     []p.Query{when(now(top(10, over("max", guardMetric, sel(metrics.GuardMetricSeries, ours))), "{{"+guardMetric+"}}"), noAMP)}},
				line("Cut and dropped", "Points that the guard cut, and samples that the server would not have, a second, by why.", "short", 8, 7,
					when(ask(sum(guardReason, rate(metrics.GuardPointsCut, ours)), "cut: {{"+guardReason+"}}"), noAMP),
					when(ask(sum("reason", rate(metrics.RemoteWriteDropped, ours)), "dropped: {{reason}}"), noAMP)),
				line("Samples written", "Samples a second that Amazon Managed Prometheus took.", "short", 8, 7,
					when(ask(sum("job", rate(metrics.RemoteWriteSamples, ours)), "{{job}}"), noAMP)),
				line("CloudWatch, a month like the last hour", "What CloudWatch costs at list prices, in US dollars, by part. Metrics are paid by how many distinct ones there are, logs by their bytes.", "currencyUSD", 8, 7,
					when(ask(sum(costPart, sel(metrics.CloudWatchCost, ours)), "{{"+costPart+"}}"), noCloudWatch)),
				line("CloudWatch gave up", "Log events and data points that did not reach CloudWatch, a second, by why.", "short", 8, 7,
					when(ask(sum(cloudReason, rate(metrics.CloudWatchEventsDropped, ours)), "events: {{"+cloudReason+"}}"), noCloudWatch),
					when(ask(sum(cloudReason, rate(metrics.CloudWatchPointsDropped, ours)), "points: {{"+cloudReason+"}}"), noCloudWatch)),
			}},
			{Title: "The embedded store", Panels: []p.Panel{
				line("Samples a second", "Samples that the store took in and refused. Refused ones have a reason; out of order beyond the window is a sender's clock.", "short", 8, 7,
					ask(sum("", rate(metrics.StoreSamplesAppended, ours)), "taken in"), ask(sum("reason", rate(metrics.StoreSamplesDropped, ours)), "refused: {{reason}}")),
				line("Series", "Active series. At max_series new ones are refused: find the label that grew.", "short", 8, 7, ask(sum(metrics.Instance, sel(metrics.StoreHeadSeries, ours)), "{{instance}}")),
				line("Disk", "What blocks, log and head take. The oldest block goes when it reaches max_bytes.", "bytes", 8, 7, ask(sum(metrics.Instance, sel(metrics.StoreDiskBytes, ours)), "{{instance}}")),
			}},
		})
}

func flow(title, description string, qs []p.Query) p.Panel {
	return flowOf(8, 8, title, description, qs)
}

func flowOf(w, h int, title, description string, qs []p.Query) p.Panel {
	q := line(title, description, "short", w, h, qs...)
	q.Styles = []p.Style{{Match: ".*log records", Color: p.Sky}, {Match: ".*metric points", Color: p.Green}, {Match: ".*spans", Color: p.Purple}}
	return q
}
