package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/vigie-otel/vigie/internal/ledger"
	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// messages are what the topics hold, once there are n records in vigie.logs.
func messages(t *testing.T, brokers []string, p *program, n int) map[string][]*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics("vigie.logs", "vigie.metrics", "vigie.traces"))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	got := map[string][]*kgo.Record{}
	within(t, 30*time.Second, "the messages", p, func() bool {
		client.PollRecords(t.Context(), 1000).EachRecord(func(r *kgo.Record) { got[r.Topic] = append(got[r.Topic], r) })
		return len(bodies(t, got["vigie.logs"])) >= n && len(got["vigie.metrics"]) > 0 && len(got["vigie.traces"]) > 0
	})
	return got
}

// bodies counts the bodies of the log records in messages.
func bodies(t *testing.T, records []*kgo.Record) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for _, r := range records {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(r.Value)
		require.NoError(t, err)
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, l := range sl.LogRecords().All() {
					seen[l.Body().Str()]++
				}
			}
		}
	}
	return seen
}

// The brokers are away at the start and the program is killed meanwhile: what it
// accepted is in the topics, each message one that a broker takes.
func TestWhatWasAcceptedReachesKafkaThatWasAway(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "vigie.logs", "vigie.metrics", "vigie.traces"))
	require.NoError(t, err)
	defer cluster.Close()
	brokers := cluster.ListenAddrs()
	away := ports.Address(t)

	dir := t.TempDir()
	// What the exporter's queue holds outlives its brokers' address.
	// Here it counts in items, so that one can see when all of them are in it.
	p := start(t, dir, []string{"VIGIE_KAFKA_BROKERS=" + away}, "--config", "embedded:laptop",
		"--set", "exporters.kafka/logs.sending_queue.sizer=items", "--set", "exporters.kafka/logs.sending_queue.queue_size=1000000",
		"--set", "exporters.kafka/traces.sending_queue.sizer=items")
	within(t, 30*time.Second, "readiness", p, p.ready)
	const batches, each = 20, 1000
	for b := range batches {
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", fmt.Sprintf("service-%d", b%4))
		records := rl.ScopeLogs().AppendEmpty().LogRecords()
		for i := range each {
			records.AppendEmpty().Body().SetStr(fmt.Sprintf("%06d %s", b*each+i, strings.Repeat("x", 200)))
		}
		require.True(t, p.sendLogs(t, ld))
	}
	require.True(t, p.sendMetrics(t, gauges("kafka_test", 0, 10, time.Now())))
	require.Equal(t, http.StatusOK, p.post(t, "/v1/traces", "application/x-protobuf", spans(t, "play", 10, func(ptrace.Span) {})))
	// What the pipelines' batch processors hold is not safe yet.
	comesTo(t, p, "logs", "kafka/logs", ledger.Waiting, func(b ledger.Book) bool { return b.Queue >= batches*each })
	comesTo(t, p, "traces", "kafka/traces", ledger.Waiting, func(b ledger.Book) bool { return b.Queue == 10 })
	within(t, 30*time.Second, "metrics in the queue", p, func() bool { b, _ := book(p, "metrics", "kafka/metrics"); return b.Queue > 0 })
	p.kill(t)

	p = start(t, dir, []string{"VIGIE_KAFKA_BROKERS=" + strings.Join(brokers, ",")})
	within(t, 30*time.Second, "readiness", p, p.ready)
	got := messages(t, brokers, p, batches*each)
	for i, r := range got["vigie.logs"] {
		if len(r.Value) > 1_000_000 {
			t.Errorf("message %d has %d bytes, more than a broker takes", i, len(r.Value))
		}
		if r.Key == nil {
			t.Errorf("message %d has no key", i)
		}
	}
	if seen := bodies(t, got["vigie.logs"]); len(seen) != batches*each {
		t.Errorf("%d of %d records", len(seen), batches*each)
	}
}
