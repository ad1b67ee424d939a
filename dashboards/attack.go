package dashboards

import (
	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

// Attack is the evidence behind a verdict, as far as metrics hold it.
func Attack() p.Dashboard {
	return page("vigie-attack", "Attack detail",
		"Why Vigie says crowd or attack, and what the attack is made of. Addresses, agents and paths are on the war-room page: they never become metrics.",
		[]p.Row{
			{Panels: []p.Panel{verdictNow(5, 6), openFindings(3, 6), suspectedShare(4, 6), verdictOverTime(12, 6)}},
			{Title: "What the excess is made of", Panels: []p.Panel{demand(12, 8), score(12, 8), perClient(8, 7), errorShare(8, 7), clients(8, 7)}},
			{Title: "On the wire", Panels: []p.Panel{halfOpen(8, 7), halfOpenSources(8, 7), newConnections(8, 7)}},
			{Title: "Findings and marks", Panels: []p.Panel{findingsByClass(8, 7), suspected(8, 7), judged(8, 7)}},
		}, service())
}

func suspectedShare(w, h int) p.Panel {
	return p.Panel{Kind: p.Stat, Title: "Of all requests", W: w, H: h, Unit: "percentunit", Decimals: p.P(0), Thresholds: bad(0.01, 0.1), NoValue: "0",
		Description: "Share of the requests that belong to an open finding. It is what a perfect rule would take away.",
		Queries:     []p.Query{ask(share(sum("", rate(metrics.AttackSuspected, ofService)), sum("", rate(metrics.TrafficRequests, ofService))), "suspected")}}
}

func score(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "How much of an attack it looks like", W: w, H: h, Unit: "percentunit", Min: p.P(0.0), Max: p.P(1.0), Fill: 10, Lines: true, Thresholds: bad(0.3, 0.6),
		Description: "The detector's score by service. It is about what the excess is made of, not how large it is: two independent kinds of evidence must agree before the verdict is attack.",
		Queries:     []p.Query{ask(over("max", metrics.ServiceName, fresh(metrics.AttackScore, ofService)), "{{service_name}}")}}
}

func perClient(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Requests a second and client", W: w, H: h, Unit: "reqps", Decimals: p.P(2), Fill: 10,
		Description: "Requests a second of an average client. Viewers bring it along; scripts push it up.",
		Queries: []p.Query{ask(share(sum(metrics.ServiceName, fresh(metrics.TrafficRate, ofService)),
			sum(metrics.ServiceName, fresh(metrics.TrafficClients, ofService))), "{{service_name}}")}}
}

func halfOpen(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Half-open connections by target", W: w, H: h, Unit: "short", Fill: 10,
		Description: "Connections that were begun and never answered, by what they are for. Many at one target from many prefixes is a SYN flood: see whether tcp_syncookies is on.",
		Queries:     []p.Query{ask(top(8, sum(metrics.Owner, sel(metrics.ConntrackHalfOpen, is(metrics.OwnerSide, "receive")))), "{{vigie_conntrack_owner}}")}}
}

func halfOpenSources(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Networks behind them", W: w, H: h, Unit: "short", Fill: 10,
		Description: "Distinct source networks (/24, /64) of the half-open connections, by target. Few: one network, can be blocked. Thousands: forged addresses, blocking them blocks nobody.",
		Queries:     []p.Query{ask(top(8, over("max", metrics.Owner, sel(metrics.ConntrackHalfOpenSources, is(metrics.OwnerSide, "receive")))), "{{vigie_conntrack_owner}}")}}
}

func newConnections(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Connections lost", W: w, H: h, Unit: "cps", Fill: 20,
		Description: "Connections a second that the kernel's table or the instance's allowance refused. Above zero, viewers can't get in, whoever filled it.",
		Queries: []p.Query{
			ask(sum("", rate(metrics.ConntrackPacketDropped)), "dropped packets"),
			ask(sum("", rate(metrics.ConntrackEarlyDropped)), "evicted to make room"),
			when(ask(sum("", rate(metrics.ENAAllowanceExceeded, is(metrics.Allowance, "conntrack"))), "over the instance's allowance"), noENA),
		},
		Styles: []p.Style{{Match: "dropped packets", Color: p.Vermillion}, {Match: "evicted to make room", Color: p.Orange}, {Match: "over the instance's allowance", Color: p.Purple}},
		Links:  []p.Link{to("Conntrack and ENA headroom", "vigie-conntrack")}}
}

func judged(w, h int) p.Panel {
	return p.Panel{Kind: p.Series, Title: "Requests judged", W: w, H: h, Unit: "reqps", Fill: 10,
		Description: "Requests a second that the detector read, and those it could not judge in full. If the first is well below the traffic, logs do not arrive: see Logs and traces.",
		Queries: []p.Query{
			ask(sum("source", rate(metrics.DetectionRequests)), "read from {{source}}"),
			when(ask(sum("limit", rate(metrics.DetectionLimited)), "{{limit}}"), "none while nothing met a limit"),
		},
		Links: []p.Link{to("Logs and traces", "vigie-telemetry")}}
}
