package names

// Events in the logs stream.
const (
	EventSummary = "vigie.summary" // one a second, agent and service: mergeable sketches
	EventFinding = "vigie.finding" // an attack or wall: opened, updated, closed
)

// Attributes of a finding and of the requests that it marks.
const (
	FindingID         = "vigie.finding.id" // stable over the finding's life
	FindingStatus     = "vigie.finding.status"
	FindingClass      = "vigie.finding.class"
	FindingService    = "vigie.finding.service"
	FindingConfidence = "vigie.finding.confidence" // 0–1
	FindingStartedAt  = "vigie.finding.started_at" // RFC 3339, event time
	FindingDetectedAt = "vigie.finding.detected_at"
	FindingUpdatedAt  = "vigie.finding.updated_at" // last event that belongs to it, so far
	FindingClosedAt   = "vigie.finding.closed_at"
	FindingRequests   = "vigie.finding.requests"
	FindingEvidence   = "vigie.finding.evidence"
	FindingActors     = "vigie.finding.actors"
	FindingRules      = "vigie.finding.rules"
	FindingScope      = "vigie.finding.scope"  // agent (what one node saw) or cluster
	FindingWindow     = "vigie.finding.window" // the open finding of a span's service, on every span while it is open
	Suspicion         = "vigie.suspicion"      // 0–1, on a marked request
)

// Metrics of the detector: by service, never by client.
const (
	TrafficRequests     = "vigie.traffic.requests"          // {request}, monotonic sum
	TrafficClients      = "vigie.traffic.clients"           // {client}, distinct in 10 s
	TrafficErrors       = "vigie.traffic.errors"            // {request}, monotonic sum
	AttackVerdict       = "vigie.attack.verdict"            // state set: one series a state, 1 or 0
	AttackScore         = "vigie.attack.score"              // 1, 0–1
	AttackSuspected     = "vigie.attack.suspected_requests" // {request}, monotonic sum
	AttackFindings      = "vigie.attack.findings"           // {finding}, open, by class
	AttackClass         = "vigie.attack.class"
	AttackVerdictState  = "vigie.attack.verdict.state" // normal, crowd, attack, mixed, unknown
	AttackSummaryFormat = "vigie.summary.version"
	TrafficRate         = "vigie.traffic.rate"          // {request}/s, the last 10 s
	TrafficExpected     = "vigie.traffic.expected_rate" // {request}/s, what the baseline expects; absent while it is unknown
	SummaryOrigin       = "vigie.summary.origin"        // which detector: its counts are since its own start
	SummaryScope        = "vigie.summary.scope"         // agent (one node's requests) or cluster (merged)
)
