package metrics

// The API server, as the control plane of EKS exposes it on /metrics. A counter
// that is not called …_total there is on its way through OpenTelemetry.
var (
	APIRequests = prom(APIServer, "apiserver_request_total", Counter, "verb", "group", "version", "resource", "subresource", "scope", "component", "code", "dry_run")
	APIDuration = prom(APIServer, "apiserver_request_duration_seconds", Histogram, "verb", "group", "version", "resource", "subresource", "scope", "component", "dry_run")
	APIInflight = prom(APIServer, "apiserver_current_inflight_requests", Gauge, "request_kind")
	APIQueued   = prom(APIServer, "apiserver_flowcontrol_current_inqueue_requests", Gauge, "flow_schema", "priority_level")
	APIRejected = prom(APIServer, "apiserver_flowcontrol_rejected_requests_total", Counter, "flow_schema", "priority_level", "reason")
	APIWebhooks = otel(APIServer, "apiserver_admission_webhook_rejection_count", "", Counter, "name", "type", "operation", "error_type", "rejection_code")
	APIObjects  = prom(APIServer, "apiserver_storage_objects", Gauge, "resource")
)

// CoreDNS. Look-ups that it forwards have had this name since its version 1.11.
var (
	DNSRequests  = prom(CoreDNS, "coredns_dns_requests_total", Counter, "pod", "server", "zone", "view", "proto", "family", "type")
	DNSResponses = prom(CoreDNS, "coredns_dns_responses_total", Counter, "pod", "server", "zone", "view", "rcode", "plugin")
	DNSDuration  = prom(CoreDNS, "coredns_dns_request_duration_seconds", Histogram, "pod", "server", "zone", "view")
	DNSCacheHits = prom(CoreDNS, "coredns_cache_hits_total", Counter, "pod", "server", "type", "zones", "view")
	DNSCacheMiss = prom(CoreDNS, "coredns_cache_misses_total", Counter, "pod", "server", "zones", "view")
	DNSForwards  = prom(CoreDNS, "coredns_proxy_request_duration_seconds", Histogram, "pod", "proxy_name", "to", "rcode")
	DNSPanics    = prom(CoreDNS, "coredns_panics_total", Counter, "pod")
)

// kube-proxy, where it is scraped.
var (
	ProxySync        = prom(KubeProxy, "kubeproxy_sync_proxy_rules_duration_seconds", Histogram)
	ProxyProgramming = prom(KubeProxy, "kubeproxy_network_programming_duration_seconds", Histogram)
)

// What makes nodes and pods, where it is installed.
var (
	KarpenterNodeClaims = prom(Karpenter, "karpenter_nodeclaims_created_total", Counter, "nodepool", "reason", "capacity_type", "min_values_relaxed")
	KarpenterDisrupted  = prom(Karpenter, "karpenter_nodeclaims_disrupted_total", Counter, "nodepool", "reason", "capacity_type")
	KarpenterPending    = prom(Karpenter, "karpenter_scheduler_queue_depth", Gauge, "controller")
	KarpenterUsage      = prom(Karpenter, "karpenter_nodepools_usage", Gauge, "nodepool", "resource_type")
	KarpenterLimit      = prom(Karpenter, "karpenter_nodepools_limit", Gauge, "nodepool", "resource_type")
	KEDAActive          = prom(KEDA, "keda_scaler_active", Gauge, "namespace", "scaledObject", "scaler", "triggerIndex", "metric", "type")
	KEDAValue           = prom(KEDA, "keda_scaler_metrics_value", Gauge, "namespace", "scaledObject", "scaler", "triggerIndex", "metric", "type")
	KEDAErrors          = prom(KEDA, "keda_scaler_detail_errors_total", Counter, "namespace", "scaledObject", "scaler", "triggerIndex", "metric", "type")
)
