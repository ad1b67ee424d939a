package ledger

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// process counts as a collector with one pipeline does.
type process struct {
	t              *testing.T
	keeper         *Keeper
	read, sent     metric.Int64Counter
	failed         metric.Int64Counter
	queue          int64
	sizer, storage string
}

func (p *process) begin(tap *Tap) {
	m := sdkmetric.NewMeterProvider(sdkmetric.WithReader(tap.Reader())).Meter("x")
	counter := func(name string) metric.Int64Counter {
		c, err := m.Int64Counter(name)
		require.NoError(p.t, err)
		return c
	}
	p.read, p.sent = counter("otelcol_receiver_accepted_log_records"), counter("otelcol_exporter_sent_log_records")
	p.failed = counter("otelcol_exporter_send_failed_log_records")
	_, err := m.Int64ObservableGauge("otelcol_exporter_queue_size", metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(p.queue, metric.WithAttributes(attribute.String("exporter", "e"), attribute.String("data_type", "logs")))
		return nil
	}))
	require.NoError(p.t, err)
	p.keeper = NewKeeper(tap)
	written := confmap.NewFromStringMap(map[string]any{
		"processors": map[string]any{"batch": map[string]any{"timeout": "2s", "send_batch_max_size": 100}},
		"exporters":  map[string]any{"e": map[string]any{"sending_queue": map[string]any{"storage": p.storage, "sizer": p.sizer}}},
		"service": map[string]any{"pipelines": map[string]any{"logs": map[string]any{
			"receivers": []any{"otlp"}, "processors": []any{"batch"}, "exporters": []any{"e"}}}},
	})
	require.NoError(p.t, p.keeper.Configure(written, nil))
}

func (p *process) moves(read, sent int64) {
	p.read.Add(p.t.Context(), read, metric.WithAttributes(attribute.String("receiver", "otlp")))
	p.sent.Add(p.t.Context(), sent, metric.WithAttributes(attribute.String("exporter", "e")))
}

func (p *process) book() Book {
	p.t.Helper()
	books, err := p.keeper.Read(p.t.Context())
	require.NoError(p.t, err)
	require.Len(p.t, books, 1)
	return books[0]
}

func (p *process) is(state State, off int64) {
	p.t.Helper()
	if b := p.book(); b.State != state || b.Off != off {
		p.t.Errorf("%s, %d off; want %s, %d: %+v", b.State, b.Off, state, off, b)
	}
}

func TestWhatIsInABatchIsMovingAndWhatStaysAwayIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &process{t: t}
		p.begin(&Tap{})
		p.is(Balanced, 0)
		p.moves(10, 7)
		p.is(Moving, 0)
		time.Sleep(still)
		p.is(Moving, 0) // the batch may hold it for two seconds
		time.Sleep(2 * time.Second)
		p.is(Off, 3)
		p.moves(0, 3)
		p.is(Balanced, 0)
		p.moves(0, 2)
		time.Sleep(still + 2*time.Second)
		p.is(Moving, 0) // since this look
		time.Sleep(still + 2*time.Second)
		p.is(Off, -2)
	})
}

// Where data never stands still a loss shows in what no batch can hold for so long.
func TestALossAmongWhatFlowsIsFoundOnceItIsMoreThanBatchesHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &process{t: t}
		p.begin(&Tap{})
		p.moves(90, 0) // in the batch, always
		for range 90 {
			p.moves(1000, 1000)
			time.Sleep(time.Second)
			p.is(Moving, 0)
		}
		p.moves(40, 0) // lost: 130 now
		for range 70 {
			p.moves(1000, 1000)
			time.Sleep(time.Second)
			p.book()
		}
		p.moves(1000, 1000)
		p.is(Off, 130)
	})
}

func TestAQueueOnDiskBeginsWithWhatAnEarlierProcessRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tap := &Tap{}
		p := &process{t: t, storage: "file_storage", sizer: "items", queue: 500}
		p.begin(tap)
		p.moves(0, 20) // the exporter is at it already: 520 there were
		require.NoError(t, p.keeper.Open(t.Context()))
		p.moves(80, 100)
		p.queue = 480
		want := Book{Signal: "logs", To: "e", State: Waiting, Read: 80, QueuedAtStart: 520, Sent: 120, Waiting: 480, Queue: 480, Dropped: map[Reason]int64{}}
		if d := cmp.Diff(want, p.book()); d != "" {
			t.Error(d)
		}
		require.NoError(t, p.keeper.Open(t.Context()))
		require.EqualValues(t, 520, p.book().QueuedAtStart, "only the first call counts")
		p.queue = 470 // ten are gone from the queue, and were not sent
		p.is(Moving, 0)
		time.Sleep(still + 2*time.Second)
		p.is(Off, 10)

		// A reload: counters at zero, and the queue where it was.
		p.begin(tap)
		require.NoError(t, p.keeper.Open(t.Context()))
		p.moves(0, 470)
		p.queue = 0
		p.is(Balanced, 0)
	})
}

func TestAQueueThatCountsRequestsIsKnownOnceItWasEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &process{t: t, storage: "file_storage", queue: 3}
		p.begin(&Tap{})
		require.NoError(t, p.keeper.Open(t.Context()))
		p.is(Unknown, 0)
		p.moves(5, 105)
		p.queue = 0
		p.is(Unknown, 0)
		time.Sleep(still + 2*time.Second)
		p.book()
		p.is(Balanced, 0)
		require.EqualValues(t, 100, p.book().QueuedAtStart)
		p.moves(5, 1)
		p.book()
		time.Sleep(still + 2*time.Second)
		p.is(Off, 4)
	})
}

// What the end of the process interrupted is on disk still, where there is a disk.
func TestWhatTheEndInterruptedIsLostOnlyFromMemory(t *testing.T) {
	for storage, want := range map[string]map[Reason]int64{"file_storage": {}, "": {SendFailed: 7}} {
		p := &process{t: t, storage: storage, sizer: "items"}
		p.begin(&Tap{})
		p.moves(7, 0)
		p.failed.Add(t.Context(), 7, metric.WithAttributes(attribute.String("exporter", "e"), attribute.String("error.type", "Shutdown")))
		if d := cmp.Diff(want, p.book().Dropped); d != "" {
			t.Error(storage, d)
		}
	}
}

func TestBooksThatReadThemselvesDoNotWait(t *testing.T) {
	tap := &Tap{}
	other := sdkmetric.NewManualReader()
	m := sdkmetric.NewMeterProvider(sdkmetric.WithReader(tap.Reader()), sdkmetric.WithReader(other)).Meter("x")
	calls := 0
	_, err := Publish(m, func(ctx context.Context) []Book {
		calls++
		_, err := tap.Read(ctx)
		require.NoError(t, err)
		return nil
	})
	require.NoError(t, err)
	_, err = tap.Read(t.Context())
	require.NoError(t, err)
	require.Zero(t, calls, "the tap's own reading asks for no books")
	var tapClosed Tap
	_, err = tapClosed.Read(t.Context())
	require.ErrorIs(t, err, ErrNoMeter)
	tap.Close()
	_, err = tap.Read(t.Context())
	require.ErrorIs(t, err, ErrNoMeter)
}

func TestATallySaysZeroAtOnceAndNilCountsNothing(t *testing.T) {
	tap := &Tap{}
	m := sdkmetric.NewMeterProvider(sdkmetric.WithReader(tap.Reader())).Meter("x")
	conn, err := NewTally(m, "connector", "span_metrics", "metrics")
	require.NoError(t, err)
	exp, err := NewTally(m, "exporter", "e", "logs")
	require.NoError(t, err)
	s, err := tap.Read(t.Context())
	require.NoError(t, err)
	for metric, of := range map[string]string{"vigie.ledger.made": "span_metrics", "vigie.ledger.removed": "span_metrics", "vigie.ledger.lost": "e"} {
		n, known := s.sum(metric, of, "", "")
		require.True(t, known, metric)
		require.Zero(t, n)
	}
	conn.Made(3)
	conn.Removed(2)
	exp.Lost("refused", 4)
	exp.Lost("out_of_order", 1)
	var none *Tally
	none.Made(1)
	none.Removed(1)
	none.Lost("refused", 1)
	s, err = tap.Read(t.Context())
	require.NoError(t, err)
	if d := cmp.Diff(map[string]int64{"refused": 4, "out_of_order": 1}, s.details("vigie.ledger.lost", "e", "logs")); d != "" {
		t.Error(d)
	}
	// What a destination gave up after it had said yes was not sent.
	s.series["otelcol_exporter_sent_log_records"] = []point{{component: "e", value: 10}}
	s.series["otelcol_receiver_accepted_log_records"] = []point{{component: "otlp", value: 14}}
	b := Books(s, []Way{{Signal: "logs", To: "e", From: []string{"otlp"}}})[0]
	require.Equal(t, Balanced, b.State, "%+v", b)
	require.EqualValues(t, 9, b.Sent)
	require.Equal(t, map[Reason]int64{SendFailed: 4, "out_of_order": 1}, b.Dropped)
}
