//go:generate go tool mdatagen metadata.yaml

// Package warroomexporter is where telemetry ends on a laptop, and what a war
// room looks at.
//
// Metrics, logs and traces enter. Metrics go into an embedded Prometheus store
// (internal/promstore) under the names that Amazon Managed Prometheus would get;
// of logs and spans the newest are kept in rings of fixed size. What leaves is
// HTTP on one address: the Prometheus API under /api/v1, what arrives now under
// /api/warroom, /healthz, and the page at /. It detects nothing and decides
// nothing: it shows.
//
// One instance serves the three pipelines of a component ID; the last Shutdown
// closes the server, then the store. Start owns two goroutines: the HTTP server,
// and the one that publishes the store's own metrics. Requests never wait for a
// pipeline and a pipeline never waits for a viewer: what they share is guarded
// by mutexes that are held for a copy, not for a write to the network.
//
// It listens on loopback. Any other address demands TLS and an authenticator,
// since the page shows client addresses and the API takes writes.
package warroomexporter
