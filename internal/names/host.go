package names

// Limits of a Linux host that neither the semantic conventions nor host_metrics
// name. Sums that are not monotonic; .limit has the unit of what it bounds.
const (
	HostFileDescriptorUsage = "system.linux.file_descriptor.usage" // {file_descriptor}
	HostFileDescriptorLimit = "system.linux.file_descriptor.limit" // {file_descriptor}, absent where there is none
	HostThreads             = "system.threads.count"               // {thread}
	HostThreadLimit         = "system.threads.limit"               // {thread}
)
