package cloudwatchexporter

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

// host records what health is told, and has extensions.
type host struct {
	events     chan *componentstatus.Event
	extensions map[component.ID]component.Component
}

func newHost() *host { return &host{events: make(chan *componentstatus.Event, 100)} }

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(e *componentstatus.Event) { h.events <- e }

// surround gives the process the fake's environment.
func surround(t *testing.T, env []string) {
	t.Helper()
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
}

// direct is a configuration without a queue, so that a Consume call ends when
// its data has arrived, and with short pauses.
func direct(change func(*Config)) *Config {
	c := createDefaultConfig()
	c.Queue = configoptional.None[exporterhelper.QueueBatchConfig]()
	c.BackOff.InitialInterval, c.BackOff.MaxInterval = 10*time.Millisecond, 50*time.Millisecond
	c.Logs.Group, c.Logs.Stream = "/vigie/{k8s.cluster.name:none}", "{k8s.pod.name}"
	if change != nil {
		change(c)
	}
	return c
}

type running struct {
	t    *testing.T
	tel  *componenttest.Telemetry
	host *host
	logs exporter.Logs
	metr exporter.Metrics
}

func settings(t *testing.T) (exporter.Settings, *componenttest.Telemetry) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	set := exportertest.NewNopSettings(typ)
	set.ID = component.NewID(typ)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	return set, tel
}

// startLogs runs the logs half until the test ends.
func startLogs(t *testing.T, c *Config) *running {
	t.Helper()
	require.NoError(t, c.Validate())
	set, tel := settings(t)
	r := &running{t: t, tel: tel, host: newHost()}
	var err error
	r.logs, err = createLogs(t.Context(), set, c)
	require.NoError(t, err)
	require.NoError(t, r.logs.Start(t.Context(), r.host))
	t.Cleanup(func() { require.NoError(t, r.logs.Shutdown(context.Background())) })
	return r
}

func startMetrics(t *testing.T, c *Config) *running {
	t.Helper()
	require.NoError(t, c.Validate())
	set, tel := settings(t)
	r := &running{t: t, tel: tel, host: newHost()}
	var err error
	r.metr, err = createMetrics(t.Context(), set, c)
	require.NoError(t, err)
	require.NoError(t, r.metr.Start(t.Context(), r.host))
	t.Cleanup(func() { require.NoError(t, r.metr.Shutdown(context.Background())) })
	return r
}

func (r *running) send(ld plog.Logs) {
	r.t.Helper()
	require.NoError(r.t, r.try(ld))
}

// try is send for a goroutine that is not the test's own.
func (r *running) try(ld plog.Logs) error {
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute) // it tries for ever
	defer cancel()
	return r.logs.ConsumeLogs(ctx, ld)
}

// told is what health hears next.
func (r *running) told() *componentstatus.Event {
	r.t.Helper()
	select {
	case e := <-r.host.events:
		return e
	case <-time.After(time.Minute):
		r.t.Fatal("health is told nothing")
		return nil
	}
}

func (r *running) measure(md pmetric.Metrics) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	require.NoError(r.t, r.metr.ConsumeMetrics(ctx, md))
}

// counted is a counter's values by an attribute of it.
func (r *running) counted(name, by string) map[string]int64 {
	r.t.Helper()
	found := map[string]int64{}
	m, err := r.tel.GetMetric(name)
	if err != nil {
		return found
	}
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		v, _ := p.Attributes.Value(attributeKey(by))
		found[v.AsString()] += p.Value
	}
	return found
}

func (r *running) dropped() map[string]int64 {
	return r.counted(names.CloudWatchEventsDropped, names.CloudWatchReason)
}

// pods makes logs: for each pod as many lines as it is given.
func pods(lines map[string][]string) plog.Logs {
	ld := plog.NewLogs()
	for pod, all := range lines {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("k8s.cluster.name", "final")
		rl.Resource().Attributes().PutStr("k8s.pod.name", pod)
		records := rl.ScopeLogs().AppendEmpty().LogRecords()
		for _, line := range all {
			rec := records.AppendEmpty()
			rec.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
			rec.Body().SetStr(line)
		}
	}
	return ld
}

func messages(events []awsfake.LogEvent) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.Message)
	}
	return all
}
