package promstore

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// openTest opens a store in a directory of the test's own.
func openTest(t testing.TB, cfg Config) *Store {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	s, err := Open(cfg, nil, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func gauge(name string, at time.Time, v float64, attrs ...string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(at))
	p.SetDoubleValue(v)
	for i := 0; i+1 < len(attrs); i += 2 {
		p.Attributes().PutStr(attrs[i], attrs[i+1])
	}
	return md
}

// get asks the API and returns status and body.
func get(t testing.TB, s *Store, path string, form url.Values) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path+"?"+form.Encode(), nil)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestWhatIsAppendedCanBeQueriedAtOnceUnderItsPrometheusName(t *testing.T) {
	s := openTest(t, Config{})
	at := time.Now().Truncate(time.Second)
	dropped, err := s.AppendMetrics(context.Background(), gauge("queue.depth", at, 7, "queue.name", "mail"))
	require.NoError(t, err)
	require.Zero(t, dropped)
	res, err := s.Query(t.Context(), `queue_depth{queue_name="mail",job="shop"}`, at)
	require.NoError(t, err)
	v, err := res.Vector()
	require.NoError(t, err)
	require.Len(t, v, 1)
	require.InDelta(t, 7, v[0].F, 0)
	code, body := get(t, s, "/api/v1/query", url.Values{"query": {"queue_depth"}, "time": {at.Format(time.RFC3339)}})
	require.Equal(t, 200, code)
	require.Contains(t, body, `"resultType":"vector"`)
}
