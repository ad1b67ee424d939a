package metrics

// What the prometheus receiver says of each target. Only what pod_scrape scrapes,
// pods that asked for it, has a namespace here.
var (
	Up             = prom(Scrape, "up", Gauge, "container", "namespace", "pod")
	ScrapeDuration = prom(Scrape, "scrape_duration_seconds", Gauge)
	ScrapeSamples  = prom(Scrape, "scrape_samples_scraped", Gauge)
)

// Volumes, by the kubelet's own page; node is the node.
var (
	VolumeAvailable  = prom(Kubelet, "kubelet_volume_stats_available_bytes", Gauge, volume...)
	VolumeCapacity   = prom(Kubelet, "kubelet_volume_stats_capacity_bytes", Gauge, volume...)
	VolumeInodesFree = prom(Kubelet, "kubelet_volume_stats_inodes_free", Gauge, volume...)
	VolumeInodes     = prom(Kubelet, "kubelet_volume_stats_inodes", Gauge, volume...)
	KubeletPods      = prom(Kubelet, "kubelet_running_pods", Gauge, "node")
)

var volume = []string{"namespace", "node", "persistentvolumeclaim"}

// Containers, by the kubelet's cAdvisor; node is the node. Network is counted by
// pod, all else by container; "" is the pod's own cgroup, POD its pause container.
// The configuration drops id, image and name.
var (
	ContainerCPU              = prom(CAdvisor, "container_cpu_usage_seconds_total", Counter, container("cpu")...)
	ContainerThrottledPeriods = prom(CAdvisor, "container_cpu_cfs_throttled_periods_total", Counter, container()...)
	ContainerPeriods          = prom(CAdvisor, "container_cpu_cfs_periods_total", Counter, container()...)
	ContainerThrottledSeconds = prom(CAdvisor, "container_cpu_cfs_throttled_seconds_total", Counter, container()...)
	ContainerMemory           = prom(CAdvisor, "container_memory_working_set_bytes", Gauge, container()...)
	ContainerRSS              = prom(CAdvisor, "container_memory_rss", Gauge, container()...)
	ContainerOOM              = prom(CAdvisor, "container_oom_events_total", Counter, container()...)
	ContainerReceive          = prom(CAdvisor, "container_network_receive_bytes_total", Counter, container("interface")...)
	ContainerTransmit         = prom(CAdvisor, "container_network_transmit_bytes_total", Counter, container("interface")...)
	ContainerReceiveDropped   = prom(CAdvisor, "container_network_receive_packets_dropped_total", Counter, container("interface")...)
	ContainerTransmitDropped  = prom(CAdvisor, "container_network_transmit_packets_dropped_total", Counter, container("interface")...)
	ContainerFSReads          = prom(CAdvisor, "container_fs_reads_bytes_total", Counter, container("device")...)
	ContainerFSWrites         = prom(CAdvisor, "container_fs_writes_bytes_total", Counter, container("device")...)
)

func container(more ...string) []string {
	return append([]string{"container", "namespace", "node", "pod"}, more...)
}
