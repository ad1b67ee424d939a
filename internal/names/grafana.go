package names

// EventEvent is something that happened beside the findings: a phase of the
// calendar's event, a push notification, a note of the war room. internal/event
// reads and writes it.
const EventEvent = "vigie.event"

// Attributes of such a record.
const (
	EventID        = "vigie.event.id"         // stable: the same thing told again replaces what was told
	EventKind      = "vigie.event.kind"       // match, phase, push, note, severity, …
	EventTitle     = "vigie.event.title"      // one line
	EventText      = "vigie.event.text"       // as long as a note may be; may be empty
	EventService   = "vigie.event.service"    // empty: all
	EventWho       = "vigie.event.who"        // the person; empty for what a machine saw
	EventRef       = "vigie.event.ref"        // id of the finding that it is about; may be empty
	EventStartedAt = "vigie.event.started_at" // RFC 3339
	EventEndedAt   = "vigie.event.ended_at"   // RFC 3339; missing for what happened at one instant
)

// Metrics of the Grafana exporter.
const (
	GrafanaAnnotations = "vigie.grafana.annotations" // {annotation}, monotonic, by outcome
	GrafanaWaiting     = "vigie.grafana.waiting"     // {annotation}: told and not in Grafana yet
	GrafanaKnown       = "vigie.grafana.known"       // {annotation}: remembered
	GrafanaRefused     = "vigie.grafana.refused"     // {record}, monotonic, by reason
	GrafanaFailures    = "vigie.grafana.failures"    // {request}, monotonic, by status
	GrafanaOutcome     = "vigie.grafana.outcome"     // created, updated, adopted, rejected
	GrafanaReason      = "vigie.grafana.reason"      // full, malformed
	GrafanaStatus      = "vigie.grafana.status"      // HTTP status; 0 where there was no answer
)

// Metrics of the EventBridge exporter.
const (
	EventBridgeEntries = "vigie.eventbridge.entries"         // {entry}, monotonic, by outcome
	EventBridgeTrimmed = "vigie.eventbridge.entries.trimmed" // {entry}, monotonic
	EventBridgeOutcome = "vigie.eventbridge.outcome"         // accepted, retried, rejected, malformed
	EventBridgeCode    = "vigie.eventbridge.code"            // EventBridge's error code
)
