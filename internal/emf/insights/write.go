package insights

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// writer makes the outgoing metrics: a resource for each node, so that each has
// its log stream.
type writer struct {
	md        pmetric.Metrics
	cluster   string
	resources map[string]pmetric.MetricSlice
}

func (w *writer) gauge(node, name, unit string, at pcommon.Timestamp, v float64, labels ...string) {
	metrics, ok := w.resources[node]
	if !ok {
		rm := w.md.ResourceMetrics().AppendEmpty()
		for _, l := range [][2]string{{clusterName, w.cluster}, {"k8s.cluster.name", w.cluster}, {nodeName, node}, {"k8s.node.name", node}} {
			if l[1] != "" {
				rm.Resource().Attributes().PutStr(l[0], l[1])
			}
		}
		metrics = rm.ScopeMetrics().AppendEmpty().Metrics()
		w.resources[node] = metrics
	}
	m := metrics.AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(at)
	p.SetDoubleValue(v)
	for i := 0; i < len(labels); i += 2 {
		if labels[i+1] != "" {
			p.Attributes().PutStr(labels[i], labels[i+1])
		}
	}
}

const (
	percent   = "%"
	perSecond = "By/s"
	bytes     = "By"
	count     = "{count}"
	millicore = ""
)

// write writes what is fresh of an entity.
func (m *Mapper) write(w *writer, e *entity) {
	switch {
	case e.fresh == 0:
	case e.name != "":
		m.writePod(w, e)
	case e.service != "":
		if e.isFresh(runningPods) {
			w.gauge("", "service_number_of_running_pods", count, e.at, e.value[runningPods], kind, "ClusterService", service, e.service, namespace, e.namespace)
		}
	default:
		m.writeNode(w, e)
	}
}

// memoryOf is a node's memory: told, or what is used with what is not.
func (e *entity) memoryOf() float64 {
	switch {
	case e.has(memLimit):
		return e.value[memLimit]
	case e.has(memUsage) && e.has(memFree):
		return e.value[memUsage] + e.value[memFree]
	}
	return 0
}

func (m *Mapper) writeNode(w *writer, e *entity) {
	put := func(name, unit string, v float64) {
		w.gauge(e.node, name, unit, e.at, v, kind, "Node", nodeName, e.node, instanceID, e.instance)
	}
	if cores := e.value[cpuLimit]; e.isFresh(cpuUsage) {
		put("node_cpu_usage_total", millicore, e.value[cpuUsage]*1000)
		if cores > 0 {
			put("node_cpu_limit", millicore, cores*1000)
			put("node_cpu_utilization", percent, e.value[cpuUsage]/cores*100)
		}
	}
	if memory := e.memoryOf(); e.isFresh(memUsage) {
		put("node_memory_working_set", bytes, e.value[memUsage])
		if memory > 0 {
			put("node_memory_limit", bytes, memory)
			put("node_memory_utilization", percent, e.value[memUsage]/memory*100)
		}
	}
	if capacity := e.value[fsCapacity]; e.isFresh(fsUsage) && capacity > 0 {
		put("node_filesystem_utilization", percent, e.value[fsUsage]/capacity*100)
	}
	if e.isFresh(rx) || e.isFresh(tx) {
		put("node_network_total_bytes", perSecond, e.value[rx]+e.value[tx])
	}
	if e.isFresh(runningPods) {
		put("node_number_of_running_pods", count, e.value[runningPods])
	}
	if e.isFresh(runningContainers) {
		put("node_number_of_running_containers", count, e.value[runningContainers])
	}
}

func (m *Mapper) writePod(w *writer, e *entity) {
	put := func(name, unit string, v float64) {
		w.gauge(e.node, name, unit, e.at, v, kind, "Pod", podName, workload(e.owner, e.name), fullPodName, e.name,
			namespace, e.namespace, service, e.service, nodeName, e.node)
	}
	cores, memory := 0.0, 0.0
	if n := m.nodes[e.node]; n != nil {
		cores, memory = n.value[cpuLimit], n.memoryOf()
	}
	share := func(name string, told, used, of field, limited field, whole float64) {
		switch {
		case told < fields && e.isFresh(told):
			put(name, percent, e.value[told]*100)
		case told < fields && e.has(told):
			// Told beside, in a batch of its own.
		case e.isFresh(used) && whole > 0:
			put(name, percent, e.value[used]/whole*100)
		case of < fields && e.isFresh(used) && e.value[of] > 0 && e.allLimited(limited):
			put(name, percent, e.value[used]/e.value[of]*100)
		}
	}
	share("pod_cpu_utilization", cpuOfNode, cpuUsage, fields, 0, cores)
	share("pod_memory_utilization", memOfNode, memUsage, fields, 0, memory)
	share("pod_cpu_utilization_over_pod_limit", cpuOfLimit, cpuUsage, cpuLimit, limitedCPU, 0)
	share("pod_memory_utilization_over_pod_limit", memOfLimit, memUsage, memLimit, limitedMem, 0)
	share("pod_cpu_reserved_capacity", fields, cpuRequest, fields, 0, cores)
	share("pod_memory_reserved_capacity", fields, memRequest, fields, 0, memory)
	if e.isFresh(rx) {
		put("pod_network_rx_bytes", perSecond, e.value[rx])
	}
	if e.isFresh(tx) {
		put("pod_network_tx_bytes", perSecond, e.value[tx])
	}
	if e.isFresh(restarts) {
		put("pod_number_of_container_restarts", count, e.value[restarts])
	}
}

// allLimited reports whether each container of a pod has a limit: without, the
// pod has none.
func (e *entity) allLimited(f field) bool {
	return !e.has(containers) || e.value[f] >= e.value[containers]
}

// writeCluster writes what is counted over all, once a scrape of
// kube-state-metrics, however many batches it comes in.
func (m *Mapper) writeCluster(w *writer) {
	if m.census > m.censused {
		m.writeCensus(w, m.censused)
		m.censused = m.census
	}
	if m.requests > m.requested {
		m.writeReserved(w, m.requested)
		m.requested = m.requests
	}
}

// writeCensus counts what was told of in this scrape or, where a part of this one
// is still to come, in the one before.
func (m *Mapper) writeCensus(w *writer, before pcommon.Timestamp) {
	nodes, failed, running := 0, 0, 0
	for _, n := range m.nodes {
		if n.listed > 0 && n.listed >= before {
			nodes++
			if n.failing != 0 {
				failed++
			}
		}
	}
	byNamespace := map[string]int{}
	for _, p := range m.pods {
		if p.running && p.phased >= before {
			running++
			byNamespace[p.namespace]++
		}
	}
	put := func(name string, v int) { w.gauge("", name, count, m.census, float64(v), kind, "Cluster") }
	if nodes > 0 {
		put("cluster_node_count", nodes)
		put("cluster_failed_node_count", failed)
	}
	if running > 0 {
		put("cluster_number_of_running_pods", running)
	}
	for ns, n := range byNamespace {
		w.gauge("", "namespace_number_of_running_pods", count, m.census, float64(n), kind, "ClusterNamespace", namespace, ns)
	}
}

// writeReserved writes what the pods of each node ask for.
func (m *Mapper) writeReserved(w *writer, before pcommon.Timestamp) {
	type sum struct{ cpu, memory float64 }
	asked := map[string]sum{}
	for _, p := range m.pods {
		if p.node != "" && !p.finished && p.asked > 0 && p.asked >= before {
			s := asked[p.node]
			asked[p.node] = sum{s.cpu + p.value[cpuRequest], s.memory + p.value[memRequest]}
		}
	}
	for name, s := range asked {
		n := m.nodes[name]
		if n == nil {
			continue
		}
		put := func(metric string, v float64) {
			w.gauge(name, metric, percent, m.requests, v, kind, "Node", nodeName, name, instanceID, n.instance)
		}
		if cores := n.value[cpuLimit]; cores > 0 {
			put("node_cpu_reserved_capacity", s.cpu/cores*100)
		}
		if memory := n.memoryOf(); memory > 0 {
			put("node_memory_reserved_capacity", s.memory/memory*100)
		}
	}
}
