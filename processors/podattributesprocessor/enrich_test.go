package podattributesprocessor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/podlist"
	"github.com/vigie-otel/vigie/processors/podattributesprocessor/internal/metadata"
)

const pods = `{"items":[
 {"metadata":{"name":"cart-5d9f7c-x2x","namespace":"shop","uid":"u1","labels":{"team":"blue","pod-template-hash":"5d9f7c"},"ownerReferences":[{"kind":"ReplicaSet","name":"cart-5d9f7c","controller":true}]},
  "spec":{"nodeName":"n1"},"status":{"phase":"Running","podIP":"10.0.0.1"}}]}`

type holder struct {
	component.Component
	list *podlist.List
}

func (h holder) Pods() *podlist.List { return h.list }

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

func known(t testing.TB) host {
	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, pods) }))
	t.Cleanup(kubelet.Close)
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("t"), 0o600))
	list, err := podlist.New(podlist.Options{Endpoint: kubelet.URL, TokenFile: token, Insecure: true, Interval: time.Hour, Soonest: time.Second, Timeout: 30 * time.Second})
	require.NoError(t, err)
	require.NoError(t, list.Refresh(t.Context()))
	return host{component.MustNewID("kubelet_pods"): holder{list: list}}
}

func from(t testing.TB, ip string) context.Context {
	if ip == "" {
		return t.Context()
	}
	return client.NewContext(t.Context(), client.Info{Addr: &net.TCPAddr{IP: net.ParseIP(ip), Port: 9}})
}

var all = map[string]any{ //nolint:gochecknoglobals // what every way leads to
	"k8s.namespace.name": "shop", "k8s.pod.name": "cart-5d9f7c-x2x", "k8s.pod.uid": "u1", "k8s.node.name": "n1",
	"k8s.deployment.name": "cart", "service.name": "cart", "k8s.pod.label.team": "blue",
}

func with(kv ...string) map[string]any {
	m := map[string]any{}
	for k, v := range all {
		m[k] = v
	}
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return m
}

func TestAResourceIsAPodsByWhatItNamesOrByWhoSentIt(t *testing.T) {
	cfg := defaultConfig()
	cfg.Labels = []string{"team", "absent"}
	for name, c := range map[string]struct {
		has  map[string]any
		from string
		want map[string]any
	}{
		"by UID":                   {map[string]any{"k8s.pod.uid": "u1"}, "", with()},
		"by name":                  {map[string]any{"k8s.namespace.name": "shop", "k8s.pod.name": "cart-5d9f7c-x2x"}, "", with()},
		"by address":               {map[string]any{"k8s.pod.ip": "10.0.0.1"}, "", with("k8s.pod.ip", "10.0.0.1")},
		"by the connection":        {nil, "10.0.0.1", with()},
		"an SDK's placeholder":     {map[string]any{"service.name": "unknown_service:java"}, "10.0.0.1", with()},
		"what it says stays":       {map[string]any{"service.name": "mine", "k8s.node.name": "other"}, "10.0.0.1", with("service.name", "mine", "k8s.node.name", "other")},
		"a pod that is not here":   {map[string]any{"k8s.pod.uid": "u9"}, "10.0.0.1", map[string]any{"k8s.pod.uid": "u9"}},
		"an address of nobody's":   {nil, "10.9.9.9", map[string]any{}},
		"loopback":                 {nil, "127.0.0.1", map[string]any{}},
		"nothing":                  {map[string]any{"a": "b"}, "", map[string]any{"a": "b"}},
		"a UID that is not a text": {map[string]any{"k8s.pod.uid": int64(1)}, "", map[string]any{"k8s.pod.uid": int64(1)}},
		"a name without namespace": {map[string]any{"k8s.pod.name": "x"}, "10.0.0.1", with("k8s.pod.name", "x")},
	} {
		ctx := from(t, c.from)
		set := processor.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
		logs, metrics, traces := &consumertest.LogsSink{}, &consumertest.MetricsSink{}, &consumertest.TracesSink{}
		f, h := NewFactory(), known(t)
		l, err := f.CreateLogs(ctx, set, cfg, logs)
		require.NoError(t, err)
		m, err := f.CreateMetrics(ctx, set, cfg, metrics)
		require.NoError(t, err)
		tr, err := f.CreateTraces(ctx, set, cfg, traces)
		require.NoError(t, err)
		for _, p := range []component.Component{l, m, tr} {
			require.NoError(t, p.Start(ctx, h))
		}
		ld, md, td := plog.NewLogs(), pmetric.NewMetrics(), ptrace.NewTraces()
		require.NoError(t, ld.ResourceLogs().AppendEmpty().Resource().Attributes().FromRaw(c.has))
		require.NoError(t, md.ResourceMetrics().AppendEmpty().Resource().Attributes().FromRaw(c.has))
		require.NoError(t, td.ResourceSpans().AppendEmpty().Resource().Attributes().FromRaw(c.has))
		require.NoError(t, l.ConsumeLogs(ctx, ld))
		require.NoError(t, m.ConsumeMetrics(ctx, md))
		require.NoError(t, tr.ConsumeTraces(ctx, td))
		for signal, got := range map[string]map[string]any{
			"logs":    logs.AllLogs()[0].ResourceLogs().At(0).Resource().Attributes().AsRaw(),
			"metrics": metrics.AllMetrics()[0].ResourceMetrics().At(0).Resource().Attributes().AsRaw(),
			"traces":  traces.AllTraces()[0].ResourceSpans().At(0).Resource().Attributes().AsRaw(),
		} {
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s, %s: %s", name, signal, d)
			}
		}
		for _, p := range []component.Component{l, m, tr} {
			require.NoError(t, p.Shutdown(ctx))
		}
	}
}

func TestAStrayIsAskedForOnceAMinuteAndCounted(t *testing.T) {
	tel := componenttest.NewTelemetry()
	e, err := newEnricher(tel.NewTelemetrySettings(), defaultConfig())
	require.NoError(t, err)
	require.NoError(t, e.start(t.Context(), known(t)))
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().Resource().Attributes().PutStr("k8s.pod.uid", "u9")
	for range 3 {
		_, err := e.logs(t.Context(), ld)
		require.NoError(t, err)
	}
	asked := e.strays["u9"]
	require.Len(t, e.strays, 1)
	e.want("u9")
	if e.strays["u9"] != asked {
		t.Error("asked again within the minute")
	}
	for i := range maxStrays + 10 {
		e.want(fmt.Sprint(i))
	}
	if len(e.strays) > maxStrays {
		t.Errorf("%d strays are remembered", len(e.strays))
	}
	long := strings.Repeat("x", maxStray+1)
	if e.want(long); !e.strays[long].IsZero() {
		t.Error("a name that no pod can have is remembered")
	}
	m, err := tel.GetMetric(names.PodAttributesResources)
	require.NoError(t, err)
	points := m.Data.(metricdata.Sum[int64]).DataPoints
	require.Len(t, points, 1)
	outcome, _ := points[0].Attributes.Value(names.PodAttributesOutcome)
	if outcome.AsString() != "unknown" || points[0].Value != 3 {
		t.Errorf("%s: %d", outcome.AsString(), points[0].Value)
	}
	require.NoError(t, tel.Shutdown(t.Context()))
}

// What this node's own loopback sends is nobody's, and the kubelet is not asked.
func TestLoopbackIsNoStray(t *testing.T) {
	e, err := newEnricher(componenttest.NewNopTelemetrySettings(), defaultConfig())
	require.NoError(t, err)
	require.NoError(t, e.start(t.Context(), known(t)))
	for _, ip := range []string{"127.0.0.1", "::1"} {
		ld := plog.NewLogs()
		ld.ResourceLogs().AppendEmpty()
		_, err := e.logs(from(t, ip), ld)
		require.NoError(t, err)
	}
	require.Empty(t, e.strays)
}

func TestALabelWithoutANameIsRefused(t *testing.T) {
	require.ErrorContains(t, (&Config{Labels: []string{"a", ""}}).Validate(), "labels[1]")
	require.ErrorContains(t, (&Config{Labels: make([]string, 33)}).Validate(), "at most 32")
	require.NoError(t, defaultConfig().Validate())
}

func TestAnExtensionThatIsNotThereIsNamed(t *testing.T) {
	e, err := newEnricher(componenttest.NewNopTelemetrySettings(), defaultConfig())
	require.NoError(t, err)
	require.ErrorContains(t, e.start(t.Context(), host{}), `"kubelet_pods"`)
}

func BenchmarkAResourceThatIsKnown(b *testing.B) {
	e, err := newEnricher(componenttest.NewNopTelemetrySettings(), defaultConfig())
	require.NoError(b, err)
	require.NoError(b, e.start(b.Context(), known(b)))
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().Resource().Attributes().PutStr("k8s.pod.uid", "u1")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = e.logs(b.Context(), ld)
	}
}
