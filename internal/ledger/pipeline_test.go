package ledger

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// house is a pipeline of real helpers: a receiver that counts, processors, and an
// exporter with a queue, whose destination the test plays.
type house struct {
	t      *testing.T
	tel    *componenttest.Telemetry
	obs    *receiverhelper.ObsReport
	first  consumer.Logs
	ways   []Way
	stop   []func(context.Context) error
	answer func() error // the destination's, called for each batch
}

func build(t *testing.T, processors ...string) *house {
	h := &house{t: t, tel: componenttest.NewTelemetry(), answer: func() error { return nil }}
	rs := receivertest.NewNopSettings(component.MustNewType("otlp"))
	rs.ID, rs.TelemetrySettings = component.MustNewID("otlp"), h.tel.NewTelemetrySettings()
	var err error
	h.obs, err = receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: rs.ID, Transport: "grpc", ReceiverCreateSettings: rs})
	require.NoError(t, err)

	es := exportertest.NewNopSettings(component.MustNewType("otlp_grpc"))
	es.ID, es.TelemetrySettings = component.MustNewID("otlp_grpc"), h.tel.NewTelemetrySettings()
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.QueueSize, queue.NumConsumers = 3, 1
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 10 * time.Second
	e, err := exporterhelper.NewLogs(t.Context(), es, struct{}{}, func(context.Context, plog.Logs) error { return h.answer() },
		exporterhelper.WithQueue(configoptional.Some(queue)), exporterhelper.WithRetry(retry))
	require.NoError(t, err)
	h.start(e)
	h.first = e
	pipeline := Pipeline{Name: "logs", Receivers: []string{"otlp"}, Exporters: []string{"otlp_grpc"}}
	for i := len(processors) - 1; i >= 0; i-- {
		h.first = h.processor(processors[i], h.first)
		pipeline.Processors = append(pipeline.Processors, processors[i])
	}
	h.ways = Ways([]Pipeline{pipeline}, Known{})
	require.Len(t, h.ways, 1)
	return h
}

func (h *house) start(c component.Component) {
	require.NoError(h.t, c.Start(context.Background(), componenttest.NewNopHost()))
	h.stop = append([]func(context.Context) error{c.Shutdown}, h.stop...)
}

// processor makes one: batch; filter leaves out what says so; memory_limiter says
// no to what says so; leak loses a record and tells nobody.
func (h *house) processor(name string, next consumer.Logs) consumer.Logs {
	typ := component.MustNewType(name)
	set := processortest.NewNopSettings(typ)
	set.ID, set.TelemetrySettings = component.NewID(typ), h.tel.NewTelemetrySettings()
	without := func(what string) func(context.Context, plog.Logs) (plog.Logs, error) {
		return func(_ context.Context, l plog.Logs) (plog.Logs, error) {
			l.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().RemoveIf(func(lr plog.LogRecord) bool { return lr.Body().Str() == what })
			return l, nil
		}
	}
	var p processor.Logs
	var err error
	switch name {
	case "batch":
		f := batchprocessor.NewFactory()
		set = processortest.NewNopSettings(f.Type())
		set.TelemetrySettings = h.tel.NewTelemetrySettings()
		cfg := f.CreateDefaultConfig().(*batchprocessor.Config)
		cfg.SendBatchSize = 5
		p, err = f.CreateLogs(h.t.Context(), set, cfg, next)
	case "filter":
		p, err = processorhelper.NewLogs(h.t.Context(), set, struct{}{}, next, without("debug"))
	case "memory_limiter":
		p, err = processorhelper.NewLogs(h.t.Context(), set, struct{}{}, next, func(_ context.Context, l plog.Logs) (plog.Logs, error) {
			if l.LogRecordCount() > 100 {
				return l, errors.New("memory is short")
			}
			return l, nil
		})
	case "leak":
		lose := without("lost")
		leak, lerr := consumer.NewLogs(func(ctx context.Context, l plog.Logs) error {
			l, _ = lose(ctx, l)
			return next.ConsumeLogs(ctx, l)
		})
		require.NoError(h.t, lerr)
		return leak
	}
	require.NoError(h.t, err)
	h.start(p)
	return p
}

// receive is a sender's call with a record for each body.
func (h *house) receive(bodies ...string) {
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, b := range bodies {
		records.AppendEmpty().Body().SetStr(b)
	}
	ctx := h.obs.StartLogsOp(context.Background())
	err := h.first.ConsumeLogs(ctx, logs)
	h.obs.EndLogsOp(ctx, "protobuf", len(bodies), err)
	synctest.Wait()
}

// book is what the ledger says now.
func (h *house) book() Book {
	var rm metricdata.ResourceMetrics
	require.NoError(h.t, h.tel.Reader.Collect(context.Background(), &rm))
	var s Snapshot
	s.Add(&rm)
	require.Zero(h.t, s.Overflow())
	books := Books(&s, h.ways)
	require.Len(h.t, books, 1)
	return books[0]
}

func (h *house) want(b Book) {
	h.t.Helper()
	b.Signal, b.To = "logs", "otlp_grpc"
	if b.Dropped == nil {
		b.Dropped = map[Reason]int64{}
	}
	if d := cmp.Diff(b, h.book()); d != "" {
		h.t.Error(d)
	}
}

func (h *house) close() {
	for _, stop := range h.stop {
		require.NoError(h.t, stop(context.Background()))
	}
	require.NoError(h.t, h.tel.Shutdown(context.Background()))
}

func many(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = "line"
	}
	return all
}

func TestTheLedgerBalancesWhileAllIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, "memory_limiter")
		defer h.close()
		h.receive(many(7)...)
		h.receive(many(5)...)
		h.want(Book{Read: 12, Sent: 12, State: Balanced})
	})
}

func TestWhatAFilterLeavesOutIsDroppedWithThatReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, "filter")
		defer h.close()
		h.receive("a", "debug", "b", "debug")
		h.want(Book{Read: 4, Sent: 2, Dropped: map[Reason]int64{Filtered: 2}, State: Balanced})
	})
}

func TestAFullQueueIsPushedBackAndWhatItHoldsIsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, "memory_limiter")
		defer h.close()
		gate := make(chan struct{})
		h.answer = func() error { <-gate; return nil }
		for range 5 {
			h.receive(many(4)...) // three find room, the one on its way among them
		}
		h.want(Book{Read: 12, PushedBack: 8, Waiting: 12, Queue: 3, State: Waiting})
		close(gate)
		synctest.Wait()
		h.want(Book{Read: 12, PushedBack: 8, Sent: 12, State: Balanced})
	})
}

func TestAFullQueueBehindABatchIsALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, "batch")
		defer h.close()
		gate := make(chan struct{})
		h.answer = func() error { <-gate; return nil }
		for range 5 {
			h.receive(many(5)...)
		}
		h.receive(many(2)...) // stays in the batch
		h.want(Book{Read: 27, Dropped: map[Reason]int64{EnqueueFailed: 10}, Waiting: 17, Queue: 3, State: Waiting})
		close(gate)
		time.Sleep(time.Second)
		synctest.Wait()
		h.want(Book{Read: 27, Sent: 17, Dropped: map[Reason]int64{EnqueueFailed: 10}, State: Balanced})
	})
}

func TestADestinationThatIsDownIsWaitingAndThenALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		defer h.close()
		down := true
		h.answer = func() error {
			if down {
				return errors.New("connection refused")
			}
			return nil
		}
		h.receive(many(6)...)
		h.want(Book{Read: 6, Waiting: 6, Queue: 1, State: Waiting})
		time.Sleep(time.Minute) // retries end after ten seconds
		synctest.Wait()
		h.want(Book{Read: 6, Dropped: map[Reason]int64{SendFailed: 6}, State: Balanced})
		down = false
		h.receive(many(3)...)
		h.want(Book{Read: 9, Sent: 3, Dropped: map[Reason]int64{SendFailed: 6}, State: Balanced})
	})
}

func TestWhatMemoryRefusesIsTheSendersStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, "memory_limiter")
		defer h.close()
		h.receive(many(101)...)
		h.receive(many(2)...)
		h.want(Book{Read: 2, PushedBack: 101, Sent: 2, State: Balanced})
	})
}

func TestALossThatNobodyCountsIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, "leak")
		defer h.close()
		h.ways[0].Through = nil // it publishes nothing
		h.receive("a", "lost", "b")
		h.want(Book{Read: 3, Sent: 2, Waiting: 1, State: Off, Off: 1})
	})
}
