package insights

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// field is something that is known of a node or pod.
type field uint

const (
	cpuUsage    field = iota // cores
	cpuLimit                 // cores; a node's capacity, the sum of a pod's limits
	cpuRequest               // cores
	cpuOfLimit               // 0–1, told as such
	cpuOfNode                // 0–1, told as such
	memUsage                 // By, working set
	memFree                  // By, a node's available
	memLimit                 // By
	memRequest               // By
	memOfLimit               // 0–1, told as such
	memOfNode                // 0–1, told as such
	fsUsage                  // By
	fsCapacity               // By
	rx                       // By/s
	tx                       // By/s
	runningPods              // of a node
	runningContainers
	restarts // since the scrape before
	limitedCPU
	limitedMem // containers that have a limit
	containers
	fields
)

// entity is a node, a pod or a service, with what is known of it.
type entity struct {
	node, instance         string
	namespace, name, owner string // of a pod; a service's name
	service                string
	running, finished      bool  // a pod's phase
	failing                uint8 // a node's conditions, a bit each

	// When kube-state-metrics last told of the node, the pod's phase, and what the
	// pod asks for. What is gone is not told of any more.
	listed, phased, asked pcommon.Timestamp

	value        [fields]float64
	known, fresh uint32
	at           pcommon.Timestamp // of the freshest value
	seen         time.Time
	kubelet      time.Time // when its figures came from the kubelet
}

// set takes a value in; add sums what comes in one batch.
func (e *entity) set(f field, v float64, at pcommon.Timestamp) {
	e.value[f] = v
	e.known |= 1 << f
	e.fresh |= 1 << f
	e.at = max(e.at, at)
}

func (e *entity) add(f field, v float64, at pcommon.Timestamp) {
	if e.isFresh(f) {
		v += e.value[f]
	}
	e.set(f, v, at)
}

func (e *entity) has(f field) bool     { return e.known&(1<<f) != 0 }
func (e *entity) isFresh(f field) bool { return e.fresh&(1<<f) != 0 }

// workload is the name that a pod's replicas share: its owner's where that is
// known, else the pod's without the suffix that a ReplicaSet or DaemonSet gives.
// A StatefulSet's pods keep their own.
func workload(owner, pod string) string {
	if owner != "" {
		return owner
	}
	head, tail, found := cutLast(pod)
	if !found || !generated(tail, 5, 5) {
		return pod
	}
	if h, hash, found := cutLast(head); found && generated(hash, 8, 10) {
		return h
	}
	return head
}

func cutLast(s string) (head, tail string, found bool) {
	i := strings.LastIndexByte(s, '-')
	if i <= 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// generated reports whether a suffix is made of the characters that Kubernetes
// makes names of: no vowels, so that no words come about, and few digits.
func generated(s string, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for i := range len(s) {
		if !strings.ContainsRune("bcdfghjklmnpqrstvwxz2456789", rune(s[i])) {
			return false
		}
	}
	return true
}

// ownerOf is the name that the owner of a given kind lends its pods.
func ownerOf(kind, owner, pod string) string {
	switch kind {
	case "ReplicaSet":
		if head, hash, found := cutLast(owner); found && generated(hash, 8, 10) {
			return head
		}
		return owner
	case "DaemonSet", "Job", "ReplicationController":
		return owner
	}
	return pod
}

// instanceOf is the EC2 instance in a provider id such as
// aws:///eu-west-3a/i-0123456789abcdef0.
func instanceOf(provider string) string {
	if id := provider[strings.LastIndexByte(provider, '/')+1:]; strings.HasPrefix(id, "i-") {
		return id
	}
	return ""
}
