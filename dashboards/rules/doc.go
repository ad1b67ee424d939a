// Package rules is Vigie's recording rules and alerts, written as Go and written
// out as Prometheus rule files.
//
// Nothing enters; [Files] gives the rules as values, [Write] gives them as one
// YAML file a domain, which Amazon Managed Prometheus' ruler and any Prometheus
// from 2.42 on read as they are. What an alert means to the person whom it wakes
// stands in the runbook of the same name, under dashboards/runbooks.
//
// # Labels
//
// Each aggregation keeps cluster, which the agent's exporter to AMP adds and a
// laptop does not have: without it the rules work the same.
//
// An alert has a severity (critical wakes somebody, warning is for working
// hours or the war room's second screen) and a kind, by which Alertmanager
// decides what an attack makes redundant (package alertmanager).
//
// # Thresholds
//
// Each threshold and each For is explained beside it. What a kick-off does
// (traffic 5.6 times as much within the hour, a table that climbs and levels,
// pods that wait for nodes for some minutes) must not fire anything; promtool
// runs that hour over all rules in the tests.
package rules
