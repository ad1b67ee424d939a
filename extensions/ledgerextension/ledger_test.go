package ledgerextension

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/vigie-otel/vigie/extensions/ledgerextension/internal/metadata"
	"github.com/vigie-otel/vigie/internal/ledger"
	"github.com/vigie-otel/vigie/internal/names"
)

// service is a running extension, the counters that it reads, and where they go.
type service struct {
	*books
	count  func(name, kind, of string, n int64)
	pushed *sdkmetric.ManualReader
	log    *observer.ObservedLogs
}

func run(t *testing.T, pipelines map[string]any) *service {
	t.Helper()
	tap, pushed := &ledger.Tap{}, sdkmetric.NewManualReader()
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(tap.Reader()), sdkmetric.WithReader(pushed))
	core, log := observer.New(zap.InfoLevel)
	set := extensiontest.NewNopSettings(metadata.Type)
	set.MeterProvider, set.Logger = meters, zap.New(core)
	f := New(tap)
	e, err := f.Create(t.Context(), set, f.CreateDefaultConfig())
	require.NoError(t, err)
	b := e.(*books)
	require.NoError(t, b.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, b.Shutdown(context.Background())) })
	conf := confmap.NewFromStringMap(map[string]any{"service": map[string]any{"pipelines": pipelines}})
	require.NoError(t, b.NotifyConfigSnapshot(t.Context(), extensioncapabilities.NewConfigSnapshot(conf, nil)))
	return &service{books: b, pushed: pushed, log: log, count: func(name, kind, of string, n int64) {
		c, err := meters.Meter("x").Int64Counter(name)
		require.NoError(t, err)
		c.Add(t.Context(), n, metric.WithAttributes(attribute.String(kind, of)))
	}}
}

func logsTo(exporter string) map[string]any {
	return map[string]any{"logs": map[string]any{"receivers": []any{"otlp"}, "exporters": []any{exporter}}}
}

// ask is one request to a server with the middleware, whose own answer to all is
// given.
func (s *service) ask(t *testing.T, method, path string, status int, body string) (int, string) {
	t.Helper()
	wrap, err := s.GetHTTPHandler(t.Context())
	require.NoError(t, err)
	h, err := wrap(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	require.NoError(t, err)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(method, path, nil))
	return rec.Code, rec.Body.String()
}

func TestHealthSaysTheLedgerAndKeepsItsStatus(t *testing.T) {
	s := run(t, logsTo("e"))
	s.count("otelcol_receiver_accepted_log_records", "receiver", "otlp", 5)
	s.count("otelcol_exporter_sent_log_records", "exporter", "e", 5)
	code, body := s.ask(t, "GET", "/healthz", http.StatusOK, `{"status":"StatusOK"}`)
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, `{"status":"StatusOK","ledger":{"state":"balanced"}}`, body)
	code, body = s.ask(t, "GET", "/healthz?verbose", http.StatusInternalServerError, `{"status":"StatusFatalError"}`)
	require.Equal(t, http.StatusInternalServerError, code)
	require.Contains(t, body, `"read":5`)
	code, body = s.ask(t, "GET", "/healthz", http.StatusOK, "well")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "well", body, "what is no object stays as it is")
	_, body = s.ask(t, "GET", "/other", http.StatusOK, `{"a":1}`)
	require.Equal(t, `{"a":1}`, body)

	// Off or not, health is the server's own.
	s.count("otelcol_exporter_sent_log_records", "exporter", "other", 1)
	s.count("otelcol_receiver_accepted_log_records", "receiver", "otlp", 2)
	code, body = s.ask(t, "GET", "/healthz", http.StatusOK, `{}`)
	require.Equal(t, http.StatusOK, code)
	require.JSONEq(t, `{"ledger":{"state":"moving"}}`, body)
}

func TestTheBooksAreServedAndPublished(t *testing.T) {
	s := run(t, logsTo("e"))
	s.count("otelcol_receiver_accepted_log_records", "receiver", "otlp", 5)
	s.count("otelcol_exporter_sent_log_records", "exporter", "e", 5)
	code, body := s.ask(t, "GET", "/ledger", http.StatusTeapot, "")
	require.Equal(t, http.StatusOK, code)
	var got answer
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Len(t, got.Books, 1)
	require.EqualValues(t, 5, got.Books[0].Sent)
	code, _ = s.ask(t, "POST", "/ledger", http.StatusTeapot, "")
	require.Equal(t, http.StatusMethodNotAllowed, code)

	var rm metricdata.ResourceMetrics
	require.NoError(t, s.pushed.Collect(t.Context(), &rm))
	read := int64(-1)
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			if m.Name != names.LedgerItems {
				continue
			}
			for _, p := range m.Data.(metricdata.Gauge[int64]).DataPoints {
				if v, _ := p.Attributes.Value(names.LedgerAccount); v.AsString() == "read" {
					read = p.Value
				}
			}
		}
	}
	require.EqualValues(t, 5, read)
}

func TestWhatCannotBeReadIsSaid(t *testing.T) {
	s := run(t, map[string]any{"logs": "no pipeline"})
	_, body := s.ask(t, "GET", "/healthz", http.StatusOK, `{}`)
	require.Contains(t, body, "read pipeline logs")
	f := NewFactory()
	e, err := f.Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), f.CreateDefaultConfig())
	require.NoError(t, err)
	_, body = (&service{books: e.(*books)}).ask(t, "GET", "/healthz", http.StatusOK, `{}`)
	require.Contains(t, body, "level is none")
	require.Error(t, (&Config{Path: "ledger", HealthPath: "/x"}).Validate())
	require.Error(t, (&Config{Path: "/x", HealthPath: "/x"}).Validate())
	require.NoError(t, (&Config{}).Validate())
}

// What a queue on disk began with is noted when the first receiver starts, and what
// did not come out even is the last thing that is said.
func TestTheQueueAtStartIsNotedAndTheEndIsTold(t *testing.T) {
	conf := logsTo("e")
	s := run(t, conf)
	whole := confmap.NewFromStringMap(map[string]any{
		"exporters": map[string]any{"e": map[string]any{"sending_queue": map[string]any{"storage": "file_storage", "sizer": "items"}}},
		"service":   map[string]any{"pipelines": conf},
	})
	require.NoError(t, s.NotifyConfigSnapshot(t.Context(), extensioncapabilities.NewConfigSnapshot(whole, nil)))
	s.count("otelcol_exporter_sent_log_records", "exporter", "e", 9)
	of := func(kind component.Kind) *componentstatus.InstanceID {
		return componentstatus.NewInstanceID(component.MustNewID("x"), kind)
	}
	s.ComponentStatusChanged(of(component.KindExporter), componentstatus.NewEvent(componentstatus.StatusStarting))
	s.ComponentStatusChanged(of(component.KindReceiver), componentstatus.NewEvent(componentstatus.StatusOK))
	require.Zero(t, s.read(t.Context())[0].QueuedAtStart)
	s.ComponentStatusChanged(of(component.KindReceiver), componentstatus.NewEvent(componentstatus.StatusStarting))
	require.EqualValues(t, 9, s.read(t.Context())[0].QueuedAtStart)
	s.count("otelcol_receiver_accepted_log_records", "receiver", "otlp", 4)
	require.NoError(t, s.Shutdown(t.Context()))
	require.NoError(t, s.Shutdown(t.Context()))
	require.Equal(t, 1, s.log.FilterMessage("The ledger at the end.").Len())
}
