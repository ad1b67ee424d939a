package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

// startConfig runs vigie on a configuration whose $NAMEs are replaced, and
// returns once its OTLP receiver listens.
func startConfig(t *testing.T, dir string, env []string, config string, replace map[string]string) *program {
	t.Helper()
	otlp := ports.Address(t)
	pairs := []string{"$OTLP", otlp, "$DIR", dir}
	for name, value := range replace {
		pairs = append(pairs, "$"+name, value)
	}
	file := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(strings.NewReplacer(pairs...).Replace(config)), 0o600))
	p := start(t, dir, env, "--config", file)
	p.otlp = otlp
	within(t, 30*time.Second, "OTLP", p, func() bool {
		conn, err := net.Dial("tcp", otlp)
		return err == nil && conn.Close() == nil
	})
	return p
}

// kill ends the program as a machine that dies does.
func (p *program) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	<-p.done
}

// sendMetrics posts md and returns whether it was accepted.
func (p *program) sendMetrics(t *testing.T, md pmetric.Metrics) bool {
	t.Helper()
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	require.NoError(t, err)
	return p.offer("/v1/metrics", body)
}

// sendLogs posts ld and returns whether it was accepted.
func (p *program) sendLogs(t *testing.T, ld plog.Logs) bool {
	t.Helper()
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(t, err)
	return p.offer("/v1/logs", body)
}

// offer posts OTLP; a program that is being killed is no failure of the test.
func (p *program) offer(path string, body []byte) bool {
	client := http.Client{Timeout: 20 * time.Second}
	res, err := client.Post("http://"+p.otlp+path, "application/x-protobuf", bytes.NewReader(body))
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// gauges are n series of one metric, each with one sample at a time.
func gauges(name string, first, n int, at time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "load")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	points := m.SetEmptyGauge().DataPoints()
	points.EnsureCapacity(n)
	for i := range n {
		p := points.AppendEmpty()
		p.Attributes().PutStr("series", fmt.Sprintf("%06d", first+i))
		p.SetTimestamp(pcommonTime(at))
		p.SetIntValue(int64(first + i))
	}
	return md
}
