package names

// What the cloudwatch exporter says of itself.
const (
	CloudWatchEventsSent    = "vigie.cloudwatch.events.sent"    // {event}, monotonic: log events that CloudWatch took, EMF documents included
	CloudWatchBytesSent     = "vigie.cloudwatch.bytes.sent"     // By, monotonic: as billed, 26 bytes an event included
	CloudWatchRequests      = "vigie.cloudwatch.requests"       // {request}, monotonic, by outcome
	CloudWatchEventsDropped = "vigie.cloudwatch.events.dropped" // {event}, monotonic, by reason
	CloudWatchEventsSplit   = "vigie.cloudwatch.events.split"   // {event}, monotonic: too long for one event
	CloudWatchPointsDropped = "vigie.cloudwatch.points.dropped" // {point}, monotonic, by reason: data points that made no metric
	CloudWatchMetrics       = "vigie.cloudwatch.metrics"        // {metric}: distinct metrics of the hour, as billed
	CloudWatchCreated       = "vigie.cloudwatch.streams.created"
	CloudWatchCostEstimate  = "vigie.cloudwatch.cost_estimate" // {USD}/mo, by part

	CloudWatchExporter = "vigie.cloudwatch.exporter" // the component's id
	CloudWatchSignal   = "vigie.cloudwatch.signal"   // logs, metrics
	CloudWatchReason   = "vigie.cloudwatch.reason"
	CloudWatchOutcome  = "vigie.cloudwatch.outcome"   // ok, throttled, access denied, …
	CloudWatchCostPart = "vigie.cloudwatch.cost.part" // ingestion, metrics
)
