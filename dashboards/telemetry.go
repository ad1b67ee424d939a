package dashboards

import (
	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

// Telemetry is logs and traces: whether they arrive, and how late.
func Telemetry() p.Dashboard {
	return page("vigie-telemetry", "Logs and traces",
		"Do logs and spans arrive, how far behind are they, and what do they say on the whole?",
		[]p.Row{
			{Panels: []p.Panel{
				{Kind: p.Stat, Title: "Behind by", W: 6, H: 5, Unit: "s", Thresholds: bad(5, 30),
					Description: "How long ago all that was written had been accepted, on the worst node. The verdict is as late as this. Over 30 s: see Vigie itself, its queue or its destination is full.",
					Queries:     []p.Query{ask(over("max", "", sel(metrics.LogsLagTime, ofSpace)), "behind")}},
				{Kind: p.Stat, Title: "Lines a second", W: 6, H: 5, Unit: "short", Thresholds: plain(p.Sky),
					Description: "Lines a second that are read from the containers' logs.",
					Queries:     []p.Query{ask(sum("", rate(metrics.LogsLines, ofSpace)), "lines")}},
				{Kind: p.Stat, Title: "Spans a second", W: 6, H: 5, Unit: "short", Thresholds: plain(p.Sky),
					Description: "Spans a second that receivers accepted.",
					Queries:     []p.Query{ask(sum("", rate(metrics.ReceiverAcceptedSpans)), "spans")}},
				{Kind: p.Stat, Title: "Lost in an hour", W: 6, H: 5, Unit: "short", Decimals: p.P(0), NoValue: "0", Thresholds: bad(1, 1),
					Description: "Log records that were given up, and bytes that were truncated or deleted before they were read. Anything but 0 has a reason below.",
					Queries:     []p.Query{ask(sum("", increase("1h", metrics.LogsDropped))+" + "+sum("", increase("1h", metrics.LogsUnreadable)), "lost")}},
			}},
			{Title: "Logs", Panels: []p.Panel{
				stack("Lines by namespace", "Lines a second. A namespace that triples is an error in a loop, or a crowd.", "short", 12, 8, ask(top(10, sum(metrics.Namespace, rate(metrics.LogsLines, ofSpace))), "{{k8s_namespace_name}}")),
				stack("Bytes by namespace", "Bytes a second. This is what CloudWatch Logs is paid by.", "Bps", 12, 8, ask(top(10, sum(metrics.Namespace, rate(metrics.LogsBytes, ofSpace))), "{{k8s_namespace_name}}")),
				line("Behind, in bytes", "Bytes that are written and not accepted yet, by node. Rising everywhere: the destination. On one node: that node's agent.", "bytes", 8, 7, ask(sum(metrics.Instance, sel(metrics.LogsLag, ofSpace)), "{{instance}}")),
				line("Read and accepted", "Records made of what was read, and accepted by the pipeline. A gap that stays is backpressure.", "short", 8, 7, ask(sum(metrics.LogsOutcome, rate(metrics.LogsRecords)), "{{vigie_logs_outcome}}")),
				line("Offered again, given up", "Batches that were refused and offered again, records that were given up, by reason, and those that were sacrificed so that others arrive, by class.", "short", 8, 7,
					ask(sum("", rate(metrics.LogsRetries)), "batches offered again"), ask(sum(metrics.LogsReason, rate(metrics.LogsDropped)), "given up: {{vigie_logs_reason}}"),
					when(ask(sum(metrics.LogsClass, rate(metrics.LogsSacrificed)), "sacrificed: {{"+metrics.LogsClass+"}}"), "only where VIGIE_LOGS_SACRIFICE_AFTER is set and logs are behind")),
				line("What lines are", "Log records a second by what their body turned out to be: plain text, fields (JSON, logfmt), an access log, or broken JSON. Much broken: a line longer than the program's own limit.", "short", 8, 7, ask(sum(metrics.LogsKind, rate(metrics.LogsBodies)), "{{"+metrics.LogsKind+"}}")),
				line("Files", "What happened to the files that are followed, in five minutes. lost or too_many: raise max_files; truncated: copytruncate is at work.", "short", 8, 7, ask(sum(metrics.LogsEvent, increase("5m", metrics.LogsFileEvents)), "{{vigie_logs_event}}")),
				line("Lines that were not as they should be", "Lines not in their file's format a second, and bytes cut off lines that are too long.", "short", 8, 7,
					ask(sum("", rate(metrics.LogsMalformed)), "malformed lines"), ask(sum("", rate(metrics.LogsCut)), "bytes cut off")),
			}},
			{Title: "Read as requests", Panels: []p.Panel{
				line("Requests read", "Requests a second that the detector could read, by where from.", "reqps", 8, 7, ask(sum("source", rate(metrics.DetectionRequests)), "{{source}}")),
				line("Lines that are no request", "Lines a second that were passed on without being judged, by why. not_request is ordinary for programs' own logs; format on an ingress means a log format that has to be named.", "short", 8, 7,
					ask(sum("reason", rate(metrics.DetectionUnread)), "{{reason}}")),
				line("Addresses behind NAT", "Spans and records whose addresses were looked up in the connection table, by what came of it.", "ops", 8, 7, when(ask(sum("result", rate(metrics.NATLookups)), "{{result}}"), "none until a reading of the table found translated flows")),
			}},
			{Title: "Traces", Panels: []p.Panel{
				stack("Spans by service", "Spans a second by service, all kinds.", "short", 8, 8, ask(top(10, sum(metrics.ServiceName, rate(metrics.SpanCalls))), "{{service_name}}")),
				line("Spans that failed", "Spans a second with an error, by service.", "short", 8, 8, ask(top(10, sum(metrics.ServiceName, rate(metrics.SpanCalls, failed))), "{{service_name}}")),
				line("Refused", "Spans and log records a second that receivers refused: the sender keeps or loses them. Refused means backpressure or memory; see Vigie itself.", "short", 8, 8,
					ask(sum("", rate(metrics.ReceiverRefusedSpans)), "spans"), ask(sum("", rate(metrics.ReceiverRefusedLogs)), "log records")),
			}},
		}, namespace())
}
