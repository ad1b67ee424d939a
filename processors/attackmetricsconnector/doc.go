// Package attackmetricsconnector makes metrics of what the attack detection
// processor says.
//
// Logs enter. Of the summaries (event.name = vigie.summary) among them, a
// service's status is kept; all other records are ignored, and none is passed
// on: the logs go their own way to the exporters. Metrics leave, by service and
// never by client, each second, and at once when a verdict changes.
//
// A connector and not the processor itself, since metrics need a metrics
// pipeline, which a processor of logs cannot feed (decided 2026-11: the
// alternative was to register the figures as the collector's own telemetry,
// which would have taken them past the exporters' batching, retry and
// resource attributes).
//
// Ownership: state is guarded by one mutex, taken by whoever consumes logs and
// by the connector's one goroutine, which emits. The goroutine is started by
// Start and awaited by Shutdown; the mutex is not held while the next consumer
// is called.
package attackmetricsconnector

//go:generate go tool mdatagen metadata.yaml
