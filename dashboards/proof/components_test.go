package proof

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/vigie-otel/vigie/dashboards/metrics"
	"github.com/vigie-otel/vigie/extensions/kubeletpodsextension"
	"github.com/vigie-otel/vigie/internal/ledger"
	"github.com/vigie-otel/vigie/processors/podattributesprocessor"
	"github.com/vigie-otel/vigie/receivers/k8seventsreceiver"
	"github.com/vigie-otel/vigie/receivers/podscrapereceiver"
)

// extensions is a host that has them.
type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }

// Components that need a kubelet or an API server play no part in the event: they
// run here, against a kubelet with one pod and no API server, and the catalogue
// must have all that they say, and nothing that they don't.
func TestTheCatalogueIsWhatComponentsOfAClusterEmit(t *testing.T) {
	reader := sdk.NewManualReader()
	tel := componenttest.NewNopTelemetrySettings()
	tel.MeterProvider = sdk.NewMeterProvider(sdk.WithReader(reader))
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("t"), 0o600))
	// One pod asks for a port that it does not have, the other's does not answer.
	const pod = `{"metadata":{"name":%q,"namespace":"live","uid":%q,"annotations":{"prometheus.io/scrape":"true","prometheus.io/port":%q}},
		"spec":{"nodeName":"n1","containers":[{"name":"main","ports":[{"containerPort":1}]}]},"status":{"phase":"Running","podIP":"127.0.0.1"}}`
	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"items":[`+pod+`,`+pod+`]}`, "a", "a", "none", "b", "b", "1")
	}))
	t.Cleanup(kubelet.Close)
	run := func(c component.Component, err error, host component.Host) component.Component {
		require.NoError(t, err)
		require.NoError(t, c.Start(t.Context(), host))
		t.Cleanup(func() { require.NoError(t, c.Shutdown(context.WithoutCancel(t.Context()))) })
		return c
	}
	kp := kubeletpodsextension.NewFactory()
	e, err := kp.Create(t.Context(), extension.Settings{ID: component.NewID(kp.Type()), TelemetrySettings: tel},
		configure(t, kp.CreateDefaultConfig(), map[string]any{"endpoint": kubelet.URL, "token_file": token, "insecure_skip_verify": true}))
	host := extensions{component.NewID(kp.Type()): e}
	run(e, err, host)

	scraped := &consumertest.MetricsSink{}
	ps := podscrapereceiver.NewFactory()
	scraper, err := ps.CreateMetrics(t.Context(), receiver.Settings{ID: component.NewID(ps.Type()), TelemetrySettings: tel},
		configure(t, ps.CreateDefaultConfig(), map[string]any{"interval": "1s", "timeout": "1s"}), scraped)
	run(scraper, err, host)

	pa := podattributesprocessor.NewFactory()
	attributed, err := pa.CreateLogs(t.Context(), processor.Settings{ID: component.NewID(pa.Type()), TelemetrySettings: tel}, pa.CreateDefaultConfig(), consumertest.NewNop())
	run(attributed, err, host)
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	require.NoError(t, attributed.ConsumeLogs(t.Context(), ld))

	ke := k8seventsreceiver.NewFactory()
	events, err := ke.CreateLogs(t.Context(), receiver.Settings{ID: component.NewID(ke.Type()), TelemetrySettings: tel},
		configure(t, ke.CreateDefaultConfig(), map[string]any{"auth_type": "none", "endpoint": "http://127.0.0.1:1"}), consumertest.NewNop())
	run(events, err, host)

	for _, what := range []string{"processor", "connector", "exporter"} {
		_, err := ledger.NewTally(tel.MeterProvider.Meter("ledger"), what, "x", "logs")
		require.NoError(t, err)
	}

	sources := map[metrics.Source]bool{metrics.PodList: true, metrics.PodScrape: true, metrics.PodAttributes: true, metrics.K8sEvents: true, metrics.Tally: true}
	seen := map[string]*emitted{}
	want := map[string]*metrics.Metric{}
	for _, m := range metrics.All() {
		if sources[m.Source] {
			want[m.OTel] = m
		}
	}
	require.Greater(t, len(want), 15)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		md, err := collect(t.Context(), reader, agent, "n1")
		require.NoError(c, err)
		note(seen, md)
		for name := range want {
			require.Contains(c, seen, name, "in the catalogue, and not emitted")
		}
		for _, md := range scraped.AllMetrics() {
			note(seen, md)
		}
		require.Contains(c, seen, metrics.Up.Name, "nothing was scraped")
	}, 20*time.Second, 50*time.Millisecond)
	// By these labels the alert on what cannot be scraped leaves pods out.
	for _, l := range metrics.Up.Labels {
		require.True(t, seen[metrics.Up.Name].labels[l], "up of a pod has no label %s", l)
	}
	for name, got := range seen {
		m := want[name]
		if !strings.HasPrefix(name, "vigie.") {
			continue
		}
		require.NotNil(t, m, "%s is emitted and not in the catalogue", name)
		require.Equal(t, m.Unit, got.unit, name)
		require.Equal(t, m.Kind, got.kind, name)
		for l := range got.labels {
			require.True(t, m.HasLabel(m.Name, l), "%s has the label %s, which the catalogue does not have", name, l)
		}
		for _, l := range m.Labels {
			require.True(t, got.labels[l], "%s has no label %s, which the catalogue has", name, l)
		}
	}
}
