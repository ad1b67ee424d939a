package grafanaexporter

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/exporters/grafanaexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/names"
)

// counts are what the exporter tells of itself.
type counts struct {
	created, updated, adopted, rejected atomic.Int64
	full, malformed, unstored           atomic.Int64
	waiting, known                      atomic.Int64

	mu       sync.Mutex
	failures map[int]int64 // guarded by mu: by HTTP status; 0 without an answer
}

func (c *counts) failed(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failures == nil {
		c.failures = map[int]int64{}
	}
	if len(c.failures) >= 64 && c.failures[status] == 0 { // a server that makes statuses up
		status = 0
	}
	c.failures[status]++
}

// register gives the meter what is counted; nothing is computed until it asks.
func (c *counts) register(set component.TelemetrySettings) (metric.Registration, error) {
	m := set.MeterProvider.Meter(metadata.ScopeName)
	annotations, err1 := m.Int64ObservableCounter(names.GrafanaAnnotations, metric.WithUnit("{annotation}"),
		metric.WithDescription("Annotations by outcome: created, updated, adopted (found by its tag), rejected for good."))
	refused, err2 := m.Int64ObservableCounter(names.GrafanaRefused, metric.WithUnit("{record}"),
		metric.WithDescription("Findings and events that are not drawn: malformed, or full (forgotten for want of room before they were)."))
	failures, err3 := m.Int64ObservableCounter(names.GrafanaFailures, metric.WithUnit("{request}"),
		metric.WithDescription("Calls that failed and were made again, by HTTP status; 0 without an answer."))
	waiting, err4 := m.Int64ObservableUpDownCounter(names.GrafanaWaiting, metric.WithUnit("{annotation}"),
		metric.WithDescription("Annotations that are not in Grafana as they shall be."))
	known, err5 := m.Int64ObservableUpDownCounter(names.GrafanaKnown, metric.WithUnit("{annotation}"),
		metric.WithDescription("Annotations that are remembered."))
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	by := func(key, value string) metric.ObserveOption {
		return metric.WithAttributes(attribute.String(key, value))
	}
	return m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(annotations, c.created.Load(), by(names.GrafanaOutcome, "created"))
		o.ObserveInt64(annotations, c.updated.Load(), by(names.GrafanaOutcome, "updated"))
		o.ObserveInt64(annotations, c.adopted.Load(), by(names.GrafanaOutcome, "adopted"))
		o.ObserveInt64(annotations, c.rejected.Load(), by(names.GrafanaOutcome, "rejected"))
		o.ObserveInt64(refused, c.full.Load(), by(names.GrafanaReason, "full"))
		o.ObserveInt64(refused, c.malformed.Load(), by(names.GrafanaReason, "malformed"))
		o.ObserveInt64(waiting, c.waiting.Load())
		o.ObserveInt64(known, c.known.Load())
		c.mu.Lock()
		defer c.mu.Unlock()
		for status, n := range c.failures {
			o.ObserveInt64(failures, n, metric.WithAttributes(attribute.Int(names.GrafanaStatus, status)))
		}
		return nil
	}, annotations, refused, failures, waiting, known)
}
