// Package prombridge publishes a prometheus/client_golang registry through an
// OpenTelemetry meter.
//
// The embedded store and the libraries under it count through client_golang;
// the collector's own telemetry goes through otel. With the bridge both leave by
// the same reader, under the names that the registry has. Counters and gauges
// become observable instruments; of histograms and summaries the count and the
// sum are published, as two counters, since otel has no observable histogram.
//
// At most maxFamilies are published; the rest is counted. Start owns one
// goroutine, which makes instruments for families that appear later; Stop ends
// it. Values are read in the reader's callback.
package prombridge
