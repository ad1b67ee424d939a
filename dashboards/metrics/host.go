package metrics

import "github.com/vigie-otel/vigie/internal/names"

// The node itself: host_metrics and host_stat, by instance.
var (
	CPUTime            = otel(HostStat, "system.cpu.time", "s", Counter, "cpu", "state")
	NetworkConnections = otel(HostStat, "system.network.connections", "{connections}", UpDown, "protocol", "state")
	Threads            = otel(HostStat, names.HostThreads, "{thread}", UpDown)
	ThreadLimit        = otel(HostStat, names.HostThreadLimit, "{thread}", UpDown)
	Descriptors        = otel(HostStat, names.HostFileDescriptorUsage, "{file_descriptor}", UpDown)
	DescriptorLimit    = otel(HostStat, names.HostFileDescriptorLimit, "{file_descriptor}", UpDown)

	Load1  = otel(HostMetrics, "system.cpu.load_average.1m", "{thread}", Gauge)
	Load5  = otel(HostMetrics, "system.cpu.load_average.5m", "{thread}", Gauge)
	Load15 = otel(HostMetrics, "system.cpu.load_average.15m", "{thread}", Gauge)

	MemoryUsage       = otel(HostMetrics, "system.memory.usage", "By", UpDown, "state")
	MemoryUtilization = otel(HostMetrics, "system.memory.utilization", "1", Gauge, "state")
	MemoryLimit       = otel(HostMetrics, "system.memory.limit", "By", UpDown)
	MemoryAvailable   = otel(HostMetrics, "system.linux.memory.available", "By", UpDown)

	DiskIO            = otel(HostMetrics, "system.disk.io", "By", Counter, "device", "direction")
	DiskIOTime        = otel(HostMetrics, "system.disk.io_time", "s", Counter, "device")
	DiskOperations    = otel(HostMetrics, "system.disk.operations", "{operations}", Counter, "device", "direction")
	DiskOperationTime = otel(HostMetrics, "system.disk.operation_time", "s", Counter, "device", "direction")
	DiskPending       = otel(HostMetrics, "system.disk.pending_operations", "{operations}", UpDown, "device")

	FilesystemUsage       = otel(HostMetrics, "system.filesystem.usage", "By", UpDown, "device", "mode", "mountpoint", "type", "state")
	FilesystemInodes      = otel(HostMetrics, "system.filesystem.inodes.usage", "{inodes}", UpDown, "device", "mode", "mountpoint", "type", "state")
	FilesystemUtilization = otel(HostMetrics, "system.filesystem.utilization", "1", Gauge, "device", "mode", "mountpoint", "type")

	NetworkIO      = otel(HostMetrics, "system.network.io", "By", Counter, "device", "direction")
	NetworkPackets = otel(HostMetrics, "system.network.packets", "{packets}", Counter, "device", "direction")
	NetworkErrors  = otel(HostMetrics, "system.network.errors", "{errors}", Counter, "device", "direction")
	NetworkDropped = otel(HostMetrics, "system.network.dropped", "{packets}", Counter, "device", "direction")

	PagingOperations = otel(HostMetrics, "system.paging.operations", "{operations}", Counter, "direction", "type")
	PagingFaults     = otel(HostMetrics, "system.paging.faults", "{faults}", Counter, "type")
	PagingUsage      = otel(HostMetrics, "system.paging.usage", "By", UpDown, "device", "state")

	ProcessesCount   = otel(HostMetrics, "system.processes.count", "{processes}", UpDown, "status")
	ProcessesCreated = otel(HostMetrics, "system.processes.created", "{processes}", Counter)
	Uptime           = otel(HostMetrics, "system.uptime", "s", Gauge)
)
