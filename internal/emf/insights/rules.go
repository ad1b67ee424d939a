package insights

import "github.com/vigie-otel/vigie/internal/emf"

// Namespace of the metrics.
const Namespace = "ContainerInsights"

// Dimensions.
const (
	clusterName = "ClusterName"
	nodeName    = "NodeName"
	instanceID  = "InstanceId"
	namespace   = "Namespace"
	podName     = "PodName" // the workload's; replicas share it
	service     = "Service"
	// Properties: in the document, but no dimension.
	kind        = "Type"
	fullPodName = "FullPodName"
)

// Rules are the sets of dimensions that Container Insights has for each metric.
func Rules() []emf.Rule {
	cluster := []string{clusterName}
	node := [][]string{{nodeName, instanceID, clusterName}, cluster}
	pod := []string{podName, namespace, clusterName}
	pods := [][]string{pod, cluster, {service, namespace, clusterName}, {namespace, clusterName}}
	return []emf.Rule{
		{Metrics: []string{"node_cpu_usage_total", "node_cpu_limit", "node_memory_working_set", "node_memory_limit", "cluster_*"}, Dimensions: [][]string{cluster}},
		{Metrics: []string{"node_*"}, Dimensions: node},
		{Metrics: []string{"pod_cpu_reserved_capacity", "pod_memory_reserved_capacity"}, Dimensions: [][]string{pod, cluster}},
		{Metrics: []string{"pod_number_of_container_restarts"}, Dimensions: [][]string{pod}},
		{Metrics: []string{"pod_*"}, Dimensions: pods},
		{Metrics: []string{"service_*"}, Dimensions: [][]string{{service, namespace, clusterName}, cluster}},
		{Metrics: []string{"namespace_*"}, Dimensions: [][]string{{namespace, clusterName}, cluster}},
	}
}

// Properties are written beside the dimensions.
func Properties() []string { return []string{kind, fullPodName, nodeName} }
