package rules

import (
	"fmt"
	"time"
)

// nodeFile: the machines.
func nodeFile() File {
	return File{Name: "node", Groups: []Group{{
		Name: "vigie-node", Interval: steady,
		Alerts: []Alert{
			nodeCPU(), nodeMemory(), nodeDiskFull(), nodeDiskFills(),
			limitNear("file descriptors", descriptors, descriptorLimit), limitNear("threads", threads, threadLimit),
			nodeNotReady(), nodePressure(),
		},
	}}}
}

// nodeCPU: 90 % for a quarter of an hour. A kick-off may well take a node there
// for minutes, and then the autoscaler helps; after 15 minutes it did not. Idle
// and waiting for a disk are not work.
func nodeCPU() Alert {
	all := sumRate(cpuTime, 5*time.Minute, instance)
	idle := sumRate(sel(cpuTime, like("state", "idle|wait")), 5*time.Minute, instance)
	return Alert{
		Name:     "NodeCPUHigh",
		Expr:     fmt.Sprintf("1 - %s / %s > 0.9", idle, all),
		For:      15 * time.Minute,
		Severity: Warning, Kind: KindSymptom,
		Summary:     "{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its CPU",
		Description: "The CPU of {{ $labels.instance }} has been over 90 % for 15 minutes (now {{ $value | humanizePercentage }}). Pods without a request are starved first, then probes time out.",
		Dashboard:   uidNodes,
	}
}

// nodeMemory: 8 % is what the kubelet (100 Mi) and the kernel need to breathe on
// an 8 GiB node; below it page cache goes and latency with it, then the kernel
// kills. Five minutes let a garbage collection or a rollout pass.
func nodeMemory() Alert {
	return Alert{
		Name:     "NodeMemoryLow",
		Expr:     by("min", memFree, instance) + " / " + by("min", memLimit, instance) + " < 0.08",
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindSymptom,
		Summary:     "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its memory left",
		Description: "Available memory on {{ $labels.instance }} has been under 8 % for 5 minutes (now {{ $value | humanizePercentage }}). Next the kubelet evicts, or the kernel kills.",
		Dashboard:   uidNodes,
	}
}

// nodeDiskFull: the kubelet starts to evict at 85–90 % of nodefs and imagefs;
// at 93 % its collection of images did not help.
func nodeDiskFull() Alert {
	return Alert{
		Name:     "NodeDiskFull",
		Expr:     by("max", diskShare, instance, mountpoint) + " > 0.93",
		For:      5 * time.Minute,
		Severity: Critical, Kind: KindFault,
		Summary:     "{{ $labels.mountpoint }} on {{ $labels.instance }} is {{ $value | humanizePercentage }} full",
		Description: "{{ $labels.mountpoint }} on {{ $labels.instance }} is {{ $value | humanizePercentage }} full: pods are evicted, logs and queues on disk stop.",
		Dashboard:   uidNodes,
	}
}

// nodeDiskFills: full within four hours at the slope of the last hour, which is
// an event from the doors to the end, and already over 60 %: a new node that
// pulls its images is on a steep line too. A quarter of an hour keeps out the
// burst of a single pull or a rotation.
func nodeDiskFills() Alert {
	free := sel(diskUsage, is("state", "free"))
	return Alert{
		Name: "NodeDiskFillsSoon",
		Expr: lines(
			by("min", fmt.Sprintf("predict_linear(%s[1h], 4 * 3600)", free), instance, mountpoint)+" < 0",
			"and",
			by("max", diskShare, instance, mountpoint)+" > 0.6",
		),
		For:      15 * time.Minute,
		Severity: Warning, Kind: KindFault,
		Summary:     "{{ $labels.mountpoint }} on {{ $labels.instance }} will be full within four hours",
		Description: "At the slope of the last hour {{ $labels.mountpoint }} on {{ $labels.instance }} lacks {{ $value | humanize1024 }}B in four hours.",
		Dashboard:   uidNodes,
	}
}

// limitNear: 80 % of a limit of the whole host, at which nothing slows down
// first: accept and fork just fail. Two minutes, for it is reached in a straight
// line by connections that nobody closes.
func limitNear(what, usage, limit string) Alert {
	return Alert{
		Name:     "NodeLimitNear",
		Expr:     by("max", usage, instance) + " / " + by("max", limit, instance) + " > 0.8",
		For:      2 * time.Minute,
		Severity: Warning, Kind: KindWall,
		Labels:      map[string]string{"limit": what},
		Summary:     "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its {{ $labels.limit }} in use",
		Description: "{{ $value | humanizePercentage }} of the {{ $labels.limit }} that the kernel of {{ $labels.instance }} allows are in use. At the limit new connections and processes fail at once.",
		Dashboard:   uidNodes,
	}
}

// nodeNotReady: the control plane itself waits 40 s before it says NotReady, and
// evicts after five minutes; three are in between. A node that the autoscaler
// takes away leaves the list within that.
func nodeNotReady() Alert {
	return Alert{
		Name:     "NodeNotReady",
		Expr:     by("max", sel(kubeNodeCondition, is("condition", "Ready"), is("status", "true")), "node") + " == 0",
		For:      3 * time.Minute,
		Severity: Critical, Kind: KindFault,
		Summary:     "{{ $labels.node }} is not ready",
		Description: "{{ $labels.node }} has not been ready for 3 minutes. Its pods get no new traffic and are evicted after 5.",
		Dashboard:   uidNodes,
	}
}

// nodePressure: the kubelet already has a delay (5 minutes to clear), so two
// evaluations are enough.
func nodePressure() Alert {
	return Alert{
		Name:     "NodePressure",
		Expr:     by("max", sel(kubeNodeCondition, like("condition", ".+Pressure"), is("status", "true")), "node", "condition") + " == 1",
		For:      2 * time.Minute,
		Severity: Warning, Kind: KindFault,
		Summary:     "{{ $labels.node }} reports {{ $labels.condition }}",
		Description: "{{ $labels.node }} reports {{ $labels.condition }}: the kubelet takes no new pods there and evicts old ones.",
		Dashboard:   uidNodes,
	}
}
