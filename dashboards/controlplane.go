package dashboards

import (
	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

// ControlPlane is what every pod depends on and nobody looks at: the API server
// and the name service.
func ControlPlane() p.Dashboard {
	slow := isnt("subresource", "log")
	verbs := `verb!~"WATCH|CONNECT"`
	return page("vigie-control-plane", "Control plane",
		"Do the API server and CoreDNS keep up? If not, autoscalers and name look-ups fail, and every service with them.",
		[]p.Row{
			{Panels: []p.Panel{
				{Kind: p.Stat, Title: "API requests failed", W: 6, H: 5, Unit: "percentunit", Decimals: p.P(2), Thresholds: bad(0.01, 0.05), NoValue: "0",
					Description: "Share of requests to the API server answered with 5xx. EKS scales it by itself within minutes; if it lasts, look for a controller that asks without pause.",
					Queries:     []p.Query{ask("("+sum("", rate(metrics.APIRequests, like("code", "5.."), verbs))+" or vector(0)) / "+sum("", rate(metrics.APIRequests, verbs)), "failed")}},
				{Kind: p.Stat, Title: "API, 99 of 100 within", W: 6, H: 5, Unit: "s", Thresholds: bad(1, 4),
					Description: "Time within which the API server answers, without watches and logs. Kubernetes promises 1 s for one object, 30 s for a list.",
					Queries:     []p.Query{ask(quantile(0.99, "", metrics.APIDuration, verbs, slow), "p99")}},
				{Kind: p.Stat, Title: "Look-ups failed (SERVFAIL)", W: 6, H: 5, Unit: "percentunit", Decimals: p.P(2), Thresholds: bad(0.001, 0.01), NoValue: "0",
					Description: "Share of name look-ups that CoreDNS could not answer. Restarting pods will not help: look at the forwards below.",
					Queries:     []p.Query{ask("("+sum("", rate(metrics.DNSResponses, is("rcode", "SERVFAIL")))+" or vector(0)) / "+sum("", rate(metrics.DNSResponses)), "failed")}},
				{Kind: p.Stat, Title: "Look-ups, 99 of 100 within", W: 6, H: 5, Unit: "s", Thresholds: bad(0.05, 0.5),
					Description: "Time within which CoreDNS answers.",
					Queries:     []p.Query{ask(quantile(0.99, "", metrics.DNSDuration), "p99")}},
			}},
			{Title: "API server", Panels: []p.Panel{
				stack("Requests by verb", "Requests a second. A jump in LIST is a controller that restarts, or one that lost its watch.", "reqps", 8, 8, ask(sum("verb", rate(metrics.APIRequests)), "{{verb}}")),
				line("Answers that are no success", "4xx and 5xx a second. 429: the API server pushes back. 409 is ordinary.", "reqps", 8, 8, ask(sum("code", rate(metrics.APIRequests, like("code", "4..|5.."))), "{{code}}")),
				line("Duration by verb (p99)", "Time within which 99 of 100 were answered. Writes slow: its store or an admission webhook. Reads slow: large lists.", "s", 8, 8, ask(quantile(0.99, "verb", metrics.APIDuration, verbs, slow), "{{verb}}")),
				line("In flight", "Requests that are being answered, by kind.", "short", 6, 7, ask(over("max", "request_kind", sel(metrics.APIInflight)), "{{request_kind}}")),
				line("Queued and turned away", "Requests that wait for their turn, and a second that were turned away, by priority. Yours are in workload-low unless a flow schema says else.", "short", 6, 7,
					ask(sum("priority_level", sel(metrics.APIQueued)), "{{priority_level}} waiting"),
					when(ask(sum("priority_level", rate(metrics.APIRejected)), "{{priority_level}} turned away"), "none until a request is turned away")),
				line("Turned down by webhooks", "Writes a second that an admission webhook turned down or could not judge, by webhook. calling_webhook_error: the webhook is down, and with it every rollout and autoscaler that it must see.", "reqps", 6, 7,
					when(ask(sum("name, error_type", rate(metrics.APIWebhooks)), "{{name}} {{error_type}}"), "none until a webhook turns something down")),
				line("Objects stored", "The kinds with most objects. EKS ends writes when its store has 8 GB: events, jobs and custom resources without an owner grow first.", "short", 6, 7, ask(top(6, over("max", "resource", sel(metrics.APIObjects))), "{{resource}}")),
			}},
			{Title: "CoreDNS", Panels: []p.Panel{
				stack("Look-ups by type", "Look-ups a second. Twice as many AAAA as needed is ordinary; ten times as many as requests is ndots:5, write names with a dot at the end.", "reqps", 8, 8, ask(sum("type", rate(metrics.DNSRequests)), "{{type}}")),
				line("Answers by code", "Answers a second. NXDOMAIN is the search list at work; SERVFAIL is failure.", "reqps", 8, 8, ask(sum("rcode", rate(metrics.DNSResponses)), "{{rcode}}")),
				line("Answered from the cache", "Share of look-ups that the cache answered. Falling with rising load: more replicas, or a node-local cache.", "percentunit", 8, 8,
					ask(sum("pod", rate(metrics.DNSCacheHits))+" / ("+sum("pod", rate(metrics.DNSCacheHits))+" + "+sum("pod", rate(metrics.DNSCacheMiss))+")", "{{pod}}")),
				line("Duration (p50, p99)", "How long look-ups take.", "s", 8, 7, ask(quantile(0.5, "", metrics.DNSDuration), "median"), ask(quantile(0.99, "", metrics.DNSDuration), "p99")),
				line("Forwarded elsewhere (p99)", "How long the VPC's resolver takes. It allows 1,024 packets a second and network interface: see linklocal on Conntrack and ENA.", "s", 8, 7, ask(quantile(0.99, "to", metrics.DNSForwards), "{{to}}")),
				line("Service rules (p99)", "How long kube-proxy takes until a new pod gets traffic. Seconds here are seconds in which a scaled-up pod helps nobody.", "s", 8, 7,
					when(ask(quantile(0.99, "", metrics.ProxyProgramming), "programmed"), "only where kube-proxy is scraped"),
					when(ask(quantile(0.99, "", metrics.ProxySync), "one round"), "only where kube-proxy is scraped")),
			}},
		})
}
