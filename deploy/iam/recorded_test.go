package iam_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/deploy/iam"
	"github.com/vigie-otel/vigie/exporters/cloudwatchexporter"
	"github.com/vigie-otel/vigie/exporters/eventbridgeexporter"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

// What the exporters really ask on the wire, under nothing but their policies:
// the other half of the proof, since a call's IAM name need not be its own.
func TestUnderNothingButItsPolicyAnExporterDelivers(t *testing.T) {
	for policy, c := range map[string]struct {
		factory exporter.Factory
		config  map[string]any
	}{
		"cloudwatch-findings": {cloudwatchexporter.NewFactory(), map[string]any{
			"logs":   map[string]any{"group": "/vigie/arena/findings", "stream": "gateway-0", "format": "json"},
			"create": map[string]any{"retention_days": 365, "tags": map[string]any{"team": "live"}},
		}},
		"eventbridge": {eventbridgeexporter.NewFactory(), map[string]any{"bus": "match"}},
	} {
		t.Run(policy, func(t *testing.T) {
			p, err := iam.Read("policies", policy)
			require.NoError(t, err)
			aws := awsfake.Start(t, awsfake.Options{Buses: []string{"match"}})
			for _, kv := range aws.Env() {
				name, value, _ := strings.Cut(kv, "=")
				t.Setenv(name, value)
			}
			aws.Allow(p.Actions()...)

			x := started(t, c.factory, c.config)
			require.NoError(t, x.ConsumeLogs(t.Context(), oneFinding()))
			if d := cmp.Diff(p.Actions(), aws.Calls()); d != "" {
				t.Errorf("the policy (-) and what was asked (+):\n%s", d)
			}
		})
	}
}

// started is an exporter without its queue: what it is given has arrived, or is
// an error, when ConsumeLogs returns.
func started(t *testing.T, f exporter.Factory, over map[string]any) exporter.Logs {
	t.Helper()
	cfg := f.CreateDefaultConfig()
	over["sending_queue"] = map[string]any{"enabled": false}
	over["retry_on_failure"] = map[string]any{"initial_interval": "10ms", "max_interval": "50ms", "max_elapsed_time": "10s"}
	require.NoError(t, confmap.NewFromStringMap(over).Unmarshal(&cfg))
	require.NoError(t, confmap.Validate(cfg))
	x, err := f.CreateLogs(t.Context(), exportertest.NewNopSettings(f.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, x.(component.Component).Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, x.Shutdown(context.Background())) })
	return x
}

func oneFinding() plog.Logs {
	now := time.Now()
	f := finding.Finding{
		ID: "f-1", Status: finding.Open, Class: finding.HTTPFlood, Service: "player", Confidence: 0.9,
		StartedAt: now.Add(-3 * time.Second), DetectedAt: now, UpdatedAt: now,
	}
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("k8s.cluster.name", "arena")
	f.ToLogRecord(rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	return ld
}
