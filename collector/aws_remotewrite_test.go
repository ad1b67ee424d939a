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

// remoteWrite is how metrics reach Amazon Managed Prometheus: signed, in requests
// of at most 1 MB, from a queue on disk. $SIGNER is Vigie's signing extension or
// contrib's; $TIMEOUT is how long it waits for an answer.
const remoteWrite = `
extensions:
  aws_sigv4: {service: aps, region: eu-west-3}
  sigv4auth: {service: aps, region: eu-west-3}
  file_storage: {directory: $DIR/queue, create_directory: true}
receivers:
  otlp: {protocols: {http: {endpoint: $OTLP}}}
exporters:
  remote_write:
    endpoint: "$AMP"
    auth: {authenticator: $SIGNER}
    timeout: $TIMEOUT
    max_batch_size_bytes: 1000000
    sending_queue: {storage: file_storage}
    retry_on_failure: {initial_interval: 100ms, max_interval: 1s, max_elapsed_time: 0s}
    target_info: false
    scope_labels: false
service:
  extensions: [$SIGNER, file_storage]
  pipelines:
    metrics: {receivers: [otlp], exporters: [remote_write]}
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
	p := startConfig(t, t.TempDir(), aws.Env(), remoteWrite, map[string]string{"AMP": aws.RemoteWriteURL(), "SIGNER": "sigv4auth", "TIMEOUT": "60s"})
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
	t.Parallel()
	const batches, perBatch = 6, 100
	for _, c := range []struct {
		what  string
		fault awsfake.Fault
		// lost is how many batches the endpoint refused for good.
		lost int
		// pause is the least time that the endpoint asked for.
		pause time.Duration
	}{
		{what: "429 with Retry-After", fault: awsfake.Fault{Kind: awsfake.Throttle, RetryAfter: time.Second, Times: 3}, pause: 3 * time.Second},
		{what: "500", fault: awsfake.Fault{Kind: awsfake.InternalError, Times: 3}},
		{what: "503", fault: awsfake.Fault{Kind: awsfake.Unavailable, Times: 3}},
		{what: "a connection reset", fault: awsfake.Fault{Kind: awsfake.Reset, Times: 3}},
		{what: "no answer", fault: awsfake.Fault{Kind: awsfake.Timeout, Times: 1}},
		{what: "a lost answer", fault: awsfake.Fault{Kind: awsfake.LostAnswer, Times: 1}},
		{what: "a slow read", fault: awsfake.Fault{Kind: awsfake.SlowRead, Delay: time.Second, Times: 2}},
		{what: "413", fault: awsfake.Fault{Kind: awsfake.TooLarge, Times: 3}},
		{what: "403 expired", fault: awsfake.Fault{Kind: awsfake.ExpiredToken, Times: 3}},
		{what: "400 out of order", fault: awsfake.Fault{Kind: awsfake.OutOfOrder, Times: 2}, lost: 2},
	} {
		t.Run(c.what, func(t *testing.T) {
			prom := promback.Start(t, time.Minute)
			aws := awsfake.Start(t, awsfake.Options{Prometheus: prom.WriteURL()})
			p := startConfig(t, t.TempDir(), aws.Env(), remoteWrite, map[string]string{"AMP": aws.RemoteWriteURL(), "SIGNER": "aws_sigv4", "TIMEOUT": "2s"})
			aws.Inject(awsfake.AMP, c.fault)
			first, begin := time.Now().Add(-time.Minute).Truncate(time.Second), time.Now()
			for i := range batches {
				require.True(t, p.sendMetrics(t, gauges("load", 0, perBatch, first.Add(time.Duration(i)*time.Second))))
			}
			want := (batches - c.lost) * perBatch
			// What arrived is counted by Prometheus: a batch whose answer was lost comes twice.
			until := first.Add(batches * time.Second)
			within(t, 30*time.Second, fmt.Sprint(want, " samples"), p, func() bool {
				return aws.RemoteWriteTotals().Samples >= want && aws.Faulted(awsfake.AMP) == c.fault.Times && held(t, prom, "load", until) >= want
			})
			if took := time.Since(begin); took < c.pause {
				t.Errorf("all was sent after %s, though the endpoint asked to wait %s", took, c.pause)
			}
			if got := held(t, prom, "load", until); got != want {
				t.Errorf("%d samples, want %d", got, want)
			}
			require.NoError(t, p.end(t, 10*time.Second), p.output())
		})
	}
}

// What Prometheus itself refuses is refused alone: neither what was before it nor
// what comes after suffers.
func TestASampleOutOfOrderCostsItselfOnly(t *testing.T) {
	prom := promback.Start(t, 0)
	aws := awsfake.Start(t, awsfake.Options{Prometheus: prom.WriteURL()})
	p := startConfig(t, t.TempDir(), aws.Env(), remoteWrite, map[string]string{"AMP": aws.RemoteWriteURL(), "SIGNER": "aws_sigv4", "TIMEOUT": "60s"})
	first := time.Now().Add(-time.Minute).Truncate(time.Second)
	for _, second := range []int{0, 1, 30, 2, 31, 32} {
		require.True(t, p.sendMetrics(t, gauges("load", 0, 100, first.Add(time.Duration(second)*time.Second))))
	}
	within(t, 20*time.Second, "what is in order", p, func() bool { return aws.RemoteWriteTotals().Samples >= 500 })
	got := aws.RemoteWriteTotals()
	if n := held(t, prom, "load", first.Add(time.Minute)); n != 500 || got.Samples != 500 || got.Refused != 1 {
		t.Errorf("%d samples held, want 500; %+v", n, got)
	}
	require.NoError(t, p.end(t, 10*time.Second), p.output())
}
