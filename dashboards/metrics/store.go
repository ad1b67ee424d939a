package metrics

import "github.com/vigie-otel/vigie/internal/names"

// The embedded store. Its registry is client_golang's, so the names are
// Prometheus' already.
var (
	StoreSamplesAppended  = prom(WarRoom, names.StoreSamplesAppended, Counter)
	StoreSamplesDropped   = prom(WarRoom, names.StoreSamplesDropped, Counter, names.StoreReason)
	StoreExemplarsDropped = prom(WarRoom, names.StoreExemplarsDropped, Counter)
	StoreMetadataDropped  = prom(WarRoom, names.StoreMetadataDropped, Counter)
	StoreWriteRequests    = prom(WarRoom, names.StoreWriteRequests, Counter, names.StoreCode)
	StoreQueriesRefused   = prom(WarRoom, names.StoreQueriesRefused, Counter)
	StoreHeadSeries       = prom(WarRoom, names.StoreHeadSeries, Gauge)
	StoreDiskBytes        = prom(WarRoom, names.StoreDiskBytes, Gauge)
	StoreDiskFull         = prom(WarRoom, names.StoreDiskFull, Gauge)
	StoreReopens          = prom(WarRoom, names.StoreReopens, Counter)
	StoreQueryDuration    = prom(WarRoom, "prometheus_engine_query_duration_seconds", Totals, "slice")
)
