package insights

import "strings"

// sources are the metrics that are understood, by name.
var sources = map[string]func(*Mapper, point){
	// The kubelet's own, through the kubelet_stats receiver.
	"k8s.node.cpu.usage":               ofNode(cpuUsage, kubelet),
	"k8s.node.memory.working_set":      ofNode(memUsage, kubelet),
	"k8s.node.memory.available":        ofNode(memFree, kubelet),
	"k8s.node.filesystem.usage":        ofNode(fsUsage, kubelet),
	"k8s.node.filesystem.capacity":     ofNode(fsCapacity, kubelet),
	"k8s.node.network.io":              (*Mapper).nodeNetwork,
	"k8s.node.allocatable_cpu":         ofNode(cpuLimit, other),
	"k8s.pod.cpu.usage":                ofPod(cpuUsage),
	"k8s.pod.cpu.node.utilization":     ofPod(cpuOfNode),
	"k8s.pod.cpu_limit_utilization":    ofPod(cpuOfLimit),
	"k8s.pod.memory.working_set":       ofPod(memUsage),
	"k8s.pod.memory.node.utilization":  ofPod(memOfNode),
	"k8s.pod.memory_limit_utilization": ofPod(memOfLimit),
	"k8s.pod.network.io":               (*Mapper).podNetwork,

	// The host_metrics receiver, where it runs on the node.
	"system.cpu.logical.count": ofNode(cpuLimit, other),

	// The kubelet and its cAdvisor, through Prometheus.
	"container_cpu_usage_seconds_total":      rate(cpuUsage, cpuUsage),
	"container_network_receive_bytes_total":  rate(rx, rx),
	"container_network_transmit_bytes_total": rate(tx, tx),
	"container_memory_working_set_bytes":     level(memUsage),
	"container_fs_usage_bytes":               rootLevel(fsUsage),
	"container_fs_limit_bytes":               rootLevel(fsCapacity),
	"machine_cpu_cores":                      ofNode(cpuLimit, other),
	"machine_memory_bytes":                   ofNode(memLimit, other),
	"kubelet_running_pods":                   ofNode(runningPods, other),
	"kubelet_running_containers":             (*Mapper).runningContainers,

	// kube-state-metrics.
	"kube_node_info":                           (*Mapper).nodeInfo,
	"kube_node_status_condition":               (*Mapper).nodeCondition,
	"kube_node_status_capacity":                (*Mapper).nodeCapacity,
	"kube_pod_info":                            (*Mapper).podInfo,
	"kube_pod_status_phase":                    (*Mapper).podPhase,
	"kube_pod_container_info":                  (*Mapper).podContainer,
	"kube_pod_container_resource_requests":     (*Mapper).podRequest,
	"kube_pod_container_resource_limits":       (*Mapper).podLimit,
	"kube_pod_container_status_restarts_total": (*Mapper).podRestarts,
	"kube_endpoint_address":                    (*Mapper).endpointAddress,
	"kube_endpoint_address_available":          (*Mapper).endpointsAvailable,
}

// from says whose figure a node's is.
type from bool

const (
	kubelet from = true
	other   from = false
)

func ofNode(f field, whose from) func(*Mapper, point) {
	return func(m *Mapper, p point) {
		if e := m.node(p); e != nil {
			if whose == kubelet {
				e.kubelet = m.now
			}
			e.set(f, p.value(), p.Timestamp())
		}
	}
}

func ofPod(f field) func(*Mapper, point) {
	return func(m *Mapper, p point) {
		if e := m.pod(p); e != nil {
			e.kubelet = m.now
			e.set(f, p.value(), p.Timestamp())
		}
	}
}

func (m *Mapper) nodeNetwork(p point) {
	if e := m.node(p); e != nil {
		e.kubelet = m.now
		m.network(e, p)
	}
}

func (m *Mapper) podNetwork(p point) {
	if e := m.pod(p); e != nil {
		e.kubelet = m.now
		m.network(e, p)
	}
}

func (m *Mapper) network(e *entity, p point) {
	by, seconds, ok := m.increase(p)
	if !ok {
		return
	}
	f := tx
	if p.label("direction", "network.io.direction") == "receive" {
		f = rx
	}
	e.add(f, by/seconds, p.Timestamp())
}

// cadvisor is what a cgroup's metric is of: the node for the root, the pod for a
// pod's own group; containers are in those sums already. nil for the rest, and
// where the kubelet tells.
func (m *Mapper) cadvisor(p point) *entity {
	var e *entity
	switch {
	case p.label("id") == "/":
		e = m.node(p)
	case p.label("pod") != "" && (p.label("container") == "" || p.label("container") == "POD" && strings.HasPrefix(p.name, "container_network_")):
		e = m.pod(p)
	}
	if e == nil || !e.kubelet.IsZero() && m.now.Sub(e.kubelet) < forgotten {
		return nil
	}
	return e
}

func rate(ofNode, ofPod field) func(*Mapper, point) {
	return func(m *Mapper, p point) {
		e := m.cadvisor(p)
		if e == nil {
			return
		}
		if by, seconds, ok := m.increase(p); ok {
			f := ofPod
			if e.name == "" {
				f = ofNode
			}
			e.add(f, by/seconds, p.Timestamp())
		}
	}
}

func level(f field) func(*Mapper, point) {
	return func(m *Mapper, p point) {
		if e := m.cadvisor(p); e != nil {
			e.set(f, p.value(), p.Timestamp())
		}
	}
}

// rootLevel sums a node's devices.
func rootLevel(f field) func(*Mapper, point) {
	return func(m *Mapper, p point) {
		if p.label("id") != "/" {
			return
		}
		if e := m.cadvisor(p); e != nil {
			e.add(f, p.value(), p.Timestamp())
		}
	}
}

func (m *Mapper) runningContainers(p point) {
	if state := p.label("container_state"); state != "" && state != "running" {
		return
	}
	if e := m.node(p); e != nil {
		e.set(runningContainers, p.value(), p.Timestamp())
	}
}

// kubeNode is the node that kube-state-metrics speaks of: its label, not where it
// runs itself.
func (m *Mapper) kubeNode(p point) *entity {
	name := ""
	if v, ok := p.Attributes().Get("node"); ok {
		name = v.AsString()
	}
	e := m.nodes[name]
	if e == nil {
		if name == "" || len(m.nodes) >= m.o.Limit {
			m.ignored++
			return nil
		}
		e = &entity{node: name}
		m.nodes[name] = e
	}
	m.touch(e)
	return e
}

// kubePod is the pod that kube-state-metrics speaks of.
func (m *Mapper) kubePod(p point) *entity {
	var key podKey
	if v, ok := p.Attributes().Get("namespace"); ok {
		key.namespace = v.AsString()
	}
	if v, ok := p.Attributes().Get("pod"); ok {
		key.name = v.AsString()
	}
	e := m.pods[key]
	if e == nil {
		if key.name == "" || len(m.pods) >= m.o.Limit {
			m.ignored++
			return nil
		}
		e = &entity{namespace: key.namespace, name: key.name}
		m.pods[key] = e
	}
	if v, ok := p.Attributes().Get("node"); ok && v.AsString() != "" {
		e.node = v.AsString()
	}
	m.touch(e)
	return e
}

func (m *Mapper) nodeInfo(p point) {
	if e := m.kubeNode(p); e != nil {
		e.listed = p.Timestamp()
		if id := instanceOf(p.label("provider_id")); id != "" {
			e.instance = id
		}
		m.census = max(m.census, p.Timestamp())
	}
}

// conditions that a node may have; others share the last bit.
var conditions = map[string]uint8{"Ready": 1, "MemoryPressure": 2, "DiskPressure": 4, "PIDPressure": 8, "NetworkUnavailable": 16}

func (m *Mapper) nodeCondition(p point) {
	e := m.kubeNode(p)
	if e == nil || p.value() != 1 {
		return
	}
	bit, known := conditions[p.label("condition")]
	if !known {
		bit = 32
	}
	if healthy := map[bool]string{true: "true", false: "false"}[bit == 1]; p.label("status") == healthy {
		e.failing &^= bit
	} else if bit == 1 || p.label("status") == "true" {
		e.failing |= bit
	}
}

func (m *Mapper) nodeCapacity(p point) {
	e := m.kubeNode(p)
	if e == nil {
		return
	}
	switch p.label("resource") {
	case "cpu":
		e.set(cpuLimit, p.value(), p.Timestamp())
	case "memory":
		e.set(memLimit, p.value(), p.Timestamp())
	}
}

func (m *Mapper) podInfo(p point) {
	if e := m.kubePod(p); e != nil {
		e.owner = ownerOf(p.label("created_by_kind"), p.label("created_by_name"), e.name)
	}
}

func (m *Mapper) podPhase(p point) {
	e := m.kubePod(p)
	if e == nil {
		return
	}
	switch on := p.value() == 1; p.label("phase") {
	case "Running":
		e.running = on
	case "Succeeded", "Failed":
		if on {
			e.finished = true
		}
	}
	e.phased = p.Timestamp()
	m.census = max(m.census, p.Timestamp())
}

func (m *Mapper) podContainer(p point) {
	if e := m.kubePod(p); e != nil {
		e.add(containers, 1, p.Timestamp())
	}
}

func (m *Mapper) podRequest(p point) {
	e := m.kubePod(p)
	if e == nil {
		return
	}
	switch p.label("resource") {
	case "cpu":
		e.add(cpuRequest, p.value(), p.Timestamp())
	case "memory":
		e.add(memRequest, p.value(), p.Timestamp())
	}
	e.asked = p.Timestamp()
	m.requests = max(m.requests, p.Timestamp())
}

func (m *Mapper) podLimit(p point) {
	e := m.kubePod(p)
	if e == nil {
		return
	}
	switch p.label("resource") {
	case "cpu":
		e.add(cpuLimit, p.value(), p.Timestamp())
		e.add(limitedCPU, 1, p.Timestamp())
	case "memory":
		e.add(memLimit, p.value(), p.Timestamp())
		e.add(limitedMem, 1, p.Timestamp())
	}
}

func (m *Mapper) podRestarts(p point) {
	if e := m.kubePod(p); e != nil {
		if by, _, ok := m.increase(p); ok {
			e.add(restarts, by, p.Timestamp())
		}
	}
}

func (m *Mapper) endpointAddress(p point) {
	if p.label("ready") == "false" || p.value() == 0 {
		return
	}
	if e := m.service(p, p.label("endpoint")); e != nil {
		e.add(runningPods, 1, p.Timestamp())
	}
}

func (m *Mapper) endpointsAvailable(p point) {
	if e := m.service(p, p.label("endpoint")); e != nil {
		e.set(runningPods, p.value(), p.Timestamp())
	}
}
