package warroomexporter

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/pdata/plog"
)

func postNote(t *testing.T, base, body string, want int) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/warroom/timeline", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	code, answer, _ := fetch(t, req)
	require.Equal(t, want, code, answer)
	return answer
}

func TestANoteIsKeptWithWhoAndWhenAndLeavesInThreeFormats(t *testing.T) {
	_, base := roomOf(t, testConfig(t))
	postNote(t, base, `{"kind":"note","text":"WAF rule 7 is on <b>","who":"ada","service":"player"}`, http.StatusCreated)
	postNote(t, base, `{"kind":"severity","text":"sev1"}`, http.StatusCreated)
	for _, bad := range []string{`{"kind":"severity","text":"huge"}`, `{"kind":"verdict","text":"normal"}`, `{"kind":"note"}`, `no`, `{"kind":"note","text":"` + strings.Repeat("x", 20<<10) + `"}`} {
		postNote(t, base, bad, http.StatusBadRequest)
	}
	_, lines, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/timeline"))
	require.Equal(t, 3, strings.Count(lines, "\n"), "with the opening itself")
	require.Contains(t, lines, `"who":"ada"`)
	_, otlp, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/timeline?format=otlp"))
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(otlp))
	require.NoError(t, err)
	require.Equal(t, "WAF rule 7 is on <b>", ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Body().Str())
	_, grafana, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/timeline?format=grafana"))
	require.Contains(t, grafana, `"tags":["vigie","note","player"]`)
	code, _, _ := fetch(t, request(t, http.MethodGet, base+"/api/warroom/timeline?format=xml"))
	require.Equal(t, http.StatusBadRequest, code)
}

func TestAFormOfAnotherSiteCannotWriteANote(t *testing.T) {
	_, base := roomOf(t, testConfig(t))
	form, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/warroom/timeline", strings.NewReader(`{"kind":"note","text":"x"}`))
	require.NoError(t, err)
	form.Header.Set("Content-Type", "text/plain")
	code, _, _ := fetch(t, form)
	require.Equal(t, http.StatusUnsupportedMediaType, code)
	cross := request(t, http.MethodPost, base+"/api/warroom/timeline")
	cross.Header.Set("Origin", "https://evil.example")
	code, _, _ = fetch(t, cross)
	require.Equal(t, http.StatusForbidden, code)
}

// named is what an authenticator tells of a user.
type named string

func (n named) GetAttribute(key string) any {
	if key == "username" {
		return string(n)
	}
	return nil
}
func (n named) GetAttributeNames() []string { return []string{"username"} }

func TestWithAnAuthenticatorOnlyNamedWritersWriteAndUnderTheirOwnName(t *testing.T) {
	cfg := testConfig(t)
	w, _ := roomOf(t, cfg)
	cfg.Auth = configoptional.Some(confighttp.AuthConfig{})
	cfg.Room.Writers = []string{"ada"}
	for who, want := range map[string]int{"ada": http.StatusCreated, "bob": http.StatusForbidden, "": http.StatusForbidden} {
		req := httptest.NewRequest(http.MethodPost, "/api/warroom/timeline", strings.NewReader(`{"kind":"note","text":"hello","who":"somebody else"}`))
		req.Host = "localhost"
		req.Header.Set("Content-Type", "application/json")
		if who != "" {
			req = req.WithContext(client.NewContext(req.Context(), client.Info{Auth: named(who)}))
		}
		rw := httptest.NewRecorder()
		w.handler().ServeHTTP(rw, req)
		require.Equal(t, want, rw.Code, who)
	}
	entries := w.room.log.Newest(10)
	require.Len(t, entries, 2)
	require.Equal(t, "ada", entries[1].Who)
}
