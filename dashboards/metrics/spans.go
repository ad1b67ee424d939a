package metrics

// RED of services by the span_metrics connector, with histogram.unit s and
// k8s.namespace.name among its dimensions.
var (
	SpanCalls    = otel(SpanMetrics, "traces.span.metrics.calls", "", Counter, "service.name", "span.name", "span.kind", "status.code", "k8s.namespace.name")
	SpanDuration = otel(SpanMetrics, "traces.span.metrics.duration", "s", Histogram, "service.name", "span.name", "span.kind", "status.code", "k8s.namespace.name")
)

// Values of their labels.
const (
	SpanKindServer = "SPAN_KIND_SERVER"
	SpanKindClient = "SPAN_KIND_CLIENT"
	StatusError    = "STATUS_CODE_ERROR"
)
