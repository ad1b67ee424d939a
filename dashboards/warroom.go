package dashboards

import (
	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

// WarRoom is the war-room page's six bands for a wall of Grafana screens.
func WarRoom() p.Dashboard {
	return page("vigie-war-room", "War room",
		"Is this our crowd or an attack, what do viewers feel, and how long until something breaks? The bands of Vigie's own page, for a Grafana wall.",
		[]p.Row{
			{Title: "1  Verdict", Panels: []p.Panel{verdictNow(6, 6), verdictOverTime(12, 6), openFindings(3, 6), attackScore(3, 6)}},
			{Title: "2  Demand", Panels: []p.Panel{demand(14, 8), clients(5, 8), surge(5, 8)}},
			{Title: "3  Viewers' pain", Panels: []p.Panel{errorShare(12, 7), latency(12, 7)}},
			{Title: "4  Headroom", Panels: []p.Panel{minutesToWall(8, 8), walls(8, 8), podsToMax(8, 8)}},
			{Title: "5  Attackers", Panels: []p.Panel{suspected(10, 7), findingsByClass(8, 7), whoAndWhat(6, 7)}},
			{Title: "6  What happened", Panels: []p.Panel{happened(24, 7)}},
		}, namespace(), service())
}

func verdictNow(w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: "Crowd or attack?", W: w, H: h, Background: true, Mappings: verdicts(), Thresholds: plain(p.Grey),
		Description: "Vigie's verdict on each service, now. Crowd: these are our viewers, look at headroom. Attack or mixed: open the war room, it names who and proposes rules. Unknown: no request logs arrive, so nobody watches.",
		Queries:     []p.Query{now(verdict(), "{{service_name}}")},
		Links:       []p.Link{to("Attack detail", "vigie-attack")}}
}

func verdictOverTime(w, h int) p.Panel {
	return p.Panel{Kind: p.Timeline, Title: "Verdict over time", W: w, H: h, Mappings: verdicts(), Thresholds: plain(p.Grey),
		Description: "The verdict on each service. A change needs three of five seconds in, and a minute of calm out.",
		Queries:     []p.Query{ask(verdict(), "{{service_name}}")},
		Links:       []p.Link{to("Attack detail", "vigie-attack")}}
}

func openFindings(w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: "Open findings", W: w, H: h, Unit: "short", NoValue: "0", Thresholds: bad(1, 1),
		Description: "Findings that are open. Each one has evidence, actors and proposed rules on the war-room page.",
		Queries:     []p.Query{ask(sum("", fresh(metrics.AttackFindings, ofService)), "findings")},
		Links:       []p.Link{to("Attack detail", "vigie-attack")}}
}

func attackScore(w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: "Highest score", W: w, H: h, Unit: "percentunit", Min: p.P(0.0), Max: p.P(1.0), Decimals: p.P(0), Thresholds: bad(0.3, 0.6),
		Description: "How much of an attack the traffic looks like, for the service that looks most like one. A crowd alone, however large, keeps it low.",
		Queries:     []p.Query{ask(over("max", "", fresh(metrics.AttackScore, ofService)), "score")}}
}

func demand(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Requests a second against what is expected", W: w, H: h, Unit: "reqps", Fill: 12,
		Description: "Requests a second, what the baseline expects at this hour, and the part that belongs to an open finding. Above the expectation without suspects is a crowd: scale. With suspects: the gap is the attack.",
		Queries: []p.Query{
			ask(sum("", fresh(metrics.TrafficRate, ofService)), "requests"),
			ask(sum("", fresh(metrics.TrafficExpected, ofService)), "expected"),
			ask(sum("", rate(metrics.AttackSuspected, ofService)), "suspected"),
		},
		Styles: []p.Style{{Match: "requests", Color: p.Sky}, {Match: "expected", Color: p.Grey, Dashed: true}, {Match: "suspected", Color: p.Vermillion}}}
}

func clients(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Clients in 10 s", W: w, H: h, Unit: "short", Fill: 12,
		Description: "Distinct clients within ten seconds, within 3 %. A crowd brings as many clients as requests; few clients with many requests do not watch football.",
		Queries:     []p.Query{ask(sum(metrics.ServiceName, fresh(metrics.TrafficClients, ofService)), "{{service_name}}")}}
}

func surge(w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: "Demand, of what is expected", W: w, H: h, Unit: "percentunit", Decimals: p.P(0), Thresholds: []p.Threshold{{Color: p.Green}, {From: 1.5, Color: p.Sky}, {From: 4, Color: p.Orange}},
		Description: "Requests now, of the baseline's expectation. 100 % is an ordinary minute; a semi-final's kick-off was 250 % within a quarter of an hour.",
		Queries:     []p.Query{ask(sum(metrics.ServiceName, fresh(metrics.TrafficRate, ofService))+" / "+sum(metrics.ServiceName, fresh(metrics.TrafficExpected, ofService)), "{{service_name}}")}}
}

func errorShare(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Requests that failed", W: w, H: h, Unit: "percentunit", Min: p.P(0.0), Fill: 12, Lines: true, Thresholds: bad(0.01, 0.05),
		Description: "Share of requests that were answered with 4xx or 5xx, by service. Over 1 %: see which operation on Ingress and services. During an attack the attackers' own failures count too.",
		Queries: []p.Query{ask(share(sum(metrics.ServiceName, rate(metrics.TrafficErrors, ofService)),
			sum(metrics.ServiceName, rate(metrics.TrafficRequests, ofService))), "{{service_name}}")},
		Links: []p.Link{to("Ingress and services", "vigie-services")}}
}

func latency(w, h int) p.Panel {
	server := is("span_kind", metrics.SpanKindServer)
	return p.Panel{Kind: p.Series, Title: "Time to answer", W: w, H: h, Unit: "s", Fill: 0,
		Description: "How long requests take, from server spans of all services. The median moving is load; only the 99th percentile moving is one dependency.",
		Queries: []p.Query{
			ask(quantile(0.5, "", metrics.SpanDuration, ofService, server), "median"),
			ask(quantile(0.95, "", metrics.SpanDuration, ofService, server), "p95"),
			ask(quantile(0.99, "", metrics.SpanDuration, ofService, server), "p99"),
		},
		Styles: []p.Style{{Match: "median", Color: p.Green}, {Match: "p95", Color: p.Sky}, {Match: "p99", Color: p.Orange}},
		Links:  []p.Link{to("Ingress and services", "vigie-services")}}
}

func minutesToWall(w, h int) p.Panel {
	return p.Panel{Kind: p.Bars, Title: "Time until connection tracking is full", W: w, H: h, Unit: "dtdurations", Min: p.P(0.0), Max: p.P(3600.0), NoValue: "nothing grows", Thresholds: low(900, 1800),
		Description: "Seconds until new connections are refused, if the growth goes on: the kernel's table and the instance's ENA allowance, nearest first. Under 15 minutes: raise nf_conntrack_max, or move pods to further nodes.",
		Queries:     []p.Query{when(now("bottomk(8, "+fresh(metrics.ConntrackTimeToExhaustion)+")", "{{instance}} {{vigie_conntrack_wall}}"), noGrowth)},
		Links:       []p.Link{to("Conntrack and ENA headroom", "vigie-conntrack")}}
}

func walls(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "The fullest node, of each limit", W: w, H: h, Unit: "percentunit", Min: p.P(0.0), Max: p.P(1.0), Lines: true, Thresholds: bad(0.8, 0.9),
		Description: "How full the fullest node is: connection table, memory, processor, disk. Whatever comes near 100 % first is what breaks first.",
		Queries: []p.Query{
			ask(over("max", "", sel(metrics.ConntrackUtilization)), "conntrack"),
			ask("max(1 - "+sel(metrics.MemoryAvailable)+" / "+sel(metrics.MemoryLimit)+")", "memory"),
			ask("max("+cpuBusy()+")", "processor"),
			ask(over("max", "", sel(metrics.FilesystemUtilization)), "disk"),
		},
		Styles: []p.Style{{Match: "conntrack", Color: p.Vermillion, Width: 3}, {Match: "memory", Color: p.Purple}, {Match: "processor", Color: p.Sky}, {Match: "disk", Color: p.Grey}},
		Links:  []p.Link{to("Nodes", "vigie-nodes")}}
}

func podsToMax(w, h int) p.Panel {
	return p.Panel{Kind: p.Bars, Title: "Autoscalers, of their maximum", W: w, H: h, Unit: "percentunit", Min: p.P(0.0), Max: p.P(1.0), Decimals: p.P(0), Thresholds: bad(0.75, 0.95),
		Description: "Replicas of the maximum that an autoscaler may make. At 100 % it can't follow any more: raise maxReplicas before kick-off, not after.",
		Queries:     []p.Query{now(top(8, hpaShare()), "{{horizontalpodautoscaler}}")},
		Links:       []p.Link{to("Workloads", "vigie-workloads")}}
}

func suspected(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Requests that belong to a finding", W: w, H: h, Unit: "reqps", Fill: 20,
		Description: "Requests a second that are marked as part of an open finding. When a rule takes effect this falls, and nothing else does.",
		Queries:     []p.Query{ask(sum(metrics.ServiceName, rate(metrics.AttackSuspected, ofService)), "{{service_name}}")},
		Styles:      []p.Style{{Match: ".*", Color: p.Vermillion}}}
}

func findingsByClass(w, h int) p.Panel {
	return p.Panel{Kind: p.Timeline, Title: "Findings by kind", W: w, H: h, Thresholds: []p.Threshold{{Color: p.Green}, {From: 1, Color: p.Vermillion}},
		Description: "Which kinds of attack are open, and since when. The kind says which runbook to take.",
		NoValue:     "none so far", Mappings: []p.Mapping{{Value: "0", Text: "none", Color: p.Green}, {Value: "1", Text: "open", Color: p.Vermillion}},
		Queries: []p.Query{when(ask(sum(metrics.AttackClass, fresh(metrics.AttackFindings, ofService)), "{{vigie_attack_class}}"),
			"a kind has a series from its first finding on")}}
}

func whoAndWhat(w, h int) p.Panel {
	return p.Panel{Kind: p.Text, Title: "Who, and what to do", W: w, H: h,
		Markdown: "**[The war room](${warroom})** names the prefixes, agents and paths of each finding (they never become metrics), with the share of the attack that a rule would take and of the viewers that it would hit. Nothing is applied by itself.\n\n" +
			"**Before you block:** a carrier's NAT looks like few clients with many requests. Read the evidence *against* first."}
}

func happened(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Changes: rollouts, restarts, replicas", W: w, H: h, Unit: "short", Fill: 30,
		Description: "What somebody or something changed: rollouts, container restarts, and how far autoscalers moved, in five minutes. An error rate that rises with a rollout is the rollout's.",
		Queries: []p.Query{
			ask("sum(changes("+sel(metrics.DeploymentGeneration, ofNamespace)+"[5m]))", "rollouts"),
			ask(sum("", increase("5m", metrics.PodRestarts, ofNamespace)), "restarts"),
			ask("sum(abs(delta("+sel(metrics.HPACurrent, ofNamespace)+"[5m])))", "replicas added or taken"),
		},
		Styles: []p.Style{{Match: "rollouts", Color: p.Blue}, {Match: "restarts", Color: p.Vermillion}, {Match: "replicas added or taken", Color: p.Sky}}}
}

// cpuBusy is the share of a node's processors that is not idle.
func cpuBusy(matchers ...string) string {
	return "1 - " + sum(metrics.Instance, rate(metrics.CPUTime, append(matchers, is("state", "idle"))...)) + " / " + sum(metrics.Instance, rate(metrics.CPUTime, matchers...))
}

func hpaShare() string {
	by := "namespace, horizontalpodautoscaler"
	return over("max", by, sel(metrics.HPACurrent, ofNamespace)) + " / " + over("max", by, sel(metrics.HPAMax, ofNamespace))
}
