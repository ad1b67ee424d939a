package checkcmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/vigie-otel/vigie/exporters/grafanaexporter"
)

// grafana asks for its health, and what the token may do.
func (p *plan) grafana(u used) []probe {
	cfg, err := exporterConfig[*grafanaexporter.Config](p, u)
	if err != nil {
		return unreadable(u.key(), err)
	}
	return []probe{{u.key(), func(ctx context.Context) []Result {
		if auth := cfg.Auth.Get(); auth != nil && p.broken[auth.AuthenticatorID] != nil {
			return one(fail("mend the extension", "not tried: %s does not start: %v", auth.AuthenticatorID, p.broken[auth.AuthenticatorID]))
		}
		client, err := cfg.ToClient(ctx, p.auth, telemetry())
		if err != nil {
			return one(fail("", "the HTTP client cannot be made: %v", err))
		}
		defer client.CloseIdleConnections()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		client.Transport = timed{p.clock, client.Transport}
		return one((&grafanaProbe{p, cfg, client, ""}).run(ctx))
	}}}
}

type grafanaProbe struct {
	plan   *plan
	cfg    *grafanaexporter.Config
	client *http.Client
	token  string
}

func (g *grafanaProbe) run(ctx context.Context) Result {
	root := strings.TrimRight(g.cfg.Endpoint, "/")
	var health struct {
		Database string `json:"database"`
		Version  string `json:"version"`
	}
	status, err := g.get(ctx, "/api/health", &health)
	switch {
	case err != nil:
		return unreachable(ctx, root, err, g.plan.timeout)
	case status != http.StatusOK && health.Database != "ok" && health.Database != "":
		return fail("look at Grafana's database", "%s does not reach its database", root)
	case status != http.StatusOK || health.Database == "":
		return fail("set endpoint to Grafana's root, past any page to sign in", "%s is not Grafana's root: /api/health answers %d", root, status)
	}
	if g.cfg.TokenFile != "" {
		b, err := os.ReadFile(g.cfg.TokenFile)
		if err != nil {
			return fail("put a service-account token there", "token_file: %v", err)
		}
		if g.token = strings.TrimSpace(string(b)); g.token == "" || strings.ContainsAny(g.token, " \r\n\t") {
			return fail("put one service-account token there, and nothing else", "token_file %s holds no single token", g.cfg.TokenFile)
		}
	}
	return g.permissions(ctx, root, health.Version)
}

func (g *grafanaProbe) permissions(ctx context.Context, root, version string) Result {
	var may map[string][]string
	status, err := g.get(ctx, "/api/access-control/user/permissions", &may)
	switch {
	case err != nil:
		return unreachable(ctx, root, err, g.plan.timeout)
	case status == http.StatusUnauthorized:
		return fail("put a valid service-account token into token_file", "Grafana %s does not accept the token", version)
	case status == http.StatusNotFound:
		return warn("make sure that its role is Editor", "Grafana %s is there, and does not say what the token may do", version)
	case status != http.StatusOK:
		return fail("look at Grafana", "Grafana %s answers %d when asked what the token may do", version, status)
	}
	var missing []string
	for _, action := range []string{"annotations:read", "annotations:create", "annotations:write"} {
		if _, has := may[action]; !has {
			missing = append(missing, action)
		}
	}
	var org struct {
		Name string `json:"name"`
	}
	where := "" // the name of the organisation needs a permission of its own
	if status, err := g.get(ctx, "/api/org", &org); err == nil && status == http.StatusOK {
		where = " of " + org.Name
	}
	if len(missing) > 0 {
		return fail("grant the service account "+strings.Join(missing, ", ")+"; the role Editor has them", "Grafana %s%s: the token may not draw", version, where)
	}
	if uid := g.cfg.DashboardUID; uid != "" {
		status, err := g.get(ctx, "/api/dashboards/uid/"+url.PathEscape(uid), nil)
		if err == nil && slices.Contains([]int{http.StatusNotFound, http.StatusForbidden}, status) {
			return warn("look at dashboard_uid and at the folder's permissions", "Grafana %s%s: dashboard %s is not there for this token; annotations are made for the organisation", version, where, uid)
		}
	}
	return ok("Grafana %s%s: the token may read, create and write annotations", version, where)
}

// get asks one thing; into is filled where the answer is JSON.
func (g *grafanaProbe) get(ctx context.Context, path string, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(g.cfg.Endpoint, "/")+path, nil)
	if err != nil {
		return 0, err
	}
	if g.token != "" {
		req.Header.Set("Authorization", "Bearer "+g.token)
	}
	if g.cfg.OrgID > 0 {
		req.Header.Set("X-Grafana-Org-Id", fmt.Sprint(g.cfg.OrgID))
	}
	res, err := g.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if into != nil {
		b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		if err != nil {
			return 0, err
		}
		_ = json.Unmarshal(b, into) // what is no JSON leaves into empty
	}
	return res.StatusCode, nil
}
