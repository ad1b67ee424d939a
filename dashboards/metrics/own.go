package metrics

// The collector's own telemetry, by job (vigie, vigie-agent, vigie-gateway) and
// instance. Queue metrics exist where an exporter has a sending queue, and
// failure counters from the first failure on. Upstream declares queues as
// {batch}; what they count is what the queue's sizer does: items in the shapes'
// own (to the gateways, AMP, X-Ray, other traces), bytes or requests elsewhere.
var (
	ReceiverAcceptedLogs    = own("receiver_accepted_log_records", "{record}", Counter, "receiver", "transport")
	ReceiverAcceptedMetrics = own("receiver_accepted_metric_points", "{datapoint}", Counter, "receiver", "transport")
	ReceiverAcceptedSpans   = own("receiver_accepted_spans", "{span}", Counter, "receiver", "transport")
	ReceiverRefusedLogs     = own("receiver_refused_log_records", "{record}", Counter, "receiver", "transport")
	ReceiverRefusedMetrics  = own("receiver_refused_metric_points", "{datapoint}", Counter, "receiver", "transport")
	ReceiverRefusedSpans    = own("receiver_refused_spans", "{span}", Counter, "receiver", "transport")
	ReceiverFailedLogs      = own("receiver_failed_log_records", "{record}", Counter, "receiver", "transport")
	ReceiverFailedMetrics   = own("receiver_failed_metric_points", "{datapoint}", Counter, "receiver", "transport")
	ReceiverFailedSpans     = own("receiver_failed_spans", "{span}", Counter, "receiver", "transport")
	ScraperScraped          = own("scraper_scraped_metric_points", "{datapoint}", Counter, "receiver", "scraper")
	ScraperErrored          = own("scraper_errored_metric_points", "{datapoint}", Counter, "receiver", "scraper")

	ProcessorIncoming      = own("processor_incoming_items", "{item}", Counter, "processor", "otel.signal")
	ProcessorOutgoing      = own("processor_outgoing_items", "{item}", Counter, "processor", "otel.signal")
	BatchSendSize          = own("processor_batch_batch_send_size", "{unit}", Histogram, "processor")
	MemoryAcceptedLogs     = own("processor_memory_limiter_accepted_log_records", "{record}", Counter, "processor")
	MemoryAcceptedMetrics  = own("processor_memory_limiter_accepted_metric_points", "{datapoint}", Counter, "processor")
	MemoryAcceptedSpans    = own("processor_memory_limiter_accepted_spans", "{span}", Counter, "processor")
	MemoryRefusedLogs      = own("processor_memory_limiter_refused_log_records", "{record}", Counter, "processor")
	MemoryRefusedMetrics   = own("processor_memory_limiter_refused_metric_points", "{datapoint}", Counter, "processor")
	MemoryRefusedSpans     = own("processor_memory_limiter_refused_spans", "{span}", Counter, "processor")
	ExporterSentLogs       = own("exporter_sent_log_records", "{record}", Counter, "exporter")
	ExporterSentMetrics    = own("exporter_sent_metric_points", "{datapoint}", Counter, "exporter")
	ExporterSentSpans      = own("exporter_sent_spans", "{span}", Counter, "exporter")
	ExporterFailedLogs     = own("exporter_send_failed_log_records", "{record}", Counter, "exporter")
	ExporterFailedMetrics  = own("exporter_send_failed_metric_points", "{datapoint}", Counter, "exporter")
	ExporterFailedSpans    = own("exporter_send_failed_spans", "{span}", Counter, "exporter")
	ExporterEnqueueLogs    = own("exporter_enqueue_failed_log_records", "{record}", Counter, "exporter", "data_type")
	ExporterEnqueueMetrics = own("exporter_enqueue_failed_metric_points", "{datapoint}", Counter, "exporter", "data_type")
	ExporterEnqueueSpans   = own("exporter_enqueue_failed_spans", "{span}", Counter, "exporter", "data_type")
	ExporterQueueSize      = own("exporter_queue_size", "{batch}", Gauge, "exporter", "data_type")
	ExporterQueueCapacity  = own("exporter_queue_capacity", "{batch}", Gauge, "exporter", "data_type")
	ExporterInFlight       = own("exporter_in_flight_requests", "{request}", UpDown, "exporter", "data_type")

	ProcessCPU    = own("process_cpu_seconds", "s", Counter)
	ProcessRSS    = own("process_memory_rss", "By", Gauge)
	ProcessHeap   = own("process_runtime_heap_alloc_bytes", "By", Gauge)
	ProcessUptime = own("process_uptime", "s", Counter)
)

// What Vigie's components count about themselves.
var (
	DetectionRequests  = component(Detector, "attack_detection_requests", "{request}", Counter, "source")
	DetectionLimited   = component(Detector, "attack_detection_limited", "{request}", Counter, "limit")
	DetectionMarked    = component(Detector, "attack_detection_marked", "{request}", Counter)
	DetectionUnread    = component(Detector, "attack_detection_unread", "{line}", Counter, "reason")
	DetectionServices  = component(Detector, "attack_detection_services", "{service}", Gauge)
	DetectionFindings  = component(Detector, "attack_detection_findings", "{finding}", Counter, "outcome")
	DetectionSummaries = component(Detector, "attack_detection_summaries", "{summary}", Counter, "outcome")
	DetectionRestarts  = component(Detector, "attack_detection_restarts", "{restart}", Counter)
	DetectionDoubled   = component(Detector, "attack_detection_spans_doubled", "{request}", Counter)

	AttackMetricsRefused   = component(AttackMetrics, "attack_metrics_refused", "{batch}", Counter)
	AttackMetricsServices  = component(AttackMetrics, "attack_metrics_services", "{service}", Gauge)
	AttackMetricsSummaries = component(AttackMetrics, "attack_metrics_summaries", "{summary}", Counter, "outcome")

	FlowRecords           = component(Conntrack, "conntrack_flow_records", "{record}", Counter, "outcome")
	NATFlows              = component(Conntrack, "conntrack_nat_flows", "{flow}", UpDown)
	NATEvicted            = component(Conntrack, "conntrack_nat_evicted", "{flow}", Counter)
	NATLookups            = component(Conntrack, "conntrack_nat_lookups", "{lookup}", Counter, "result")
	ConntrackFindings     = component(Conntrack, "conntrack_findings_sent", "{finding}", Counter)
	ConntrackFindingsLost = component(Conntrack, "conntrack_findings_dropped", "{finding}", Counter)
	ConntrackOverflow     = component(Conntrack, "conntrack_overflow", "{item}", Counter, "kind")
	MetricFamiliesSkipped = otel(WarRoom, "vigie.prombridge.families.skipped", "{family}", Counter)
	TargetInfo            = prom(Collector, "target_info", Gauge, "host_name", "service_version")
)

func own(name, unit string, kind Kind, attributes ...string) *Metric {
	return otel(Collector, "otelcol_"+name, unit, kind, attributes...)
}

func component(src Source, name, unit string, kind Kind, attributes ...string) *Metric {
	return otel(src, "otelcol_"+name, unit, kind, attributes...)
}
