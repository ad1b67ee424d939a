package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// BenchmarkAgentOf110Pods measures bin/vigie itself, as `make build` leaves it, as
// the agent of a node of 110 pods: a kubelet that says of them what a real one says
// (some 1 MB of pods, 7 MB of cAdvisor), 44 pods of 300 series each that ask to be
// scraped, and a log of each that grows by 10 lines a second. The pods are of 22
// Deployments; 8 of those write access logs, which the detector follows at some
// 0.7 MB a service, the others what applications say. What is resident is read after
// three minutes, and the most of the last one. Goal: 150 MiB. Run it with
// -benchtime=1x.
func BenchmarkAgentOf110Pods(b *testing.B) {
	bin, err := filepath.Abs("../bin/vigie")
	require.NoError(b, err)
	if named := os.Getenv("VIGIE_BENCH_BIN"); named != "" {
		bin = named
	}
	if _, err := os.Stat(bin); err != nil {
		b.Skip("no bin/vigie: run make build first")
	}
	const pods = 110
	for b.Loop() {
		n, g := newNode(b, pods, 300), newNodeGateway(b)
		health := ports.Address(b)
		cmd := exec.CommandContext(b.Context(), bin, n.args(b, "receivers.container_log.start_at=beginning")...)
		cmd.Env = append(append(os.Environ(), n.env()...), "VIGIE_DATA_DIR="+b.TempDir(), "VIGIE_GATEWAY_ENDPOINT="+g.addr,
			"VIGIE_OTLP_HTTP_ENDPOINT="+ports.Address(b), "VIGIE_OTLP_GRPC_ENDPOINT="+ports.Address(b), "VIGIE_HEALTH_ENDPOINT="+health, "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:9")
		log, err := os.Create(filepath.Join(b.TempDir(), "log"))
		require.NoError(b, err)
		cmd.Stdout, cmd.Stderr = log, log
		require.NoError(b, cmd.Start())
		begin := time.Now()
		for {
			if code, _ := get("http://" + health + "/healthz"); code == http.StatusOK {
				break
			}
			require.Less(b, time.Since(begin), time.Minute, "the agent did not get ready")
			time.Sleep(20 * time.Millisecond)
		}
		var most, anonymous float64
		cpu := cpuTime(b, cmd.Process.Pid)
		line := 0
		for begin = time.Now(); time.Since(begin) < 3*time.Minute; time.Sleep(time.Second) {
			for i := range pods {
				for range 10 {
					text := fmt.Sprintf(`{"level":"info","msg":"order %d taken","seat":7}`, line)
					if i%deployments%3 == 0 {
						text = fmt.Sprintf("10.1.%d.%d - - [%s] \"GET /item/%d HTTP/1.1\" 200 512 \"-\" \"curl/8\"", line%7, line%250, time.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"), line%500)
					}
					n.logOf(b, i, text)
					line++
				}
			}
			if m := memory(b, cmd.Process.Pid); time.Since(begin) > 2*time.Minute {
				most, anonymous = max(most, m["VmRSS"]), max(anonymous, m["RssAnon"])
			}
		}
		last := memory(b, cmd.Process.Pid)
		b.ReportMetric(float64(cpuTime(b, cmd.Process.Pid)-cpu)/180/float64(time.Millisecond), "cpu-ms/s")
		g.mu.Lock()
		records := 0
		for _, n := range g.logs {
			records += n
		}
		b.ReportMetric(float64(len(g.metrics)), "metrics")
		g.mu.Unlock()
		b.ReportMetric(float64(records)/float64(line)*100, "%-records-arrived")
		b.ReportMetric(float64(n.scraped.Load())/180, "pods-scraped/s")
		b.ReportMetric(float64(len(n.podList)+len(n.cadvisor)+len(n.summary))/1e6, "MB-kubelet")
		b.ReportMetric(float64(n.asked.Load()), "API-server-requests")
		b.ReportMetric(last["VmRSS"]/1024, "MiB-resident")
		b.ReportMetric(most/1024, "MiB-most")
		b.ReportMetric(anonymous/1024, "MiB-anonymous")
		require.NoError(b, cmd.Process.Signal(os.Interrupt))
		require.NoError(b, cmd.Wait())
	}
	b.ReportMetric(0, "ns/op")
}
