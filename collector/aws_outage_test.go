package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake/promback"
)

// everywhere sends to each of AWS' services that takes what must not be lost, each
// with its queue on disk. What is accepted is in the queues before the sender
// hears of it: there is no batch processor in between.
const everywhere = `
extensions:
  aws_sigv4: {service: aps, region: eu-west-3}
  file_storage: {directory: $DIR/queue, create_directory: true}
receivers:
  otlp: {protocols: {http: {endpoint: $OTLP}}}
exporters:
  cloudwatch:
    logs: {group: /match/logs, stream: node}
    metrics: {group: /match/metrics, stream: node, namespace: Match, resource_dimensions: []}
    timeout: $TIMEOUT
    sending_queue: {storage: file_storage}
    retry_on_failure: {initial_interval: 200ms, max_interval: 1s, max_elapsed_time: 0s}
  eventbridge:
    bus: match
    timeout: $TIMEOUT
    sending_queue: {storage: file_storage}
    retry_on_failure: {initial_interval: 200ms, max_interval: 1s, max_elapsed_time: 0s}
  remote_write:
    endpoint: "$AMP"
    auth: {authenticator: aws_sigv4}
    timeout: $TIMEOUT
    sending_queue: {storage: file_storage}
    retry_on_failure: {initial_interval: 200ms, max_interval: 1s, max_elapsed_time: 0s}
    target_info: false
    scope_labels: false
service:
  extensions: [aws_sigv4, file_storage]
  pipelines:
    logs: {receivers: [otlp], exporters: [cloudwatch, eventbridge]}
    metrics: {receivers: [otlp], exporters: [cloudwatch, remote_write]}
  telemetry: {metrics: {level: none}, logs: {level: warn}}
`

// What one simulated minute brings.
const (
	logsAMinute   = 100
	pointsAMinute = 50
)

// hour is a match hour whose minutes are sent one after the other, and what was
// accepted of it.
type hour struct {
	t     *testing.T
	aws   *awsfake.Server
	prom  *promback.Prometheus
	dir   string
	first time.Time
	p     *program

	logs, points, findings map[int]bool // minutes that were accepted
}

func newHour(t *testing.T) *hour {
	t.Helper()
	// The out-of-order window that a workspace of AMP has by default: a queue that
	// does not keep its order loses what is an hour late.
	prom := promback.Start(t, time.Minute)
	return &hour{
		t: t, prom: prom, dir: t.TempDir(),
		aws:   awsfake.Start(t, awsfake.Options{Prometheus: prom.WriteURL(), Buses: []string{"match"}}),
		first: time.Now().Add(-75 * time.Minute).Truncate(time.Minute),
		logs:  map[int]bool{}, points: map[int]bool{}, findings: map[int]bool{},
	}
}

// start runs the collector; timeout is for how long it waits for an answer.
func (h *hour) start(timeout time.Duration) {
	h.t.Helper()
	h.p = startConfig(h.t, h.dir, h.aws.Env(), everywhere, map[string]string{"AMP": h.aws.RemoteWriteURL(), "TIMEOUT": timeout.String()})
}

func (h *hour) at(minute int) time.Time { return h.first.Add(time.Duration(minute) * time.Minute) }

// send offers minutes from up to but without to, and notes what was accepted.
func (h *hour) send(from, to int) {
	h.t.Helper()
	for m := from; m < to; m++ {
		if h.p.sendLogs(h.t, h.records(m)) {
			h.logs[m] = true
		}
		if h.p.sendMetrics(h.t, gauges("load", 0, pointsAMinute, h.at(m))) {
			h.points[m] = true
		}
		if h.p.sendLogs(h.t, h.finding(m)) {
			h.findings[m] = true
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// killAmid kills the program while minutes are being sent, and starts it again.
func (h *hour) killAmid(from, to int) {
	h.t.Helper()
	go func(p *program) {
		time.Sleep(150 * time.Millisecond)
		_ = p.cmd.Process.Kill()
	}(h.p)
	h.send(from, to)
	<-h.p.done
	h.start(time.Minute)
}

// restart ends the program in an orderly way and starts it again.
func (h *hour) restart() {
	h.t.Helper()
	require.NoError(h.t, h.p.end(h.t, 20*time.Second), h.p.output())
	h.start(time.Minute)
}

func (h *hour) records(minute int) plog.Logs {
	ld := plog.NewLogs()
	all := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range logsAMinute {
		r := all.AppendEmpty()
		r.SetTimestamp(pcommonTime(h.at(minute).Add(time.Duration(i) * time.Millisecond)))
		r.Body().SetStr(fmt.Sprintf("minute %d line %d", minute, i))
	}
	return ld
}

func (h *hour) finding(minute int) plog.Logs {
	ld := plog.NewLogs()
	f := finding.Finding{
		ID: fmt.Sprintf("finding-%02d", minute), Class: "http_flood", Service: "shop", Status: finding.Open, Confidence: 0.9,
		StartedAt: h.at(minute), DetectedAt: h.at(minute), UpdatedAt: h.at(minute), Requests: 1000,
	}
	f.ToLogRecord(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	return ld
}

// item is one log line, one point or the finding of a minute.
type item struct{ minute, n int }

// arrived is how often each item is at its destination.
type arrived struct{ logs, metrics, findings map[item]int }

func (h *hour) arrived() arrived {
	a := arrived{logs: map[item]int{}, metrics: map[item]int{}, findings: map[item]int{}}
	for _, e := range h.aws.Events("/match/logs", "") {
		var i item
		if n, _ := fmt.Sscanf(e.Message, "minute %d line %d", &i.minute, &i.n); n == 2 {
			a.logs[i]++
		}
	}
	for _, m := range h.aws.Metrics() {
		if m.Name == "load" {
			n, err := strconv.Atoi(m.Dimensions["series"])
			require.NoError(h.t, err)
			a.metrics[item{int(m.Time.Sub(h.first).Minutes()), n}]++
		}
	}
	for _, e := range h.aws.BusEvents("match") {
		var detail struct {
			Info struct {
				UID string `json:"uid"`
			} `json:"finding_info"`
		}
		require.NoError(h.t, json.Unmarshal(e.Detail, &detail))
		var i item
		_, err := fmt.Sscanf(detail.Info.UID, "finding-%d", &i.minute)
		require.NoError(h.t, err)
		a.findings[i]++
	}
	return a
}

// samples is how many samples of minutes that were accepted Prometheus has.
func (h *hour) samples() int {
	h.t.Helper()
	n := 0
	for m := range h.points {
		v, err := h.prom.Value(h.t.Context(), "count(load)", h.at(m))
		require.NoError(h.t, err)
		one, err := h.prom.Value(h.t.Context(), "sum(count_over_time(load[30s]))", h.at(m))
		require.NoError(h.t, err)
		n += int(min(v, one))
	}
	return n
}

// missing lists what was accepted and is not there.
func (h *hour) missing(a arrived) (missing []string) {
	for _, c := range []struct {
		what     string
		accepted map[int]bool
		each     int
		there    map[item]int
	}{{"log line", h.logs, logsAMinute, a.logs}, {"metric", h.points, pointsAMinute, a.metrics}, {"finding", h.findings, 1, a.findings}} {
		for m := range c.accepted {
			for n := range c.each {
				if c.there[item{m, n}] == 0 {
					missing = append(missing, fmt.Sprintf("%s %d of minute %d", c.what, n, m))
				}
			}
		}
	}
	slices.Sort(missing)
	return missing
}

// drained waits until all that was accepted is there.
func (h *hour) drained(limit time.Duration) {
	h.t.Helper()
	begin := time.Now()
	for {
		missing, samples := h.missing(h.arrived()), h.samples()
		if len(missing) == 0 && samples == len(h.points)*pointsAMinute {
			return
		}
		if time.Since(begin) > limit {
			h.t.Fatalf("%d of what was accepted is missing after %s, first %v; %d of %d samples\n%s",
				len(missing), limit, missing[:min(len(missing), 5)], samples, len(h.points)*pointsAMinute, h.p.output())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// twice are the items that arrived more often than once.
func twice(counts map[item]int) (items []item) {
	for i, n := range counts {
		if n > 1 {
			items = append(items, i)
		}
	}
	return items
}

func (h *hour) inject(f awsfake.Fault) {
	for _, s := range []awsfake.Service{awsfake.Logs, awsfake.EventBridge, awsfake.AMP} {
		h.aws.Inject(s, f)
	}
}

// An outage of an hour in half a minute: the endpoints go away, the collector is
// killed and later restarted, they come back throttled, then broken, then well; a
// second kill meets requests that were taken and not yet answered.
func TestAnOutageOfAnHourWithAKillInItLosesNothingThatWasAccepted(t *testing.T) {
	t.Parallel()
	h := newHour(t)
	h.start(5 * time.Second)
	h.inject(awsfake.Fault{Kind: awsfake.Timeout, Times: 1})
	h.send(0, 6)
	h.drained(20 * time.Second)

	h.aws.Down()
	h.send(6, 24)
	h.killAmid(24, 28) // and up again without an endpoint in sight
	h.send(28, 36)
	h.restart() // an update is rolled out meanwhile
	h.send(36, 46)
	h.aws.Up(t)
	h.inject(awsfake.Fault{Kind: awsfake.Throttle, RetryAfter: time.Second})
	h.send(46, 53)
	h.restart()
	h.send(53, 60)
	h.aws.Lift()
	h.inject(awsfake.Fault{Kind: awsfake.InternalError, Times: 2})
	h.inject(awsfake.Fault{Kind: awsfake.Unavailable, Times: 2})
	h.inject(awsfake.Fault{Kind: awsfake.Reset, Times: 1})
	h.send(60, 66)
	h.drained(30 * time.Second)
	if a := h.arrived(); len(twice(a.logs))+len(twice(a.metrics))+len(twice(a.findings)) > 0 {
		t.Errorf("nothing was taken without an answer so far, and yet twice: %v %v %v", twice(a.logs), twice(a.metrics), twice(a.findings))
	}

	// The work is done and the answer held back: what is under way at the kill was
	// taken and is not acknowledged.
	const from, to = 66, 68
	sent := h.aws.RemoteWriteTotals().Samples
	h.inject(awsfake.Fault{Kind: awsfake.SlowAnswer, Delay: time.Hour})
	h.send(from, to)
	within(t, 20*time.Second, "a request without an answer at each service", h.p, func() bool {
		a, first := h.arrived(), item{from, 0}
		return a.logs[first] > 0 && a.metrics[first] > 0 && a.findings[first] > 0 && h.aws.RemoteWriteTotals().Samples > sent
	})
	h.p.kill(t)
	h.aws.Lift()
	h.start(time.Minute)
	h.send(to, 74)
	h.drained(30 * time.Second)
	h.judge(74, from, to)
	require.NoError(t, h.p.end(t, 10*time.Second), h.p.output())
}

// judge looks at duplicates: minutes from up to but without to were under way at
// the second kill, and nothing else may be there twice, nor anything thrice.
func (h *hour) judge(minutes, from, to int) {
	h.t.Helper()
	a := h.arrived()
	for what, counts := range map[string]map[item]int{"logs": a.logs, "metrics": a.metrics, "findings": a.findings} {
		again := twice(counts)
		for _, i := range again {
			if i.minute < from || i.minute >= to || counts[i] > 2 {
				h.t.Errorf("%s: %v arrived %d times and was not under way at the kill", what, i, counts[i])
			}
		}
		if len(again) == 0 {
			h.t.Errorf("%s: nothing was under way at the kill, so it showed nothing", what)
		}
		h.t.Logf("%s: %d arrived, %d of them twice", what, len(counts), len(again))
	}
	held := h.samples()
	again := h.aws.RemoteWriteTotals().Samples - held
	if again == 0 || again > (to-from)*pointsAMinute {
		h.t.Errorf("remote write: %d samples were sent twice, and 1 to %d were under way at the kill", again, (to-from)*pointsAMinute)
	}
	h.t.Logf("remote write: %d samples held, %d sent twice", held, again)
	for what, accepted := range map[string]int{"logs": len(h.logs), "metrics": len(h.points), "findings": len(h.findings)} {
		// What the first kill met may have been refused, and no more.
		if accepted < minutes-4 {
			h.t.Errorf("%s: only %d of %d minutes were accepted", what, accepted, minutes)
		}
		h.t.Logf("%s: %d of %d minutes accepted", what, accepted, minutes)
	}
}
