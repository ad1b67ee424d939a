package headroom

// kind says how one sort of wall is read. Selectors are of raw series, without
// functions, so that their samples come as they were taken.
type kind struct {
	name, unit string
	// used or left is the series that moves, a selector; or share, an expression
	// whose limit is 1. The first of several that has samples counts.
	used, left []string
	share      []string
	// limit gives the limits, under the same key labels; empty where none is
	// told.
	limit []string
	// endless says what it means that none is told, of %d resources; empty where
	// that is a fault.
	endless string
	// lost are counters of what was refused, selectors.
	lost []string
	// eta is a series with the seconds that are left, by someone who saw each
	// sample.
	eta string
	// labels beyond job and instance that tell one resource from another.
	labels []string
	// shown are the labels whose values name the resource to a person, behind
	// the instance.
	shown []string
	// why it may be missing, and what to do.
	missing string
}

// Names as the store has them: the translation of those in internal/names and
// of hostmetrics. A test feeds the OpenTelemetry names and reads these.
var kinds = [...]kind{
	{
		name: "Connection tracking, kernel table", unit: "{entry}",
		used:    []string{"system_network_conntrack_usage", "system_network_conntrack_count"},
		limit:   []string{"system_network_conntrack_limit", "system_network_conntrack_max"},
		lost:    []string{"system_network_conntrack_packet_dropped_total", "system_network_conntrack_entry_early_dropped_total"},
		eta:     `system_network_conntrack_time_to_exhaustion_seconds{vigie_conntrack_wall="kernel"}`,
		missing: "no system.network.conntrack.usage and .limit: the conntrack receiver does not run, or the kernel has no nf_conntrack loaded",
	},
	{
		name: "Connection tracking, ENA allowance", unit: "{connection}",
		left:    []string{"aws_ena_conntrack_allowance_available"},
		lost:    []string{`aws_ena_allowance_exceeded_total{aws_ena_allowance="conntrack"}`},
		eta:     `system_network_conntrack_time_to_exhaustion_seconds{vigie_conntrack_wall="ena"}`,
		labels:  []string{"network_interface_name"},
		shown:   []string{"network_interface_name"},
		missing: "no aws.ena.conntrack.allowance.available: no ENA interface here, its driver is older than 2.8.1, or the ena receiver does not run",
	},
	{
		name: "ENA packet and bandwidth allowances", unit: "{packet}",
		lost:    []string{`aws_ena_allowance_exceeded_total{aws_ena_allowance!="conntrack"}`},
		labels:  []string{"network_interface_name", "aws_ena_allowance"},
		shown:   []string{"network_interface_name", "aws_ena_allowance"},
		missing: "no aws.ena.allowance.exceeded: no ENA interface here, or the ena receiver does not run",
	},
	{
		name: "Memory", unit: "By",
		left:    []string{"system_linux_memory_available_bytes"},
		limit:   []string{"system_memory_limit_bytes"},
		missing: "no system.linux.memory.available and system.memory.limit: enable both in the host_metrics memory scraper",
	},
	{
		name: "CPU", unit: "1",
		// Over a minute: a processor that is busy for seconds is no wall.
		share:   []string{`1 - sum by (job, instance) (rate(system_cpu_time_seconds_total{state="idle"}[1m])) / sum by (job, instance) (rate(system_cpu_time_seconds_total[1m]))`},
		missing: "no system.cpu.time: neither host_stat nor host_metrics' cpu scraper runs",
	},
	{
		name: "File descriptors, machine", unit: "{descriptor}",
		used:    []string{"system_linux_file_descriptor_usage", "node_filefd_allocated"},
		limit:   []string{"system_linux_file_descriptor_limit", `node_filefd_maximum < 2^62`},
		endless: "in use on %d without a limit: fs.file-max is off, as systemd sets it, and memory is what ends first",
		missing: "no system.linux.file_descriptor.usage: host_stat does not run, nor the node exporter",
	},
	{
		name: "Threads and processes", unit: "{thread}",
		used:    []string{"system_threads_count"},
		limit:   []string{"system_threads_limit"},
		missing: "no system.threads.count and .limit: host_stat does not run, or has them disabled",
	},
	{
		name: "File descriptors, process", unit: "{descriptor}",
		used:    []string{"process_open_fds"},
		limit:   []string{"process_max_fds"},
		missing: "no process_open_fds and process_max_fds: no program here exposes Prometheus' process metrics",
	},
	{
		name: "Disk", unit: "By",
		used:    []string{`system_filesystem_usage_bytes{state="used",mode!="ro"}`},
		limit:   []string{`sum by (job, instance, device) (max by (job, instance, device, state) (system_filesystem_usage_bytes{state=~"used|free",mode!="ro"}))`},
		labels:  []string{"device"},
		shown:   []string{"mountpoint"},
		missing: "no system.filesystem.usage: host_metrics' filesystem scraper does not run, or finds no disk of its own",
	},
	{
		name: "Disk, files (inodes)", unit: "{inode}",
		used:    []string{`system_filesystem_inodes_usage{state="used",mode!="ro"}`},
		limit:   []string{`sum by (job, instance, device) (max by (job, instance, device, state) (system_filesystem_inodes_usage{state=~"used|free",mode!="ro"})) > 0`},
		labels:  []string{"device"},
		shown:   []string{"mountpoint"},
		missing: "no system.filesystem.inodes.usage: host_metrics' filesystem scraper does not run, or the file systems have no fixed number of files",
	},
}
