//go:generate go tool mdatagen metadata.yaml

// Package cloudwatchexporter brings logs to CloudWatch Logs and metrics to
// CloudWatch, as documents in the embedded metric format.
//
// Logs and metrics enter; what leaves is PutLogEvents. A ConsumeLogs or
// ConsumeMetrics call converts at once: records into events, data points into
// documents (internal/emf), each with its stream, under the budget. Only then is
// it queued, so what lies in the queue, in memory or on disk, is what goes over
// the wire: a retry or a restart sends the same bytes, and no delta is computed
// twice. The queue's consumer (sender.go) sorts a stream's events, cuts batches
// within the service's limits, makes sure of the stream and posts; what failed
// for now goes back to the retry, part by part, and what failed for good is
// counted.
//
// Credentials and region come from internal/awsclient, which never delays the
// start: until they are there data waits in the queue and health says why.
//
// Each signal of a component is an instance of its own, with its queue, its
// budget and its goroutines: those of exporterhelper, one of awsclient until
// credentials are there, and those that push starts and waits for. Shutdown
// gives requests 5 seconds when the queue is on disk, 25 when it is in memory.
//
// It does not read from CloudWatch, does not keep data points for later, and does
// not roll dimensions up unless a rule says so.
package cloudwatchexporter
