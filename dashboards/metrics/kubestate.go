package metrics

// The cluster's objects, by kube-state-metrics.
var (
	NodeInfo        = state("kube_node_info", "node", "kernel_version", "os_image", "container_runtime_version", "kubelet_version", "kubeproxy_version", "provider_id", "pod_cidr", "system_uuid", "internal_ip")
	NodeCondition   = state("kube_node_status_condition", "node", "condition", "status") // 1 on the status that holds
	NodeAllocatable = state("kube_node_status_allocatable", "node", "resource", "unit")
	NodeCapacity    = state("kube_node_status_capacity", "node", "resource", "unit")
	NodeUnscheduled = state("kube_node_spec_unschedulable", "node")
	NodeTaint       = state("kube_node_spec_taint", "node", "key", "value", "effect")
	NodeCreated     = state("kube_node_created", "node")

	PodInfo       = state("kube_pod_info", "namespace", "pod", "uid", "node", "host_ip", "pod_ip", "created_by_kind", "created_by_name", "host_network", "priority_class")
	PodPhase      = state("kube_pod_status_phase", "namespace", "pod", "uid", "phase")
	PodReady      = state("kube_pod_status_ready", "namespace", "pod", "uid", "condition")
	PodReason     = state("kube_pod_status_reason", "namespace", "pod", "uid", "reason")
	PodOwner      = state("kube_pod_owner", "namespace", "pod", "uid", "owner_kind", "owner_name", "owner_is_controller")
	PodRestarts   = prom(KubeState, "kube_pod_container_status_restarts_total", Counter, "namespace", "pod", "uid", "container")
	PodWaiting    = state("kube_pod_container_status_waiting_reason", "namespace", "pod", "uid", "container", "reason")
	PodTerminated = state("kube_pod_container_status_last_terminated_reason", "namespace", "pod", "uid", "container", "reason")
	PodRequests   = state("kube_pod_container_resource_requests", "namespace", "pod", "uid", "container", "node", "resource", "unit")
	PodLimits     = state("kube_pod_container_resource_limits", "namespace", "pod", "uid", "container", "node", "resource", "unit")

	DeploymentReplicas    = state("kube_deployment_spec_replicas", "namespace", "deployment")
	DeploymentAvailable   = state("kube_deployment_status_replicas_available", "namespace", "deployment")
	DeploymentUnavailable = state("kube_deployment_status_replicas_unavailable", "namespace", "deployment")
	DeploymentUpdated     = state("kube_deployment_status_replicas_updated", "namespace", "deployment")
	DeploymentGeneration  = state("kube_deployment_metadata_generation", "namespace", "deployment")
	DeploymentObserved    = state("kube_deployment_status_observed_generation", "namespace", "deployment")
	ReplicaSetOwner       = state("kube_replicaset_owner", "namespace", "replicaset", "owner_kind", "owner_name", "owner_is_controller")
	StatefulSetReplicas   = state("kube_statefulset_replicas", "namespace", "statefulset")
	StatefulSetReady      = state("kube_statefulset_status_replicas_ready", "namespace", "statefulset")
	DaemonSetDesired      = state("kube_daemonset_status_desired_number_scheduled", "namespace", "daemonset")
	DaemonSetReady        = state("kube_daemonset_status_number_ready", "namespace", "daemonset")
	JobFailed             = state("kube_job_status_failed", "namespace", "job_name", "reason")

	HPACurrent   = state("kube_horizontalpodautoscaler_status_current_replicas", "namespace", "horizontalpodautoscaler")
	HPADesired   = state("kube_horizontalpodautoscaler_status_desired_replicas", "namespace", "horizontalpodautoscaler")
	HPAMin       = state("kube_horizontalpodautoscaler_spec_min_replicas", "namespace", "horizontalpodautoscaler")
	HPAMax       = state("kube_horizontalpodautoscaler_spec_max_replicas", "namespace", "horizontalpodautoscaler")
	HPACondition = state("kube_horizontalpodautoscaler_status_condition", "namespace", "horizontalpodautoscaler", "condition", "status")

	ClaimPhase    = state("kube_persistentvolumeclaim_status_phase", "namespace", "persistentvolumeclaim", "phase")
	NamespaceInfo = state("kube_namespace_status_phase", "namespace", "phase")
	ServiceInfo   = state("kube_service_info", "namespace", "service", "uid", "cluster_ip", "external_name", "load_balancer_ip")
	IngressInfo   = state("kube_ingress_info", "namespace", "ingress", "ingressclass")
)

func state(name string, labels ...string) *Metric { return prom(KubeState, name, Gauge, labels...) }
