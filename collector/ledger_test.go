package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/ledger"
	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

const gatewayQueue = "exporters.otlp_grpc/gateway.sending_queue."

// book asks a running collector for one of its books.
func book(p *program, signal, to string) (ledger.Book, bool) {
	_, body := get("http://" + p.health + "/ledger")
	var answer struct {
		Books []ledger.Book `json:"books"`
	}
	if json.Unmarshal([]byte(body), &answer) == nil {
		for _, b := range answer.Books {
			if b.Signal == signal && b.To == to {
				return b, true
			}
		}
	}
	return ledger.Book{}, false
}

func told(b ledger.Book) string {
	text, _ := json.Marshal(b)
	return string(text)
}

// comesTo waits for a book that is in a state and as the test wants it, and checks
// what every book has to come to.
func comesTo(t *testing.T, p *program, signal, to string, state ledger.State, like func(ledger.Book) bool) ledger.Book {
	t.Helper()
	var b ledger.Book
	defer func() {
		if t.Failed() {
			t.Logf("the book was %s", told(b))
		}
	}()
	within(t, 30*time.Second, fmt.Sprintf("%s book of %s to %s", state, signal, to), p, func() bool {
		var there bool
		b, there = book(p, signal, to)
		return there && b.State == state && (like == nil || like(b))
	})
	require.Equal(t, b.Read+b.QueuedAtStart+b.Made, b.Sent+b.Removed+b.Lost()+max(b.Queue, 0), "what came in is what went out and what the queue holds: %s", told(b))
	require.Zero(t, b.Off)
	return b
}

func balanced(t *testing.T, p *program, signal, to string) ledger.Book {
	t.Helper()
	return comesTo(t, p, signal, to, ledger.Balanced, nil)
}

// eachBalances waits until each book has been balanced at some look, while other
// items move, and says what it came to then. One may have no verdict: that of a queue
// which counts bytes, and began with something.
func eachBalances(t *testing.T, p *program) {
	t.Helper()
	seen, missing := map[string]ledger.Book{}, []string(nil)
	defer func() {
		for way, b := range seen {
			t.Logf("%s: %s", way, told(b))
		}
		if t.Failed() {
			t.Logf("not balanced: %v", missing)
		}
	}()
	within(t, 60*time.Second, "a balanced book of each signal and destination", p, func() bool {
		_, body := get("http://" + p.health + "/ledger")
		var answer struct {
			Books []ledger.Book `json:"books"`
		}
		if json.Unmarshal([]byte(body), &answer) != nil || len(answer.Books) == 0 {
			return false
		}
		missing = nil
		for _, b := range answer.Books {
			way := b.Signal + " to " + b.To
			inBytes := b.State == ledger.Unknown && len(b.Unknown) == 1 && strings.Contains(b.Unknown[0], "does not count items")
			if _, had := seen[way]; b.State == ledger.Balanced || inBytes && !had {
				seen[way] = b
			}
			if _, has := seen[way]; !has {
				missing = append(missing, told(b))
			}
		}
		return len(missing) == 0
	})
}

func (g *logGateway) refuse(down, never bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down, g.never = down, never
}

func (g *logGateway) took() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all
}

// An agent as it is shipped, with secrets taken out on the way, through all that
// can happen to its destination, and a kill.
func TestTheLedgerBalancesThroughAnOutageAKillAndARefusal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an agent three times")
	}
	dir, root, g := t.TempDir(), hostRoot(t), newLogGateway(t)
	run := func() *program { return logAgentWith(t, dir, root, g, []string{"VIGIE_REDACT=on"}) }
	p := run()
	w := newPodWriter(root, 1)
	require.NoError(t, w.write(3000))
	g.await(t, 30*time.Second, 3000, p)
	b := balanced(t, p, "logs", "otlp_grpc/gateway")
	require.EqualValues(t, 3000, b.Read, told(b))
	require.Empty(t, b.Dropped, "redacting changes a line, and leaves none out")
	require.EqualValues(t, g.took(), b.Sent, "what the ledger calls sent is what arrived")

	// The destination is down: what was read waits in the queue, counted there too.
	g.refuse(true, false)
	require.NoError(t, w.write(20_000))
	b = comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Waiting, func(b ledger.Book) bool { return b.Read == 23_000 })
	require.EqualValues(t, 20_000, b.Queue)

	// A kill. What the next process finds in its queue is what this one said waited.
	require.NoError(t, p.cmd.Process.Kill())
	<-p.done
	p = run()
	b = comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Waiting, nil)
	require.EqualValues(t, 20_000, b.QueuedAtStart, told(b))
	require.Zero(t, b.Read, "nothing is read twice: %s", told(b))
	require.NoError(t, w.write(500))
	comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Waiting, func(b ledger.Book) bool { return b.Read == 500 })
	g.refuse(false, false)
	g.await(t, 30*time.Second, 23_500, p)
	b = balanced(t, p, "logs", "otlp_grpc/gateway")
	require.EqualValues(t, 20_500, b.Sent, told(b))

	// The destination says never: those are gone, and counted.
	g.refuse(false, true)
	require.NoError(t, w.write(700))
	b = comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Balanced, func(b ledger.Book) bool { return b.Read == 1200 })
	require.Equal(t, map[ledger.Reason]int64{ledger.SendFailed: 700}, b.Dropped)
	require.Equal(t, 23_500, g.has())

	// A stop, with something in the queue: the next process begins with it.
	g.refuse(true, false)
	require.NoError(t, w.write(900))
	comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Waiting, func(b ledger.Book) bool { return b.Queue == 900 })
	require.NoError(t, p.end(t, 20*time.Second), p.output())
	p = run()
	b = comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Waiting, nil)
	require.EqualValues(t, 900, b.QueuedAtStart, told(b))
	g.refuse(false, false)
	g.await(t, 30*time.Second, 24_400, p)
	balanced(t, p, "logs", "otlp_grpc/gateway")
	require.Equal(t, g.has(), g.took(), "none of it twice")
	code, health := get("http://" + p.health + "/healthz")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, health, `"ledger":{"state":`)
	require.NoError(t, p.end(t, 20*time.Second), p.output())
}

func logsOf(n int) []byte {
	record := fmt.Sprintf(`{"timeUnixNano":"%d","body":{"stringValue":"sent by an SDK"}}`, time.Now().UnixNano())
	return []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.TrimSuffix(strings.Repeat(record+",", n), ",") + `]}]}]}`)
}

// A full queue pushes back on the reader, whose lines wait in their files; what came
// through a batch has been answered, and is lost. The ledger tells the two apart.
func TestTheLedgerTellsWhatAFullQueueLostFromWhatItPushedBack(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an agent")
	}
	root, g := hostRoot(t), newLogGateway(t)
	p := logAgent(t, t.TempDir(), root, g, gatewayQueue+"queue_size=2000", "receivers.container_log.batch.max_records=500", "processors.batch.timeout=50ms")
	w := newPodWriter(root, 1)
	require.NoError(t, w.write(100))
	g.await(t, 30*time.Second, 100, p)
	g.refuse(true, false)
	require.NoError(t, w.write(5000))
	b := comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Waiting, func(b ledger.Book) bool { return b.Queue > 1500 })
	require.EqualValues(t, 100+b.Queue, b.Read, "the rest is in the file: %s", told(b))
	require.Empty(t, b.Dropped)
	require.Equal(t, http.StatusOK, p.post(t, "/v1/logs", "application/json", logsOf(700)))
	b = comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Waiting, func(b ledger.Book) bool { return b.Lost() > 0 })
	require.Equal(t, map[ledger.Reason]int64{ledger.EnqueueFailed: 700}, b.Dropped)
	g.refuse(false, false)
	g.await(t, 30*time.Second, 5100, p)
	b = comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Balanced, func(b ledger.Book) bool { return b.Read == 5800 })
	require.Equal(t, map[ledger.Reason]int64{ledger.EnqueueFailed: 700}, b.Dropped)
	require.EqualValues(t, g.took(), b.Sent)
	require.NoError(t, p.end(t, 20*time.Second), p.output())
}

// What is given up so that others arrive is read and dropped, to the line.
func TestTheLedgerBalancesOverASacrifice(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an agent")
	}
	root, g := hostRoot(t), newLogGateway(t)
	p := logAgent(t, t.TempDir(), root, g, gatewayQueue+"queue_size=1000", "receivers.container_log.batch.max_records=500",
		"receivers.container_log.sacrifice.after_bytes=100000", "receivers.container_log.sacrifice.order=[info]")
	w := newPodWriter(root, 1)
	require.NoError(t, w.write(100))
	g.await(t, 30*time.Second, 100, p)
	g.refuse(true, false)
	require.NoError(t, w.write(20_000))
	comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Waiting, func(b ledger.Book) bool { return b.Queue > 500 })
	g.refuse(false, false)
	b := comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Balanced, func(b ledger.Book) bool { return b.Read == int64(w.n) })
	require.Positive(t, b.Dropped["sacrificed_lag_bytes"], told(b))
	require.EqualValues(t, w.n, int64(g.has())+b.Dropped["sacrificed_lag_bytes"], "each line arrived or is among those given up: %s", told(b))
	t.Log(told(b))
	require.NoError(t, p.end(t, 20*time.Second), p.output())
}

// What memory refuses is its sender's still. The configuration that gives more room
// is read while it runs: the accounts begin anew, and come out even again.
func TestTheLedgerBalancesOverMemoryThatIsShortAndAReload(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an agent")
	}
	root, g := hostRoot(t), newLogGateway(t)
	user := filepath.Join(t.TempDir(), "user.yaml")
	put(t, user, "processors: {memory_limiter: {limit_mib: 5, spike_limit_mib: 4, check_interval: 100ms}}\n")
	p := start(t, t.TempDir(), []string{"VIGIE_GATEWAY_ENDPOINT=" + g.addr, "VIGIE_HOST_ROOT=" + root, "VIGIE_TRACERS=none"},
		"--config", "embedded:agent", "--config", "file:"+user, "--set", "receivers.container_log.start_at=beginning")
	within(t, 60*time.Second, "a refusal for want of memory", p, func() bool {
		res, err := http.Post("http://"+p.otlp+"/v1/logs", "application/json", strings.NewReader(string(logsOf(10))))
		return err == nil && res.Body.Close() == nil && res.StatusCode == http.StatusServiceUnavailable
	})
	w := newPodWriter(root, 1)
	require.NoError(t, w.write(1000))
	require.Equal(t, http.StatusServiceUnavailable, p.post(t, "/v1/logs", "application/json", logsOf(10)))
	b := comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Balanced, func(b ledger.Book) bool { return b.PushedBack >= 20 })
	require.Zero(t, b.PushedBack%10)
	require.EqualValues(t, g.took(), b.Sent, "what came before memory was looked at has arrived: %s", told(b))
	before := g.took()

	put(t, user, "processors: {memory_limiter: {limit_mib: 2000, spike_limit_mib: 400, check_interval: 100ms}}\n")
	within(t, 60*time.Second, "the new configuration", p, func() bool { return strings.Count(p.output(), "Everything is ready") == 2 })
	g.await(t, 30*time.Second, 1000, p)
	b = comesTo(t, p, "logs", "otlp_grpc/gateway", ledger.Balanced, func(b ledger.Book) bool { return b.Read == 1000 })
	require.Zero(t, b.PushedBack, "the accounts began anew: %s", told(b))
	require.EqualValues(t, g.took()-before, b.Sent)
	require.NoError(t, p.end(t, 20*time.Second), p.output())
}

// The laptop shows its own ledger: by the metrics, in the store that it fills.
func TestThePageCanAskForTheLedger(t *testing.T) {
	logs := filepath.Join(t.TempDir(), "app.log")
	require.NoError(t, os.WriteFile(logs, nil, 0o600))
	p := start(t, t.TempDir(), []string{"VIGIE_LOGS=" + logs, "VIGIE_TRACERS=none"})
	within(t, 30*time.Second, "health", p, p.ready)
	require.Equal(t, http.StatusOK, p.post(t, "/v1/logs", "application/json", logsOf(25)))
	b := comesTo(t, p, "logs", "warroom", ledger.Balanced, func(b ledger.Book) bool { return b.Read == 25 })
	require.EqualValues(t, 25, b.Sent-b.Made, told(b))
	within(t, 30*time.Second, "the ledger in the store", p, func() bool {
		return p.query(`vigie_ledger_items{vigie_ledger_signal="logs",vigie_ledger_to="warroom",vigie_ledger_account="read"} == 25`) == 1
	})
	eachBalances(t, p)
	require.NoError(t, p.end(t, 20*time.Second), p.output())
}

// Whoever lists extensions of their own need not know of the ledger.
func TestHealthStartsWithoutALedger(t *testing.T) {
	p := start(t, t.TempDir(), []string{"VIGIE_TRACERS=none"}, "--config", "embedded:laptop", "--set", "service.extensions=[health_check, file_storage]")
	within(t, 30*time.Second, "health", p, p.ready)
	within(t, 10*time.Second, "health without a ledger", p, func() bool {
		code, body := get("http://" + p.health + "/healthz?verbose")
		return code == http.StatusOK && strings.Contains(body, "pipeline:logs") && !strings.Contains(body, "ledger")
	})
	code, _ := get("http://" + p.health + "/ledger")
	require.Equal(t, http.StatusNotFound, code)
	require.NoError(t, p.end(t, 20*time.Second), p.output())
}

// Agent and gateway as they are shipped, killed in turn while lines are written.
// What the gateway has taken goes on to a destination with a queue on disk, as
// CloudWatch is one; that one is the test's.
func TestAsShippedKillsOfAgentAndGatewayLoseNoLine(t *testing.T) {
	if testing.Short() {
		t.Skip("kills an agent and a gateway for some seconds")
	}
	root, g := hostRoot(t), newLogGateway(t)
	agents := ports.Address(t)
	more := filepath.Join(t.TempDir(), "destination.yaml")
	put(t, more, `
exporters:
  otlp_grpc/destination:
    endpoint: `+g.addr+`
    tls: {insecure: true}
    sending_queue: {storage: file_storage, sizer: items, queue_size: 10000000}
    retry_on_failure: {max_elapsed_time: 0s}
service:
  pipelines:
    logs/agents:
      exporters: [warroom, attack_metrics, otlp_grpc/destination]
`)
	agentDir, gatewayDir := t.TempDir(), t.TempDir()
	gateway := func() *program {
		p := start(t, gatewayDir, []string{"VIGIE_AGENTS_ENDPOINT=" + agents}, "--config", "embedded:gateway", "--config", "file:"+more)
		within(t, 60*time.Second, "health of the gateway", p, p.ready)
		return p
	}
	agent := func() *program {
		p := start(t, agentDir, []string{"VIGIE_GATEWAY_ENDPOINT=" + agents, "VIGIE_HOST_ROOT=" + root, "VIGIE_TRACERS=none"},
			"--config", "embedded:agent", "--set", "receivers.container_log.start_at=beginning")
		within(t, 60*time.Second, "health of the agent", p, func() bool { code, _ := get("http://" + p.health + "/healthz"); return code == http.StatusOK })
		return p
	}
	gw, ag := gateway(), agent()
	var writers []*podWriter
	for i := range 5 {
		w := newPodWriter(root, i)
		w.rotateAt = 256 << 10
		writers = append(writers, w)
	}
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			for _, w := range writers {
				if err := w.write(100); err != nil {
					ended <- err
					return
				}
			}
			select {
			case <-stop:
				ended <- nil
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	g.await(t, 30*time.Second, 1000, ag)
	const kills = 6
	for kill := range kills {
		time.Sleep(700 * time.Millisecond)
		p := &ag
		if kill%2 == 0 {
			p = &gw
		}
		require.NoError(t, (*p).cmd.Process.Kill())
		<-(*p).done
		if kill%2 == 0 {
			time.Sleep(700 * time.Millisecond) // the agent finds nobody
			gw = gateway()
		} else {
			ag = agent()
		}
	}
	close(stop)
	require.NoError(t, <-ended)
	g.awaitAll(t, 90*time.Second, writers, ag)
	eachBalances(t, ag)
	eachBalances(t, gw)
	sent := balanced(t, ag, "logs", "otlp_grpc/gateway")
	passed := balanced(t, gw, "logs", "otlp_grpc/destination")
	g.mu.Lock()
	defer g.mu.Unlock()
	require.Zero(t, g.strange)
	t.Logf("%d lines, %d kills: none lost, %d arrived twice; the largest batch had %d\nagent: %s\ngateway: %s", g.lines, kills, g.records-g.lines, g.largest, told(sent), told(passed))
}
