package configs

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/groupbyattrsprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/fluentforwardreceiver"
	"github.com/stretchr/testify/require"
	"github.com/tinylib/msgp/msgp"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/vigie-otel/vigie/internal/testkit/ports"
)

var fluent = map[string]string{"VIGIE_FLUENT_ENDPOINT": "127.0.0.1:24224"} //nolint:gochecknoglobals // a constant table

// fluentPipeline is what of the fragment changes records, ending in a sink.
func fluentPipeline(t testing.TB, sink consumer.Logs) consumer.Logs {
	t.Helper()
	conf := shape(t, "agent", fluent)
	factories := map[string]processor.Factory{"transform": transformprocessor.NewFactory(), "groupbyattrs": groupbyattrsprocessor.NewFactory()}
	names := conf.Get("service::pipelines::logs/fluentbit::processors").([]any)
	next := sink
	for i := len(names) - 1; i >= 0; i-- {
		typ, _, _ := strings.Cut(names[i].(string), "/")
		f, ok := factories[typ]
		if !ok {
			continue
		}
		cfg := f.CreateDefaultConfig()
		sub, err := conf.Sub("processors::" + names[i].(string))
		require.NoError(t, err)
		require.NoError(t, sub.Unmarshal(cfg))
		p, err := f.CreateLogs(t.Context(), processortest.NewNopSettings(f.Type()), cfg, next)
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
		t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
		next = p
	}
	return next
}

// records are what the kubernetes filter and the parsers of Fluent Bit write, and
// the record with nothing of it.
func records() []map[string]any {
	pod := func(name string) map[string]any {
		return map[string]any{
			"pod_name": name, "namespace_name": "live", "pod_id": "uid-" + name, "host": "node-1", "pod_ip": "10.0.0.9",
			"container_name": "player", "docker_id": "0123abc", "container_image": "registry:5000/player:1.2", "container_hash": "sha256:1",
			"labels":      map[string]any{"app.kubernetes.io/name": "player-api", "tier": "edge"},
			"annotations": map[string]any{"team": "video"},
		}
	}
	return []map[string]any{
		{"log": "goal!", "stream": "stderr", "time": "2026-06-14T19:00:00.123456789Z", "_p": "F", "level": "WARN", "order": int64(7), "kubernetes": pod("player-1")},
		{"message": "second", "stream": "stdout", "kubernetes": pod("player-2")},
		{"remote": "203.0.113.9", "method": "GET", "path": "/live/1.m3u8?token=a", "code": "200", "size": "512", "agent": "curl/8", "user": "-", "kubernetes": pod("player-1")},
		{"log": "alone"},
	}
}

func wantResource(pod string) map[string]any {
	return map[string]any{
		"k8s.namespace.name": "live", "k8s.pod.name": pod, "k8s.pod.uid": "uid-" + pod, "k8s.pod.ip": "10.0.0.9", "k8s.container.name": "player", "k8s.node.name": "node-1",
		"container.id": "0123abc", "container.image.name": "registry:5000/player:1.2", "service.name": "player-api",
		"k8s.pod.label.app.kubernetes.io/name": "player-api", "k8s.pod.label.tier": "edge", "k8s.pod.annotation.team": "video",
	}
}

type seen struct {
	Resource, Attributes map[string]any
	Body, Severity       string
	Nanoseconds          int64
}

func look(sink *consumertest.LogsSink) map[string]seen {
	got := map[string]seen{}
	for _, logs := range sink.AllLogs() {
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					key := lr.Body().AsString()
					if v, ok := lr.Attributes().Get("url.path"); ok {
						key = v.Str()
					}
					got[key] = seen{rl.Resource().Attributes().AsRaw(), lr.Attributes().AsRaw(), lr.Body().AsString(), lr.SeverityNumber().String(), lr.Timestamp().AsTime().UnixNano()}
				}
			}
		}
	}
	return got
}

func wantSeen(at int64, tag map[string]any) map[string]seen {
	with := func(m map[string]any) map[string]any {
		for k, v := range tag {
			m[k] = v
		}
		return m
	}
	return map[string]seen{
		"goal!":  {wantResource("player-1"), with(map[string]any{"log.iostream": "stderr", "level": "WARN", "order": int64(7)}), "goal!", "Warn", at},
		"second": {wantResource("player-2"), with(map[string]any{"log.iostream": "stdout"}), "second", "Unspecified", at},
		"/live/1.m3u8": {wantResource("player-1"), with(map[string]any{
			"client.address": "203.0.113.9", "http.request.method": "GET", "url.path": "/live/1.m3u8", "url.query": "token=a",
			"http.response.status_code": int64(200), "http.response.body.size": int64(512), "user_agent.original": "curl/8", "user": "-",
		}), "", "Unspecified", at},
		"alone": {map[string]any{}, with(map[string]any{}), "alone", "Unspecified", at},
	}
}

func TestWhatFluentBitForwardsGetsTheNamesOfTheConventions(t *testing.T) {
	sink := new(consumertest.LogsSink)
	rf := fluentforwardreceiver.NewFactory()
	cfg := rf.CreateDefaultConfig().(*fluentforwardreceiver.Config)
	cfg.ListenAddress = ports.Address(t)
	r, err := rf.CreateLogs(t.Context(), receivertest.NewNopSettings(rf.Type()), cfg, fluentPipeline(t, sink))
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, r.Shutdown(context.Background())) })

	at := time.Date(2026, 6, 14, 19, 0, 0, 123456789, time.UTC)
	var entries []byte
	for _, rec := range records() {
		entries = msgp.AppendArrayHeader(entries, 2)
		entries = append(entries, 0xd7, 0x00, byte(at.Unix()>>24), byte(at.Unix()>>16), byte(at.Unix()>>8), byte(at.Unix()))
		entries = append(entries, byte(at.Nanosecond()>>24), byte(at.Nanosecond()>>16), byte(at.Nanosecond()>>8), byte(at.Nanosecond()))
		entries, err = msgp.AppendMapStrIntf(entries, rec)
		require.NoError(t, err)
	}
	message := msgp.AppendString(msgp.AppendArrayHeader(nil, 3), "kube.var.log")
	message = msgp.AppendBytes(message, entries)
	message, err = msgp.AppendMapStrIntf(message, map[string]any{"chunk": "c1"})
	require.NoError(t, err)

	conn, err := net.Dial("tcp", cfg.ListenAddress)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = conn.Write(message)
	require.NoError(t, err)
	// The answer comes when the pipeline has the chunk.
	var ack [64]byte
	n, err := conn.Read(ack[:])
	require.NoError(t, err)
	require.Contains(t, string(ack[:n]), "c1")
	if d := cmp.Diff(wantSeen(at.UnixNano(), map[string]any{"fluent.tag": "kube.var.log"}), look(sink)); d != "" {
		t.Error(d)
	}
}

// Fluent Bit's opentelemetry output sends the whole record as the body, unless it
// is told of a body key.
func TestWhatFluentBitSendsAsOTLPGetsTheSameNames(t *testing.T) {
	at := time.Date(2026, 6, 14, 19, 0, 0, 123456789, time.UTC)
	logs := plog.NewLogs()
	slot := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, rec := range records() {
		lr := slot.AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(at))
		require.NoError(t, lr.Body().FromRaw(rec))
	}
	sink := new(consumertest.LogsSink)
	require.NoError(t, fluentPipeline(t, sink).ConsumeLogs(t.Context(), logs))
	if d := cmp.Diff(wantSeen(at.UnixNano(), nil), look(sink)); d != "" {
		t.Error(d)
	}
}

// What the mapping costs a record: a container's line with its pod.
func BenchmarkARecordOfFluentBit(b *testing.B) {
	const lines = 1000
	p := fluentPipeline(b, consumertest.NewNop())
	in := plog.NewLogs()
	slot := in.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range lines {
		lr := slot.AppendEmpty()
		require.NoError(b, lr.Attributes().FromRaw(records()[0]))
		lr.Attributes().Remove("log")
		lr.Body().SetStr("goal!")
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		logs := plog.NewLogs()
		in.CopyTo(logs)
		b.StartTimer()
		require.NoError(b, p.ConsumeLogs(b.Context(), logs))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lines), "ns/record")
}

func TestFluentBitJoinsByItsEndpoints(t *testing.T) {
	for _, c := range []struct {
		vars map[string]string
		want any
	}{
		{nil, nil},
		{fluent, []any{"fluent_forward"}},
		{map[string]string{"VIGIE_FLUENT_ENDPOINT": "a:1", "VIGIE_FLUENT_OTLP_ENDPOINT": "a:2"}, []any{"fluent_forward", "otlp/fluentbit"}},
	} {
		for _, name := range []string{"laptop", "agent"} {
			conf := shape(t, name, c.vars)
			if d := cmp.Diff(c.want, conf.Get("service::pipelines::logs/fluentbit::receivers")); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			if c.want == nil {
				continue
			}
			if d := cmp.Diff(destinations[name]["logs"], conf.Get("service::pipelines::logs/fluentbit::exporters")); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
	vars := map[string]string{"VIGIE_FLUENT_OTLP_ENDPOINT": "a:2", "VIGIE_FLUENT_TLS_CERT": "/c", "VIGIE_FLUENT_TLS_KEY": "/k"}
	if d := cmp.Diff(any("/c"), shape(t, "agent", vars).Get("receivers::otlp/fluentbit::protocols::http::tls::cert_file")); d != "" {
		t.Error(d)
	}
	delete(vars, "VIGIE_FLUENT_TLS_KEY")
	p := &provider{env: environment{get: func(k string) string { return vars[k] }, exists: func(string) bool { return false }}}
	_, err := p.Retrieve(t.Context(), Scheme+":agent", nil)
	require.ErrorContains(t, err, "go together")
}

// pod_attributes finds a pod by what the transform before it wrote, and what comes
// after it knows whose service it is.
func TestThePodIsNamedBeforeKubernetesIsAsked(t *testing.T) {
	list, _ := shape(t, "agent", everything).Get("service::pipelines::logs/fluentbit::processors").([]any)
	want := []any{"transform/fluentbit", "groupbyattrs/fluentbit", "memory_limiter", "pod_attributes", "transform/fluentbit_pod"}
	require.GreaterOrEqual(t, len(list), len(want))
	if d := cmp.Diff(want, list[:len(want)]); d != "" {
		t.Error(d)
	}
}
