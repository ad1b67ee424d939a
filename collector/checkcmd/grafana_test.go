package checkcmd

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/testkit/grafanafake"
)

func TestEachStateOfGrafanaHasItsLine(t *testing.T) {
	nothing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(nothing.Close)
	for name, c := range map[string]struct {
		token     string
		settings  string
		change    func(*grafanafake.Server)
		level     Level
		text, fix string
	}{
		"fine":             {"secret\n", "", func(*grafanafake.Server) {}, OK, "Grafana 12.4.0 of Main Org.: the token may read, create and write annotations", ""},
		"wrong token":      {"other", "", func(*grafanafake.Server) {}, Fail, "does not accept the token", "valid service-account token"},
		"no token file":    {"-", "", func(*grafanafake.Server) {}, Fail, "token_file", "put a service-account token there"},
		"two tokens":       {"a b", "", func(*grafanafake.Server) {}, Fail, "holds no single token", "one service-account token"},
		"may only look":    {"secret", "", func(s *grafanafake.Server) { s.Allow(grafanafake.Read) }, Fail, "may not draw", "annotations:create, annotations:write"},
		"database down":    {"secret", "", func(s *grafanafake.Server) { s.SetDatabase(false) }, Fail, "does not reach its database", "database"},
		"dashboard gone":   {"secret", ", dashboard_uid: event", func(*grafanafake.Server) {}, Warn, "dashboard event is not there", "dashboard_uid"},
		"dashboard there":  {"secret", ", dashboard_uid: event", func(s *grafanafake.Server) { s.AddDashboard("event") }, OK, "may read", ""},
		"older":            {"secret", "", func(s *grafanafake.Server) { s.Inject(grafanafake.Fault{}, grafanafake.Fault{Status: 404}) }, Warn, "does not say what the token may do", "Editor"},
		"in trouble":       {"secret", "", func(s *grafanafake.Server) { s.Inject(grafanafake.Fault{}, grafanafake.Fault{Status: 500}) }, Fail, "answers 500", "Grafana"},
		"cut":              {"secret", "", func(s *grafanafake.Server) { s.Inject(grafanafake.Fault{Cut: true}) }, Fail, "broken off", "load balancer"},
		"a page before it": {"secret", "", func(s *grafanafake.Server) { s.Inject(grafanafake.Fault{Status: 200, Body: "<html>"}) }, Fail, "is not Grafana's root", "page to sign in"},
		"something else":   {"secret", ", endpoint: \"" + nothing.URL + "\"", func(*grafanafake.Server) {}, Fail, "is not Grafana's root: /api/health answers 404", "root"},
		"not there":        {"secret", ", endpoint: \"http://127.0.0.1:1\"", func(*grafanafake.Server) {}, Fail, "connection is refused", "whether the other side runs"},
	} {
		t.Run(name, func(t *testing.T) {
			s := grafanafake.New("secret").Listen()
			t.Cleanup(s.Close)
			c.change(s)
			file := filepath.Join(t.TempDir(), "token")
			if c.token != "-" {
				require.NoError(t, os.WriteFile(file, []byte(c.token), 0o600))
			}
			settings := "token_file: " + file + c.settings
			if name != "something else" && name != "not there" {
				settings += ", endpoint: \"" + s.URL + "\""
			}
			got := run(t, "exporters: {grafana: {"+settings+"}}\n"+inPipelines("logs grafana"))
			wants(t, line(t, got, "exporters::grafana"), c.level, c.text, c.fix)
			require.Empty(t, s.Annotations(), "nothing is drawn")
		})
	}
}
