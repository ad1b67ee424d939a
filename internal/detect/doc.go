// Package detect decides whether a service's traffic is its crowd or an attack,
// names who and what, and says by which evidence.
//
// Requests enter by Observe, the passage of event time by Tick, the summaries
// of other detectors by MergeSummary. Marks, findings, verdicts and summaries
// leave. The same code runs on a node (Observe and AppendSummary), in the
// gateway (MergeSummary) and offline over recorded logs (Observe and Flush).
//
// How it decides, in the order in which it happens:
//
//  1. A request is reduced to a row of features that do not depend on rate:
//     path template, user-agent family, prefix, whether its query is new, what
//     its client did before (features.go, client.go).
//  2. Rows are sampled by client, so that a sampled client's whole session is
//     seen, and compared with a frozen sample of ordinary traffic (baseline.go,
//     excess.go). What is more than the baseline explains is the excess.
//  3. The excess is an attack only if at least two independent dimensions,
//     one of them strong, say so about the same requests (judge.go). A path that
//     is suddenly popular and clients that are new are what a crowd looks like
//     too; user agents, prefixes, queries, or sessions which the baseline does
//     not know are not.
//  4. What needs no surge — guessing paths, trying passwords, one client that
//     hammers, requests that never end — is judged client by client on
//     scale-free evidence, with no history (actor.go).
//  5. A finding opens at 3 of 5 ticks (2 where the evidence is overwhelming),
//     is refined while it lasts, and closes a minute after its last request
//     (episode.go). Its rules are a greedy cover (cover.go).
//
// The package is pure: no clock, no I/O, no goroutine, no global state; the same
// input under the same seed gives the same output. A Detector is not safe for
// concurrent use; whoever owns it calls it from one goroutine or locks.
//
// Memory is fixed per service, and so is the number of services; what did not
// fit is counted (Stats) and judged together as OverflowService.
package detect
