package cloudwatchexporter

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/awsclient"
)

func TestTheEndpointIsTheRegionsOfTheKindThatWasAsked(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	for want, s := range map[string]awsclient.Settings{
		"https://logs.eu-west-3.amazonaws.com/":      {Region: "eu-west-3"},
		"https://logs-fips.us-east-1.amazonaws.com/": {Region: "us-east-1", UseFIPS: true},
		"https://logs.eu-west-3.api.aws/":            {Region: "eu-west-3", UseDualStack: true},
		"https://logs.cn-north-1.amazonaws.com.cn/":  {Region: "cn-north-1"},
		"https://vpce.example/":                      {Region: "eu-west-3", Endpoint: "https://vpce.example"},
	} {
		cfg, err := awsclient.Resolve(t.Context(), s)
		require.NoError(t, err)
		c, err := newClient(t.Context(), cfg, createDefaultConfig())
		require.NoError(t, err)
		require.Equal(t, want, c.url)
	}
}

func TestAnAnswersErrorIsSortedByItsCodeThenItsStatus(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	var status int
	var body, header string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Errortype", header)
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	cfg, err := awsclient.Resolve(t.Context(), awsclient.Settings{Region: "eu-west-3", Endpoint: server.URL})
	require.NoError(t, err)
	c, err := newClient(t.Context(), cfg, createDefaultConfig())
	require.NoError(t, err)
	t.Cleanup(c.http.CloseIdleConnections)
	for _, a := range []struct {
		status       int
		body, header string
		want         awsclient.Kind
	}{
		{400, `{"__type":"com.amazonaws.logs#ThrottlingException","message":"slow"}`, "", awsclient.Throttled},
		{400, `{"message":"slow"}`, "ThrottlingException:http://x", awsclient.Throttled},
		{400, `{"__type":"InvalidParameterException"}`, "", awsclient.Invalid},
		{400, `{"__type":"AccessDeniedException"}`, "", awsclient.Denied},
		{400, `{"__type":"ResourceNotFoundException"}`, "", awsclient.Missing},
		{503, "<html>", "", awsclient.Unavailable},
		{500, "", "", awsclient.Unavailable},
		{429, "", "", awsclient.Throttled},
		{413, "", "", awsclient.Invalid},
		{301, "", "", awsclient.Unreachable},
	} {
		status, body, header = a.status, a.body, a.header
		_, err := c.put(t.Context(), destination{group: "g", stream: "s"}, []event{{at: 1, message: "m"}})
		require.Error(t, err)
		require.Equal(t, a.want, awsclient.KindOf(err), "%d %s", a.status, a.body)
		require.Equal(t, 7*time.Second, retryAfter(err))
	}
}
