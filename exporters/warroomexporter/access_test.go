package warroomexporter

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensionauth"

	"github.com/vigie-otel/vigie/exporters/warroomexporter/internal/metadata"
	"github.com/vigie-otel/vigie/internal/timeline"
)

// everyRoute is one request for each way into the server.
var everyRoute = []string{
	"GET /", "GET /app.js", "GET /plain/", "GET /plain/page.js", "GET /nothing", "GET /healthz",
	"GET /api/warroom/now", "GET /api/warroom/headroom", "GET /api/warroom/stream", "GET /api/warroom/at?time=1", "GET /api/warroom/drill?kind=pods",
	"GET /api/warroom/rule?finding=x", "GET /api/warroom/timeline", "POST /api/warroom/timeline", "GET /api/warroom/report?from=x", "POST /api/warroom/ready",
	"GET /api/v1/query?query=up", "POST /api/v1/query", "GET /api/v1/query_range", "GET /api/v1/labels", "GET /api/v1/series", "GET /api/v1/metadata", "GET /api/v1/status/buildinfo", "POST /api/v1/write",
}

// doorman lets in who says a name.
type doorman struct {
	component.StartFunc
	component.ShutdownFunc
	extensionauth.ServerAuthenticateFunc
}

type doorHost struct{ id component.ID }

func (h doorHost) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{h.id: doorman{ServerAuthenticateFunc: func(ctx context.Context, sources map[string][]string) (context.Context, error) {
		for k, v := range sources {
			if strings.EqualFold(k, "authorization") && len(v) == 1 && v[0] != "" {
				info := client.FromContext(ctx)
				info.Auth = named(v[0])
				return client.NewContext(ctx, info), nil
			}
		}
		return ctx, errors.New("who are you?")
	}}}
}

// certificate is a self-signed one for loopback.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "warroom"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	pool = x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool.AddCert(cert)
	return certFile, keyFile, pool
}

// closedRoom serves with TLS and an authenticator, as it must on an address that
// others reach.
func closedRoom(t *testing.T) (w *warroom, base string, ask func(method, path, who, body string) *http.Response) {
	cfg := testConfig(t)
	cert, key, pool := certificate(t)
	id := component.MustNewID("doorman")
	cfg.TLS = configoptional.Some(configtls.ServerConfig{Config: configtls.Config{CertFile: cert, KeyFile: key}})
	cfg.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: id}})
	cfg.Room.Writers = []string{"ada"}
	require.NoError(t, cfg.Validate())
	w = newWarroom(exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, w.Start(t.Context(), doorHost{id}))
	t.Cleanup(func() { require.NoError(t, w.Shutdown(context.Background())) })
	base = w.url()
	require.True(t, strings.HasPrefix(base, "https://"))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	ask = func(method, path, who, body string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		if who != "" {
			req.Header.Set("Authorization", who)
		}
		res, err := (&http.Client{Transport: transport}).Do(req)
		require.NoError(t, err)
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	return w, base, ask
}

func TestEveryWayInIsBehindTheAuthenticatorTheStreamIncluded(t *testing.T) {
	_, base, ask := closedRoom(t)
	for _, route := range everyRoute {
		method, path, _ := strings.Cut(route, " ")
		require.Equal(t, http.StatusUnauthorized, ask(method, path, "", "").StatusCode, route)
		require.NotEqual(t, http.StatusUnauthorized, ask(method, path, "bob", "").StatusCode, route)
	}
	require.Equal(t, http.StatusOK, ask(http.MethodGet, "/api/warroom/stream", "bob", "").StatusCode)
	res, err := http.Get(strings.Replace(base, "https", "http", 1) + "/healthz") //nolint:noctx // a plain request must come to nothing
	if err == nil {
		defer res.Body.Close()
		require.Equal(t, http.StatusBadRequest, res.StatusCode, "nothing is told without TLS")
	}
}

func TestWhoMayLookMayNotWrite(t *testing.T) {
	w, _, ask := closedRoom(t)
	for _, body := range []string{`{"kind":"note","text":"n"}`, `{"kind":"severity","text":"sev1"}`, `{"kind":"commander","text":"bob"}`, `{"kind":"deputy","text":"bob"}`, `{"kind":"scribe","text":"bob"}`} {
		require.Equal(t, http.StatusForbidden, ask(http.MethodPost, "/api/warroom/timeline", "bob", body).StatusCode, body)
		require.Equal(t, http.StatusCreated, ask(http.MethodPost, "/api/warroom/timeline", "ada", strings.Replace(body, "{", `{"who":"eve","at":"2001-01-01T00:00:00Z",`, 1)).StatusCode, body)
	}
	require.Equal(t, http.StatusForbidden, ask(http.MethodPost, "/api/v1/write", "bob", "").StatusCode, "a series that was made up is a verdict that was made up")
	require.NotEqual(t, http.StatusForbidden, ask(http.MethodPost, "/api/v1/write", "ada", "").StatusCode)
	require.Equal(t, http.StatusForbidden, ask(http.MethodPost, "/api/warroom/ready", "bob", "{}").StatusCode)
	require.NotEqual(t, http.StatusForbidden, ask(http.MethodPost, "/api/v1/query", "bob", "").StatusCode, "Grafana asks by POST")
	kept, err := os.ReadFile(w.cfg.timelinePath())
	require.NoError(t, err)
	var written []timeline.Entry
	for line := range bytes.Lines(kept) {
		var e timeline.Entry
		require.NoError(t, json.Unmarshal(line, &e))
		if e.Kind.Human() {
			written = append(written, e)
		}
	}
	require.Len(t, written, 5, "on the disk, each")
	for _, e := range written {
		require.Equal(t, "ada", e.Who, "as the authenticator knows them")
		require.WithinDuration(t, time.Now(), e.At, time.Minute, "by the server's clock")
	}
}

func TestWhatNobodySignedIsKeptAsSuch(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	postNote(t, base, `{"kind":"note","text":"hello","who":"  "}`, http.StatusCreated)
	entries := w.room.log.Newest(1)
	require.Equal(t, "unnamed", entries[0].Who)
}

func TestALoopbackServerAnswersToItsOwnNamesAlone(t *testing.T) {
	_, base := roomOf(t, testConfig(t))
	for _, route := range everyRoute {
		method, path, _ := strings.Cut(route, " ")
		for _, name := range []string{"evil.example", "evil.example:8640", "127.0.0.1.evil.example", "localhost.evil.example:8640", "10.0.0.7", "169.254.169.254", "[fe80::1]:8640", "127.0.0.1@evil.example"} {
			req := request(t, method, base+path)
			req.Host = name
			code, _, _ := fetch(t, req)
			require.Contains(t, []int{http.StatusForbidden, http.StatusBadRequest}, code, "%s as %s", route, name)
		}
	}
}

func TestAnotherSitesPageReachesNothingOfTheRoomAndALinkDoes(t *testing.T) {
	w, base := roomOf(t, testConfig(t))
	for _, site := range []string{"cross-site", "same-site"} {
		for _, route := range everyRoute {
			method, path, _ := strings.Cut(route, " ")
			if !strings.HasPrefix(path, "/api/warroom/") && method == http.MethodGet || path == "/api/v1/query" {
				continue
			}
			req := request(t, method, base+path)
			req.Header.Set("Sec-Fetch-Site", site)
			req.Header.Set("Sec-Fetch-Mode", "no-cors")
			code, _, _ := fetch(t, req)
			require.Equal(t, http.StatusForbidden, code, "%s, %s", route, site)
		}
	}
	for _, origin := range []string{"https://evil.example", "null", "http://127.0.0.1:1"} {
		req := request(t, http.MethodPost, base+"/api/warroom/timeline")
		req.Header.Set("Origin", origin)
		code, _, _ := fetch(t, req)
		require.Equal(t, http.StatusForbidden, code, origin)
	}
	require.Zero(t, w.room.viewers.count(), "no place was taken")
	link := request(t, http.MethodGet, base+"/api/warroom/report")
	link.Header.Set("Sec-Fetch-Site", "cross-site")
	link.Header.Set("Sec-Fetch-Mode", "navigate")
	code, _, _ := fetch(t, link)
	require.Equal(t, http.StatusOK, code)
}

func TestNoAnswerRunsAnythingOrSetsACookie(t *testing.T) {
	_, base := roomOf(t, testConfig(t))
	for _, route := range everyRoute {
		method, path, _ := strings.Cut(route, " ")
		if strings.HasSuffix(path, "/stream") {
			continue // it has no end; its headers are those of the others
		}
		code, _, h := fetch(t, request(t, method, base+path))
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), "%s %d", route, code)
		csp := h.Get("Content-Security-Policy")
		require.Contains(t, csp, "default-src 'none'", route)
		require.Contains(t, csp, "frame-ancestors 'none'", route)
		require.NotContains(t, csp, "unsafe", route)
		require.Empty(t, h.Values("Set-Cookie"), route)
		require.Empty(t, h.Get("Access-Control-Allow-Origin"), route)
	}
	for _, name := range []string{"web/src/index.html", "page/index.html"} {
		html, err := os.ReadFile(name)
		require.NoError(t, err)
		for tag := range strings.SplitSeq(string(html), "<script") {
			require.True(t, strings.HasPrefix(tag, "<!doctype") || strings.Contains(tag[:strings.IndexByte(tag, '>')], "src="), "a script stands in %s", name)
		}
		require.False(t, slices.ContainsFunc([]string{"onload=", "onclick=", "javascript:", "style="}, func(s string) bool { return strings.Contains(string(html), s) }), name)
	}
}
