package eventbridgeexporter

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/exporters/eventbridgeexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/names"
)

type series struct{ outcome, code string }

// counts are what the exporter tells of itself.
type counts struct {
	trimmed, malformed atomic.Int64

	mu      sync.Mutex
	entries map[series]int64 // guarded by mu; codes are EventBridge's own, a handful
}

func (c *counts) add(outcome, code string, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[series]int64{}
	}
	s := series{outcome, code}
	if len(c.entries) >= 64 && c.entries[s] == 0 {
		s.code = "other"
	}
	c.entries[s] += n
}

func (c *counts) get(outcome, code string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[series{outcome, code}]
}

// register gives the meter what is counted; nothing is computed until it asks.
func (c *counts) register(set component.TelemetrySettings) (metric.Registration, error) {
	m := set.MeterProvider.Meter(metadata.ScopeName)
	entries, err1 := m.Int64ObservableCounter(names.EventBridgeEntries, metric.WithUnit("{entry}"),
		metric.WithDescription("Findings by outcome: accepted, retried, rejected for good, malformed."))
	trimmed, err2 := m.Int64ObservableCounter(names.EventBridgeTrimmed, metric.WithUnit("{entry}"),
		metric.WithDescription("Findings whose detail was cut down to fit."))
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(trimmed, c.trimmed.Load())
		o.ObserveInt64(entries, c.malformed.Load(), metric.WithAttributes(attribute.String(names.EventBridgeOutcome, "malformed")))
		c.mu.Lock()
		defer c.mu.Unlock()
		for s, n := range c.entries {
			attrs := []attribute.KeyValue{attribute.String(names.EventBridgeOutcome, s.outcome)}
			if s.code != "" {
				attrs = append(attrs, attribute.String(names.EventBridgeCode, s.code))
			}
			o.ObserveInt64(entries, n, metric.WithAttributes(attrs...))
		}
		return nil
	}, entries, trimmed)
}
