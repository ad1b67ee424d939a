package rules

import (
	"fmt"
	"time"
)

// ours are the collectors' jobs in the three shapes: vigie, vigie-agent,
// vigie-gateway.
var ours = like(job, "vigie(-.+)?")

// vigieFile: what Vigie does not see, loses, or sees too late.
func vigieFile() File {
	flow := Group{Name: "vigie-self-flow", Interval: steady}
	for _, s := range signals() {
		flow.Alerts = append(flow.Alerts, dataLost(s), refusing(s))
	}
	flow.Alerts = append(flow.Alerts, queueFull(), logsLagging(), logsLost(), findingsLost(), ledgerOff(), noEventsLeader())
	return File{Name: "vigie", Groups: []Group{
		{Name: "vigie-self", Interval: quick, Alerts: []Alert{vigieAbsent(), agentsMissing(), scrapeDown(), restarting(), detectorPartial(), configRefused(), configsDiffer()}},
		flow,
		{Name: "vigie-self-store", Interval: steady, Alerts: []Alert{storeDiskIsFull(), samplesDropped(), storeCut(), guardCut(), costBudget("logs"), costBudget("metrics")}},
	}}
}

// vigieAbsent: a kind of collector that reported in the last six hours, more
// than any event lasts, and does not any more; per cluster, for AMP holds many.
// Where nothing reported for as long, one alert without a cluster. Three minutes
// after the five that a series lives on: a gateway's volume moves within that.
func vigieAbsent() Alert {
	seen := over("max", sel(uptime, ours), 6*time.Hour)
	return Alert{
		Name: "VigieAbsent",
		Expr: lines(
			by("group", seen, job),
			"unless",
			by("group", sel(uptime, ours), job),
			"or",
			"absent("+seen+")",
		),
		For:      3 * time.Minute,
		Severity: Critical, Kind: KindVigie,
		Summary:     "Nothing from {{ or $labels.job \"vigie\" }} any more",
		Description: "No {{ or $labels.job \"vigie\" }} reports from {{ or $labels.cluster \"this cluster\" }} ({{ $value }}). Whatever it watched is not watched: no verdict, no walls, and the silence of other alerts means nothing.",
		Dashboard:   uidSelf,
	}
}

// agentsMissing: fewer agents than nodes for ten minutes, in which a new node's
// agent has started several times over.
func agentsMissing() Alert {
	return Alert{
		Name:     "VigieAgentsMissing",
		Expr:     by("count", kubeNodeInfo) + " - " + by("count", by("group", sel(uptime, is(job, "vigie-agent")), instance)) + " > 0",
		For:      10 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Summary:     "{{ $value }} node(s) without an agent",
		Description: "{{ $value }} node(s) of {{ or $labels.cluster \"the cluster\" }} have had no agent that reports for 10 minutes: their logs, walls and requests are missing from every picture.",
		Dashboard:   uidSelf,
	}
}

// scrapeDown: a target that the scrape does not reach. All alerts on what it says
// are silent meanwhile, whatever happens there. Five minutes are a pod that moves.
// Only pods that ask to be scraped have a namespace here: no rule reads what they
// tell, and an annotation that was never true would fire for good.
func scrapeDown() Alert {
	return Alert{
		Name:     "VigieScrapeDown",
		Expr:     by("max", sel(up, is(namespace, "")), job, instance) + " == 0",
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Summary:     "{{ $labels.job }} on {{ $labels.instance }} cannot be scraped",
		Description: "{{ $labels.job }} on {{ $labels.instance }} has not answered a scrape for 5 minutes (up is {{ $value }}): dashboards lack it, and the alerts that read it are silent.",
		Dashboard:   uidSelf,
	}
}

// restarting: three starts in a quarter of an hour is a loop, one or two are a
// rollout and its correction.
func restarting() Alert {
	return Alert{
		Name:     "VigieRestarting",
		Expr:     by("max", fmt.Sprintf("resets(%s[15m])", sel(uptime, ours)), job, instance) + " > 2",
		Severity: Warning, Kind: KindVigie,
		Summary:     "{{ $labels.job }} on {{ $labels.instance }} restarts again and again",
		Description: "{{ $labels.job }} on {{ $labels.instance }} started {{ $value }} times in 15 minutes: killed for its memory, or a configuration that it cannot run.",
		Dashboard:   uidSelf,
	}
}

// detectorPartial: more than one request in twenty met a limit (too late, too
// many keys, time in the future) and was not judged in full.
func detectorPartial() Alert {
	return Alert{
		Name: "VigieDetectorLimited",
		Expr: sumRate(detectorLimited, 5*time.Minute, job, instance, "limit") +
			fmt.Sprintf(" > on (%s, %s, %s) group_left () 0.05 * ", cluster, job, instance) + sumRate(detectorRequests, 5*time.Minute, job, instance),
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Summary:     "The detector on {{ $labels.instance }} judges in part only: {{ $labels.limit }}",
		Description: "{{ $value | humanize }} requests a second on {{ $labels.instance }} meet the limit {{ $labels.limit }}: over 5 % are not judged in full, and verdicts are weaker than they look.",
		Dashboard:   uidSelf,
	}
}

// dataLost: retries are over, or the queue did not take it. Each is lost for
// good. One refused batch shows for five minutes, the window; what shows for six
// goes on, or comes back.
func dataLost(s signal) Alert {
	lost := func(metric string) string { return sumRate(metric, 5*time.Minute, job, "exporter") + " > 0" }
	return Alert{
		Name:     "VigieDataLost",
		Expr:     lines(lost(s.sendFailed), "or", lost(s.enqueueFailed)),
		For:      6 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Labels:      map[string]string{"signal": s.name},
		Summary:     "{{ $labels.exporter }} loses {{ $value | humanize }} {{ $labels.signal }} a second",
		Description: "{{ $labels.job }} gives up {{ $value | humanize }} {{ $labels.signal }} a second for {{ $labels.exporter }}: refused for good, or the queue is full.",
		Dashboard:   uidSelf,
	}
}

// refusing: senders are told to come back. They do, for a while; five minutes is
// what the SDKs' default retry lasts.
func refusing(s signal) Alert {
	return Alert{
		Name:     "VigieRefusing",
		Expr:     sumRate(s.refused, 5*time.Minute, job, "receiver") + " > 0",
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Labels:      map[string]string{"signal": s.name},
		Summary:     "{{ $labels.job }} refuses {{ $value | humanize }} {{ $labels.signal }} a second",
		Description: "The receiver {{ $labels.receiver }} of {{ $labels.job }} refuses {{ $value | humanize }} {{ $labels.signal }} a second: the memory limiter is on, or what follows it is full. Applications buffer for minutes, then drop.",
		Dashboard:   uidSelf,
	}
}

// queueFull: 80 % for five minutes. A kick-off fills a queue for a minute; after
// five the destination takes less than comes.
func queueFull() Alert {
	labels := []string{job, instance, "exporter", "data_type"}
	return Alert{
		Name:     "VigieQueueFull",
		Expr:     by("max", queueSize, labels...) + " / " + by("max", queueCapacity, labels...) + " > 0.8",
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Summary:     "The queue of {{ $labels.exporter }} is {{ $value | humanizePercentage }} full",
		Description: "The {{ $labels.data_type }} queue of {{ $labels.exporter }} on {{ $labels.instance }} has been over 80 % for 5 minutes (now {{ $value | humanizePercentage }}). When it is full, data is lost.",
		Dashboard:   uidSelf,
	}
}

// logsLagging: a minute behind, for two. The detector takes what is three
// seconds late, so a verdict out of such logs is old news.
func logsLagging() Alert {
	return Alert{
		Name:     "VigieLogsLagging",
		Expr:     by("max", logsLagTime, instance, namespaceAttr) + " > 60",
		For:      2 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Summary:     "Logs of {{ $labels.k8s_namespace_name }} on {{ $labels.instance }} are {{ $value | humanizeDuration }} behind",
		Description: "The reader on {{ $labels.instance }} is {{ $value | humanizeDuration }} behind in {{ $labels.k8s_namespace_name }}. Nothing is lost yet; a file that rotates twice meanwhile is.",
		Dashboard:   uidLogs,
	}
}

// logsLost: lines that were given up, or files that were cut or deleted before
// they were read. Any is a loss and none is usual, so ten minutes' sum and no For.
func logsLost() Alert {
	lost := func(metric string) string {
		return by("sum", fmt.Sprintf("increase(%s[10m])", metric), instance, logsReason) + " > 0"
	}
	return Alert{
		Name:     "VigieLogsLost",
		Expr:     lines(lost(logsDropped), "or", lost(logsUnreadable)),
		Severity: Warning, Kind: KindVigie,
		Summary:     "{{ $labels.instance }} lost logs: {{ or $labels.vigie_logs_reason \"unreadable\" }}",
		Description: "In 10 minutes {{ $labels.instance }} lost {{ $value | humanize }} {{ if $labels.vigie_logs_reason }}record(s), {{ $labels.vigie_logs_reason }}{{ else }}byte(s), cut or deleted before they were read{{ end }}.",
		Dashboard:   uidLogs,
	}
}

// findingsLost: a finding that did not leave is an attack that nobody hears of.
func findingsLost() Alert {
	return Alert{
		Name:     "VigieFindingsLost",
		Expr:     by("sum", fmt.Sprintf("increase(%s[5m])", findingsDropped), job, instance) + " > 0",
		Severity: Critical, Kind: KindVigie,
		Summary:     "{{ $labels.instance }} lost findings",
		Description: "{{ $value | humanize }} finding(s) of connection tracking on {{ $labels.instance }} were dropped: no logs pipeline has the processor, its queue is full, or the pipeline refused them.",
		Dashboard:   uidSelf,
	}
}

// storeDiskIsFull: the store itself waits and comes back, so one look is enough.
func storeDiskIsFull() Alert {
	return Alert{
		Name:     "VigieStoreDiskFull",
		Expr:     by("max", storeDiskFull, job, instance) + " == 1",
		Severity: Warning, Kind: KindVigie,
		Summary:     "The store of {{ $labels.instance }} has no disk left",
		Description: "The embedded store on {{ $labels.instance }} has stopped writing: the war room shows the past. AMP is not affected.",
		Dashboard:   uidSelf,
	}
}

// samplesDropped: samples refused for another reason than a limit of
// cardinality. Duplicates are what a retry makes, and harmless. One a second for
// five minutes is a clock that is off or a sender that is broken.
func samplesDropped() Alert {
	return Alert{
		Name:     "VigieSamplesDropped",
		Expr:     sumRate(sel(storeDropped, unlike(storeDropLabel, "duplicate_timestamp|"+cardinality)), 5*time.Minute, job, instance, storeDropLabel) + " > 1",
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Summary:     "The store of {{ $labels.instance }} refuses samples: {{ $labels.reason }}",
		Description: "{{ $value | humanize }} samples a second are refused on {{ $labels.instance }}: {{ $labels.reason }}.",
		Dashboard:   uidSelf,
	}
}

// cardinality are the store's reasons that mean too many series.
const cardinality = "series_limit|metric_series_limit|label_limit"

// storeCut: a limit that is met refuses each new series, so anything above zero
// for five minutes is a label that grows without end.
func storeCut() Alert {
	a := cardinalityCut("store", sumRate(sel(storeDropped, like(storeDropLabel, cardinality)), 5*time.Minute, job, instance, storeDropLabel))
	a.Description = "The store of {{ $labels.instance }} refuses {{ $value | humanize }} samples a second of new series ({{ $labels.reason }}): some metric has a label with too many values."
	return a
}

// guardCut: the same in front of remote write, where the metric has a name.
func guardCut() Alert {
	a := cardinalityCut("remote_write", sumRate(guardPointsCut, 5*time.Minute, job, instance, guardMetric, guardReason))
	a.Description = "In front of remote write {{ $labels.instance }} cuts {{ $value | humanize }} points a second of {{ $labels.vigie_series_guard_metric }} ({{ $labels.vigie_series_guard_reason }}): it has a label with too many values."
	return a
}

func cardinalityCut(where, rate string) Alert {
	return Alert{
		Name:     "VigieCardinalityCut",
		Expr:     rate + " > 0",
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Labels:    map[string]string{"where": where},
		Summary:   "Series are cut on {{ $labels.instance }} ({{ $labels.where }})",
		Dashboard: uidSelf,
	}
}

// costBudget: CloudWatch's budget of the hour is used up and the rest is dropped
// or sampled. Any for five minutes; the turn of the hour ends it.
func costBudget(signal string) Alert {
	metric := cloudWatchEvents
	if signal == "metrics" {
		metric = cloudWatchPoints
	}
	return Alert{
		Name:     "VigieCostBudget",
		Expr:     sumRate(sel(metric, is(cloudWatchReason, "budget")), 5*time.Minute, job, instance) + " > 0",
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Labels:      map[string]string{"signal": signal},
		Summary:     "The CloudWatch budget of the hour is used up ({{ $labels.signal }})",
		Description: "{{ $labels.instance }} leaves out {{ $value | humanize }} {{ $labels.signal }} a second for CloudWatch, over the budget of this hour. Managed Prometheus and the war room have them all.",
		Dashboard:   uidSelf,
	}
}
