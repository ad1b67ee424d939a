package metrics

// RED of services by the span_metrics connector, as the configurations set it:
// durations in seconds, and operations told apart by route and method instead of
// by span names, which nobody bounds.
var (
	SpanCalls    = otel(SpanMetrics, "traces.span.metrics.calls", "", Counter, spanDimensions...)
	SpanDuration = otel(SpanMetrics, "traces.span.metrics.duration", "s", Histogram, spanDimensions...)
)

var spanDimensions = []string{"service.name", "span.kind", "status.code", "http.route", "http.request.method", "http.response.status_code", "rpc.method", "collector.instance.id", "otel.metric.overflow"}

// Labels of spans.
var (
	Route     = Label("http.route")
	Method    = Label("http.request.method")
	RPCMethod = Label("rpc.method")
)

// Values of their labels.
const (
	SpanKindServer = "SPAN_KIND_SERVER"
	SpanKindClient = "SPAN_KIND_CLIENT"
	StatusError    = "STATUS_CODE_ERROR"
)
