// Package conntrackprocessor understands connection tracking.
//
// One instance a component ID serves its metrics, logs and traces pipelines:
//
//   - Metrics of the conntrack and ENA receivers enter; utilization, growth,
//     time to exhaustion and the nearest wall are added beside them.
//   - Flow records (internal/flow) enter with the logs. They fill the NAT index
//     and the half-open counts, and are then dropped, or passed on if so
//     configured.
//   - Spans and request logs get the real backend behind a service address, and
//     the service address in front of a backend, from that index.
//   - Findings conntrack_exhaustion and syn_flood leave in the logs stream.
//
// It never reads the kernel. Everything that it holds is bounded, and what did
// not fit is counted.
//
// Ownership: engine holds what metrics and flow records teach, guarded by one
// mutex; natIndex has a lock of its own, since every span looks things up. One
// goroutine, started with the first pipeline and awaited by the last to shut
// down, closes findings when nothing confirms them any more and sends the queue
// into the first logs pipeline. Lock order: engine before natIndex; neither is
// held while a consumer is called.
package conntrackprocessor

//go:generate go tool mdatagen metadata.yaml
