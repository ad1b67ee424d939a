package ledger

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vigie-otel/vigie/internal/names"
)

func TestAWayGoesThroughForwardsAndSaysWhatCannotBeCounted(t *testing.T) {
	ways := Ways([]Pipeline{
		{Name: "logs", Receivers: []string{"otlp"}, Processors: []string{"memory_limiter", "filter", "batch"}, Exporters: []string{"warroom", "forward/cw"}},
		{Name: "logs/files", Receivers: []string{"container_log"}, Processors: []string{"memory_limiter", "attack_detection"}, Exporters: []string{"forward/cw"}},
		{Name: "logs/cw", Receivers: []string{"forward/cw"}, Processors: []string{"redact"}, Exporters: []string{"cloudwatch"}},
		{Name: "metrics", Receivers: []string{"otlp", "span_metrics"}, Exporters: []string{"warroom"}},
		{Name: "traces", Receivers: []string{"otlp"}, Processors: []string{"cloud_metadata", "attack_detection", "filter"}, Exporters: []string{"span_metrics", "otlp_grpc"}},
	}, Vigie)
	want := []Way{
		{Signal: "logs", To: "cloudwatch", From: []string{"container_log", "otlp"}, Batched: true, Mixed: true, Batches: []string{"batch"}, Through: []Step{{"filter", []string{"otlp"}}, {"redact", []string{"container_log", "otlp"}}}, Makers: []string{"attack_detection"}},
		{Signal: "logs", To: "warroom", From: []string{"otlp"}, Batched: true, Batches: []string{"batch"}, Through: []Step{{"filter", []string{"otlp"}}}},
		{Signal: "metrics", To: "warroom", From: []string{"otlp"}, Makers: []string{"span_metrics"}},
		{Signal: "traces", To: "otlp_grpc", From: []string{"otlp"}, Through: []Step{{"filter", []string{"otlp"}}}},
	}
	if d := cmp.Diff(want, ways); d != "" {
		t.Error(d)
	}
	shared := Ways([]Pipeline{
		{Name: "logs/a", Receivers: []string{"otlp"}, Processors: []string{"filter"}, Exporters: []string{"a"}},
		{Name: "logs/b", Receivers: []string{"otlp"}, Processors: []string{"filter"}, Exporters: []string{"b"}},
	}, Vigie)
	require.Equal(t, []string{"filter"}, shared[0].Shared)
	// A circle is no configuration, and must not hang what reads it.
	Ways([]Pipeline{
		{Name: "logs/a", Receivers: []string{"forward/x"}, Exporters: []string{"forward/y", "e"}},
		{Name: "logs/b", Receivers: []string{"forward/y"}, Exporters: []string{"forward/x"}},
	}, Vigie)
}

// counted makes metrics of lines: name, value, attributes in pairs.
func counted(lines ...[]any) *metricdata.ResourceMetrics {
	var all []metricdata.Metrics
	for _, l := range lines {
		var attrs []attribute.KeyValue
		for i := 2; i < len(l); i += 2 {
			attrs = append(attrs, attribute.String(l[i].(string), l[i+1].(string)))
		}
		all = append(all, metricdata.Metrics{Name: l[0].(string), Data: metricdata.Sum[int64]{
			DataPoints: []metricdata.DataPoint[int64]{{Value: int64(l[1].(int)), Attributes: attribute.NewSet(attrs...)}},
		}})
	}
	return &metricdata.ResourceMetrics{ScopeMetrics: []metricdata.ScopeMetrics{{Metrics: all}}}
}

func TestTheLogReadersOwnCountersAreRead(t *testing.T) {
	var s Snapshot
	s.Add(counted(
		[]any{names.LogsRecords, 100, names.LogsOutcome, "accepted"},
		[]any{names.LogsRecords, 120, names.LogsOutcome, "read"},
		[]any{names.LogsDropped, 4, names.LogsReason, "permanent"},
		[]any{names.LogsSacrificed, 7, names.LogsReason, "lag", names.LogsClass, "debug"},
		[]any{names.LogsSacrificed, 3, names.LogsReason, "lag", names.LogsClass, "info"},
		[]any{"otelcol_receiver_accepted_log_records_total", 10, "receiver", "otlp", "transport", "grpc"},
		[]any{"otelcol_receiver_accepted_log_records_total", 5, "receiver", "otlp", "transport", "http"},
		[]any{"otelcol_receiver_accepted_spans_total", 99, "receiver", "otlp", "transport", "http"},
		[]any{"otelcol_exporter_sent_log_records_total", 115, "exporter", "gateway"},
		[]any{"otelcol_exporter_queue_size", 0, "exporter", "gateway", "data_type", "logs"},
		[]any{"otelcol_exporter_queue_size", 9, "exporter", "gateway", "data_type", "traces"},
	))
	got := Books(&s, []Way{{Signal: "logs", To: "gateway", From: []string{"container_log", "container_log/named", "otlp"}}})
	want := []Book{{Signal: "logs", To: "gateway", Read: 129, Sent: 115, Dropped: map[Reason]int64{"sacrificed_lag": 10, "permanent": 4}, State: Balanced}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestMoreSentThanReadIsOffOrUnknownButNeverBalanced(t *testing.T) {
	way := []Way{{Signal: "logs", To: "e", From: []string{"otlp"}}}
	var s Snapshot
	s.Add(counted([]any{"otelcol_receiver_accepted_log_records", 1, "receiver", "otlp"}, []any{"otelcol_exporter_sent_log_records", 3, "exporter", "e"}))
	b := Books(&s, way)[0]
	require.Equal(t, Off, b.State)
	require.Equal(t, int64(-2), b.Off)
	b = Books(&s, []Way{{Signal: "logs", To: "e", From: []string{"otlp"}, Durable: true}})[0]
	require.Equal(t, Unknown, b.State)
	require.Len(t, b.Unknown, 1)
	s.Add(counted([]any{"otelcol_receiver_refused_log_records", 2, "receiver", "otlp"}))
	b = Books(&s, way)[0]
	require.Equal(t, Unknown, b.State)
	require.Len(t, b.Unknown, 1)
}

func TestWhatAComponentMakesIsInTheBookWhenItSaysSo(t *testing.T) {
	way := []Way{{Signal: "logs", To: "e", From: []string{"otlp"}, Makers: []string{"attack_detection"}}}
	var s Snapshot
	s.Add(counted([]any{"otelcol_receiver_accepted_log_records", 10, "receiver", "otlp"}, []any{"otelcol_exporter_sent_log_records", 11, "exporter", "e"}))
	b := Books(&s, way)[0]
	require.Equal(t, Unknown, b.State)
	require.Equal(t, []string{"attack_detection makes items of its own and does not say how many"}, b.Unknown)
	s.Add(counted(
		[]any{names.LedgerMade, 3, "processor", "attack_detection", "otel.signal", "logs"},
		[]any{names.LedgerMade, 70, "processor", "conntrack", "otel.signal", "logs"},
		[]any{names.LedgerRemoved, 2, "processor", "attack_detection", "otel.signal", "logs"},
	))
	want := Book{Signal: "logs", To: "e", Read: 10, Made: 3, Sent: 11, Removed: 2, Dropped: map[Reason]int64{}, Queue: -1, State: Balanced}
	if d := cmp.Diff(want, Books(&s, way)[0]); d != "" {
		t.Error(d)
	}
}

func TestWhatAnExporterGivesUpBehindItsQueueIsNoted(t *testing.T) {
	var s Snapshot
	s.Add(counted([]any{"otelcol_remote_write_dropped_samples", 3, "reason", "out_of_order"}, []any{"otelcol_remote_write_dropped_samples", 0, "reason", "refused"}))
	got := Books(&s, []Way{{Signal: "metrics", To: "remote_write/amp", From: []string{"otlp"}}, {Signal: "metrics", To: "warroom", From: []string{"otlp"}}})
	require.Equal(t, []string{"otelcol_remote_write_dropped_samples: 3 (out_of_order)"}, got[0].Notes)
	require.Empty(t, got[1].Notes)
}

func TestWhatCannotBeToldApartHasNoVerdict(t *testing.T) {
	accepted := []any{"otelcol_receiver_accepted_log_records", 5, "receiver", "otlp"}
	var silent Snapshot
	silent.Add(counted(accepted))
	b := Books(&silent, []Way{{Signal: "logs", To: "nop", From: []string{"otlp"}}})[0]
	require.Equal(t, []string{"nop does not say what it sent"}, b.Unknown)

	mixed := []Way{{Signal: "logs", To: "e", From: []string{"otlp"}, Batched: true, Mixed: true}}
	var s Snapshot
	s.Add(counted(accepted, []any{"otelcol_exporter_sent_log_records", 5, "exporter", "e"}, []any{"otelcol_exporter_queue_size", 0, "exporter", "e", "data_type", "logs"}))
	require.Equal(t, Balanced, Books(&s, mixed)[0].State, "nothing was refused")
	s.Add(counted([]any{"otelcol_exporter_enqueue_failed_log_records", 2, "exporter", "e"}))
	require.Equal(t, Unknown, Books(&s, mixed)[0].State)
}

// A processor without the helper's counters could hide a loss.
func TestAProcessorThatDoesNotCountIsNamed(t *testing.T) {
	conf := confmap.NewFromStringMap(map[string]any{
		"exporters": map[string]any{"e": map[string]any{"sending_queue": map[string]any{"storage": "file_storage"}}, "d": nil},
		"service": map[string]any{"pipelines": map[string]any{
			"logs":      map[string]any{"receivers": []any{"otlp"}, "processors": []any{"tail"}, "exporters": []any{"e", "d"}},
			"logs/idle": map[string]any{"receivers": []any{"fluent_forward"}, "processors": []any{"idle"}, "exporters": []any{"e"}},
		}},
	})
	ways, err := WaysOf(conf, nil)
	require.NoError(t, err)
	require.Len(t, ways, 2)
	require.True(t, ways[1].Durable)
	require.False(t, ways[0].Durable)
	var s Snapshot
	s.Add(counted([]any{"otelcol_receiver_accepted_log_records", 1, "receiver", "otlp"}, []any{"otelcol_exporter_sent_log_records", 1, "exporter", "e"}))
	b := Books(&s, ways)[1]
	require.Equal(t, Unknown, b.State)
	require.Equal(t, []string{"tail does not say what came in and what went out"}, b.Unknown, "what nothing came through has nothing to say")
	s.Add(counted([]any{"otelcol_processor_incoming_items", 1, "processor", "tail", "otel.signal", "logs"}, []any{"otelcol_processor_outgoing_items", 1, "processor", "tail", "otel.signal", "logs"}))
	require.Equal(t, Balanced, Books(&s, ways)[1].State)

	_, err = WaysOf(confmap.NewFromStringMap(map[string]any{"service": map[string]any{"pipelines": map[string]any{"logs": "x"}}}), nil)
	require.Error(t, err)
}

func TestASnapshotIsBounded(t *testing.T) {
	var s Snapshot
	for i := range maxSeries + 5 {
		s.Add(counted([]any{"otelcol_receiver_accepted_spans", 1, "receiver", fmt.Sprint(i)}))
	}
	require.Equal(t, 5, s.Overflow())
	s.Add(counted([]any{"http.server.request.duration", 1, "receiver", "x"}))
	require.Equal(t, 5, s.Overflow(), "what no ledger needs takes no room")
}

func TestBooksBecomeMetrics(t *testing.T) {
	tel := componenttest.NewTelemetry()
	unregister, err := Publish(tel.NewTelemetrySettings().MeterProvider.Meter("ledger"), func(context.Context) []Book {
		return []Book{{Signal: "logs", To: "e", Read: 8, QueuedAtStart: 5, Removed: 1, Made: 1, Sent: 4, Dropped: map[Reason]int64{Filtered: 2}, Waiting: 3, State: Off, Off: 3}}
	})
	require.NoError(t, err)
	got := map[string]int64{}
	for _, name := range []string{names.LedgerItems, names.LedgerOff, names.LedgerKnown} {
		m, err := tel.GetMetric(name)
		require.NoError(t, err)
		for _, p := range m.Data.(metricdata.Gauge[int64]).DataPoints {
			account, _ := p.Attributes.Value(names.LedgerAccount)
			reason, _ := p.Attributes.Value(names.LedgerReason)
			got[name+" "+account.AsString()+reason.AsString()] = p.Value
		}
	}
	want := map[string]int64{
		names.LedgerItems + " read": 8, names.LedgerItems + " made": 1, names.LedgerItems + " queued_at_start": 5, names.LedgerItems + " removed": 1, names.LedgerItems + " pushed_back": 0, names.LedgerItems + " sent": 4, names.LedgerItems + " waiting": 3,
		names.LedgerItems + " droppedfiltered": 2, names.LedgerOff + " ": 3, names.LedgerKnown + " ": 1,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	require.NoError(t, unregister())
}
