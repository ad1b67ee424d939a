package cloudformation_test

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/exporters/cloudwatchexporter"
	"github.com/vigie-otel/vigie/exporters/eventbridgeexporter"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

// send gives an exporter a finding in each state, by the settings of the gateway
// shape, and returns the fake that took them.
func send(t *testing.T, f exporter.Factory, config map[string]any) *awsfake.Server {
	t.Helper()
	aws := awsfake.Start(t, awsfake.Options{})
	for _, kv := range aws.Env() {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	cfg := f.CreateDefaultConfig()
	config["sending_queue"] = map[string]any{"enabled": false}
	config["retry_on_failure"] = map[string]any{"initial_interval": "10ms", "max_interval": "50ms", "max_elapsed_time": "10s"}
	require.NoError(t, confmap.NewFromStringMap(config).Unmarshal(&cfg))
	x, err := f.CreateLogs(t.Context(), exportertest.NewNopSettings(f.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, x.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, x.Shutdown(context.Background())) })
	now := time.Now()
	for _, status := range []finding.Status{finding.Open, finding.Update, finding.Closed} {
		one := finding.Finding{ID: "f-1", Status: status, Class: finding.HTTPFlood, Service: "player", Confidence: 0.9, StartedAt: now.Add(-time.Minute), DetectedAt: now, UpdatedAt: now}
		if status == finding.Closed {
			one.ClosedAt = now
		}
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("k8s.cluster.name", "arena")
		one.ToLogRecord(rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
		require.NoError(t, x.ConsumeLogs(t.Context(), ld))
	}
	return aws
}

var term = regexp.MustCompile(`^\$\.([a-z_.]+) = (\d+)$`)

// matches is CloudWatch's JSON filter pattern, as much of it as is used here.
func matches(t *testing.T, pattern string, event map[string]any) bool {
	t.Helper()
	inner := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(pattern, "{"), "}"))
	for part := range strings.SplitSeq(inner, " && ") {
		m := term.FindStringSubmatch(part)
		require.NotNil(t, m, "term %q", part)
		want, err := strconv.ParseFloat(m[2], 64)
		require.NoError(t, err)
		if at(event, m[1]) != want {
			return false
		}
	}
	return true
}

// at follows a path of keys, nil where it ends.
func at(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// What the filters count is what the exporter writes: one opened, one closed.
func TestTheMetricFiltersCountWhatTheExporterWrites(t *testing.T) {
	aws := send(t, cloudwatchexporter.NewFactory(), map[string]any{"logs": map[string]any{"group": "/vigie/arena/findings", "stream": "gateway-0", "format": "json"}})
	events := aws.Events("/vigie/arena/findings", "gateway-0")
	require.Len(t, events, 3)
	module, err := os.ReadFile("../terraform/logs.tf")
	require.NoError(t, err)
	for _, name := range []string{"FindingsOpened", "FindingsClosed"} {
		pattern := read(t).Resources[name].Properties["FilterPattern"].(string)
		require.Contains(t, string(module), `"`+pattern+`"`, "the Terraform module has another pattern")
		count := 0
		for _, e := range events {
			var event map[string]any
			require.NoError(t, json.Unmarshal([]byte(e.Message), &event))
			if matches(t, pattern, event) {
				count++
			}
		}
		require.Equal(t, 1, count, name)
	}
}

// What the rule matches and the message quotes is what the exporter sends.
func TestTheRuleMatchesWhatTheExporterSends(t *testing.T) {
	aws := send(t, eventbridgeexporter.NewFactory(), map[string]any{})
	sent := aws.BusEvents("default")
	require.Len(t, sent, 2, "opened and closed")
	rule := read(t).Resources["FindingsRule"].Properties
	pattern := rule["EventPattern"].(map[string]any)
	module, err := os.ReadFile("../terraform/events.tf")
	require.NoError(t, err)
	for _, e := range sent {
		require.Equal(t, []any{e.Source}, pattern["source"])
		require.Equal(t, []any{e.DetailType}, pattern["detail-type"])
		var detail map[string]any
		require.NoError(t, json.Unmarshal([]byte(e.Detail), &detail))
		require.EqualValues(t, 2004, detail["class_uid"])
		require.Equal(t, map[string]any{"k8s.cluster.name": "arena"}, detail["unmapped"])
		paths := rule["Targets"].([]any)[0].(map[string]any)["InputTransformer"].(map[string]any)["InputPathsMap"].(map[string]any)
		for name, path := range paths {
			require.NotEmpty(t, at(map[string]any{"detail": detail}, strings.TrimPrefix(path.(string), "$.")), name)
			require.Contains(t, string(module), `"`+path.(string)+`"`)
		}
	}
}
