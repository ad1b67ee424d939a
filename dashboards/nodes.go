package dashboards

import (
	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

// Nodes is the machines.
func Nodes() p.Dashboard {
	return page("vigie-nodes", "Nodes",
		"Which machine runs out of what: processor, memory, disk, network, sockets.",
		[]p.Row{
			{Panels: []p.Panel{nodeCPUBar(6, 7), nodeMemoryBar(6, 7), nodeDiskBar(6, 7), nodeTableBar(6, 7)}},
			{Title: "Processor", Panels: []p.Panel{nodeCPU(8, 8), nodeCPUStates(8, 8), nodeLoad(8, 8)}},
			{Title: "Memory", Panels: []p.Panel{nodeMemory(8, 7), nodeMemoryStates(8, 7), nodePaging(8, 7)}},
			{Title: "Network", Panels: []p.Panel{nodeNetwork(8, 8), nodeNetworkLoss(8, 8), nodeSockets(8, 8)}},
			{Title: "Disk", Panels: []p.Panel{nodeDiskIO(8, 7), nodeDiskBusy(8, 7), nodeInodes(8, 7)}},
			{Title: "Processes", Panels: []p.Panel{nodeProcesses(8, 6), nodeThreads(8, 6), nodeUptime(8, 6)}},
		}, node())
}

func bar(title, description, unit string, w, h int, thresholds []p.Threshold, expr, legend string) p.Panel {
	return p.Panel{Kind: p.Bars, Title: title, Description: description, W: w, H: h, Unit: unit, Min: p.P(0.0), Max: p.P(1.0), Decimals: p.P(0),
		Thresholds: thresholds, Queries: []p.Query{now(expr, legend)}}
}

func line(title, description, unit string, w, h int, queries ...p.Query) p.Panel {
	return p.Panel{Kind: p.Series, Title: title, Description: description, W: w, H: h, Unit: unit, Fill: 8, Queries: queries}
}

func stack(title, description, unit string, w, h int, queries ...p.Query) p.Panel {
	q := line(title, description, unit, w, h, queries...)
	q.Stack = true
	return q
}

func nodeCPUBar(w, h int) p.Panel {
	return bar("Processor", "Share of each node's processors that is busy. Over 90 %: requests wait. See which pod on Workloads.", "percentunit", w, h, bad(0.75, 0.9), top(8, cpuBusy(ofNode)), "{{instance}}")
}

func nodeMemoryBar(w, h int) p.Panel {
	return bar("Memory", "Share of memory that can't be had any more. Over 90 % the kubelet begins to evict pods.", "percentunit", w, h, bad(0.8, 0.9),
		top(8, "1 - "+sel(metrics.MemoryAvailable, ofNode)+" / "+sel(metrics.MemoryLimit, ofNode)), "{{instance}}")
}

func nodeDiskBar(w, h int) p.Panel {
	return bar("Disk", "The fullest file system of each node. Over 85 % the kubelet removes images, then evicts pods.", "percentunit", w, h, bad(0.75, 0.85),
		top(8, over("max", "instance, mountpoint", sel(metrics.FilesystemUtilization, ofNode))), "{{instance}} {{mountpoint}}")
}

func nodeTableBar(w, h int) p.Panel {
	q := conntrackFull(w, h)
	q.Title, q.Links = "Connection table", []p.Link{to("Conntrack and ENA headroom", "vigie-conntrack")}
	return q
}

func nodeCPU(w, h int) p.Panel {
	q := line("Processor busy", "Share of each node's processors that is busy. All nodes up together is load; one alone is one pod, or one interrupt.", "percentunit", w, h, ask(cpuBusy(ofNode), "{{instance}}"))
	q.Min, q.Max = p.P(0.0), p.P(1.0)
	return q
}

func nodeCPUStates(w, h int) p.Panel {
	return stack("What processors do", "Processors by what they do. Much softirq: packets, look at Network. Much steal: the instance type's credits or a noisy host. Much wait: disks.", "short", w, h,
		ask(sum("state", rate(metrics.CPUTime, ofNode, isnt("state", "idle"))), "{{state}}"))
}

func nodeLoad(w, h int) p.Panel {
	return line("Load a processor", "Processes that run or wait, a processor, over five minutes. Above 1: there is a queue.", "short", w, h,
		ask(over("max", metrics.Instance, sel(metrics.Load5, ofNode))+" / "+over("count", metrics.Instance, sel(metrics.CPUTime, ofNode, is("state", "idle"))), "{{instance}}"))
}

func nodeMemory(w, h int) p.Panel {
	return line("Memory that can be had", "What the kernel could give without swapping, by node. Falling in a straight line is a leak: see which pod on Workloads.", "bytes", w, h,
		ask(sel(metrics.MemoryAvailable, ofNode), "{{instance}}"))
}

func nodeMemoryStates(w, h int) p.Panel {
	return stack("What memory is for", "Memory of all nodes by use. cached and buffered are given back when needed.", "bytes", w, h,
		ask(sum("state", sel(metrics.MemoryUsage, ofNode)), "{{state}}"))
}

func nodePaging(w, h int) p.Panel {
	return line("Major page faults", "Pages a second that had to come from disk. A burst is a start; a steady rate is too little memory.", "ops", w, h,
		ask(sum(metrics.Instance, rate(metrics.PagingFaults, ofNode, is("type", "major"))), "{{instance}}"))
}

const physical = `device!~"lo|veth.*|eni.*|cni.*|docker.*|dummy.*|ifb.*|kube.*|nodelocal.*"`

func nodeNetwork(w, h int) p.Panel {
	return line("Network", "Bytes a second in and out, by node. Flat at the top is the instance's bandwidth: see the allowances on Conntrack and ENA.", "Bps", w, h,
		ask(sum("instance, direction", rate(metrics.NetworkIO, ofNode, physical)), "{{instance}} {{direction}}"))
}

func nodeNetworkLoss(w, h int) p.Panel {
	return line("Packets dropped or broken", "Packets a second that the interface dropped or found broken. Dropped on receive: the node can't keep up with interrupts.", "pps", w, h,
		ask(sum("instance, direction", rate(metrics.NetworkDropped, ofNode, physical)), "{{instance}} {{direction}} dropped"),
		ask(sum("instance, direction", rate(metrics.NetworkErrors, ofNode, physical)), "{{instance}} {{direction}} broken"))
}

func nodeSockets(w, h int) p.Panel {
	return stack("TCP sockets by state", "Sockets of the nodes' own network (not the pods'). Many CLOSE_WAIT: a program that does not close. Many SYN_RECV: half-open.", "short", w, h,
		ask(sum("state", sel(metrics.NetworkConnections, ofNode, is("protocol", "tcp"))), "{{state}}"))
}

func nodeDiskIO(w, h int) p.Panel {
	return line("Disk traffic", "Bytes a second read and written, by node. gp3 volumes give 125 MB/s unless more is paid for.", "Bps", w, h,
		ask(sum("instance, direction", rate(metrics.DiskIO, ofNode)), "{{instance}} {{direction}}"))
}

func nodeDiskBusy(w, h int) p.Panel {
	q := line("Disk busy", "Share of the time in which a disk had something to do. Near 100 % for minutes: logs or images compete with the program.", "percentunit", w, h,
		ask(over("max", metrics.Instance, rate(metrics.DiskIOTime, ofNode)), "{{instance}}"))
	q.Min, q.Max = p.P(0.0), p.P(1.0)
	return q
}

func nodeInodes(w, h int) p.Panel {
	used := over("max", "instance, mountpoint", sel(metrics.FilesystemInodes, ofNode, is("state", "used")))
	free := over("max", "instance, mountpoint", sel(metrics.FilesystemInodes, ofNode, is("state", "free")))
	q := line("Files of the possible", "Share of a file system's inodes that is in use. At 100 % no file can be made though there is room.", "percentunit", w, h,
		ask(used+" / ("+used+" + "+free+")", "{{instance}} {{mountpoint}}"))
	q.Min, q.Max = p.P(0.0), p.P(1.0)
	return q
}

func nodeProcesses(w, h int) p.Panel {
	return stack("Processes by state", "Processes of all nodes. Many blocked: they wait for disks.", "short", w, h,
		ask(sum("status", sel(metrics.ProcessesCount, ofNode)), "{{status}}"))
}

func nodeThreads(w, h int) p.Panel {
	q := line("Threads and open files, of the limit", "Threads and open files of each node, of what its kernel allows. One node that runs away from the others has a program that leaks them.", "percentunit", w, h,
		ask(sel(metrics.Threads, ofNode)+" / "+sel(metrics.ThreadLimit, ofNode), "{{instance}} threads"),
		when(ask(sel(metrics.Descriptors, ofNode)+" / "+sel(metrics.DescriptorLimit, ofNode), "{{instance}} files"), "the kernel may have no limit of open files"))
	q.Min = p.P(0.0)
	return q
}

func nodeUptime(w, h int) p.Panel {
	return p.Panel{Kind: p.Bars, Title: "Up for", W: w, H: h, Unit: "dtdurations", Thresholds: []p.Threshold{{Color: p.Orange}, {From: 3600, Color: p.Sky}},
		Description: "Time since each node booted. Under an hour during an event: the autoscaler made it, or it crashed.",
		Queries:     []p.Query{now("bottomk(8, "+sel(metrics.Uptime, ofNode)+")", "{{instance}}")}}
}
