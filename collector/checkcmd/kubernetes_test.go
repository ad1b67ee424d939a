package checkcmd

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEachAnswerOfKubernetesHasItsLine(t *testing.T) {
	dir := t.TempDir()
	token, authority := filepath.Join(dir, "token"), filepath.Join(dir, "ca.crt")
	require.NoError(t, os.WriteFile(token, []byte("account\n"), 0o600))
	status := 200
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer account" {
			w.WriteHeader(401)
			return
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	require.NoError(t, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	fine := kube{root: s.URL, path: "/stats/summary", what: "the kubelet's summary", authority: authority, token: token, rule: "get on nodes/stats", timeout: 20 * time.Second}
	with := func(change func(*kube)) kube { k := fine; change(&k); return k }

	wants(t, fine.ask(t.Context()), OK, "gives the kubelet's summary", "")
	wants(t, with(func(k *kube) { k.root = s.URL[len("https://"):] }).ask(t.Context()), OK, "gives", "")
	wants(t, with(func(k *kube) { k.authority, k.insecure = "/nowhere", true }).ask(t.Context()), OK, "gives", "")
	wants(t, with(func(k *kube) { k.authority = "/nowhere" }).ask(t.Context()), Fail, "authority", "ca_file")
	wants(t, with(func(k *kube) { k.authority = "" }).ask(t.Context()), Fail, "not trusted here", "") // the system's
	wants(t, with(func(k *kube) { k.authority = token }).ask(t.Context()), Fail, "holds no certificate", "PEM")
	wants(t, with(func(k *kube) { k.token = "/nowhere" }).ask(t.Context()), Fail, "service-account token", "automountServiceAccountToken")
	wants(t, with(func(k *kube) { k.root = "https://127.0.0.1:1" }).ask(t.Context()), Fail, "refused", "")
	wants(t, with(func(k *kube) { k.token = authority }).ask(t.Context()), Fail, "", "")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "other"), []byte("other"), 0o600))
	wants(t, with(func(k *kube) { k.token = filepath.Join(dir, "other") }).ask(t.Context()), Fail, "does not accept the service account's token", "service account")
	status = 403
	wants(t, fine.ask(t.Context()), Fail, "denies the kubelet's summary", "allow get on nodes/stats in the service account's ClusterRole")
	status = 500
	wants(t, fine.ask(t.Context()), Fail, "answers 500", "that service")
}

func TestKubernetesIsAskedOnlyAsAPod(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	got := run(t, `
receivers:
  kubelet_stats: {auth_type: serviceAccount, endpoint: "https://127.0.0.1:1"}
  kubelet_stats/tls: {auth_type: tls, endpoint: "https://127.0.0.1:1"}
processors: {k8s_attributes: {auth_type: serviceAccount}}
exporters: {debug: }
service:
  pipelines: {metrics: {receivers: [kubelet_stats, kubelet_stats/tls], processors: [k8s_attributes], exporters: [debug]}}
`)
	require.Len(t, got, 2)
	require.Equal(t, "receivers::kubelet_stats", got[0].Part)
	require.Equal(t, Fail, got[0].Level)
	wants(t, line(t, got, "processors::k8s_attributes"), Warn, "this is no pod", "in the pod")
}

func TestTheKubeletIsAskedForItsPods(t *testing.T) {
	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/pods" || r.Header.Get("Authorization") != "Bearer mine" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer kubelet.Close()
	for text, want := range map[string]Level{"mine": OK, "another": Fail} {
		token := filepath.Join(t.TempDir(), "token")
		require.NoError(t, os.WriteFile(token, []byte(text), 0o600))
		got := line(t, run(t, `
extensions: {kubelet_pods: {endpoint: "`+kubelet.URL+`", token_file: `+token+`, insecure_skip_verify: true}}
receivers: {otlp: {protocols: {http: }}}
exporters: {debug: }
service:
  extensions: [kubelet_pods]
  pipelines: {metrics: {receivers: [otlp], exporters: [debug]}}
`), "extensions::kubelet_pods")
		if want == OK {
			wants(t, got, OK, "gives the kubelet's pods", "")
		} else {
			wants(t, got, Fail, "denies the kubelet's pods", "nodes/proxy")
		}
	}
}
