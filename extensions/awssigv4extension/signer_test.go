package awssigv4extension

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/vigie-otel/vigie/extensions/awssigv4extension/internal/metadata"
	"github.com/vigie-otel/vigie/internal/testkit/awsfake"
)

// surroundings gives the SDK's chain nothing but what the test sets.
func surroundings(t *testing.T, vars map[string]string) {
	t.Helper()
	for k, v := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_PROFILE": "", "AWS_ROLE_ARN": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(k, v)
	}
	for k, v := range vars {
		t.Setenv(k, v)
	}
}

func client(t *testing.T, cfg *Config, base http.RoundTripper) (extension.Extension, http.RoundTripper) {
	t.Helper()
	require.NoError(t, cfg.Validate())
	ext, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	rt, err := ext.(extensionauth.HTTPClient).RoundTripper(base)
	require.NoError(t, err)
	return ext, rt
}

// verify recomputes the signature as AWS does.
func verify(t *testing.T, got *http.Request, body []byte, service, region string) {
	t.Helper()
	at, err := time.Parse("20060102T150405Z", got.Header.Get("X-Amz-Date"))
	require.NoError(t, err)
	again := got.Clone(t.Context())
	again.URL.Scheme, again.URL.Host = "http", got.Host
	for name := range again.Header {
		if !strings.Contains(got.Header.Get("Authorization"), strings.ToLower(name)) {
			again.Header.Del(name)
		}
	}
	again.Header.Del("Authorization")
	hash := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "not-a-secret", SessionToken: "session"}
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), credentials, again, hex.EncodeToString(hash[:]), service, region, at))
	if want := again.Header.Get("Authorization"); want != got.Header.Get("Authorization") {
		t.Errorf("signature:\n got %s\nwant %s", got.Header.Get("Authorization"), want)
	}
}

func TestARequestIsSignedForItsServiceAndRegion(t *testing.T) {
	surroundings(t, map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_SESSION_TOKEN": "session", "AWS_REGION": "eu-west-3",
	})
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		got = r.Clone(context.Background())
	}))
	defer server.Close() // and its client's idle connections
	ext, rt := client(t, &Config{Service: "aps"}, server.Client().Transport)
	<-ext.(*signer).source.Ready()

	for name, payload := range map[string]io.Reader{
		"a body that can be read twice": bytes.NewReader([]byte("samples")),
		"one that can't":                io.MultiReader(strings.NewReader("sam"), strings.NewReader("ples")),
		"none":                          nil,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/workspaces/ws-1/api/v1/remote_write", payload)
		require.NoError(t, err)
		res, err := rt.RoundTrip(req)
		require.NoError(t, err, name)
		require.NoError(t, res.Body.Close())
		if payload != nil && string(body) != "samples" {
			t.Errorf("%s: %q arrived", name, body)
		}
		if req.Header.Get("Authorization") != "" {
			t.Errorf("%s: the caller's request was changed", name)
		}
		verify(t, got, body, "aps", "eu-west-3")
	}
}

func TestAMachineWhoseClockIsWrongSignsWithTheServicesTime(t *testing.T) {
	surroundings(t, map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_REGION": "eu-west-3"})
	const ahead = -3 * time.Hour
	var bodies []string
	refusals := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now().Add(ahead)
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil || at.Sub(now).Abs() > 5*time.Minute {
			refusals++
			w.WriteHeader(http.StatusForbidden)
			return
		}
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
	}))
	defer server.Close()
	ext, rt := client(t, &Config{Service: "aps"}, server.Client().Transport)
	<-ext.(*signer).source.Ready()
	send := func(payload io.Reader) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, payload)
		require.NoError(t, err)
		res, err := rt.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	require.Equal(t, http.StatusForbidden, send(io.MultiReader(strings.NewReader("once"))), "its sender tries again")
	require.Equal(t, http.StatusOK, send(strings.NewReader("first")))
	require.Equal(t, http.StatusOK, send(io.MultiReader(strings.NewReader("second"))))
	require.Equal(t, []string{"first", "second"}, bodies)
	require.Equal(t, 1, refusals)

	ext, rt = client(t, &Config{Service: "aps"}, server.Client().Transport)
	<-ext.(*signer).source.Ready()
	require.Equal(t, http.StatusOK, send(strings.NewReader("at once")), "a body that can be read twice is sent twice")
	require.Equal(t, "at once", bodies[2])
}

func TestTheHostTellsServiceAndRegion(t *testing.T) {
	for _, c := range []struct{ host, service, region, found, wantService, wantRegion string }{
		{"aps-workspaces.eu-west-3.amazonaws.com", "", "", "us-east-1", "aps", "eu-west-3"},
		{"aps-workspaces-fips.us-gov-west-1.api.aws", "", "", "", "aps", "us-gov-west-1"},
		{"xray.eu-central-1.amazonaws.com", "", "", "", "xray", "eu-central-1"},
		{"logs.eu-central-1.amazonaws.com", "", "us-west-2", "", "logs", "us-west-2"},
		{"monitoring.eu-central-1.amazonaws.com", "", "", "", "monitoring", "eu-central-1"},
		{"vpce-0a-b.aps-workspaces.eu-west-3.vpce.amazonaws.com", "aps", "", "eu-west-3", "aps", "eu-west-3"},
		{"127.0.0.1:9090", "aps", "", "eu-west-3", "aps", "eu-west-3"},
		{"xray.auto.amazonaws.com", "", "", "eu-west-3", "xray", "eu-west-3"},
		{"127.0.0.1:9090", "", "", "eu-west-3", "", ""},
	} {
		rt := &roundTripper{signer: &signer{cfg: &Config{Service: c.service}}}
		rt.cfg.Region = c.region
		service, region, err := rt.scope(c.host, c.found)
		if c.wantService == "" {
			require.ErrorContains(t, err, "set service of aws_sigv4")
			continue
		}
		require.NoError(t, err)
		if service != c.wantService || region != c.wantRegion {
			t.Errorf("%+v: signed for %s in %s", c, service, region)
		}
	}
}

func TestAutoInAHostBecomesTheRegionThatWasFound(t *testing.T) {
	surroundings(t, map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_REGION": "eu-west-3"})
	var got *http.Request
	ext, rt := client(t, &Config{}, roundTrip(func(r *http.Request) (*http.Response, error) {
		got = r
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}))
	<-ext.(*signer).source.Ready()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://xray.auto.amazonaws.com/v1/traces", http.NoBody)
	require.NoError(t, err)
	res, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	if got.URL.Host != "xray.eu-west-3.amazonaws.com" || got.Host != got.URL.Host || req.URL.Host != "xray.auto.amazonaws.com" {
		t.Errorf("sent to %s as %s; the caller's request is for %s", got.URL.Host, got.Host, req.URL.Host)
	}
	require.Contains(t, got.Header.Get("Authorization"), "/eu-west-3/xray/aws4_request")
}

func TestTheStartDoesNotWaitForCredentials(t *testing.T) {
	late := awsfake.CredentialsLate(t, 10*time.Second)
	client(t, &Config{Service: "aps"}, http.DefaultTransport)
	require.False(t, late.Answered(), "the start waited")
	late.Asked(t)
}

func TestWithoutCredentialsTheStartGoesOnAndEachRequestSaysWhatIsMissing(t *testing.T) {
	surroundings(t, nil)
	sent := false
	_, rt := client(t, &Config{Service: "aps"}, roundTrip(func(*http.Request) (*http.Response, error) {
		sent = true
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/", strings.NewReader("x"))
	require.NoError(t, err)
	_, err = rt.RoundTrip(req)
	require.Error(t, err)
	if sent {
		t.Error("an unsigned request left")
	}
}

func TestARefusalNamesTheActionToAllowAndLeavesHealthOnceItWorks(t *testing.T) {
	surroundings(t, map[string]string{"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_REGION": "eu-west-3"})
	status := http.StatusForbidden
	ext, rt := client(t, &Config{}, roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: http.NoBody}, nil
	}))
	source := ext.(*signer).source
	<-source.Ready()
	post := func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://aps-workspaces.eu-west-3.amazonaws.com/workspaces/ws-1/api/v1/remote_write", http.NoBody)
		require.NoError(t, err)
		res, err := rt.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	post()
	_, err := source.State()
	require.ErrorContains(t, err, "allow aps:RemoteWrite")
	status = http.StatusOK
	post()
	_, err = source.State()
	require.NoError(t, err)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestValidateNamesEverythingThatIsWrong(t *testing.T) {
	cfg := &Config{Service: "APS!"}
	cfg.Region, cfg.Endpoint = "Paris", "https://example.com"
	err := cfg.Validate()
	for _, want := range []string{"region must be", "service must be an AWS signing name", "endpoint belongs to the exporter"} {
		require.ErrorContains(t, err, want)
	}
}
