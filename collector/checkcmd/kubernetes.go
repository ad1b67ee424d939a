package checkcmd

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// serviceAccount is where Kubernetes puts a pod's token and the authority of its
// API server.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// kubernetes tries the kubelet and the API server where parts in use ask them.
func (p *plan) kubernetes() (out []probe) {
	for _, id := range p.receivers {
		if id.Type().String() != "kubelet_stats" && id.Type().String() != "kubeletstats" {
			continue
		}
		var s struct {
			AuthType string `mapstructure:"auth_type"`
			Endpoint string `mapstructure:"endpoint"`
			Insecure bool   `mapstructure:"insecure_skip_verify"`
			CAFile   string `mapstructure:"ca_file"`
		}
		part := "receivers::" + id.String()
		if err := p.part(part, &s); err != nil {
			out = append(out, unreadable(part, err)...)
			continue
		}
		if s.AuthType != "serviceAccount" { // none, tls and kubeConfig are for other places than a pod
			continue
		}
		k := kube{
			root: s.Endpoint, path: "/stats/summary", what: "the kubelet's summary", insecure: s.Insecure,
			authority: s.CAFile, token: filepath.Join(serviceAccount, "token"),
			rule: "get on nodes/stats", timeout: p.timeout,
		}
		if k.authority == "" {
			k.authority = filepath.Join(serviceAccount, "ca.crt")
		}
		out = append(out, probe{part, func(ctx context.Context) []Result { return one(k.ask(ctx)) }})
	}
	for _, id := range p.extensions {
		if id.Type().String() != "kubelet_pods" {
			continue
		}
		var s struct {
			Endpoint  string `mapstructure:"endpoint"`
			TokenFile string `mapstructure:"token_file"`
			Insecure  bool   `mapstructure:"insecure_skip_verify"`
			CAFile    string `mapstructure:"ca_file"`
		}
		part := "extensions::" + id.String()
		if err := p.part(part, &s); err != nil {
			out = append(out, unreadable(part, err)...)
			continue
		}
		k := kube{
			root: s.Endpoint, path: "/pods", what: "the kubelet's pods", insecure: s.Insecure, authority: s.CAFile,
			token: cmp.Or(s.TokenFile, filepath.Join(serviceAccount, "token")),
			rule:  "get on nodes/proxy (since Kubernetes 1.33 nodes/pods will do)", timeout: p.timeout,
		}
		out = append(out, probe{part, func(ctx context.Context) []Result { return one(k.ask(ctx)) }})
	}
	for _, id := range p.processors {
		if id.Type().String() != "k8s_attributes" && id.Type().String() != "k8sattributes" {
			continue
		}
		k := kube{
			root: "https://" + net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")),
			path: "/api/v1/pods?limit=1", what: "the API server's list of pods",
			authority: filepath.Join(serviceAccount, "ca.crt"), token: filepath.Join(serviceAccount, "token"),
			rule: "get, list and watch on pods", timeout: p.timeout,
		}
		out = append(out, probe{"processors::" + id.String(), func(ctx context.Context) []Result {
			if os.Getenv("KUBERNETES_SERVICE_HOST") == "" {
				return one(warn("run the check in the pod", "not tried: this is no pod, KUBERNETES_SERVICE_HOST is not set"))
			}
			return one(k.ask(ctx))
		}})
	}
	return out
}

// kube is one question to Kubernetes, asked as the pod's service account.
type kube struct {
	root, path, what string
	authority, token string // files; no authority: the system's
	insecure         bool
	rule             string // of the ClusterRole
	timeout          time.Duration
}

func (k kube) ask(ctx context.Context) Result {
	root := k.root
	if !strings.Contains(root, "://") {
		root = "https://" + root
	}
	token, err := os.ReadFile(k.token)
	if err != nil {
		return fail("run in a pod whose service account's token is mounted (automountServiceAccountToken)", "service-account token: %v", err)
	}
	settings := &tls.Config{InsecureSkipVerify: k.insecure} //nolint:gosec // as the receiver is configured
	if !k.insecure && k.authority != "" {
		pem, err := os.ReadFile(k.authority)
		if err != nil {
			return fail("mount the authority's certificate, or set ca_file", "authority: %v", err)
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return fail("put a PEM certificate there", "authority: %s holds no certificate", k.authority)
		}
	}
	transport := &http.Transport{TLSClientConfig: settings}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, root+k.path, nil)
	if err != nil {
		return fail("look at endpoint", "%v", err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	res, err := transport.RoundTrip(req)
	if err != nil {
		return unreachable(ctx, root, err, k.timeout)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch res.StatusCode {
	case http.StatusOK:
		return ok("%s gives %s", root, k.what)
	case http.StatusUnauthorized:
		return fail("look at the pod's service account, and at the kubelet's --authentication-token-webhook", "%s does not accept the service account's token", root)
	case http.StatusForbidden:
		return fail(fmt.Sprintf("allow %s in the service account's ClusterRole", k.rule), "%s denies %s", root, k.what)
	}
	return fail("look at that service", "%s answers %d: %s", root, res.StatusCode, said(string(answer)))
}
