package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/ledger"
	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// The tests of this file run the real program: the test binary starts itself
// again as vigie.
func TestMain(m *testing.M) {
	if os.Getenv("VIGIE_TEST_RUN_MAIN") == "1" {
		main()
		os.Exit(0)
	}
	if err := openGates(); err != nil { // as main does
		panic(err)
	}
	os.Exit(m.Run())
}

// program is a running vigie with addresses of its own.
type program struct {
	cmd    *exec.Cmd
	env    []string
	dir    string
	page   string // host:port
	health string // host:port
	otlp   string // host:port of OTLP/HTTP
	done   chan error

	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *program) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// start runs vigie with args; env entries come on top of addresses and a data
// directory of the test's own.
func start(t *testing.T, dir string, env []string, args ...string) *program {
	t.Helper()
	p := &program{dir: dir, page: ports.Address(t), otlp: ports.Address(t), health: ports.Address(t), done: make(chan error, 1)}
	p.env = append([]string{
		"VIGIE_TEST_RUN_MAIN=1", "VIGIE_DATA_DIR=" + dir,
		"VIGIE_PAGE_ENDPOINT=" + p.page, "VIGIE_OTLP_HTTP_ENDPOINT=" + p.otlp,
		"VIGIE_OTLP_GRPC_ENDPOINT=" + ports.Address(t), "VIGIE_HEALTH_ENDPOINT=" + p.health, "VIGIE_TELEMETRY_ENDPOINT=",
	}, env...)
	p.cmd = exec.CommandContext(t.Context(), os.Args[0], args...)
	p.cmd.Env = append(os.Environ(), p.env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	require.NoError(t, p.cmd.Start())
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// within polls until ok, as a person with curl would; a program in another
// process leaves no other way to know.
func within(t *testing.T, limit time.Duration, what string, p *program, ok func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for !ok() {
		select {
		case err := <-p.done:
			t.Fatalf("vigie ended (%v) before %s:\n%s", err, what, p.output())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(begin) > limit {
			t.Fatalf("no %s within %s:\n%s", what, limit, p.output())
		}
	}
	return time.Since(begin)
}

func get(url string) (int, string) {
	client := http.Client{Timeout: 2 * time.Second}
	res, err := client.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

func (p *program) ready() bool {
	code, _ := get("http://" + p.page + "/healthz")
	conn, err := net.Dial("tcp", p.otlp)
	if err != nil {
		return false
	}
	return conn.Close() == nil && code == http.StatusOK
}

// query returns how many series an instant query has.
func (p *program) query(expr string) int {
	_, body := get("http://" + p.page + "/api/v1/query?query=" + url.QueryEscape(expr))
	var answer struct {
		Data struct {
			Result []json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if json.Unmarshal([]byte(body), &answer) != nil {
		return 0
	}
	return len(answer.Data.Result)
}

func (p *program) post(t *testing.T, path, contentType string, body []byte) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.otlp+path, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	return res.StatusCode
}

func (p *program) end(t *testing.T, limit time.Duration) error {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-p.done:
		return err
	case <-time.After(limit):
		t.Fatalf("still running %s after SIGTERM:\n%s", limit, p.output())
		return nil
	}
}

func TestTheLaptopShowsThisMachineAndWhatItIsSent(t *testing.T) {
	logs := filepath.Join(t.TempDir(), "app.log")
	require.NoError(t, os.WriteFile(logs, nil, 0o600))
	p := start(t, t.TempDir(), []string{"VIGIE_LOGS=" + logs})
	within(t, 30*time.Second, "health", p, p.ready)
	within(t, 10*time.Second, "CPU time of this machine", p, func() bool {
		return p.query(`system_cpu_time_seconds_total{state="guest"}`) > 0
	})

	now := time.Now().UnixNano()
	metric := fmt.Sprintf(`{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeMetrics":[{"metrics":[{"name":"orders","unit":"{order}","gauge":{"dataPoints":[{"timeUnixNano":"%d","asInt":"7"}]}}]}]}]}`, now)
	log := fmt.Sprintf(`{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"order taken"}}]}]}]}`, now)
	span := fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"checkout","kind":2,"startTimeUnixNano":"%d","endTimeUnixNano":"%d"}]}]}]}`, now, now+5e6)
	for path, body := range map[string]string{"/v1/metrics": metric, "/v1/logs": log, "/v1/traces": span} {
		if code := p.post(t, path, "application/json", []byte(body)); code != http.StatusOK {
			t.Errorf("POST %s: %d", path, code)
		}
	}
	f, err := os.OpenFile(logs, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("a line of a file\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())

	within(t, 30*time.Second, "the metric in the store", p, func() bool { return p.query(`orders{job="shop"}`) == 1 })
	for _, want := range []string{"order taken", "checkout", `"orders"`, "a line of a file"} {
		within(t, 30*time.Second, want+" on the page", p, func() bool {
			_, body := get("http://" + p.page + "/api/warroom/now")
			return strings.Contains(body, want)
		})
	}
	if code, body := get("http://" + p.page + "/"); code != http.StatusOK || !strings.Contains(body, "<title>Vigie") {
		t.Errorf("page: %d %s", code, body)
	}
	within(t, 15*time.Second, "the binary's own metrics", p, func() bool {
		return p.query(`otelcol_process_uptime_seconds_total{job="vigie"}`) == 1 && p.query(`prometheus_tsdb_head_series{job="vigie"}`) == 1
	})

	begin := time.Now()
	if err := p.end(t, 10*time.Second); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, p.output())
	}
	t.Logf("ended %s after SIGTERM", time.Since(begin).Round(time.Millisecond))
}

func TestWhatWasThereBeforeAKillIsThereAfter(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, nil)
	within(t, 30*time.Second, "health", p, p.ready)
	body := fmt.Sprintf(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"before_the_kill","gauge":{"dataPoints":[{"timeUnixNano":"%d","asInt":"1"}]}}]}]}]}`, time.Now().UnixNano())
	require.Equal(t, http.StatusOK, p.post(t, "/v1/metrics", "application/json", []byte(body)))
	within(t, 30*time.Second, "the sample", p, func() bool { return p.query("before_the_kill") == 1 })
	require.NoError(t, p.cmd.Process.Kill())
	<-p.done

	again := start(t, dir, nil)
	within(t, 30*time.Second, "health after the kill", again, again.ready)
	within(t, 30*time.Second, "the series from before the kill", again, func() bool { return again.query("before_the_kill") == 1 })
}

func TestAPortOrADirectoryInUseIsNamedWithItsComponent(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, nil)
	within(t, 30*time.Second, "health", first, first.ready)
	for name, c := range map[string]struct {
		dir  string
		env  string
		want []string
	}{
		"page": {t.TempDir(), "VIGIE_PAGE_ENDPOINT=" + first.page, []string{first.page, "warroom", "another program"}},
		"otlp": {t.TempDir(), "VIGIE_OTLP_HTTP_ENDPOINT=" + first.otlp, []string{first.otlp, `"otlp"`, "another program"}},
		"data": {dir, "", []string{filepath.Join(dir, "store"), "in use by another instance"}},
	} {
		second := start(t, c.dir, []string{c.env})
		select {
		case err := <-second.done:
			if err == nil {
				t.Errorf("%s: ended without an error", name)
			}
		case <-time.After(30 * time.Second):
			t.Errorf("%s: started all the same", name)
			_ = second.cmd.Process.Kill()
		}
		lines := strings.Split(strings.TrimSpace(second.output()), "\n")
		last := strings.Join(lines[max(0, len(lines)-4):], "\n")
		for _, want := range c.want {
			if !strings.Contains(last, want) {
				t.Errorf("%s: the last lines do not say %q:\n%s", name, want, last)
			}
		}
	}
	if !first.ready() {
		t.Error("the first instance suffered")
	}
}

func TestMalformedOTLPIsRefusedAndNothingElseIsLost(t *testing.T) {
	p := start(t, t.TempDir(), nil)
	within(t, 30*time.Second, "health", p, p.ready)
	huge := `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"huge","gauge":{"dataPoints":[{"timeUnixNano":"%d","asInt":"1","attributes":[{"key":"v","value":{"stringValue":"` + strings.Repeat("x", 10<<20) + `"}}]}]}},{"name":"small","gauge":{"dataPoints":[{"timeUnixNano":"%d","asInt":"1"}]}}]}]}]}`
	now := time.Now().UnixNano()
	for _, c := range []struct {
		contentType, body string
		want              int
	}{
		{"application/json", `{"resourceMetrics":[`, http.StatusBadRequest},
		{"application/json", `[]`, http.StatusBadRequest},
		{"application/x-protobuf", "\xff\xff\xff\xff junk", http.StatusBadRequest},
		{"text/plain", "hello", http.StatusUnsupportedMediaType},
		{"application/json", fmt.Sprintf(huge, now, now), http.StatusOK},
	} {
		if code := p.post(t, "/v1/metrics", c.contentType, []byte(c.body)); code != c.want {
			t.Errorf("%s %.40q: %d, want %d", c.contentType, c.body, code, c.want)
		}
	}
	within(t, 5*time.Second, "the sound neighbour of a 10 MB label", p, func() bool { return p.query("small") == 1 })
	if p.query("huge") != 0 {
		t.Error("a 10 MB label value is in the store")
	}
	_, body := get("http://" + p.page + "/healthz")
	if !strings.Contains(body, `"label_limit":`) {
		t.Errorf("the refusal is not counted: %s", body)
	}
}

// An agent starts, collects and queues without its gateway; what it accepted
// outlives a kill and arrives once the gateway is there.
func TestAnAgentWithoutItsGatewayQueuesOnDisk(t *testing.T) {
	gatewayOTLP, agentHTTP, dir := ports.Address(t), ports.Address(t), t.TempDir()
	agentArgs := []string{
		"--config", "embedded:agent",
		"--set", "receivers.otlp.protocols.grpc.endpoint=" + ports.Address(t),
		"--set", "receivers.otlp.protocols.http.endpoint=" + agentHTTP,
	}
	env := []string{"VIGIE_GATEWAY_ENDPOINT=" + gatewayOTLP}
	agent := start(t, dir, env, agentArgs...)
	agent.otlp = agentHTTP
	listens := func() bool {
		conn, err := net.Dial("tcp", agentHTTP)
		return err == nil && conn.Close() == nil
	}
	took := within(t, 10*time.Second, "OTLP of an agent without a gateway", agent, listens)
	t.Logf("ready after %s", took.Round(time.Millisecond))
	log := fmt.Sprintf(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"accepted before the kill"}}]}]}]}`, time.Now().UnixNano())
	require.Equal(t, http.StatusOK, agent.post(t, "/v1/logs", "application/json", []byte(log)))
	// The batch processor holds a record for a while before it is in the queue; what
	// it holds is not safe yet.
	comesTo(t, agent, "logs", "otlp_grpc/gateway", ledger.Waiting, func(b ledger.Book) bool { return b.Queue == 1 })
	require.NoError(t, agent.cmd.Process.Kill())
	<-agent.done

	gateway := start(t, t.TempDir(), nil, "--config", "embedded:gateway",
		"--set", "receivers.otlp.protocols.grpc.endpoint="+gatewayOTLP,
		"--set", "receivers.otlp.protocols.http.endpoint="+ports.Address(t),
		"--set", "exporters.warroom.endpoint="+agent.page,
		"--set", "extensions.health_check.endpoint="+ports.Address(t),
		"--set", "service.telemetry.metrics.level=none")
	again := start(t, dir, env, agentArgs...)
	within(t, 30*time.Second, "the log at the gateway", again, func() bool {
		_, body := get("http://" + agent.page + "/api/warroom/now")
		return strings.Contains(body, "accepted before the kill")
	})
	for _, p := range []*program{again, gateway} {
		if err := p.end(t, 10*time.Second); err != nil {
			t.Errorf("SIGTERM: %v\n%s", err, p.output())
		}
	}
}

func TestAWrongConfigurationEndsWithOneLineAProblem(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("receivers: {otlp: {protocols: {grpc: {endpont: x}}}}\nprocessors: {batch: {timeout: soon}}\nexporters: {nosuch: {}}\nservice: {pipelines: {logs: {receivers: [otlp], processors: [batch], exporters: [nosuch]}}}\n"), 0o600))
	for _, args := range [][]string{{"validate", "--config", bad}, {"--config", bad}} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
		cmd.Env = append(os.Environ(), "VIGIE_TEST_RUN_MAIN=1")
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%v: %v", args, err)
		}
		if lines := strings.Split(strings.TrimSpace(string(out)), "\n"); len(lines) != 3 {
			t.Errorf("%v prints %d lines, want 3:\n%s", args, len(lines), out)
		}
	}
}
