// Package remotewriteexporter writes metrics to Amazon Managed Prometheus, or to
// any other server that takes Prometheus remote write, and loses none on the way.
//
// Batches of metrics enter a queue, which is on disk where a storage is named. One
// consumer takes them out in order, translates them as contrib's
// prometheus_remote_write does (it is the same library, so a query that works on
// the embedded store works there), splits them into requests of at most
// max_batch_size_bytes, and sends those side by side: a series is in one request
// of a batch only, so it stays in order. What leaves are HTTP requests.
//
// Each answer is one of three things. Taken: 2xx. Not now: 429 (with its
// Retry-After), 5xx, 401 and 403 (a permission can be granted while the match
// runs), and no answer at all; the batch stays at the head of the queue. Never:
// other 4xx; the request's samples are dropped and counted by reason, since
// sending them again would stop all that wait behind. A request that is too large
// (413) is halved until it is not.
//
// It exists beside contrib's exporter because that one keeps its queue in memory,
// gives up when its time-out ends, and its write-ahead log begins again for ever
// at a request that the server refuses.
//
// The package owns no goroutine beyond a call to push; the queue's are
// exporterhelper's.
package remotewriteexporter

//go:generate go tool mdatagen metadata.yaml
