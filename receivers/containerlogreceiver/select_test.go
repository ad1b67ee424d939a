package containerlogreceiver

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/podlist"
)

// kubelet serves a list of pods, and refreshes the reader's when it is changed.
type kubelet struct {
	t    *testing.T
	srv  *httptest.Server
	list *podlist.List
	pods []any
}

func newKubelet(t *testing.T) *kubelet {
	k := &kubelet{t: t}
	k.srv = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": "PodList", "items": k.pods})
	}))
	t.Cleanup(k.srv.Close)
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("t"), 0o600))
	var err error
	k.list, err = podlist.New(podlist.Options{Endpoint: k.srv.URL, TokenFile: token, Insecure: true, Interval: time.Hour, Soonest: time.Hour, Timeout: 5 * time.Second})
	require.NoError(t, err)
	return k
}

func (k *kubelet) has(namespace, pod string, labels, annotations map[string]string) {
	k.t.Helper()
	k.pods = append(k.pods, map[string]any{"metadata": map[string]any{"namespace": namespace, "name": pod, "labels": labels, "annotations": annotations}})
	require.NoError(k.t, k.list.Refresh(k.t.Context()))
}

func TestAPodsAnnotationsSayHowItIsRead(t *testing.T) {
	k := newKubelet(t)
	d := newDesk(t, nil)
	d.r.pods = k.list
	k.has("shop", "quiet", nil, map[string]string{"vigie.dev/logs": "off"})
	k.has("shop", "raw", nil, map[string]string{"vigie.dev/format": "raw", "vigie.dev/multiline": "off"})
	k.has("shop", "mixed", nil, map[string]string{"vigie.dev/logs.sidecar": "off", "vigie.dev/format.app": "logfmt"})
	k.has("shop", "agent", map[string]string{"app.kubernetes.io/name": "vigie"}, nil)
	k.has("shop", "typo", nil, map[string]string{"vigie.dev/format": "jsno"})
	line := `stdout F {"level":"info","msg":"m"}`
	for _, name := range []string{"shop_quiet_u/app", "shop_raw_u/app", "shop_mixed_u/sidecar", "shop_mixed_u/app", "shop_agent_u/app", "shop_typo_u/app", "shop_unknown_u/app"} {
		d.cri("pods/"+name+"/0.log", line, `stdout F a=1 b=2`)
	}
	got := map[string]bool{}
	for _, lr := range d.records(2 * time.Second) {
		got[told(lr)] = true
	}
	require.Equal(t, map[string]bool{
		`19:00:00.123 "{\"level\":\"info\",\"msg\":\"m\"}" {"log.iostream":"stdout"}`: true, // raw, and broken logfmt
		`9(info) 19:00:00.123 "m" {"log.iostream":"stdout"}`:                          true, // typo, unknown
		`19:00:00.123 "a=1 b=2" {"log.iostream":"stdout"}`:                            true, // raw, typo, unknown
		`19:00:00.123 "a=1 b=2" {"a":"1","b":"2","log.iostream":"stdout"}`:            true, // mixed
	}, got)
	space := d.r.spaces.get("shop")
	each := len("2026-07-11T19:00:00.123456789Z "+line+"\n") + len("2026-07-11T19:00:00.123456789Z stdout F a=1 b=2\n")
	require.Equal(t, int64(3*each), space.passed.Load(), "quiet, sidecar, agent")
	require.Zero(t, space.lag.Load(), "what is passed over is no lag")
}

func TestAPodThatChangesItsMindIsReadFromThenOn(t *testing.T) {
	k := newKubelet(t)
	d := newDesk(t, nil)
	d.r.pods = k.list
	d.cri(pod, "stdout F {} 1", "stdout F {} 2")
	require.Len(t, d.records(time.Second), 2)
	k.has("shop", "checkout-7d4b9", nil, map[string]string{"vigie.dev/logs": "off"})
	d.cri(pod, "stdout F {} 3")
	d.write(pod, "2026-07-11T19:00:00Z stdout F {} half of")
	d.want(time.Second)
	for f := range d.r.set.Files {
		left, _ := f.Lag()
		require.Zero(t, left, "how far it was passed over is kept")
	}
	k.pods = nil
	k.has("shop", "checkout-7d4b9", nil, nil)
	d.write(pod, " a line\n")
	d.cri(pod, "stdout F {} 4", "stdout F {}")
	d.want(time.Second, "{} 4", "{}")
}

func TestLabelsChoose(t *testing.T) {
	k := newKubelet(t)
	d := newDesk(t, func(c *Config) {
		c.Labels = Selectors{Include: []string{"team=video*"}, Exclude: []string{"canary"}}
	})
	d.r.pods = k.list
	k.has("shop", "a", map[string]string{"team": "video-1"}, nil)
	k.has("shop", "b", map[string]string{"team": "audio"}, nil)
	k.has("shop", "c", map[string]string{"team": "video", "canary": ""}, nil)
	for _, p := range []string{"a", "b", "c"} {
		d.cri("pods/shop_"+p+"_u/app/0.log", "stdout F {} "+p, "stdout F {}")
	}
	d.want(time.Second, "{} a", "{}")
}
