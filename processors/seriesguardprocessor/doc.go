// Package seriesguardprocessor bounds the series that remote write makes active
// at its destination, per metric and in all.
//
// Metrics enter; the same leave, without the points that would begin a series
// past a limit. A series that was once admitted goes on for as long as it is
// active, so nothing flaps; it is forgotten, and its room is free, when it has
// been silent for the window. What counts as a series is what the remote-write
// translation makes: a histogram point is its buckets, count and sum, and is
// admitted whole or not at all; a resource with attributes is one of target_info.
// Points that the exporter refuses anyway (delta temporality) pass uncounted.
//
// It changes no value, merges nothing, and never cuts Vigie's own metrics. It
// keeps 13 to 20 bytes a series (table.go), nothing of labels or values.
//
// One instance serves all pipelines of a component ID (internal/shared), since
// they share a destination. guard holds all state under one mutex, which is taken
// once a batch and never while a consumer is called. One goroutine, started with
// the first pipeline and awaited by the last to shut down, ages the series and
// says in the log what was cut.
package seriesguardprocessor

//go:generate go tool mdatagen metadata.yaml
