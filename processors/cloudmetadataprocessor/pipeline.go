package cloudmetadataprocessor

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/vigie-otel/vigie/internal/shared"
)

// pipeline is one pipeline's side of the machine.
type pipeline struct {
	*shared.Face[*machine]
}

// Capabilities tells the truth: attributes are put.
func (p *pipeline) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

type traces struct {
	*pipeline
	next consumer.Traces
}

// ConsumeTraces puts what is known on each resource.
func (p *traces) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	for _, r := range td.ResourceSpans().All() {
		p.Instance.put(r.Resource().Attributes())
	}
	return p.next.ConsumeTraces(ctx, td)
}

type metrics struct {
	*pipeline
	next consumer.Metrics
}

// ConsumeMetrics puts what is known on each resource.
func (p *metrics) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	for _, r := range md.ResourceMetrics().All() {
		p.Instance.put(r.Resource().Attributes())
	}
	return p.next.ConsumeMetrics(ctx, md)
}

type logs struct {
	*pipeline
	next consumer.Logs
}

// ConsumeLogs puts what is known on each resource.
func (p *logs) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	for _, r := range ld.ResourceLogs().All() {
		p.Instance.put(r.Resource().Attributes())
	}
	return p.next.ConsumeLogs(ctx, ld)
}
