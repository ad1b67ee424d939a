package dashboards

import (
	"strings"

	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

// Services is RED by service and operation: from request logs at the ingress, and
// from server spans behind it.
func Services() p.Dashboard {
	return page("vigie-services", "Ingress and services",
		"Rate, errors and duration: at the ingress from its logs, and of each service from its server spans.",
		[]p.Row{
			{Panels: []p.Panel{ingressRate(6, 5), ingressErrors(6, 5), spanErrorsNow(6, 5), spanSlowNow(6, 5)}},
			{Title: "At the ingress (request logs)", Panels: []p.Panel{ingressRequests(12, 8), errorShare(12, 8)}},
			{Title: "By service (server spans)", Panels: []p.Panel{spanRate(8, 8), spanErrors(8, 8), spanDuration(8, 8)}},
			{Title: "By operation", Panels: []p.Panel{operationRate(8, 9), operationErrors(8, 9), operationSlow(8, 9)}},
			{Title: "What services wait for (client spans)", Panels: []p.Panel{clientErrors(12, 8), clientDuration(12, 8)}},
		}, tracedService())
}

var (
	server  = is("span_kind", metrics.SpanKindServer)
	client  = is("span_kind", metrics.SpanKindClient)
	failed  = is("status_code", metrics.StatusError)
	ofSpans = []string{ofService}
)

// operation tells what was asked of a service: of HTTP a method and route, of RPC
// a method.
var operation = strings.Join([]string{metrics.ServiceName, metrics.Method, metrics.Route, metrics.RPCMethod}, ", ")

func spans(more ...string) []string { return append(append([]string{}, ofSpans...), more...) }

func spanErrorShare(by string, kind string) string {
	// Where nothing failed there is no series of failures: what is all right counts as 0.
	all := sum(by, rate(metrics.SpanCalls, spans(kind)...))
	return "(" + sum(by, rate(metrics.SpanCalls, spans(kind, failed)...)) + " or 0 * " + all + ") / (" + all + " > 0)"
}

func ingressRate(w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: "Requests at the ingress", W: w, H: h, Unit: "reqps", Thresholds: plain(p.Sky),
		Description: "Requests a second by the ingress's logs, all services together.",
		Queries:     []p.Query{ask(sum("", fresh(metrics.TrafficRate)), "requests")}}
}

func ingressErrors(w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: "Failed at the ingress", W: w, H: h, Unit: "percentunit", Decimals: p.P(2), Thresholds: bad(0.01, 0.05), NoValue: "0",
		Description: "Share of requests that were answered with 4xx or 5xx. Higher than the services' own share: the ingress itself refuses, or clients ask for what is not there.",
		Queries:     []p.Query{ask(share(sum("", rate(metrics.TrafficErrors)), sum("", rate(metrics.TrafficRequests))), "failed")}}
}

func spanErrorsNow(w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: "Failed in services", W: w, H: h, Unit: "percentunit", Decimals: p.P(2), Thresholds: bad(0.005, 0.02), NoValue: "0",
		Description: "Share of server spans with an error, all chosen services together.",
		Queries: []p.Query{ask("("+sum("", rate(metrics.SpanCalls, spans(server, failed)...))+" or vector(0)) / "+
			sum("", rate(metrics.SpanCalls, spans(server)...)), "failed")}}
}

func spanSlowNow(w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: "99 of 100 within", W: w, H: h, Unit: "s", Thresholds: bad(0.5, 2),
		Description: "Time within which 99 of 100 requests were answered, all chosen services together.",
		Queries:     []p.Query{ask(quantile(0.99, "", metrics.SpanDuration, spans(server)...), "p99")}}
}

func ingressRequests(w, h int) p.Panel {
	q := stack("Requests by service", "Requests a second by the service that the ingress's log names. A service that falls while others rise is one that lost its ingress rule or its pods.", "reqps", w, h,
		ask(sum(metrics.ServiceName, fresh(metrics.TrafficRate, ofService)), "{{service_name}}"))
	return q
}

func spanRate(w, h int) p.Panel {
	return line("Rate", "Server spans a second by service.", "reqps", w, h, ask(sum(metrics.ServiceName, rate(metrics.SpanCalls, spans(server)...)), "{{service_name}}"))
}

func spanErrors(w, h int) p.Panel {
	q := line("Errors", "Share of a service's server spans that failed. The first one to rise is the cause more often than the highest.", "percentunit", w, h,
		ask(spanErrorShare(metrics.ServiceName, server), "{{service_name}}"))
	q.Min = p.P(0.0)
	return q
}

func spanDuration(w, h int) p.Panel {
	return line("Duration (p95)", "Time within which 95 of 100 requests were answered, by service.", "s", w, h,
		ask(quantile(0.95, metrics.ServiceName, metrics.SpanDuration, spans(server)...), "{{service_name}}"))
}

func operationRate(w, h int) p.Panel {
	return p.Panel{Kind: p.Bars, Title: "Busiest operations", W: w, H: h, Unit: "reqps", Thresholds: plain(p.Sky),
		Description: "Operations by requests a second. Signing in at the top outside of a kick-off is worth a look at Attack detail.",
		Queries:     []p.Query{now(top(10, sum(operation, rate(metrics.SpanCalls, spans(server)...))), "{{service_name}} {{http_request_method}} {{http_route}} {{rpc_method}}")}}
}

func operationErrors(w, h int) p.Panel {
	return p.Panel{Kind: p.Bars, Title: "Operations that fail", W: w, H: h, Unit: "percentunit", Decimals: p.P(1), Min: p.P(0.0), Thresholds: bad(0.01, 0.05),
		Description: "Share of each operation's spans that failed. One operation: its dependency. All of a service: the service.",
		Queries:     []p.Query{now(top(10, spanErrorShare(operation, server)), "{{service_name}} {{http_request_method}} {{http_route}} {{rpc_method}}")}}
}

func operationSlow(w, h int) p.Panel {
	return p.Panel{Kind: p.Bars, Title: "Slowest operations (p95)", W: w, H: h, Unit: "s", Min: p.P(0.0), Thresholds: bad(0.5, 2),
		Description: "Operations by the time within which 95 of 100 were answered.",
		Queries:     []p.Query{now(top(10, quantile(0.95, operation, metrics.SpanDuration, spans(server)...)), "{{service_name}} {{http_request_method}} {{http_route}} {{rpc_method}}")}}
}

func clientErrors(w, h int) p.Panel {
	q := line("Calls that fail", "Share of a service's calls to others that failed: other services, caches, databases. What refuses shows here before its callers fail.", "percentunit", w, h,
		ask(spanErrorShare(metrics.ServiceName, client), "{{service_name}}"))
	q.Min = p.P(0.0)
	return q
}

func clientDuration(w, h int) p.Panel {
	return line("Calls take (p95)", "Time within which 95 of 100 calls to others were answered, by who waits for them.", "s", w, h,
		ask(quantile(0.95, metrics.ServiceName, metrics.SpanDuration, spans(client)...), "{{service_name}}"))
}
