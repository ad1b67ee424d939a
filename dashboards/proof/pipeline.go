package proof

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/spanmetricsconnector"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/vigie-otel/vigie/internal/configstate"
	"github.com/vigie-otel/vigie/processors/attackdetectionprocessor"
	"github.com/vigie-otel/vigie/processors/attackmetricsconnector"
	"github.com/vigie-otel/vigie/processors/conntrackprocessor"
	"github.com/vigie-otel/vigie/processors/seriesguardprocessor"
	"github.com/vigie-otel/vigie/receivers/containerlogreceiver"
)

// pipeline is the components, wired as the laptop's configuration wires them, as
// far as they can run without a machine of their own.
type pipeline struct {
	rec    *record
	cl     *cluster
	reader *sdk.ManualReader
	obs    *receiverhelper.ObsReport

	logs      consumer.Logs
	traces    consumer.Traces
	conntrack consumer.Metrics
	flows     consumer.Logs
	exported  consumer.Metrics

	config *configstate.State
	shape  shape // the laptop's configuration
	podLog *os.File
	cpu    map[string]float64    // s, by instance: what the processes have used
	parts  []component.Component // in the order in which they are stopped
}

func (p *pipeline) telemetry() component.TelemetrySettings {
	set := componenttest.NewNopTelemetrySettings()
	set.MeterProvider = sdk.NewMeterProvider(sdk.WithReader(p.reader))
	return set
}

func configure(t *testing.T, cfg component.Config, values map[string]any) component.Config {
	require.NoError(t, confmap.NewFromStringMap(values).Unmarshal(cfg))
	if v, ok := cfg.(interface{ Validate() error }); ok {
		require.NoError(t, v.Validate())
	}
	return cfg
}

func start(t *testing.T, rec *record, cl *cluster, dir string) *pipeline {
	p := &pipeline{rec: rec, cl: cl, reader: sdk.NewManualReader(), cpu: map[string]float64{}}
	p.shape = laptop(t)
	tel := p.telemetry()
	ctx := t.Context()
	run := func(c component.Component, err error) {
		require.NoError(t, err)
		p.parts = append(p.parts, c)
	}
	processors := func(f processor.Factory) processor.Settings {
		return processor.Settings{ID: component.NewID(f.Type()), TelemetrySettings: tel}
	}
	connectors := func(f connector.Factory) connector.Settings {
		return connector.Settings{ID: component.NewID(f.Type()), TelemetrySettings: tel}
	}
	out := p.destination(t, tel)

	am := attackmetricsconnector.NewFactory()
	attack, err := am.CreateLogsToMetrics(ctx, connectors(am), am.CreateDefaultConfig(), rec.consumer(t))
	run(attack, err)
	bf := batchprocessor.NewFactory()
	batch, err := bf.CreateLogs(ctx, processors(bf), bf.CreateDefaultConfig(), tee(t, attack, out.logs))
	run(batch, err)
	ad := attackdetectionprocessor.NewFactory()
	detection, err := ad.CreateLogs(ctx, processors(ad), configure(t, ad.CreateDefaultConfig(), map[string]any{"calendar": match(t, dir)}), batch)
	run(detection, err)
	ml := memorylimiterprocessor.NewFactory()
	limited, err := ml.CreateLogs(ctx, processors(ml), configure(t, ml.CreateDefaultConfig(), map[string]any{"check_interval": "1s", "limit_mib": 4000}), detection)
	run(limited, err)
	p.logs = limited

	sm := spanmetricsconnector.NewFactory()
	red, err := sm.CreateTracesToMetrics(ctx, connectors(sm), configure(t, sm.CreateDefaultConfig(), p.shape.Connectors["span_metrics"]), rec.consumer(t))
	run(red, err)
	ct := conntrackprocessor.NewFactory()
	cfg := ct.CreateDefaultConfig()
	p.traces, err = ct.CreateTraces(ctx, processors(ct), cfg, both(t, red, out.traces))
	run(p.traces.(component.Component), err)
	p.conntrack, err = ct.CreateMetrics(ctx, processors(ct), cfg, rec.consumer(t))
	run(p.conntrack.(component.Component), err)

	p.flows, err = ct.CreateLogs(ctx, processors(ct), cfg, limited)
	run(p.flows.(component.Component), err)

	p.state(t, tel)
	p.hosts(t, tel)
	p.podLogs(t, tel, dir)
	p.obs, err = receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: component.MustNewID("otlp"), Transport: "grpc",
		ReceiverCreateSettings: receiver.Settings{ID: component.MustNewID("otlp"), TelemetrySettings: tel}})
	require.NoError(t, err)
	for _, c := range p.parts {
		require.NoError(t, c.Start(ctx, componenttest.NewNopHost()))
	}
	return p
}

// match is the calendar of what is replayed: a kick-off four minutes in.
func match(t *testing.T, dir string) string {
	path := filepath.Join(dir, "calendar.yaml")
	text := "events:\n  - name: Semi-final\n    kick_off: " + time.Now().Add(4*time.Minute).Format(time.RFC3339) + "\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// stop ends the components, sources first.
func (p *pipeline) stop(t *testing.T) {
	for i := len(p.parts) - 1; i >= 0; i-- {
		require.NoError(t, p.parts[i].Shutdown(context.WithoutCancel(t.Context())))
	}
	require.NoError(t, p.podLog.Close())
}

type destination struct {
	logs   consumer.Logs
	traces consumer.Traces
}

var errRefused = errors.New("the destination is busy")

// destination is an exporter with the collector's queue, whose other side refuses
// for good once, so that failures are there to be counted.
func (p *pipeline) destination(t *testing.T, tel component.TelemetrySettings) destination {
	set := exporter.Settings{ID: component.MustNewIDWithName("otlp_grpc", "gateway"), TelemetrySettings: tel}
	queue := exporterhelper.WithQueue(configoptional.Some(exporterhelper.NewDefaultQueueConfig()))
	// The destination of each signal refuses its nth delivery, once.
	push := func(nth int) func() error {
		n := 0
		return func() error {
			if n++; n == nth {
				return consumererror.NewPermanent(errRefused)
			}
			return nil
		}
	}
	ofLogs, ofTraces, ofPoints := push(60), push(90), push(5)
	logs, err := exporterhelper.NewLogs(t.Context(), set, struct{}{}, func(context.Context, plog.Logs) error { return ofLogs() }, queue)
	require.NoError(t, err)
	traces, err := exporterhelper.NewTraces(t.Context(), set, struct{}{}, func(context.Context, ptrace.Traces) error { return ofTraces() }, queue)
	require.NoError(t, err)
	set.ID = component.MustNewID("prometheus_remote_write")
	points, err := exporterhelper.NewMetrics(t.Context(), set, struct{}{}, func(context.Context, pmetric.Metrics) error { return ofPoints() }, queue)
	require.NoError(t, err)
	p.parts = append(p.parts, logs, traces, points)
	sg := seriesguardprocessor.NewFactory()
	guarded, err := sg.CreateMetrics(t.Context(), processor.Settings{ID: component.NewID(sg.Type()), TelemetrySettings: tel},
		configure(t, sg.CreateDefaultConfig(), map[string]any{"max_series": 400, "max_series_per_metric": 8}), points)
	require.NoError(t, err)
	p.parts = append(p.parts, guarded)
	p.exported = guarded
	return destination{logs, traces}
}

func tee(t *testing.T, to ...consumer.Logs) consumer.Logs {
	c, err := consumer.NewLogs(func(ctx context.Context, ld plog.Logs) (err error) {
		for _, next := range to {
			own := plog.NewLogs()
			ld.CopyTo(own)
			err = errors.Join(err, next.ConsumeLogs(ctx, own))
		}
		return err
	})
	require.NoError(t, err)
	return c
}

func both(t *testing.T, to ...consumer.Traces) consumer.Traces {
	c, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) (err error) {
		for _, next := range to {
			own := ptrace.NewTraces()
			td.CopyTo(own)
			err = errors.Join(err, next.ConsumeTraces(ctx, own))
		}
		return err
	})
	require.NoError(t, err)
	return c
}

// podLogs reads a container's log, which grows with the demand, as the kubelet
// writes it.
func (p *pipeline) podLogs(t *testing.T, tel component.TelemetrySettings, dir string) {
	dir = filepath.Join(dir, "live_api-6d5f-x2x9z_6f1c0000-2b7e-4d1a-9c55-000000000001", "api")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	f, err := os.Create(filepath.Join(dir, "0.log"))
	require.NoError(t, err)
	p.podLog = f
	cl := containerlogreceiver.NewFactory()
	r, err := cl.CreateLogs(t.Context(), receiver.Settings{ID: component.NewID(cl.Type()), TelemetrySettings: tel},
		configure(t, cl.CreateDefaultConfig(), map[string]any{"include": []any{filepath.Join(filepath.Dir(filepath.Dir(dir)), "*", "*", "*.log")},
			"inotify": false, "start_at": "beginning"}), p.logs)
	require.NoError(t, err)
	p.parts = append(p.parts, r)
}

// send sends what arrives in one second.
func (p *pipeline) send(t *testing.T, s second, n int) {
	ctx := t.Context()
	for range 3 + s.people/10 {
		_, err := fmt.Fprintf(p.podLog, "%s stdout F level=info msg=\"session renewed\" shard=%d\n", time.Now().Format(time.RFC3339Nano), n%8)
		require.NoError(t, err)
	}
	var refused error
	if n%120 == 60 {
		refused = errRefused
	}
	op := p.obs.StartLogsOp(ctx)
	records := s.logs.LogRecordCount()
	require.NoError(t, p.logs.ConsumeLogs(op, s.logs))
	p.obs.EndLogsOp(op, "protobuf", records, refused)
	op = p.obs.StartTracesOp(ctx)
	spans := s.spans.SpanCount()
	require.NoError(t, p.traces.ConsumeTraces(op, s.spans))
	p.obs.EndTracesOp(op, "protobuf", spans, refused)
}
