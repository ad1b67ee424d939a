package main

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// watched is what is done about each batch that comes to a consumer.
type watched struct {
	mark     bool      // from here on, nobody tries again what is refused
	offered  func(int) // told of each batch's items; nil: nobody
	accepted func(int) // told of a batch's items once they are accepted
	lost     func(int) // told of a batch's items when they are refused and marked
}

// answered marks the context of a batch whose sender has been told yes.
type answered struct{}

// watch is consume with w around it. The items are counted first: a component may
// change the batch.
func watch[B any](w watched, count func(B) int, consume func(context.Context, B) error) func(context.Context, B) error {
	return func(ctx context.Context, batch B) error {
		n := count(batch)
		if w.offered != nil {
			w.offered(n)
		}
		if w.mark {
			ctx = context.WithValue(ctx, answered{}, true)
		}
		err := consume(ctx, batch)
		switch {
		case err == nil && w.accepted != nil:
			w.accepted(n)
		case err != nil && w.lost != nil && ctx.Value(answered{}) != nil:
			w.lost(n)
		}
		return err
	}
}

func watchLogs(next consumer.Logs, w watched) (consumer.Logs, error) {
	return consumer.NewLogs(watch(w, plog.Logs.LogRecordCount, next.ConsumeLogs), consumer.WithCapabilities(next.Capabilities()))
}

func watchMetrics(next consumer.Metrics, w watched) (consumer.Metrics, error) {
	return consumer.NewMetrics(watch(w, pmetric.Metrics.DataPointCount, next.ConsumeMetrics), consumer.WithCapabilities(next.Capabilities()))
}

func watchTraces(next consumer.Traces, w watched) (consumer.Traces, error) {
	return consumer.NewTraces(watch(w, ptrace.Traces.SpanCount, next.ConsumeTraces), consumer.WithCapabilities(next.Capabilities()))
}
