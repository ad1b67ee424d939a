// Package promstore is the embedded Prometheus store: tsdb and promql as
// libraries, behind about a dozen HTTP handlers of our own.
//
// OTLP metrics enter by [Store.AppendMetrics] and Prometheus remote write (v1)
// by POST /api/v1/write of [Store.Handler]. What leaves is Prometheus' HTTP API
// in its exact envelopes, and promql results by [Store.Query] and
// [Store.QueryRange]. Names and labels are those that the
// prometheusremotewrite exporter would send to Amazon Managed Prometheus,
// because the same translator makes them; a test holds the two side by side.
// The package evaluates no rules, scrapes nothing, and listens nowhere: its
// caller serves the handler.
//
// # What survives
//
// A sample is acknowledged once it is in the write-ahead log, that is, once
// write(2) has returned. The kernel then owns it: a process that is killed at
// any moment (kill -9, out of memory) loses nothing that it acknowledged. The
// log is not synced per batch but when a segment is full (8 MiB) and at Close,
// as in Prometheus; a power cut or a kernel panic loses what the kernel had not
// yet written back, on Linux normally at most the last 30 s. A torn record at
// the end of the log is cut off at the next Open, and the log line says so.
//
// # A full disk
//
// tsdb panics when a head chunk cannot be written, in goroutines that a caller
// cannot guard, and a log record that was half written makes the next start
// throw away all that follows it. So no tsdb goroutine writes on its own here:
// its timer is parked and its compactions are off; the store's own loop does
// both, and, like each append, only while the file system has
// Config.MinFreeBytes left. Should a write fail none the less, appends stop,
// queries go on, and the loop closes and opens the database again (which
// repairs the log) once there is room.
//
// # Bounds
//
// Active series (in all and per metric), labels and their lengths, buckets of a
// histogram, request bodies before and after decompression, concurrent and
// waiting queries, their time and samples, metadata entries and exemplars all
// have finite defaults; what is refused is counted by reason.
//
// # Goroutines
//
// Open starts one, the maintenance loop, and tsdb starts its own; Close ends
// them all. Lock order: writeMu, then session.mu. writeMu serialises appends:
// one writer at a time, so that batches do not interleave and the series cache
// needs no lock. session.mu keeps a database open while it is queried; a repair
// ends one session and begins another.
package promstore
