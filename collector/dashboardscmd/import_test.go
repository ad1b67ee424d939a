package dashboardscmd_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/collector/dashboardscmd"
	"github.com/vigie-otel/vigie/dashboards/out"
	"github.com/vigie-otel/vigie/internal/testkit/grafanafake"
)

const secret = "glsa_a-token"

// library is a fake Grafana and a file with its token.
func library(t *testing.T) (*grafanafake.Library, string) {
	t.Helper()
	g := grafanafake.NewLibrary(secret)
	t.Cleanup(g.Close)
	return g, tokenFile(t, secret+"\n")
}

func tokenFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// vigie runs the command and gives what it printed.
func vigie(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := dashboardscmd.New()
	var both bytes.Buffer
	cmd.SetOut(&both)
	cmd.SetErr(&both)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	require.NotContains(t, both.String(), secret, "the token is printed")
	if err != nil {
		require.NotContains(t, err.Error(), secret, "the token is in the error")
	}
	return both.String(), err
}

// uids are those of the dashboards in the binary.
func uids(t *testing.T) []string {
	t.Helper()
	files, err := fs.Glob(out.Files, "grafana/*.json")
	require.NoError(t, err)
	require.Greater(t, len(files), 5)
	var all []string
	for _, f := range files {
		all = append(all, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	return all
}

func TestAllDashboardsArriveAndASecondRunWritesNothing(t *testing.T) {
	g, token := library(t)
	text, err := vigie(t, "import", "--grafana", g.URL, "--token-file", token)
	require.NoError(t, err)
	require.Contains(t, text, "created    vigie                 folder Vigie\n")
	require.Contains(t, text, "created    vigie-attack          Vigie / Attack detail\n")
	require.ElementsMatch(t, uids(t), slices.Collect(maps.Keys(g.Dashboards())))
	require.Equal(t, map[string]string{"vigie": "Vigie"}, g.Folders())
	for uid, d := range g.Dashboards() {
		require.Equal(t, "vigie", d.Folder, uid)
	}
	require.Len(t, g.Writes(), len(uids(t))+1)

	text, err = vigie(t, "import", "--grafana", g.URL+"/", "--token-file", token)
	require.NoError(t, err)
	require.Contains(t, text, "unchanged  vigie-attack")
	require.NotContains(t, text, "updated  ")
	require.Empty(t, g.Writes())
}

func TestWhatSomebodyChangedOrMovedIsPutBack(t *testing.T) {
	g, token := library(t)
	_, err := vigie(t, "import", "--grafana", g.URL, "--token-file", token)
	require.NoError(t, err)
	g.Writes()

	changed := g.Dashboards()["vigie-attack"]
	changed.Body["panels"].([]any)[0].(map[string]any)["title"] = "renamed"
	g.AddDashboard("vigie-attack", changed)
	moved := g.Dashboards()["vigie-self"]
	moved.Folder = ""
	g.AddDashboard("vigie-self", moved)

	text, err := vigie(t, "import", "--grafana", g.URL, "--token-file", token)
	require.NoError(t, err)
	require.Contains(t, text, "updated    vigie-attack")
	require.Contains(t, text, "updated    vigie-self")
	require.Contains(t, text, "0 created, 2 updated")
	require.ElementsMatch(t, []string{"POST /api/dashboards/db vigie-attack", "POST /api/dashboards/db vigie-self"}, g.Writes())
	require.Equal(t, 2, g.Dashboards()["vigie-attack"].Version)
	require.Equal(t, "vigie", g.Dashboards()["vigie-self"].Folder)
}

func TestADryRunSaysTheSameAndWritesNothing(t *testing.T) {
	g, token := library(t)
	text, err := vigie(t, "import", "--grafana", g.URL, "--token-file", token, "--dry-run")
	require.NoError(t, err)
	require.Contains(t, text, "created    vigie-attack")
	require.Contains(t, text, "nothing was written")
	require.Empty(t, g.Writes())
}

func TestTheFolderIsFoundByItsNameWhateverItsUID(t *testing.T) {
	g, token := library(t)
	g.AddFolder("ab12", "Live events")
	_, err := vigie(t, "import", "--grafana", g.URL, "--token-file", token, "--folder", "Live events")
	require.NoError(t, err)
	require.Len(t, g.Folders(), 1)
	require.Equal(t, "ab12", g.Dashboards()["vigie-attack"].Folder)
}

func TestTheDataSourceIsChosenAndChecked(t *testing.T) {
	g, token := library(t)
	g.AddDatasource("amp", "grafana-amazonprometheus-datasource")
	g.AddDatasource("logs", "loki")
	run := func(uid string) (string, error) {
		return vigie(t, "import", "--grafana", g.URL, "--token-file", token, "--datasource-uid", uid)
	}
	_, err := run("amp")
	require.NoError(t, err)
	list := g.Dashboards()["vigie-attack"].Body["templating"].(map[string]any)["list"].([]any)
	require.Equal(t, map[string]any{"selected": true, "text": "Name of amp", "value": "amp"}, list[0].(map[string]any)["current"])
	g.Writes()
	_, err = run("amp")
	require.NoError(t, err)
	require.Empty(t, g.Writes(), "the same choice is no change")

	_, err = run("gone")
	require.ErrorContains(t, err, "Grafana has no such data source")
	_, err = run("logs")
	require.ErrorContains(t, err, "of type loki")
	g.Forbid(grafanafake.DatasourcesRead)
	_, err = run("amp")
	require.NoError(t, err, "a token that may not look takes the user's word")
}

func TestEachRefusalNamesItselfAndTheWayOut(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(g *grafanafake.Library)
		token   string
		want    []string
		others  bool // the other dashboards still arrive
	}{
		{"an unknown token", func(*grafanafake.Library) {}, "glsa_other", []string{"401", "service account with the role Editor"}, false},
		{"no permission to make folders", func(g *grafanafake.Library) { g.Forbid(grafanafake.FoldersCreate) }, secret,
			[]string{"make folder Vigie", "403", "permission folders:create"}, false},
		{"no permission to create", func(g *grafanafake.Library) { g.Forbid(grafanafake.DashboardsCreate) }, secret,
			[]string{"save dashboard vigie-attack", "403", "permission dashboards:create on folder vigie"}, false},
		{"another dashboard of that title", func(g *grafanafake.Library) {
			g.AddFolder("vigie", "Vigie")
			g.AddDashboard("mine", grafanafake.Saved{Folder: "vigie", Version: 1, Body: map[string]any{"title": "Vigie / Attack detail"}})
		}, secret, []string{"save dashboard vigie-attack", "412", "same title", "--folder"}, true},
		{"a dashboard from files", func(g *grafanafake.Library) {
			g.AddDashboard("vigie-attack", grafanafake.Saved{Version: 1, Provisioned: true, Body: map[string]any{}})
		}, secret, []string{"save dashboard vigie-attack", "provisioned", "files on Grafana's disk"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, _ := library(t)
			c.prepare(g)
			_, err := vigie(t, "import", "--grafana", g.URL, "--token-file", tokenFile(t, c.token))
			for _, w := range c.want {
				require.ErrorContains(t, err, w)
			}
			if c.others {
				require.Contains(t, g.Dashboards(), "vigie-self")
			}
		})
	}
}

func TestASaveThatSomebodyElseWasFasterWithSaysSo(t *testing.T) {
	g, token := library(t)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/api/dashboards/db" {
			w.WriteHeader(http.StatusPreconditionFailed)
			_, _ = w.Write([]byte(`{"message":"The dashboard has been changed by someone else","status":"version-mismatch"}`))
			return
		}
		g.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	_, err := vigie(t, "import", "--grafana", front.URL, "--token-file", token)
	require.ErrorContains(t, err, "412")
	require.ErrorContains(t, err, "run the import again")
}

func TestAGrafanaUnderAPathIsReached(t *testing.T) {
	g, token := library(t)
	front := httptest.NewServer(http.StripPrefix("/grafana", g))
	t.Cleanup(front.Close)
	_, err := vigie(t, "import", "--grafana", front.URL+"/grafana/", "--token-file", token)
	require.NoError(t, err)
	require.Contains(t, g.Dashboards(), "vigie-attack")
}

func TestABusyGrafanaIsAskedAgain(t *testing.T) {
	g, token := library(t)
	g.Busy(http.StatusServiceUnavailable)
	_, err := vigie(t, "import", "--grafana", g.URL, "--token-file", token)
	require.NoError(t, err)
	require.Contains(t, g.Dashboards(), "vigie-attack")
}

func TestTheTokenDoesNotFollowARedirect(t *testing.T) {
	g, token := library(t)
	door := httptest.NewServer(http.RedirectHandler(g.URL, http.StatusFound))
	t.Cleanup(door.Close)
	_, err := vigie(t, "import", "--grafana", door.URL, "--token-file", token)
	require.ErrorContains(t, err, "302")
	require.ErrorContains(t, err, "the address at which it answers itself")
	require.Empty(t, g.Writes())
}

func TestWhatIsNoGrafanaIsSaid(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html>hello</html>"))
	}))
	t.Cleanup(page.Close)
	_, err := vigie(t, "import", "--grafana", page.URL, "--token-file", tokenFile(t, secret))
	require.ErrorContains(t, err, "does not answer as Grafana does")
}

func TestBadInputNamesWhatItGot(t *testing.T) {
	token := tokenFile(t, secret)
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--grafana must be an address", []string{"--grafana", "grafana.example.com", "--token-file", token}},
		{"must not hold a password", []string{"--grafana", "https://me:pass@grafana.example.com", "--token-file", token}},
		{"must hold one token", []string{"--grafana", "http://127.0.0.1:1", "--token-file", tokenFile(t, "a b")}},
		{"must hold one token", []string{"--grafana", "http://127.0.0.1:1", "--token-file", tokenFile(t, "")}},
		{"read the token", []string{"--grafana", "http://127.0.0.1:1", "--token-file", "/none"}},
		{"no dashboard", []string{"--grafana", "http://127.0.0.1:1", "--token-file", token, "--dir", t.TempDir()}},
		{"--folder-uid", []string{"--grafana", "http://127.0.0.1:1", "--token-file", token, "--folder", "日本"}},
		{`required flag(s) "token-file" not set`, []string{"--grafana", "http://127.0.0.1:1"}},
	} {
		_, err := vigie(t, append([]string{"import"}, c.args...)...)
		require.ErrorContains(t, err, c.want)
	}
}

func TestDashboardsOfADirectoryAreCheckedBeforeAnythingIsSent(t *testing.T) {
	g, token := library(t)
	dir := t.TempDir()
	for name, body := range map[string]string{
		"a.json": `{"uid":"one","title":"One"}`, "b.json": `{"uid":"one","title":"Two"}`, "c.json": `{"title":"Three"}`, "d.json": `[`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600))
	}
	_, err := vigie(t, "import", "--grafana", g.URL, "--token-file", token, "--dir", dir)
	require.ErrorContains(t, err, `b.json: the uid "one" is also that of a.json`)
	require.ErrorContains(t, err, "c.json: a dashboard needs a title and a uid")
	require.ErrorContains(t, err, "d.json is no dashboard")
	require.Empty(t, g.Writes())
}

func TestAFileOverThePlainNetworkIsWarnedOf(t *testing.T) {
	text, err := vigie(t, "import", "--grafana", "http://grafana.invalid", "--token-file", tokenFile(t, secret), "--dir", t.TempDir())
	require.Error(t, err)
	require.Contains(t, text, "The token goes to grafana.invalid unencrypted.")
}

// decode reads JSON that the test wrote or exported.
func decode(t *testing.T, raw []byte) (out map[string]any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}
