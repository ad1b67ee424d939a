package checkcmd

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

func TestEachAnswerOfAnEndpointHasItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		serve     http.HandlerFunc
		level     Level
		text, fix string
	}{
		"200":     {func(http.ResponseWriter, *http.Request) {}, OK, "takes OTLP logs", ""},
		"sign-in": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "/login"); w.WriteHeader(302) }, Fail, "leads to /login", "what stands before it"},
		"400":     {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 400) }, Fail, "answers 400: no", "endpoint"},
		"401":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, Fail, "denies access (401)", "auth and headers"},
		"403":     {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not\x1byou", http.StatusForbidden) }, Fail, "denies access (403)", "auth and headers"},
		"404":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, Fail, "nothing that takes OTLP logs (404)", "/v1/logs"},
		"405":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(405) }, Fail, "nothing that takes OTLP logs (405)", "/v1/logs"},
		"429":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, Warn, "asks to slow down", "quota"},
		"503": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "maintenance", http.StatusServiceUnavailable)
		}, Fail, "in trouble (503): maintenance", "own health"},
		"no reply": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, Fail, "no answer in 2s", "security groups"},
		"cut":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Fail, "broken off", "load balancer"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(c.serve)
			t.Cleanup(s.Close)
			got := runUntil(t, "exporters: {otlp_http: {endpoint: \""+s.URL+"\"}}\n"+inPipelines("logs otlp_http"), c.text)
			r := line(t, got, "exporters::otlp_http")
			wants(t, r, c.level, c.text, c.fix)
			require.NotContains(t, r.Text, "\x1b")
			require.Equal(t, c.level != OK, r.Fix != "", "every line but ok says what to fix")
		})
	}
}

func TestEachWayNotToReachAnEndpointHasItsLine(t *testing.T) {
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(plain.Close)
	for name, c := range map[string]struct{ settings, text, fix string }{
		"refused":           {`endpoint: "http://127.0.0.1:1"`, "connection is refused", "whether the other side runs"},
		"unknown authority": {`endpoint: "` + secure.URL + `"`, "authority that is not trusted", "tls::ca_file"},
		"no TLS there":      {`endpoint: "` + strings.Replace(plain.URL, "http:", "https:", 1) + `"`, "does not speak TLS", "http://"},
		"no such name":      {`endpoint: "http://nowhere.invalid"`, "nowhere.invalid", "DNS"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, "exporters: {otlp_http: {"+c.settings+"}}\n"+inPipelines("logs otlp_http"))
			wants(t, line(t, got, "exporters::otlp_http"), Fail, c.text, c.fix)
		})
	}
	got := run(t, "exporters: {otlp_http: {endpoint: \""+secure.URL+"\", tls: {insecure_skip_verify: true}}}\n"+inPipelines("logs otlp_http"))
	wants(t, line(t, got, "exporters::otlp_http"), OK, "takes OTLP", "")
}

func TestEachSignalOfAnOTLPExporterIsTriedAtItsOwnAddress(t *testing.T) {
	var tried atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tried.Add(1); r.URL.Path == "/other" {
			w.WriteHeader(404)
		}
	}))
	t.Cleanup(s.Close)
	got := run(t, `
exporters:
  otlp_http: {endpoint: "`+s.URL+`/", metrics_endpoint: "`+s.URL+`/other"}
`+inPipelines("logs otlp_http, metrics otlp_http, logs otlp_http"))
	wants(t, line(t, got, "exporters::otlp_http logs"), OK, "/v1/logs", "")
	wants(t, line(t, got, "exporters::otlp_http metrics"), Fail, "/other", "")
	require.EqualValues(t, 2, tried.Load())
}

func TestAnAuthenticatorIsUsedAsTheExporterUsesIt(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sesame" {
			w.WriteHeader(401)
		}
	}))
	t.Cleanup(s.Close)
	config := func(token string) string {
		return "exporters: {otlp_http: {endpoint: \"" + s.URL + "\", auth: {authenticator: bearertokenauth}}}\nextensions: {bearertokenauth: {" + token + "}}\n" + inPipelines("logs otlp_http")
	}
	wants(t, line(t, run(t, config("token: sesame")), "exporters::otlp_http"), OK, "takes OTLP", "")
	wants(t, line(t, run(t, config("token: other")), "exporters::otlp_http"), Fail, "denies access (401)", "auth")
	wants(t, line(t, run(t, config("filename: /nowhere/token")), "exporters::otlp_http"), Fail, "bearertokenauth does not start", "mend the extension")
}

// collector is an OTLP/gRPC server that takes metrics.
type collector struct {
	pmetricotlp.UnimplementedGRPCServer
	err error
}

func (c *collector) Export(context.Context, pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	return pmetricotlp.NewExportResponse(), c.err
}

func serveGRPC(t *testing.T, c collector, o ...grpc.ServerOption) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := grpc.NewServer(o...)
	pmetricotlp.RegisterGRPCServer(s, &c)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

func TestEachAnswerOfACollectorHasItsLine(t *testing.T) {
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	t.Cleanup(certificate.Close)
	withTLS := grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: certificate.TLS.Certificates, NextProtos: []string{"h2"}}))
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })

	insecure := ", tls: {insecure: true}"
	for name, c := range map[string]struct {
		endpoint, settings string
		level              Level
		text, fix          string
	}{
		"fine":              {serveGRPC(t, collector{}), insecure, OK, "takes OTLP, without TLS", ""},
		"with TLS":          {serveGRPC(t, collector{}, withTLS), ", tls: {insecure_skip_verify: true}", OK, "takes OTLP, with TLS", ""},
		"unknown authority": {serveGRPC(t, collector{}, withTLS), "", Fail, "authority that is not trusted", "tls::ca_file"},
		"no TLS there":      {serveGRPC(t, collector{}), "", Fail, "does not speak TLS", "tls::insecure"},
		"TLS expected":      {serveGRPC(t, collector{}, withTLS), insecure, Fail, "", "look at"},
		"unauthenticated":   {serveGRPC(t, collector{err: status.Error(codes.Unauthenticated, "who?")}), insecure, Fail, "denies access: who?", "auth and headers"},
		"unimplemented":     {serveGRPC(t, collector{err: status.Error(codes.Unimplemented, "")}), insecure, Fail, "takes no metrics", "pipelines"},
		"full":              {serveGRPC(t, collector{err: status.Error(codes.ResourceExhausted, "")}), insecure, Warn, "slow down", "memory"},
		"broken":            {serveGRPC(t, collector{err: status.Error(codes.Internal, "oops")}), insecure, Fail, "Internal: oops", "other side"},
		"refused":           {"127.0.0.1:1", insecure, Fail, "connection is refused", "whether the other side runs"},
		"silent":            {silent.Addr().String(), "", Fail, "no answer in 2s", "security groups"},
	} {
		t.Run(name, func(t *testing.T) {
			got := runUntil(t, "exporters: {otlp_grpc: {endpoint: \""+c.endpoint+"\""+c.settings+"}}\n"+inPipelines("metrics otlp_grpc"), c.text)
			r := line(t, got, "exporters::otlp_grpc")
			wants(t, r, c.level, c.text, c.fix)
			require.Equal(t, c.level != OK, r.Fix != "")
		})
	}
}

func TestALoadBalancersTargetsAreEachTried(t *testing.T) {
	there := serveGRPC(t, collector{})
	got := run(t, `
exporters:
  load_balancing:
    protocol: {otlp: {tls: {insecure: true}}}
    resolver: {static: {hostnames: ["`+there+`", "127.0.0.1:1"]}}
  load_balancing/none:
    protocol: {otlp: {tls: {insecure: true}}}
    resolver: {dns: {hostname: nowhere.invalid}}
  load_balancing/k8s:
    resolver: {k8s: {service: gateway}}
`+inPipelines("metrics load_balancing, metrics load_balancing/none, metrics load_balancing/k8s"))
	require.Len(t, got, 4)
	wants(t, got[0], OK, there, "")
	wants(t, got[1], Fail, "127.0.0.1:1", "")
	wants(t, line(t, got, "exporters::load_balancing/none"), Fail, "nowhere.invalid", "DNS")
	wants(t, line(t, got, "exporters::load_balancing/k8s"), Warn, "in the cluster", "by hand")
}
