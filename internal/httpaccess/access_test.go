package httpaccess

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// flags reads args as a command would.
func flags(t *testing.T, args ...string) *Access {
	t.Helper()
	var a Access
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	a.Flags(f, "metrics-", "--metrics")
	require.NoError(t, f.Parse(args))
	require.Equal(t, len(args) > 0, a.Given())
	return &a
}

func TestAUserAndATokenReachAServerWhoseAuthorityIsNamed(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path == "/elsewhere":
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		case user == "report" && password == "s3cret", r.Header.Get("Authorization") == "Bearer t0ken":
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(server.Close)
	ca := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	ask := func(path string, a *Access) (int, error) {
		s, err := a.Open(server.URL)
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Base.JoinPath(path).String(), http.NoBody)
		require.NoError(t, err)
		res, err := s.Do(req)
		if err != nil {
			return 0, err
		}
		require.NoError(t, res.Body.Close())
		return res.StatusCode, nil
	}
	_, err := ask("", flags(t, "--metrics-user", "report", "--metrics-password-file", file(t, "s3cret\n")))
	require.ErrorContains(t, err, "certificate")
	for _, c := range []struct {
		as     *Access
		status int
	}{
		{flags(t, "--metrics-user", "report", "--metrics-password-file", file(t, "s3cret\n"), "--metrics-ca-file", ca), http.StatusOK},
		{flags(t, "--metrics-token-file", file(t, "t0ken"), "--metrics-ca-file", ca), http.StatusOK},
		{flags(t, "--metrics-user", "report", "--metrics-password-file", file(t, "other"), "--metrics-ca-file", ca), http.StatusUnauthorized},
		{flags(t, "--metrics-ca-file", ca), http.StatusUnauthorized},
	} {
		got, err := ask("", c.as)
		require.NoError(t, err)
		require.Equal(t, c.status, got)
	}
	got, err := ask("elsewhere", flags(t, "--metrics-ca-file", ca))
	require.NoError(t, err)
	require.Equal(t, http.StatusFound, got, "a redirect is not followed")
}

func TestWhatCanNotWorkIsToldWithTheFlagsNames(t *testing.T) {
	secret := file(t, "s3cret")
	for _, c := range []struct {
		address string
		args    []string
		want    string
	}{
		{"127.0.0.1:8640", nil, "want an address"},
		{"http://u:hunter2@127.0.0.1", nil, "--metrics-password-file"},
		{"http://room.example", []string{"--metrics-token-file", secret}, "in the clear"},
		{"http://room.example", []string{"--metrics-user", "a", "--metrics-password-file", secret}, "in the clear"},
		{"http://localhost", []string{"--metrics-user", "a"}, "go together"},
		{"http://localhost", []string{"--metrics-password-file", secret}, "go together"},
		{"http://localhost", []string{"--metrics-user", "a", "--metrics-password-file", secret, "--metrics-token-file", secret}, "not both"},
		{"http://localhost", []string{"--metrics-token-file", "/nowhere"}, "/nowhere"},
		{"http://localhost", []string{"--metrics-token-file", file(t, "\n")}, "one line"},
		{"http://localhost", []string{"--metrics-token-file", file(t, "a\nb")}, "one line"},
		{"https://room.example", []string{"--metrics-ca-file", secret}, "no certificate in PEM"},
	} {
		_, err := flags(t, c.args...).Open(c.address)
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "hunter2")
		require.NotContains(t, err.Error(), "s3cret")
	}
}

func TestAnAddressWithAPasswordIsNotRepeated(t *testing.T) {
	_, err := flags(t).Open("ftp://u:hunter2@127.0.0.1")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}
