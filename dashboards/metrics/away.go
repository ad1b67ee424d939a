package metrics

import "github.com/vigie-otel/vigie/internal/names"

// On the way to Amazon Managed Prometheus: the guard that bounds series, and the
// remote write. They are there where VIGIE_AMP_ENDPOINT is set.
var (
	GuardSeries       = otel(SeriesGuard, names.SeriesGuardSeries, "{series}", UpDown, names.SeriesGuardProtected)
	GuardLimit        = otel(SeriesGuard, names.SeriesGuardLimit, "{series}", Gauge)
	GuardMetrics      = otel(SeriesGuard, names.SeriesGuardMetrics, "{metric}", UpDown)
	GuardMetricSeries = otel(SeriesGuard, names.SeriesGuardMetricSeries, "{series}", UpDown, names.SeriesGuardMetric)
	GuardPointsCut    = otel(SeriesGuard, names.SeriesGuardPointsCut, "{point}", Counter, names.SeriesGuardMetric, names.SeriesGuardReason)
	GuardSeriesCut    = otel(SeriesGuard, names.SeriesGuardSeriesCut, "{series}", UpDown, names.SeriesGuardMetric)
	GuardUncounted    = otel(SeriesGuard, names.SeriesGuardUncounted, "{point}", Counter)
	GuardMemory       = otel(SeriesGuard, names.SeriesGuardMemory, "By", UpDown)

	RemoteWriteDropped  = component(RemoteWrite, "remote_write_dropped_samples", "{sample}", Counter, "reason")
	RemoteWriteRequests = component(RemoteWrite, "remote_write_requests", "{request}", Counter)
	RemoteWriteBytes    = component(RemoteWrite, "remote_write_sent_bytes", "By", Counter)
	RemoteWriteSamples  = component(RemoteWrite, "remote_write_sent_samples", "{sample}", Counter)
)

// On the way to CloudWatch, Grafana and EventBridge, where they are configured.
var (
	CloudWatchEventsSent    = otel(CloudWatch, names.CloudWatchEventsSent, "{event}", Counter, names.CloudWatchExporter, names.CloudWatchSignal)
	CloudWatchBytesSent     = otel(CloudWatch, names.CloudWatchBytesSent, "By", Counter, names.CloudWatchExporter, names.CloudWatchSignal)
	CloudWatchRequests      = otel(CloudWatch, names.CloudWatchRequests, "{request}", Counter, names.CloudWatchExporter, names.CloudWatchSignal, names.CloudWatchOutcome)
	CloudWatchEventsDropped = otel(CloudWatch, names.CloudWatchEventsDropped, "{event}", Counter, names.CloudWatchExporter, names.CloudWatchSignal, names.CloudWatchReason)
	CloudWatchPointsDropped = otel(CloudWatch, names.CloudWatchPointsDropped, "{point}", Counter, names.CloudWatchExporter, names.CloudWatchSignal, names.CloudWatchReason)
	CloudWatchMetrics       = otel(CloudWatch, names.CloudWatchMetrics, "{metric}", Gauge, names.CloudWatchExporter, names.CloudWatchSignal)
	CloudWatchCost          = otel(CloudWatch, names.CloudWatchCostEstimate, "{USD}/mo", Gauge, names.CloudWatchExporter, names.CloudWatchSignal, names.CloudWatchCostPart)

	GrafanaAnnotations = otel(Grafana, names.GrafanaAnnotations, "{annotation}", Counter, names.GrafanaOutcome)
	GrafanaWaiting     = otel(Grafana, names.GrafanaWaiting, "{annotation}", UpDown)
	GrafanaFailures    = otel(Grafana, names.GrafanaFailures, "{request}", Counter, names.GrafanaStatus)
	EventBridgeEntries = otel(EventBridge, names.EventBridgeEntries, "{entry}", Counter, names.EventBridgeOutcome, names.EventBridgeCode)
)
