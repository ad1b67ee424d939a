package metrics

// What the prometheus receiver says of each target.
var (
	Up             = prom(Scrape, "up", Gauge)
	ScrapeDuration = prom(Scrape, "scrape_duration_seconds", Gauge)
	ScrapeSamples  = prom(Scrape, "scrape_samples_scraped", Gauge)
)

// Volumes, by kubelet_stats; its resource attributes copied onto the points.
var (
	VolumeAvailable = otel(KubeletStats, "k8s.volume.available", "By", Gauge, volume...)
	VolumeCapacity  = otel(KubeletStats, "k8s.volume.capacity", "By", Gauge, volume...)
	VolumeInodes    = otel(KubeletStats, "k8s.volume.inodes", "1", Gauge, volume...)
	VolumeFree      = otel(KubeletStats, "k8s.volume.inodes.free", "1", Gauge, volume...)
)

var volume = []string{"k8s.namespace.name", "k8s.node.name", "k8s.persistentvolumeclaim.name", "k8s.pod.name", "k8s.pod.uid", "k8s.volume.name", "k8s.volume.type"}

// Containers, by the kubelet's cAdvisor; instance is the node. Network is counted
// by pod, all else by container; "" is the pod's own cgroup, POD its pause
// container.
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
	return append([]string{"container", "id", "image", "name", "namespace", "pod"}, more...)
}
