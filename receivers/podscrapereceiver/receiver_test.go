package podscrapereceiver

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/podlist"
	"github.com/vigie-otel/vigie/receivers/podscrapereceiver/internal/metadata"
)

// holder is a kubelet_pods extension.
type holder struct {
	component.Component
	list *podlist.List
}

func (h holder) Pods() *podlist.List { return h.list }

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// application is a pod's metrics endpoint.
func application(t *testing.T, answer http.HandlerFunc) (port string) {
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	require.NoError(t, err)
	_, port, err = net.SplitHostPort(u.Host)
	require.NoError(t, err)
	return port
}

func item(name, port string, more string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"shop","uid":"uid-%s","labels":{"app.kubernetes.io/name":%q},"annotations":{"prometheus.io/scrape":"true","prometheus.io/port":%q%s}},
	 "spec":{"nodeName":"n1","containers":[{"name":"main","ports":[{"containerPort":%s}]}]},"status":{"phase":"Running","podIP":"127.0.0.1"}}`, name, name, name, port, more, port)
}

func TestPodsOfTheNodeAreScrapedWithinTheirLimits(t *testing.T) {
	var elsewhere atomic.Int64
	metadataService := application(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	good := application(t, func(w http.ResponseWriter, _ *http.Request) {
		// No content type, and a clock that is wrong.
		fmt.Fprintf(w, "# TYPE orders counter\norders_total{kind=\"tv\"} 7 %d\n", time.Now().Add(-240*time.Hour).UnixMilli())
	})
	flood := application(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 200 {
			fmt.Fprintf(w, "flood{user=\"%d\"} 1\n", i)
		}
	})
	bomb := application(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# %s\nbomb 1\n", strings.Repeat("x", 2<<20))
	})
	redirects := application(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:"+metadataService+"/latest", http.StatusFound)
	})
	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"items":[%s,%s,%s,%s,%s]}`, item("good", good, ""), item("flood", flood, ""), item("bomb", bomb, ""),
			item("redirects", redirects, ""), item("hostile", good, `,"prometheus.io/path":"//evil.example/ x"`))
	}))
	defer kubelet.Close()
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("t"), 0o600))
	list, err := podlist.New(podlist.Options{Endpoint: kubelet.URL, TokenFile: token, Insecure: true, Interval: time.Hour, Soonest: time.Second, Timeout: 30 * time.Second})
	require.NoError(t, err)
	require.NoError(t, list.Refresh(t.Context()))

	cfg := defaultConfig()
	cfg.Interval, cfg.Timeout, cfg.SampleLimit, cfg.BodySizeLimitMiB = time.Second, time.Second, 100, 1
	tel := componenttest.NewTelemetry()
	core, logs := observer.New(zap.WarnLevel)
	settings := tel.NewTelemetrySettings()
	settings.Logger = zap.New(core)
	arrived := make(chan struct{}, 1000)
	sink := &consumertest.MetricsSink{}
	r, err := NewFactory().CreateMetrics(t.Context(), receiver.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: settings}, cfg, tell{sink, arrived})
	require.NoError(t, err)
	require.NoError(t, r.Shutdown(t.Context()), "before it started")
	require.NoError(t, r.Start(t.Context(), host{cfg.Pods: holder{list: list}}))

	// A scrape of "good" may come late once; the next does not.
	want, up := map[string]float64{"good": 1, "flood": 0, "bomb": 0, "redirects": 0}, map[string]float64{}
	var orders pmetric.NumberDataPoint
	var resource map[string]any
	deadline := time.After(time.Minute)
	for !maps.Equal(want, up) || resource == nil {
		select {
		case <-arrived:
		case <-deadline:
			t.Fatalf("up: %v, orders: %v; %v", up, resource, logs.All())
		}
		for _, m := range sink.AllMetrics() {
			for _, rm := range m.ResourceMetrics().All() {
				service, _ := rm.Resource().Attributes().Get("service.name")
				for _, sm := range rm.ScopeMetrics().All() {
					for _, one := range sm.Metrics().All() {
						switch one.Name() {
						case "up":
							v := one.Gauge().DataPoints().At(0).DoubleValue()
							if v > want[service.Str()] {
								t.Fatalf("a scrape of %s succeeded", service.Str())
							}
							up[service.Str()] = v
						case "orders_total", "orders":
							orders, resource = one.Sum().DataPoints().At(0), rm.Resource().Attributes().AsRaw()
						case "flood", "bomb":
							t.Fatalf("%s got through", one.Name())
						}
					}
				}
			}
		}
	}
	require.Zero(t, elsewhere.Load(), "a redirect was followed")
	require.Equal(t, map[string]any{"kind": "tv", "namespace": "shop", "pod": "good", "container": "main"}, orders.Attributes().AsRaw())
	if age := time.Since(orders.Timestamp().AsTime()); age > time.Hour {
		t.Errorf("the pod's clock was believed: %s ago", age)
	}
	for key, want := range map[string]string{"service.name": "good", "k8s.pod.name": "good", "k8s.namespace.name": "shop", "k8s.pod.uid": "uid-good", "k8s.node.name": "n1"} {
		if resource[key] != want {
			t.Errorf("%s is %v, want %s", key, resource[key], want)
		}
	}
	if n := logs.FilterMessageSnippet("A pod is not scraped").Len(); n != 1 {
		t.Errorf("the hostile pod is named %d times", n)
	}
	m, err := tel.GetMetric(names.PodScrapeIgnored)
	require.NoError(t, err)
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		reason, _ := p.Attributes.Value(names.PodScrapeReason)
		if want := map[bool]int64{true: 1}[reason.AsString() == badPath]; p.Value != want {
			t.Errorf("%s: %d, want %d", reason.AsString(), p.Value, want)
		}
	}
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, tel.Shutdown(t.Context()))
}

// tell says that something came.
type tell struct {
	*consumertest.MetricsSink
	arrived chan struct{}
}

func (s tell) ConsumeMetrics(ctx context.Context, m pmetric.Metrics) error {
	err := s.MetricsSink.ConsumeMetrics(ctx, m)
	select {
	case s.arrived <- struct{}{}:
	default:
	}
	return err
}

func TestTargetsAreToldOnlyToWhoKnowsThePath(t *testing.T) {
	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"items":[%s]}`, item("a", "80", "")) }))
	defer kubelet.Close()
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("t"), 0o600))
	list, err := podlist.New(podlist.Options{Endpoint: kubelet.URL, TokenFile: token, Insecure: true, Interval: time.Hour, Soonest: time.Second, Timeout: 30 * time.Second})
	require.NoError(t, err)
	d := &discovery{cfg: defaultConfig(), list: list, log: zap.NewNop(), prefix: "/secret/"}
	ask := func(path string) (int, string) {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	// Until the kubelet has told, the scraper keeps what it has.
	code, _ := ask("/secret/annotations")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.NoError(t, list.Refresh(t.Context()))
	code, body := ask("/secret/annotations")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, `"targets":["127.0.0.1:80"]`)
	code, body = ask("/secret/unknown")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "[]", body)
	code, _ = ask("/annotations")
	require.Equal(t, http.StatusNotFound, code)
}
