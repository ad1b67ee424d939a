package cloudwatchexporter

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/vigie-otel/vigie/exporters/cloudwatchexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/names"
)

// Why an event was given up. Texts are attribute values.
const (
	dropTooOld   = "too_old"       // over 14 days, before it was sent or by the service's clock
	dropTooNew   = "too_new"       // over 2 hours ahead
	dropExpired  = "expired"       // older than the group's retention
	dropEmpty    = "empty"         // neither body nor attributes
	dropInvalid  = "invalid"       // the service refuses it for good
	dropDenied   = "access_denied" // its group was not to be had for denied_after
	dropByBudget = "budget"
)

// telemetry counts what the exporter does, for one signal.
type telemetry struct {
	own []attribute.KeyValue // component and signal

	sent, bytes, requests, dropped, split, points, created metric.Int64Counter

	mu   sync.Mutex
	sets map[string]metric.MeasurementOption // guarded by mu; by key and value

	unregister func() error
}

func newTelemetry(set component.TelemetrySettings, id component.ID, signal string) (*telemetry, error) {
	t := &telemetry{
		own:  []attribute.KeyValue{attribute.String(names.CloudWatchExporter, id.String()), attribute.String(names.CloudWatchSignal, signal)},
		sets: map[string]metric.MeasurementOption{},
	}
	m := set.MeterProvider.Meter(metadata.ScopeName)
	for _, c := range []struct {
		to               *metric.Int64Counter
		name, unit, text string
	}{
		{&t.sent, names.CloudWatchEventsSent, "{event}", "Log events that CloudWatch took; an EMF document is one."},
		{&t.bytes, names.CloudWatchBytesSent, "By", "Bytes of those events as they are billed, 26 an event included."},
		{&t.requests, names.CloudWatchRequests, "{request}", "PutLogEvents requests by how they ended."},
		{&t.dropped, names.CloudWatchEventsDropped, "{event}", "Log events that were given up."},
		{&t.split, names.CloudWatchEventsSplit, "{event}", "Log records too long for one event."},
		{&t.points, names.CloudWatchPointsDropped, "{point}", "Data points that made no metric."},
		{&t.created, names.CloudWatchCreated, "{stream}", "Log streams created."},
	} {
		counter, err := m.Int64Counter(c.name, metric.WithUnit(c.unit), metric.WithDescription(c.text))
		if err != nil {
			return nil, err
		}
		*c.to = counter
	}
	return t, nil
}

// count adds to a counter under one more attribute; key "" for none.
func (t *telemetry) count(c metric.Int64Counter, key, value string, n int) {
	if n == 0 {
		return
	}
	t.mu.Lock()
	option, ok := t.sets[key+value]
	if !ok {
		attrs := t.own
		if key != "" {
			attrs = append(attrs[:len(attrs):len(attrs)], attribute.String(key, value))
		}
		option = metric.WithAttributeSet(attribute.NewSet(attrs...))
		t.sets[key+value] = option
	}
	t.mu.Unlock()
	c.Add(context.Background(), int64(n), option)
}

func (t *telemetry) drop(reason string, events int) {
	t.count(t.dropped, names.CloudWatchReason, reason, events)
}

// observe publishes the budget: distinct metrics and the estimate.
func (t *telemetry) observe(set component.TelemetrySettings, b *budget) error {
	m := set.MeterProvider.Meter(metadata.ScopeName)
	distinct, err := m.Int64ObservableGauge(names.CloudWatchMetrics, metric.WithUnit("{metric}"), metric.WithDescription("Distinct metrics of the hour, as CloudWatch bills them."))
	if err != nil {
		return err
	}
	cost, err := m.Float64ObservableGauge(names.CloudWatchCostEstimate, metric.WithUnit("{USD}/mo"), metric.WithDescription("What a month like the last hour costs at the list prices in the configuration."))
	if err != nil {
		return err
	}
	own := metric.WithAttributes(t.own...)
	part := func(p string) metric.MeasurementOption {
		return metric.WithAttributes(append(t.own[:len(t.own):len(t.own)], attribute.String(names.CloudWatchCostPart, p))...)
	}
	ingestion, metrics := part("ingestion"), part("metrics")
	reg, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		e := b.estimate()
		o.ObserveInt64(distinct, int64(e.metrics), own)
		o.ObserveFloat64(cost, e.ingestionUSD, ingestion)
		o.ObserveFloat64(cost, e.metricsUSD, metrics)
		return nil
	}, distinct, cost)
	if err != nil {
		return err
	}
	t.unregister = reg.Unregister
	return nil
}

func (t *telemetry) shutdown() error {
	if t.unregister == nil {
		return nil
	}
	return t.unregister()
}
