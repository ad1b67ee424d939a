package grafanafake_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/testkit/grafanafake"
)

func ask(t *testing.T, s *grafanafake.Server, method, path, body, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(got)
}

func started(t *testing.T) *grafanafake.Server {
	t.Helper()
	s := grafanafake.New("t").Listen()
	t.Cleanup(s.Close)
	return s
}

// manyTags are each short enough, and 504 bytes together.
func manyTags() string {
	var tags []string
	for _, c := range "abcde" {
		tags = append(tags, strings.Repeat(string(c), 98))
	}
	return strings.Join(tags, `","`)
}

func TestWhatGrafanaRefusesIsRefused(t *testing.T) {
	s := started(t)
	for _, c := range []struct {
		method, path, body, token string
		want                      int
	}{
		{"POST", "/api/annotations", `{"text":"x"}`, "", 401},
		{"POST", "/api/annotations", `{"text":"x"}`, "other", 401},
		{"POST", "/api/annotations", `{"text":""}`, "t", 400},
		{"POST", "/api/annotations", `{"text":"x","time":"noon"}`, "t", 400},
		{"POST", "/api/annotations", `{"text":"x","dashboardUID":"nowhere"}`, "t", 404},
		{"POST", "/api/annotations", `{"text":"x","tags":["` + manyTags() + `"]}`, "t", 400},
		{"POST", "/api/annotations", `{"text":"x","tags":["k:` + strings.Repeat("a", 101) + `"]}`, "t", 500},
		{"PATCH", "/api/annotations/7", `{"text":"x"}`, "t", 404},
		{"PATCH", "/api/annotations/seven", `{"text":"x"}`, "t", 400},
		{"GET", "/api/nothing", ``, "t", 404},
		{"GET", "/api/health", ``, "", 200},
	} {
		got, body := ask(t, s, c.method, c.path, c.body, c.token)
		require.Equal(t, c.want, got, "%s %s %s: %s", c.method, c.path, c.body, body)
	}
	require.Empty(t, s.Annotations())
	s.Allow(grafanafake.Read)
	got, body := ask(t, s, "POST", "/api/annotations", `{"text":"x"}`, "t")
	require.Equal(t, 403, got)
	require.Contains(t, body, grafanafake.Create)
}

func TestTimesAreKeptAsGrafanaKeepsThem(t *testing.T) {
	s := started(t)
	for _, b := range []string{`{"text":"line","time":1000}`, `{"text":"region","time":1000,"timeEnd":3000}`, `{"text":"turned","time":3000,"timeEnd":1000}`} {
		got, _ := ask(t, s, "POST", "/api/annotations", b, "t")
		require.Equal(t, 200, got)
	}
	a := s.Annotations()
	require.False(t, a[0].Region())
	require.Equal(t, int64(1000), a[0].TimeEnd)
	require.True(t, a[1].Region())
	require.Equal(t, [2]int64{1000, 3000}, [2]int64{a[2].Time, a[2].TimeEnd})

	got, _ := ask(t, s, "PATCH", "/api/annotations/1", `{"timeEnd":9000}`, "t")
	require.Equal(t, 200, got)
	a = s.Annotations()
	require.Equal(t, "line", a[0].Text, "what is not sent stays")
	require.True(t, a[0].Region())
	_, body := ask(t, s, "GET", "/api/annotations?from=4000&to=5000", "", "t")
	var found []grafanafake.Annotation
	require.NoError(t, json.Unmarshal([]byte(body), &found))
	require.Len(t, found, 1, "only what reaches into the window is found")
}

func TestTagsMatchByKeyAndCount(t *testing.T) {
	s := started(t)
	got, _ := ask(t, s, "POST", "/api/annotations", `{"text":"x","tags":["vigie","id: 7 ","vigie:x"]}`, "t")
	require.Equal(t, 200, got)
	for query, want := range map[string]int{"tags=id:7": 1, "tags=id": 1, "tags=id:8": 0, "tags=vigie": 0, "tags=vigie&matchAny=true": 1, "tags=id:7&tags=vigie:x": 1} {
		_, body := ask(t, s, "GET", "/api/annotations?"+query, "", "t")
		var found []grafanafake.Annotation
		require.NoError(t, json.Unmarshal([]byte(body), &found))
		require.Len(t, found, want, query)
	}
}

func TestFaultsHappenOnceEachInTheirOrder(t *testing.T) {
	s := started(t)
	s.Inject(grafanafake.Fault{Status: 429, RetryAfter: "2"}, grafanafake.Fault{Cut: true}, grafanafake.Fault{CutAfter: true})
	for _, want := range []int{429, 0, 0, 200} {
		got, _ := ask(t, s, "POST", "/api/annotations", `{"text":"x"}`, "t")
		require.Equal(t, want, got)
	}
	require.Len(t, s.Annotations(), 2, "a cut after the work leaves the work done")
}
