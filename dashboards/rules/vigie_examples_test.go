package rules_test

import "time"

func vigieExamples() []example {
	const up = `otelcol_process_uptime_seconds_total{job="vigie-agent", instance="n1"} `
	const node = `job="vigie-agent", instance="n1"`
	const limited = `otelcol_attack_detection_limited_total{job="vigie-agent", instance="n1", limit="late"} `
	const judged = `otelcol_attack_detection_requests_total{job="vigie-agent", instance="n1", source="line"} `
	const exporter = `{job="vigie-agent", instance="n1", exporter="prometheus_remote_write"} `
	const receiver = `{job="vigie-agent", instance="n1", receiver="otlp", transport="grpc"} `
	const queue = `{job="vigie-agent", instance="n1", exporter="otlp_grpc/gateway", data_type="metrics"} `
	const dropped = `vigie_store_samples_dropped_total{job="vigie-gateway", instance="g1", reason=`
	const refused = `vigie_config_last_reload_successful_ratio{cluster="live", job="vigie-agent", `
	const hash = `vigie_config_hash_ratio{cluster="live", job="vigie-agent", `
	const book = node + `, vigie_ledger_signal="logs", vigie_ledger_to="otlp_grpc/gateway"`
	const leading = `vigie_k8s_events_leading_ratio{cluster="live", job="vigie-gateway", `
	minute := time.Minute
	all := []example{
		fires("VigieAbsent", "the agents stopped ten minutes ago", 20*minute, `job="vigie-agent"`, up+"0+30x20 _x40"),
		fires("VigieAbsent", "one cluster of two stopped", 20*minute, `cluster="live", job="vigie-gateway"`,
			`otelcol_process_uptime_seconds_total{cluster="live", job="vigie-gateway", instance="g1"} 0+30x20 _x40`,
			`otelcol_process_uptime_seconds_total{cluster="test", job="vigie-gateway", instance="g1"} 0+30x60`),
		fires("VigieAbsent", "nothing was ever there", 6*minute, "", `up{job="other"} 1+0x20`),
		silent("VigieAbsent", "a gap of seven minutes", 20*minute, up+"0+30x20 _x14 0+30x30"),
		silent("VigieAbsent", "one agent of two went with its node", 20*minute, up+"0+30x20 _x40",
			`otelcol_process_uptime_seconds_total{job="vigie-agent", instance="n2"} 0+30x60`),

		fires("VigieAgentsMissing", "one of two nodes has no agent", 14*minute, "", up+"0+30x60",
			`kube_node_info{node="n1"} 1+0x60`, `kube_node_info{node="n2"} 1+0x60`),
		silent("VigieAgentsMissing", "a new node's agent starts after five minutes", 14*minute, up+"0+30x60",
			`otelcol_process_uptime_seconds_total{job="vigie-agent", instance="n2"} _x10 0+30x50`,
			`kube_node_info{node="n1"} 1+0x60`, `kube_node_info{node="n2"} 1+0x60`),

		fires("VigieScrapeDown", "kube-state-metrics is away", 8*minute, `job="kube-state-metrics", instance="ksm:8080"`,
			`up{job="kube-state-metrics", instance="ksm:8080"} 1+0x2 0+0x20`),
		silent("VigieScrapeDown", "its pod moves", 8*minute, `up{job="kube-state-metrics", instance="ksm:8080"} 1+0x2 0+0x6 1+0x20`),

		fires("VigieCostBudget", "log events are left out", 12*minute, node+`, signal="logs"`,
			`vigie_cloudwatch_events_dropped_total{job="vigie-agent", instance="n1", vigie_cloudwatch_reason="budget"} 0+60x40`),
		fires("VigieCostBudget", "metrics are left out", 12*minute, node+`, signal="metrics"`,
			`vigie_cloudwatch_points_dropped_total{job="vigie-agent", instance="n1", vigie_cloudwatch_reason="budget"} 0+60x40`),
		silent("VigieCostBudget", "points make no metric for another reason", 12*minute,
			`vigie_cloudwatch_points_dropped_total{job="vigie-agent", instance="n1", vigie_cloudwatch_reason="unmatched"} 0+60x40`),

		silent("VigieCostBudget", "the last hour's was used up", 12*minute,
			`vigie_cloudwatch_events_dropped_total{job="vigie-agent", instance="n1", vigie_cloudwatch_reason="budget"} 900+0x40`,
			`vigie_cloudwatch_points_dropped_total{job="vigie-agent", instance="n1", vigie_cloudwatch_reason="budget"} 900+0x40`),

		silent("VigieScrapeDown", "a pod that asks to be scraped does not answer", 8*minute,
			`up{job="checkout", instance="10.0.16.9:9090", namespace="shop", pod="checkout-1", container="main"} 0+0x20`),

		fires("VigieRestarting", "four starts", 6*minute, node, up+"0 30 60 0 30 60 0 30 60 0 30 60 90"),
		silent("VigieRestarting", "a rollout and its correction", 6*minute, up+"0 30 60 0 30 60 0 30 60 90 120 150 180"),

		fires("VigieDetectorLimited", "a tenth comes too late", 12*minute, node+`, limit="late"`, limited+"0+300x60", judged+"0+3000x60"),
		silent("VigieDetectorLimited", "one in a hundred comes too late", 12*minute, limited+"0+30x60", judged+"0+3000x60"),

		fires("VigieQueueFull", "90 % for ten minutes", 10*minute, node+`, exporter="otlp_grpc/gateway", data_type="metrics"`,
			`otelcol_exporter_queue_size`+queue+"900+0x40", `otelcol_exporter_queue_capacity`+queue+"1000+0x40"),
		silent("VigieQueueFull", "a kick-off fills it for two minutes", 10*minute,
			`otelcol_exporter_queue_size`+queue+"100+0x10 900+0x4 100+0x40", `otelcol_exporter_queue_capacity`+queue+"1000+0x60"),

		fires("VigieLogsLagging", "a minute and a half behind", 5*minute, `instance="n1", k8s_namespace_name="shop"`,
			`vigie_logs_lag_time_seconds{instance="n1", k8s_namespace_name="shop"} 90+0x40`),
		silent("VigieLogsLagging", "a minute and a half behind, for a minute", 8*minute,
			`vigie_logs_lag_time_seconds{instance="n1", k8s_namespace_name="shop"} 1+0x4 90+0x1 1+0x20`),
		silent("VigieLogsLagging", "half a minute behind", 5*minute,
			`vigie_logs_lag_time_seconds{instance="n1", k8s_namespace_name="shop"} 30+0x40`),

		fires("VigieLogsLost", "records were given up", 5*minute, `instance="n1", vigie_logs_reason="gave_up"`,
			`vigie_logs_dropped_total{instance="n1", vigie_logs_reason="gave_up"} 0+0x4 5+0x40`),
		fires("VigieLogsLost", "a file went before it was read", 5*minute, `instance="n1"`,
			`vigie_logs_unreadable_bytes_total{instance="n1"} 0+0x4 4096+0x40`),
		silent("VigieLogsLost", "that was before", 12*minute, `vigie_logs_dropped_total{instance="n1", vigie_logs_reason="gave_up"} 5+0x40`, `vigie_logs_unreadable_bytes_total{instance="n1"} 4096+0x40`),

		fires("VigieFindingsLost", "a finding was dropped", 4*minute, node, `otelcol_conntrack_findings_dropped_total{job="vigie-agent", instance="n1"} 0+0x4 1+0x40`),
		silent("VigieFindingsLost", "none was", 4*minute, `otelcol_conntrack_findings_dropped_total{job="vigie-agent", instance="n1"} 0+0x40`),

		fires("VigieConfigRefused", "one agent of two runs the configuration before", 10*minute, `cluster="live", job="vigie-agent"`,
			refused+`instance="n1"} 1+0x4 0+0x40`, refused+`instance="n2"} 1+0x40`),
		silent("VigieConfigRefused", "it was mended after three minutes", 20*minute, refused+`instance="n1"} 1+0x4 0+0x5 1+0x40`),

		fires("VigieConfigsDiffer", "a rollout stopped at the first node", 75*minute, `cluster="live", job="vigie-agent"`,
			hash+`instance="n1"} 281474976710655+0x160`, hash+`instance="n2"} 281474976710654+0x160`, hash+`instance="n3"} 281474976710654+0x160`),
		silent("VigieConfigsDiffer", "a rollout of half an hour", 120*minute,
			hash+`instance="n1"} 7+0x20 8+0x240`, hash+`instance="n2"} 7+0x80 8+0x180`),
		silent("VigieConfigsDiffer", "agents and gateways, and two clusters, have different ones", 75*minute, hash+`instance="n1"} 7+0x160`,
			`vigie_config_hash_ratio{cluster="live", job="vigie-gateway", instance="g1"} 8+0x160`,
			`vigie_config_hash_ratio{cluster="test", job="vigie-agent", instance="n1"} 9+0x160`),

		fires("VigieLedgerOff", "twelve records are nowhere", 8*minute, book, `vigie_ledger_off{`+book+`} 0+0x4 12+0x40`),
		fires("VigieLedgerOff", "more was sent than read", 8*minute, book, `vigie_ledger_off{`+book+`} 0+0x4 -12+0x40`),
		silent("VigieLedgerOff", "it comes out even", 12*minute, `vigie_ledger_off{`+book+`} 0+0x40`),
		silent("VigieLedgerOff", "one report in a minute of moving", 12*minute, `vigie_ledger_off{`+book+`} 0+0x4 12+0x1 0+0x40`),

		fires("VigieNoEventsLeader", "both gateways say that they do not lead", 12*minute, `cluster="live"`,
			leading+`instance="g1"} 1+0x4 0+0x40`, leading+`instance="g2"} 0+0x44`),
		fires("VigieNoEventsLeader", "the one that led is gone, and the other one may not", 14*minute, `cluster="live"`,
			leading+`instance="g1"} 1+0x4 _x40`, leading+`instance="g2"} 0+0x44`),
		silent("VigieNoEventsLeader", "the Lease changes hands", 15*minute, leading+`instance="g1"} 1+0x4 0+0x40`, leading+`instance="g2"} 0+0x6 1+0x40`),
		silent("VigieNoEventsLeader", "no gateway reads events", 15*minute, `otelcol_process_uptime_seconds_total{job="vigie-gateway", instance="g1"} 0+30x40`),

		fires("VigieStoreDiskFull", "writing has stopped", 2*minute, `job="vigie-gateway", instance="g1"`, `vigie_store_disk_full{job="vigie-gateway", instance="g1"} 1+0x10`),
		silent("VigieStoreDiskFull", "it has not", 2*minute, `vigie_store_disk_full{job="vigie-gateway", instance="g1"} 0+0x10`),

		fires("VigieSamplesDropped", "a clock is ahead", 12*minute, `job="vigie-gateway", instance="g1", reason="future"`, dropped+`"future"} 0+60x40`),
		silent("VigieSamplesDropped", "retries repeat samples", 12*minute, dropped+`"duplicate_timestamp"} 0+6000x40`, dropped+`"future"} 3+0x40`),

		fires("VigieCardinalityCut", "a metric has too many series", 12*minute, `job="vigie-gateway", instance="g1", reason="metric_series_limit", where="store"`, dropped+`"metric_series_limit"} 0+60x40`),
		fires("VigieCardinalityCut", "the guard cuts a metric", 12*minute,
			node+`, where="remote_write", vigie_series_guard_metric="http_requests", vigie_series_guard_reason="metric_limit"`,
			`vigie_series_guard_points_cut_total{job="vigie-agent", instance="n1", vigie_series_guard_metric="http_requests", vigie_series_guard_reason="metric_limit"} 0+60x40`),
		silent("VigieCardinalityCut", "it had, long ago", 12*minute, dropped+`"metric_series_limit"} 900+0x40`,
			`vigie_series_guard_points_cut_total{job="vigie-agent", instance="n1", vigie_series_guard_metric="http_requests", vigie_series_guard_reason="metric_limit"} 900+0x40`),
	}
	for signal, name := range map[string]string{"metrics": "metric_points", "logs": "log_records", "traces": "spans"} {
		lost := `job="vigie-agent", exporter="prometheus_remote_write", signal="` + signal + `"`
		all = append(all,
			fires("VigieDataLost", signal+" are given up", 10*minute, lost, "otelcol_exporter_send_failed_"+name+"_total"+exporter+"0+30x40"),
			fires("VigieDataLost", signal+" find no room in the queue", 10*minute, lost, "otelcol_exporter_enqueue_failed_"+name+"_total"+exporter+"0+30x40"),
			silent("VigieDataLost", "one batch of "+signal+" is given up", 10*minute, "otelcol_exporter_send_failed_"+name+"_total"+exporter+"0+0x4 8192+0x40"),
			silent("VigieDataLost", signal+" were given up in the morning", 10*minute, "otelcol_exporter_send_failed_"+name+"_total"+exporter+"500+0x40", "otelcol_exporter_enqueue_failed_"+name+"_total"+exporter+"500+0x40"),
			fires("VigieRefusing", signal+" are refused", 12*minute, `job="vigie-agent", receiver="otlp", signal="`+signal+`"`, "otelcol_receiver_refused_"+name+"_total"+receiver+"0+30x40"),
			silent("VigieRefusing", signal+" were refused once", 12*minute, "otelcol_receiver_refused_"+name+"_total"+receiver+"0+0x4 30+0x40"),
			silent("VigieRefusing", signal+" were refused in the morning", 12*minute, "otelcol_receiver_refused_"+name+"_total"+receiver+"500+0x40"),
		)
	}
	return all
}
