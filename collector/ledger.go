package main

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"

	"github.com/vigie-otel/vigie/extensions/ledgerextension"
	"github.com/vigie-otel/vigie/internal/ledger"
)

// keepLedger lets the ledger extension read what the collector counts of itself,
// and counts what upstream's components do not: what connectors make, what goes
// into tail_sampling and interval and what comes out, and what an exporter refuses when a batch
// processor has said yes already, so that nobody will try again.
func keepLedger(f *otelcol.Factories) {
	tap := &ledger.Tap{}
	f.Telemetry = newTelemetry(tap)
	own := ledgerextension.New(tap)
	f.Extensions[own.Type()] = own
	health := component.MustNewType("health_check")
	f.Extensions[health] = surviving{f.Extensions[health], aliased{f.Extensions[health]}}
	for t, factory := range f.Connectors {
		if t.String() != "forward" {
			f.Connectors[t] = making{factory, aliased{factory}}
		}
	}
	for t, factory := range f.Exporters {
		f.Exporters[t] = refusing{factory, aliased{factory}}
	}
	for name, wrap := range map[string]func(processor.Factory) processor.Factory{
		"batch":         func(f processor.Factory) processor.Factory { return answering{f, aliased{f}} },
		"tail_sampling": func(f processor.Factory) processor.Factory { return holding{f, aliased{f}} },
		"interval":      func(f processor.Factory) processor.Factory { return holding{f, aliased{f}} },
	} {
		t := component.MustNewType(name)
		f.Processors[t] = wrap(f.Processors[t])
	}
}

// aliased keeps what the collector asks of a factory beside its methods: another
// name that it was known by.
type aliased struct{ factory any }

type alias interface {
	DeprecatedAlias() component.Type
	SetDeprecatedAlias(component.Type)
}

func (a aliased) DeprecatedAlias() component.Type {
	if f, ok := a.factory.(alias); ok {
		return f.DeprecatedAlias()
	}
	return component.Type{}
}

func (a aliased) SetDeprecatedAlias(t component.Type) {
	if f, ok := a.factory.(alias); ok {
		f.SetDeprecatedAlias(t)
	}
}

func tally(set component.TelemetrySettings, what string, id component.ID, signal string) (*ledger.Tally, error) {
	return ledger.NewTally(set.MeterProvider.Meter("github.com/vigie-otel/vigie/collector"), what, id.String(), signal)
}

// making is a connector whose metrics are counted.
type making struct {
	connector.Factory
	aliased
}

func (m making) CreateTracesToMetrics(ctx context.Context, set connector.Settings, cfg component.Config, next consumer.Metrics) (connector.Traces, error) {
	next, err := made(set, next)
	if err != nil {
		return nil, err
	}
	return m.Factory.CreateTracesToMetrics(ctx, set, cfg, next)
}

func (m making) CreateMetricsToMetrics(ctx context.Context, set connector.Settings, cfg component.Config, next consumer.Metrics) (connector.Metrics, error) {
	next, err := made(set, next)
	if err != nil {
		return nil, err
	}
	return m.Factory.CreateMetricsToMetrics(ctx, set, cfg, next)
}

func (m making) CreateLogsToMetrics(ctx context.Context, set connector.Settings, cfg component.Config, next consumer.Metrics) (connector.Logs, error) {
	next, err := made(set, next)
	if err != nil {
		return nil, err
	}
	return m.Factory.CreateLogsToMetrics(ctx, set, cfg, next)
}

// made counts what the next component accepts. What it refuses, a connector does
// not offer again: it was never made.
func made(set connector.Settings, next consumer.Metrics) (consumer.Metrics, error) {
	t, err := tally(set.TelemetrySettings, "connector", set.ID, "metrics")
	if err != nil {
		return nil, err
	}
	return watchMetrics(next, watched{accepted: t.Made})
}

// answering is the batch processor: what comes behind it is marked as answered.
type answering struct {
	processor.Factory
	aliased
}

func (a answering) CreateLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	next, err := watchLogs(next, watched{mark: true})
	if err != nil {
		return nil, err
	}
	return a.Factory.CreateLogs(ctx, set, cfg, next)
}

func (a answering) CreateMetrics(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
	next, err := watchMetrics(next, watched{mark: true})
	if err != nil {
		return nil, err
	}
	return a.Factory.CreateMetrics(ctx, set, cfg, next)
}

func (a answering) CreateTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	next, err := watchTraces(next, watched{mark: true})
	if err != nil {
		return nil, err
	}
	return a.Factory.CreateTraces(ctx, set, cfg, next)
}

// holding is a processor that says yes at once and sends later, and less:
// tail_sampling, interval. What goes in is used up, and what comes out is made: what
// it holds is among the former.
type holding struct {
	processor.Factory
	aliased
}

func (h holding) CreateTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	t, err := tally(set.TelemetrySettings, "processor", set.ID, "traces")
	if err != nil {
		return nil, err
	}
	// Nobody tries again what is refused behind it.
	if next, err = watchTraces(next, watched{mark: true, offered: t.Made}); err != nil {
		return nil, err
	}
	p, err := h.Factory.CreateTraces(ctx, set, cfg, next)
	if err != nil {
		return nil, err
	}
	in, err := watchTraces(p, watched{accepted: t.Removed})
	if err != nil {
		return nil, err
	}
	return struct {
		component.Component
		consumer.Traces
	}{p, in}, nil
}

func (h holding) CreateMetrics(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
	t, err := tally(set.TelemetrySettings, "processor", set.ID, "metrics")
	if err != nil {
		return nil, err
	}
	if next, err = watchMetrics(next, watched{mark: true, offered: t.Made}); err != nil {
		return nil, err
	}
	p, err := h.Factory.CreateMetrics(ctx, set, cfg, next)
	if err != nil {
		return nil, err
	}
	in, err := watchMetrics(p, watched{accepted: t.Removed})
	if err != nil {
		return nil, err
	}
	return struct {
		component.Component
		consumer.Metrics
	}{p, in}, nil
}

// refusing is an exporter whose refusals of what was answered are counted.
type refusing struct {
	exporter.Factory
	aliased
}

func (r refusing) CreateLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	e, err := r.Factory.CreateLogs(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	lost, err := lost(set, "logs")
	if err != nil {
		return nil, err
	}
	in, err := watchLogs(e, lost)
	return struct {
		component.Component
		consumer.Logs
	}{e, in}, err
}

func (r refusing) CreateMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	e, err := r.Factory.CreateMetrics(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	lost, err := lost(set, "metrics")
	if err != nil {
		return nil, err
	}
	in, err := watchMetrics(e, lost)
	return struct {
		component.Component
		consumer.Metrics
	}{e, in}, err
}

func (r refusing) CreateTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	e, err := r.Factory.CreateTraces(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	lost, err := lost(set, "traces")
	if err != nil {
		return nil, err
	}
	in, err := watchTraces(e, lost)
	return struct {
		component.Component
		consumer.Traces
	}{e, in}, err
}

func lost(set exporter.Settings, signal string) (watched, error) {
	t, err := tally(set.TelemetrySettings, "exporter", set.ID, signal)
	if err != nil {
		return watched{}, err
	}
	return watched{lost: func(n int) { t.Lost(ledger.Refused, n) }}, nil
}
