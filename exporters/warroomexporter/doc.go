//go:generate go tool mdatagen metadata.yaml

// Package warroomexporter is where telemetry ends on a laptop, and what a war
// room looks at.
//
// Metrics, logs and traces enter. Metrics go into an embedded Prometheus store
// (internal/promstore) under the names that Amazon Managed Prometheus would get;
// of logs and spans the newest are kept in rings of fixed size, of the detector's
// verdicts a history (15 minutes by the second, 6 hours by the minute), and each
// finding as it was last told, in memory and in a file that brings it over a
// restart. Deploys, scalings and events that go by are entered into the log book.
// What leaves is HTTP on one address: the Prometheus API under /api/v1, the room under
// /api/warroom, /healthz, and the page at /. It detects nothing and decides nothing:
// it shows. What it takes from viewers is what they enter into the log book
// (internal/timeline), an assessment of vigie ready, and metrics by remote write.
//
// One instance serves the three pipelines of a component ID; the last Shutdown
// ends the streams, closes the server, then the log book and the store. Start
// owns four goroutines: the HTTP server; the room's tick, which makes a view each
// second and encodes it once for all viewers; the slow reader, which asks the
// store for walls and error budget each five seconds while somebody looks; and
// the one that publishes the store's own metrics. Requests never wait for a
// pipeline and a pipeline never waits for a viewer: what they share is guarded
// by mutexes that are held for a copy, not for a write to the network. A viewer
// who cannot keep up loses deltas and gets a snapshot.
//
// It listens on loopback. Any other address demands TLS and an authenticator,
// since the page shows client addresses and the API takes writes.
package warroomexporter
