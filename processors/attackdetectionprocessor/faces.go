package attackdetectionprocessor

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// logsFace is one logs pipeline. The first to be made is the instance's own and
// gets what the detector says.
type logsFace struct {
	*face
	next consumer.Logs
	own  bool
	seen *refused
}

// Start lets findings and summaries flow once the pipeline behind is up.
func (f *logsFace) Start(ctx context.Context, host component.Host) error {
	err := f.face.Start(ctx, host)
	if f.own {
		f.in.out.open()
	}
	return err
}

// Shutdown closes the findings that are open and sends what is queued before
// the pipeline behind goes down.
func (f *logsFace) Shutdown(ctx context.Context) error {
	if f.own {
		f.in.eng.end()
		f.in.out.close(ctx)
	}
	return f.face.Shutdown(ctx)
}

// ConsumeLogs judges the batch and passes it on. What ticks within a recording
// gave goes first, so that a finding is told before the requests that its marks
// name.
func (f *logsFace) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	came := ld.LogRecordCount()
	key := f.seen.logs(ld)
	f.in.eng.logs(ld, time.Now(), f.seen.has(key))
	left := ld.LogRecordCount()
	if f.own {
		f.in.out.send(ctx)
	}
	// What is refused comes again as it was: it is used up once, when the rest of its
	// batch is accepted.
	var err error
	if ld.ResourceLogs().Len() > 0 {
		err = f.next.ConsumeLogs(ctx, ld)
	}
	if err == nil {
		f.in.led.Removed(came - left)
	}
	f.seen.settle(key, err, f.seen.restOfLogs(key, err))
	return err
}

type tracesFace struct {
	*face
	next consumer.Traces
	seen *refused
}

// ConsumeTraces judges the batch and passes it on.
func (f *tracesFace) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	key := f.seen.traces(td)
	f.in.eng.traces(td, time.Now(), f.seen.has(key))
	err := f.next.ConsumeTraces(ctx, td)
	f.seen.settle(key, err, f.seen.restOfTraces(key, err))
	return err
}
