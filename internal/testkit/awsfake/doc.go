// Package awsfake is the AWS that Vigie's tests talk to: HTTP servers on loopback
// for CloudWatch Logs, EventBridge, X-Ray, CloudWatch's OTLP endpoints, STS, the
// instance metadata service, the EKS Pod Identity agent, and a front of Amazon
// Managed Prometheus that hands remote write on to a real Prometheus.
//
// What enters is what the real SDK or collector sends. Each request goes through
// the same steps, in this order:
//
//  1. an injected [Fault], if one is waiting for its service;
//  2. its signature, recomputed from the request as it arrived (sigv4.go);
//  3. the access policy, by IAM action ([Server.Allow]);
//  4. the service, with its documented limits and its own shape of error.
//
// A client that breaks a limit gets the answer that AWS gives, and a violation is
// recorded besides: at the end of the test each violation that
// [Server.TakeViolations] has not taken fails it. So a test that never looks at
// limits still finds out. Faults, expired credentials, a refused action and a log
// group that does not exist are everyday life and no violations.
//
// What it holds is readable as values: [Server.Events], [Server.Metrics],
// [Server.BusEvents], [Server.Segments], and the IAM actions in [Server.Calls].
//
// It does not imitate quotas per second, eventual consistency, or regions. Only
// tests may import it.
//
// Sources: the API references of each service, the pages "Signature Version 4",
// "Embedded metric format specification" and "OTLP endpoints", and the
// aws-sdk-go-v2 modules that go.mod pins, whose wire protocol it speaks: AWS JSON
// 1.1 (logs, events), REST JSON (X-Ray), query (STS).
package awsfake
