package warroomexporter

import (
	"fmt"
	"regexp"
	"strconv"
)

// plotsOf are the charts of a scope, from the sources that this house's
// configurations read: the detector, spans, the kubelet's stats, cAdvisor,
// kube-state-metrics, the host's own metrics, and a process' own.
func plotsOf(s scope, t target, window string) []plot {
	switch s.kind {
	case services:
		return servicePlots(s.name, t, window)
	case nodes:
		return nodePlots(s.name, t, window)
	default:
		return podPlots(t, window)
	}
}

func podPlots(t target, window string) []plot {
	kube := "not measured: an agent on the node brings it (kubelet_stats, or cAdvisor)"
	limit := func(resource string) line {
		return line{"limit", fmt.Sprintf(`sum(kube_pod_container_resource_limits{%s})`, join(t.state, "resource="+strconv.Quote(resource)))}
	}
	return []plot{
		{"CPU", []way{
			{"{cpu}", []line{{"used", fmt.Sprintf(`sum(k8s_pod_cpu_usage{%s})`, t.kubelet)}, limit("cpu")}},
			{"{cpu}", []line{{"used", fmt.Sprintf(`sum(rate(container_cpu_usage_seconds_total{%s}[%s]))`, t.container(), window)}, limit("cpu")}},
		}, kube},
		{"Memory", []way{
			{"By", []line{{"working set", fmt.Sprintf(`sum(k8s_pod_memory_working_set_bytes{%s})`, t.kubelet)}, limit("memory")}},
			{"By", []line{{"working set", fmt.Sprintf(`sum(container_memory_working_set_bytes{%s})`, t.container())}, limit("memory")}},
		}, kube},
		restartPlot(t),
		podNetwork(t, window, kube),
		podErrors(t, window),
	}
}

func restartPlot(t target) plot {
	return plot{
		"Restarts", []way{{"{restart}", []line{{"in all", `sum(` + t.restarts(`kube_pod_container_status_restarts_total{%s}`) + `)`}}}},
		"not measured: kube-state-metrics brings them (kube_pod_container_status_restarts_total)",
	}
}

func podNetwork(t target, window, missing string) plot {
	kubelet := func(direction string) string {
		return fmt.Sprintf(`sum(rate(k8s_pod_network_io_bytes_total{%s}[%s]))`, join(t.kubelet, "direction="+strconv.Quote(direction)), window)
	}
	cadvisor := func(direction string) string {
		return fmt.Sprintf(`sum(rate(container_network_%s_bytes_total{%s}[%s]))`, direction, t.cadvisor, window)
	}
	return plot{"Network", []way{
		{"By/s", []line{{"in", kubelet("receive")}, {"out", kubelet("transmit")}}},
		{"By/s", []line{{"in", cadvisor("receive")}, {"out", cadvisor("transmit")}}},
	}, missing}
}

func podErrors(t target, window string) plot {
	return plot{"Errors", []way{
		{"{error}/s", []line{
			{"packets lost", fmt.Sprintf(`sum(rate(container_network_receive_packets_dropped_total{%[1]s}[%[2]s])) + sum(rate(container_network_transmit_packets_dropped_total{%[1]s}[%[2]s]))`, t.cadvisor, window)},
			{"killed for memory", fmt.Sprintf(`sum(rate(container_oom_events_total{%s}[%s]))`, t.container(), window)},
		}},
		{"{error}/s", []line{{"network", fmt.Sprintf(`sum(rate(k8s_pod_network_errors_total{%s}[%s]))`, t.kubelet, window)}}},
	}, "not measured: cAdvisor brings lost packets and kills for want of memory"}
}

func nodePlots(name string, t target, window string) []plot {
	host := "instance=" + strconv.Quote(name)
	rate := func(metric, more string) string {
		return fmt.Sprintf(`sum(rate(%s{%s}[%s]))`, metric, join(host, more), window)
	}
	missing := "not measured: the host's own metrics bring it (host_stat and host_metrics, or the kubelet's stats)"
	return []plot{
		{"CPU", []way{
			{"1", []line{{"busy", "1 - " + rate("system_cpu_time_seconds_total", `state="idle"`) + " / " + rate("system_cpu_time_seconds_total", "")}}},
			{"{cpu}", []line{
				{"used", fmt.Sprintf(`sum(k8s_node_cpu_usage{%s})`, t.kubelet)},
				{"allocatable", fmt.Sprintf(`sum(kube_node_status_allocatable{%s})`, join(t.state, `resource="cpu"`))},
			}},
		}, missing},
		{"Memory", []way{
			{"By", []line{
				{"used", fmt.Sprintf(`sum(system_memory_limit_bytes{%[1]s}) - sum(system_linux_memory_available_bytes{%[1]s})`, host)},
				{"limit", fmt.Sprintf(`sum(system_memory_limit_bytes{%s})`, host)},
			}},
			{"By", []line{
				{"working set", fmt.Sprintf(`sum(k8s_node_memory_working_set_bytes{%s})`, t.kubelet)},
				{"allocatable", fmt.Sprintf(`sum(kube_node_status_allocatable{%s})`, join(t.state, `resource="memory"`))},
			}},
		}, missing},
		restartPlot(t),
		{"Network", []way{
			{"By/s", []line{{"in", rate("system_network_io_bytes_total", `direction="receive",device!="lo"`)}, {"out", rate("system_network_io_bytes_total", `direction="transmit",device!="lo"`)}}},
			{"By/s", []line{
				{"in", fmt.Sprintf(`sum(rate(k8s_node_network_io_bytes_total{%s}[%s]))`, join(t.kubelet, `direction="receive"`), window)},
				{"out", fmt.Sprintf(`sum(rate(k8s_node_network_io_bytes_total{%s}[%s]))`, join(t.kubelet, `direction="transmit"`), window)},
			}},
		}, missing},
		{"Errors", []way{{"{error}/s", []line{
			{"packets lost", rate("system_network_dropped_total", "") + " + " + rate("system_network_errors_total", "")},
			{"refused by conntrack", rate("system_network_conntrack_packet_dropped_total", "")},
		}}}, missing},
	}
}

// servicePlots: a service's processor, memory and network are those of the pods in
// which it was seen, else what its process says of itself.
func servicePlots(name string, t target, window string) []plot {
	of := "service_name=" + strconv.Quote(name)
	// job is service.namespace/service.name, or the name alone.
	job := "job=~" + strconv.Quote("(.+/)?"+regexp.QuoteMeta(name))
	rate := func(metric, matchers string) string {
		return fmt.Sprintf(`sum(rate(%s{%s}[%s]))`, metric, matchers, window)
	}
	const served, bad = `span_kind="SPAN_KIND_SERVER"`, `http_response_status_code=~"[45].."`
	const calls = "traces_span_metrics_calls_total"
	quantile := func(q, metric, matchers string) string {
		return fmt.Sprintf(`histogram_quantile(%s, sum by (le) (rate(%s{%s}[%s])))`, q, metric, matchers, window)
	}
	none := func(p plot, ways ...way) plot {
		if t.none { // no pod of it is known
			p.ways = nil
		}
		p.ways = append(p.ways, ways...)
		p.missing = "not measured: no pod is known to run it (records with k8s.pod.name), and its process says nothing of itself"
		return p
	}
	pods := podPlots(t, window)
	return []plot{
		{"Requests", []way{
			{"{request}/s", []line{{"all", rate("vigie_traffic_requests_total", of)}, {"expected", fmt.Sprintf(`sum(vigie_traffic_expected_rate_per_second{%s})`, of)}}},
			{"{request}/s", []line{{"all", rate(calls, of+","+served)}}},
			{"{request}/s", []line{{"all", rate(calls, job+","+served)}}},
		}, "not measured: requests that the detector judges bring them, or spans of servers"},
		{"Errors", []way{
			{"1", []line{{"share of 4xx and 5xx", rate("vigie_traffic_errors_total", of) + " / " + rate("vigie_traffic_requests_total", of)}}},
			{"1", []line{{"share of 4xx and 5xx", "(" + rate(calls, of+","+served+","+bad) + " or vector(0)) / " + rate(calls, of+","+served)}}},
			{"1", []line{{"share of 4xx and 5xx", "(" + rate(calls, job+","+served+","+bad) + " or vector(0)) / " + rate(calls, job+","+served)}}},
		}, ""},
		{"Answer time", []way{
			{"s", []line{{"p50", quantile("0.5", "http_server_request_duration_seconds_bucket", job)}, {"p99", quantile("0.99", "http_server_request_duration_seconds_bucket", job)}}},
			{"s", []line{{"p50", quantile("0.5", "traces_span_metrics_duration_seconds_bucket", of+","+served)}, {"p99", quantile("0.99", "traces_span_metrics_duration_seconds_bucket", of+","+served)}}},
		}, "not measured: a histogram http.server.request.duration brings it, or spans of servers"},
		none(pods[0],
			way{"{cpu}", []line{{"used", rate("process_cpu_seconds_total", job)}}},
			way{"{cpu}", []line{{"used", rate("process_cpu_time_seconds_total", job)}}},
			way{"{cpu}", []line{{"used", rate("otelcol_process_cpu_seconds_total", job)}}}),
		none(pods[1],
			way{"By", []line{{"resident", fmt.Sprintf(`sum(process_resident_memory_bytes{%s})`, job)}}},
			way{"By", []line{{"resident", fmt.Sprintf(`sum(process_memory_usage_bytes{%s})`, job)}}},
			way{"By", []line{{"resident", fmt.Sprintf(`sum(otelcol_process_memory_rss_bytes{%s})`, job)}}}),
		none(pods[2]),
		none(pods[3]),
	}
}
