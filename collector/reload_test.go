package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// put replaces a file as an editor does, in one step.
func put(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// numbered sends records one after another, each until it is accepted, as an SDK
// with a retry does.
type numbered struct {
	url  string
	quit chan struct{}
	wait sync.WaitGroup
	sent int // after wait
	busy int // attempts that were not accepted, after wait
}

func sendNumbered(addr string) *numbered {
	n := &numbered{url: "http://" + addr + "/v1/logs", quit: make(chan struct{})}
	n.wait.Go(func() {
		client := http.Client{Timeout: 2 * time.Second}
		for {
			select {
			case <-n.quit:
				return
			default:
			}
			body := fmt.Sprintf(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":%s}}]}]}]}`,
				time.Now().UnixNano(), strconv.Quote(fmt.Sprintf("w001-%08d", n.sent)+ordinary))
			for {
				res, err := client.Post(n.url, "application/json", bytes.NewReader([]byte(body)))
				if err == nil {
					_ = res.Body.Close()
					if res.StatusCode == http.StatusOK {
						break
					}
				}
				n.busy++
				time.Sleep(10 * time.Millisecond)
			}
			n.sent++
			time.Sleep(2 * time.Millisecond)
		}
	})
	return n
}

func TestTenReloadsLoseNothing(t *testing.T) {
	gateway := newLogGateway(t)
	user := filepath.Join(t.TempDir(), "user.yaml")
	put(t, user, "processors: {batch: {timeout: 100ms}}\n")
	p := start(t, t.TempDir(), []string{"VIGIE_GATEWAY_ENDPOINT=" + gateway.addr, "VIGIE_TRACERS=none"},
		"--config", "embedded:agent", "--config", "file:"+user)
	healthz := "http://" + p.health + "/healthz?verbose"
	within(t, 30*time.Second, "health", p, func() bool { code, _ := get(healthz); return code == http.StatusOK })
	n := sendNumbered(p.otlp)

	applied, refused, reverted := 0, 0, 0
	for i := range 10 {
		switch i {
		case 2, 5: // what runs goes on
			refused++
			put(t, user, fmt.Sprintf("processors: {batch: {timeout: soon%d}}\n", i))
			within(t, 20*time.Second, "refusal", p, func() bool { return strings.Count(p.output(), "The new configuration is not valid") == refused })
			within(t, 5*time.Second, "the problem in health", p, func() bool {
				code, body := get(healthz)
				return code == http.StatusOK && strings.Contains(body, "StatusRecoverableError") && strings.Contains(body, fmt.Sprintf(`soon%d`, i))
			})
		case 7: // valid, and can't start: the directory can't be made
			reverted++
			put(t, user, "extensions: {file_storage: {directory: /proc/none/state}}\n")
			within(t, 30*time.Second, "reversal", p, func() bool { return strings.Contains(p.output(), "the one before is started again") })
			within(t, 20*time.Second, "the problem in health", p, func() bool {
				code, body := get(healthz)
				return code == http.StatusOK && strings.Contains(body, "/proc/none")
			})
		default:
			applied++
			if i == 4 { // what is queued outlives the reload
				gateway.set(true)
			}
			put(t, user, fmt.Sprintf("processors: {batch: {timeout: %dms}}\n", 101+i))
			within(t, 30*time.Second, "reload", p, func() bool { return strings.Count(p.output(), "Everything is ready") == 1+applied+reverted })
			within(t, 5*time.Second, "health without a problem", p, func() bool {
				code, body := get(healthz)
				return code == http.StatusOK && !strings.Contains(body, "an earlier configuration")
			})
			gateway.set(false)
		}
	}
	close(n.quit)
	n.wait.Wait()
	within(t, 30*time.Second, fmt.Sprintf("all %d records, at the gateway are %d", n.sent, gateway.has()), p, func() bool { return gateway.has() == n.sent })
	gateway.mu.Lock()
	t.Logf("%d applied, %d refused, %d reverted; %d records accepted in %d attempts, %d arrived, %d of them twice; the gateway refused %d requests",
		applied, refused, reverted, n.sent, n.sent+n.busy, gateway.lines, gateway.records-gateway.lines, gateway.refused)
	gateway.mu.Unlock()
	require.NoError(t, p.end(t, 15*time.Second))
}

func TestAStartWithABrokenConfigurationRunsWhatWorkedLastAndSaysSo(t *testing.T) {
	dir, user := t.TempDir(), filepath.Join(t.TempDir(), "user.yaml")
	args := []string{"--config", "embedded:laptop", "--config", user}
	env := []string{"VIGIE_CONFIG_KEEP_LAST=true"}
	put(t, user, "exporters: {debug: {verbosity: basic}}\n")
	first := start(t, dir, env, args...)
	within(t, 30*time.Second, "health", first, first.ready)
	within(t, 15*time.Second, "what works being kept", first, func() bool { // a moment after it is healthy
		kept, err := filepath.Glob(filepath.Join(dir, "config", "last-worked.json"))
		return err == nil && len(kept) == 1
	})
	require.NoError(t, first.end(t, 15*time.Second))

	put(t, user, "exporters: {debug: {verbosity: loud}}\n")
	p := start(t, dir, env, args...)
	within(t, 30*time.Second, "health on what was kept", p, p.ready)
	for _, want := range []string{"THE CONFIGURATION DOES NOT WORK", "exporters::debug::verbosity", "vigie validate"} {
		if !strings.Contains(p.output(), want) {
			t.Errorf("the log does not say %q:\n%s", want, p.output())
		}
	}
	within(t, 15*time.Second, "the failed reload in the store", p, func() bool { return p.query("vigie_config_last_reload_successful_ratio == 0") == 1 })
	for _, expr := range []string{"vigie_config_last_reload_time_seconds > 1e9", "vigie_config_hash_ratio > 0"} {
		if p.query(expr) != 1 {
			t.Errorf("no %s", expr)
		}
	}
	// Mended, it is taken up; SIGHUP asks at once.
	put(t, user, "exporters: {debug: {verbosity: normal}}\n")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
	within(t, 30*time.Second, "the mended one", p, func() bool { return p.query("vigie_config_last_reload_successful_ratio == 1") == 1 })
	if n := p.query(`vigie_config_reloads_total{vigie_config_outcome="applied"} >= 1`); n != 1 {
		t.Errorf("the reload is not counted")
	}
	require.NoError(t, p.end(t, 15*time.Second))
}
