package names

// Metrics of the embedded store, in Prometheus' own naming: the store reports
// through prometheus/client_golang, not through OpenTelemetry.
const (
	StoreSamplesAppended  = "vigie_store_samples_appended_total"
	StoreSamplesDropped   = "vigie_store_samples_dropped_total" // by reason
	StoreExemplarsDropped = "vigie_store_exemplars_dropped_total"
	StoreMetadataDropped  = "vigie_store_metadata_dropped_total"
	StoreWriteRequests    = "vigie_store_remote_write_requests_total" // by code
	StoreQueriesRefused   = "vigie_store_queries_refused_total"
	StoreHeadSeries       = "vigie_store_head_series"
	StoreDiskBytes        = "vigie_store_disk_bytes"
	StoreDiskFull         = "vigie_store_disk_full" // 1 while writing has stopped
	StoreReopens          = "vigie_store_reopens_total"
	StoreReason           = "reason"
	StoreCode             = "code"
)
