// Package proof fills the embedded store with the telemetry of a match and asks
// it every question of every dashboard, so that no panel is empty because a name
// changed. It is for tests only, and for those who draw what tests have seen.
//
// [Run] plays ten minutes around a kick-off into which a flood falls, in fake
// time (testing/synctest). What can be real is:
//
//   - Requests are internal/replay's. They go as log records through the
//     attack_detection processor and the attack_metrics connector, and as spans
//     through the conntrack processor and the span_metrics connector.
//   - Connection tracking goes through the conntrack processor, which derives the
//     walls; the table's numbers are modelled, since no kernel plays along.
//   - host_stat and host_metrics read the machine that the test runs on. Their
//     names, units and attributes are kept; the values are modelled for four
//     nodes, since the machine's own stand still in fake time.
//   - container_log reads files that grow meanwhile.
//   - The collector's own telemetry is what these components and the collector's
//     helpers count while they run, a queue whose destination fails included;
//     what only a whole process has (CPU, memory, the store) is modelled.
//   - The configuration is told by config_reload, the ledger is published by its
//     own package; the books are modelled. What the reader of the cluster's events
//     and the scraper of pods say is modelled as well, under names that a test holds
//     against these components.
//   - Pages of cAdvisor, kube-state-metrics, the API server, CoreDNS, kube-proxy,
//     Karpenter and KEDA are templates in testdata/pages. They are written by
//     hand in those programs' format, not recorded; their numbers are modelled.
//     Prometheus' own parser reads them.
//
// [Proof.Ask] substitutes a query's variables as Grafana would and runs it.
package proof
