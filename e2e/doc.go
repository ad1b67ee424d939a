// Command e2e runs Vigie on a real Kubernetes on this machine and prints what it
// proved: one line an assertion, with its count and the time it took.
//
//	make e2e                      all of it
//	E2E_RUN='attack|rights' make e2e   the scenarios whose names match, and what they need
//	E2E_RUN=crowd make e2e        a node of 110 pods, and what its agent holds
//	E2E_KEEP_IMAGE=1 make e2e     with the image of the last run, as it is
//	E2E_KEEP=1 make e2e           keep the cluster until Ctrl-C, and say how to reach it
//
// # How it runs
//
// Outside, it builds and installs what it needs ([prepare]) and starts itself again
// as the first process of new PID, network and mount namespaces. Inside, package
// cluster starts Kubernetes, the chart is installed by Helm, and scenarios.go tells
// what follows. When that process has ended, nothing of the cluster is left; what
// namespaces do not hold the outside puts back. Logs of every part stay in
// build/e2e/run/logs.
//
// # What it trusts
//
// Not the product: lines are numbered by who writes them, counted by a sink of the
// test's own behind the gateway (sink.go), and compared with what their writer
// says. Denied calls and watches are read from the API server's audit log.
package main
