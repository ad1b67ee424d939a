package conntrackprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

type metricsFace struct {
	*face
	next consumer.Metrics
}

// ConsumeMetrics adds what follows from the metrics beside them.
func (f *metricsFace) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	came := md.DataPointCount()
	f.in.metrics(md)
	left := md.DataPointCount()
	err := f.next.ConsumeMetrics(ctx, md)
	if err == nil {
		f.in.led.metrics.Made(left - came)
	}
	return err
}

type tracesFace struct {
	*face
	next consumer.Traces
}

// ConsumeTraces resolves the addresses of spans.
func (f *tracesFace) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if !f.in.nat.empty() {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					f.in.resolve(s.Attributes())
				}
			}
		}
	}
	return f.next.ConsumeTraces(ctx, td)
}

// logsFace is one logs pipeline. The first to be made is the instance's own: it
// alone feeds the index and gets the findings, so that a receiver that is wired
// to two pipelines is not counted twice and a finding is not told twice.
type logsFace struct {
	*face
	next consumer.Logs
	own  bool
}

// Start makes the findings flow once the pipeline behind is up.
func (f *logsFace) Start(ctx context.Context, host component.Host) error {
	err := f.face.Start(ctx, host)
	if f.own {
		f.in.out.open()
	}
	return err
}

// Shutdown sends what is queued before the pipeline behind goes down.
func (f *logsFace) Shutdown(ctx context.Context) error {
	if f.own {
		f.in.out.close(ctx)
	}
	return f.face.Shutdown(ctx)
}

// ConsumeLogs reads and drops flow records, resolves the addresses of request
// logs, and passes all else untouched.
func (f *logsFace) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	came := ld.LogRecordCount()
	f.in.logs(ld, f.own)
	left := ld.LogRecordCount()
	// A batch that is refused comes again: its flow records are used up once.
	var err error
	if ld.ResourceLogs().Len() > 0 {
		err = f.next.ConsumeLogs(ctx, ld)
	}
	if err == nil {
		f.in.led.logs.Removed(came - left)
	}
	return err
}
