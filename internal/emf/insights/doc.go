// Package insights makes of Kubernetes metrics what CloudWatch's Container
// Insights shows: its namespace, names, units and dimensions.
//
// What enters is pdata metrics as the kubelet_stats receiver gives them
// (k8s.node.*, k8s.pod.*), as cAdvisor and the kubelet expose them to Prometheus
// (container_*, machine_*, kubelet_running_*), and as kube-state-metrics does
// (kube_*). What leaves is pdata gauges under Container Insights' names, whose
// attributes are its dimensions; Rules says how they are put together. Other
// metrics are counted.
//
// Most of those names are quotients of what arrives in different scrapes, or
// differences over time, so a Mapper remembers nodes, pods and counters, bounded
// in number; what was not heard of for some minutes is forgotten. A value is
// written when what it measures arrives, with what is known of limits and
// capacities by then. It has no clock: time comes in with the call.
//
// Where the kubelet's own figures arrive for a node or pod, cAdvisor's are left
// aside. A node's number of CPUs is in neither; it comes from machine_cpu_cores,
// kube_node_status_capacity, host_metrics' system.cpu.logical.count, or the Options.
//
// Sources: "Amazon EKS and Kubernetes Container Insights metrics" and "Relevant
// fields in performance log events for Amazon EKS and Kubernetes" in the
// CloudWatch user guide, for names, dimensions and formulas.
package insights
