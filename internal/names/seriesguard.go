package names

// Metrics of the guard that bounds active series in front of remote write.
const (
	SeriesGuardSeries       = "vigie.series_guard.series"        // {series}, active, by protected
	SeriesGuardLimit        = "vigie.series_guard.limit"         // {series}, max_series
	SeriesGuardMetrics      = "vigie.series_guard.metrics"       // {metric}, names that are followed
	SeriesGuardMetricSeries = "vigie.series_guard.metric.series" // {series}, by metric: the ten largest
	SeriesGuardPointsCut    = "vigie.series_guard.points.cut"    // {point}, monotonic, by metric and reason
	SeriesGuardSeriesCut    = "vigie.series_guard.series.cut"    // {series}, estimated, of the window, by metric
	SeriesGuardUncounted    = "vigie.series_guard.uncounted"     // {point}, monotonic: protected, passed without being followed
	SeriesGuardMemory       = "vigie.series_guard.memory"        // By, of the tables

	SeriesGuardMetric    = "vigie.series_guard.metric"    // attribute: name, or "other"
	SeriesGuardReason    = "vigie.series_guard.reason"    // attribute: metric_limit, total_limit, names_limit
	SeriesGuardProtected = "vigie.series_guard.protected" // attribute: true of those that are never cut
)
