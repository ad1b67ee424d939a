package kubeletpodsextension

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vigie-otel/vigie/extensions/kubeletpodsextension/internal/metadata"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/podlist"
)

type host struct {
	extensions map[component.ID]component.Component
	events     chan string
}

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(e *componentstatus.Event) {
	text := e.Status().String()
	if e.Err() != nil {
		text += " " + e.Err().Error()
	}
	h.events <- text
}

func TestAKubeletThatRefusesIsToldAndTheListComesWhenItAllows(t *testing.T) {
	answers := make(chan int, 1)
	answers <- http.StatusForbidden
	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case code := <-answers:
			w.WriteHeader(code)
		default:
			fmt.Fprint(w, `{"items":[{"metadata":{"name":"a","namespace":"n","uid":"u"}}]}`)
		}
	}))
	defer kubelet.Close()
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("t"), 0o600))
	cfg := defaultConfig()
	cfg.Endpoint, cfg.TokenFile, cfg.InsecureSkipVerify, cfg.Interval = kubelet.URL, token, true, 10*time.Millisecond

	tel := componenttest.NewTelemetry()
	h := &host{events: make(chan string, 10)}
	id := component.NewID(metadata.Type)
	e, err := NewFactory().Create(t.Context(), extension.Settings{ID: id, TelemetrySettings: tel.NewTelemetrySettings()}, cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), h))
	if got := <-h.events; !strings.HasPrefix(got, "StatusRecoverableError") || !strings.Contains(got, "nodes/proxy") {
		t.Errorf("refused: %s", got)
	}
	if got := <-h.events; got != "StatusOK" {
		t.Errorf("allowed: %s", got)
	}
	h.extensions = map[component.ID]component.Component{id: e, component.MustNewID("other"): struct{ component.Component }{}}
	list, err := podlist.From(h, id)
	require.NoError(t, err)
	if _, known := list.Get("n", "a"); !known {
		t.Error("the pod is not known")
	}
	for _, name := range []string{"other", "absent"} {
		if _, err := podlist.From(h, component.MustNewID(name)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := tel.GetMetric(names.KubeletPodsPods)
	require.NoError(t, err)
	if got := m.Data.(metricdata.Sum[int64]).DataPoints[0].Value; got != 1 {
		t.Errorf("%d pods", got)
	}
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, tel.Shutdown(t.Context()))
}

func TestEverythingThatIsWrongIsToldAtOnce(t *testing.T) {
	err := (&Config{Endpoint: "10.0.0.1:10250"}).Validate()
	for _, want := range []string{"endpoint must begin with https://", "token_file must", "interval must", "timeout must"} {
		require.ErrorContains(t, err, want)
	}
}
