package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake/promback"
)

func pcommonTime(at time.Time) pcommon.Timestamp { return pcommon.NewTimestampFromTime(at) }

// remoteWrite is how metrics reach Amazon Managed Prometheus without loss. The
// exporter keeps its queue in memory and has no sending_queue; its write-ahead log
// begins again for ever at a request that was refused. So the queue on disk is
// that of an OTLP exporter in front of it, over loopback, and the exporter itself
// works synchronously: what it refuses, and what it has to wait for, is known to
// the queue.
const remoteWrite = `
extensions:
  sigv4auth: {service: aps, region: eu-west-3}
  file_storage: {directory: $DIR/queue, create_directory: true}
receivers:
  otlp: {protocols: {http: {endpoint: $OTLP}}}
  otlp/amp: {protocols: {grpc: {endpoint: $HOP, max_recv_msg_size_mib: 64}}}
exporters:
  otlp_grpc/amp:
    endpoint: $HOP
    tls: {insecure: true}
    compression: none
    timeout: 0s
    sending_queue: {storage: file_storage, queue_size: 5000, num_consumers: 1}
    retry_on_failure: {initial_interval: 100ms, max_interval: 1s, max_elapsed_time: 0s}
  prometheus_remote_write:
    http: {endpoint: "$AMP", auth: {authenticator: sigv4auth}, timeout: 2s}
    timeout: 0s
    max_batch_size_bytes: 1000000
    max_batch_request_parallelism: 1
    remote_write_queue: {enabled: false}
    retry_on_failure: {initial_interval: 100ms, max_elapsed_time: 0s}
    target_info: {enabled: false}
    disable_scope_info: true
service:
  extensions: [sigv4auth, file_storage]
  pipelines:
    metrics: {receivers: [otlp], exporters: [otlp_grpc/amp]}
    metrics/amp: {receivers: [otlp/amp], exporters: [prometheus_remote_write]}
  telemetry: {metrics: {level: none}, logs: {level: warn}}
`

// held is how many samples of a metric Prometheus has, over all series.
func held(t *testing.T, prom *promback.Prometheus, metric string, until time.Time) int {
	t.Helper()
	n, err := prom.Value(t.Context(), "sum(count_over_time("+metric+"[2h]))", until.Add(time.Second))
	require.NoError(t, err)
	return int(n)
}

func TestAHundredThousandSeriesArriveExactlyThroughSignedRemoteWrite(t *testing.T) {
	prom := promback.Start(t, time.Minute)
	aws := awsfake.Start(t, awsfake.Options{Prometheus: prom.WriteURL()})
	p := startConfig(t, t.TempDir(), aws.Env(), remoteWrite, map[string]string{"AMP": aws.RemoteWriteURL(), "HOP": freeAddress(t)})
	// A batch is more than 1 MB of remote write, so that it has to be split.
	const series, rounds, batch = 100_000, 3, 25_000
	first := time.Now().Add(-time.Minute).Truncate(time.Second)
	for round := range rounds {
		for from := 0; from < series; from += batch {
			require.True(t, p.sendMetrics(t, gauges("load", from, batch, first.Add(time.Duration(round)*15*time.Second))))
		}
	}
	last := first.Add((rounds - 1) * 15 * time.Second)
	within(t, 60*time.Second, "all samples", p, func() bool { return aws.RemoteWriteTotals().Samples >= series*rounds })
	if got := held(t, prom, "load", last); got != series*rounds {
		t.Errorf("%d samples, want %d", got, series*rounds)
	}
	n, err := prom.Value(t.Context(), "count(load)", last)
	require.NoError(t, err)
	sum, err := prom.Value(t.Context(), "sum(load)", last)
	require.NoError(t, err)
	if n != series || sum != series*(series-1)/2 {
		t.Errorf("%g series with a sum of %g", n, sum)
	}
	got := aws.RemoteWriteTotals()
	if got.Samples != series*rounds || got.Refused != 0 {
		t.Errorf("sent once and never refused, but %+v", got)
	}
	if got.Requests <= series*rounds/batch {
		t.Errorf("%d requests: no batch was split", got.Requests)
	}
	require.NoError(t, p.end(t, 10*time.Second), p.output())
	t.Logf("%s behind the front: %+v", prom.Kind, got)
}

// Each answer of the endpoint, and what has to be there afterwards.
func TestRemoteWriteSurvivesEachRefusal(t *testing.T) {
	const batches, perBatch = 6, 100
	for _, c := range []struct {
		what  string
		fault awsfake.Fault
		// lost is how many batches the endpoint refused for good.
		lost int
	}{
		{what: "429 with Retry-After", fault: awsfake.Fault{Kind: awsfake.Throttle, RetryAfter: time.Second, Times: 3}},
		{what: "500", fault: awsfake.Fault{Kind: awsfake.InternalError, Times: 3}},
		{what: "503", fault: awsfake.Fault{Kind: awsfake.Unavailable, Times: 3}},
		{what: "a connection reset", fault: awsfake.Fault{Kind: awsfake.Reset, Times: 3}},
		{what: "no answer", fault: awsfake.Fault{Kind: awsfake.Timeout, Times: 1}},
		{what: "a lost answer", fault: awsfake.Fault{Kind: awsfake.LostAnswer, Times: 1}},
		{what: "413", fault: awsfake.Fault{Kind: awsfake.TooLarge, Times: 1}, lost: 1},
		{what: "400 out of order", fault: awsfake.Fault{Kind: awsfake.OutOfOrder, Times: 2}, lost: 2},
		{what: "403 expired", fault: awsfake.Fault{Kind: awsfake.ExpiredToken, Times: 1}, lost: 1},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			prom := promback.Start(t, time.Minute)
			aws := awsfake.Start(t, awsfake.Options{Prometheus: prom.WriteURL()})
			p := startConfig(t, t.TempDir(), aws.Env(), remoteWrite, map[string]string{"AMP": aws.RemoteWriteURL(), "HOP": freeAddress(t)})
			aws.Inject(awsfake.AMP, c.fault)
			first := time.Now().Add(-time.Minute).Truncate(time.Second)
			for i := range batches {
				require.True(t, p.sendMetrics(t, gauges("load", 0, perBatch, first.Add(time.Duration(i)*time.Second))))
			}
			want := (batches - c.lost) * perBatch
			within(t, 30*time.Second, fmt.Sprint(want, " samples"), p, func() bool {
				return aws.RemoteWriteTotals().Samples >= want && aws.Faulted(awsfake.AMP) == c.fault.Times
			})
			if got := held(t, prom, "load", first.Add(batches*time.Second)); got != want {
				t.Errorf("%d samples, want %d", got, want)
			}
			require.NoError(t, p.end(t, 10*time.Second), p.output())
		})
	}
}
