package lint

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/dashboards"
)

func files(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, d := range dashboards.All() {
		raw, err := d.JSON()
		require.NoError(t, err)
		out[d.UID+".json"] = raw
	}
	return out
}

func TestTheDashboardsHaveNoProblem(t *testing.T) {
	all := files(t)
	require.Len(t, all, 11)
	for _, p := range Files(all) {
		t.Error(p)
	}
}

// Each rule is shown to bite: a dashboard that is well is changed in one way,
// and that way is named.
func TestEveryRuleBites(t *testing.T) {
	type m = map[string]any
	first := func(d m, want string) m { // the first panel of a type
		for _, p := range d["panels"].([]any) {
			if p.(m)["type"] == want {
				return p.(m)
			}
		}
		t.Fatalf("no panel of type %s", want)
		return nil
	}
	target := func(d m) m { return first(d, "timeseries")["targets"].([]any)[0].(m) }
	room := files(t)["vigie-war-room.json"]
	expr := func(e string) func(m) { return func(d m) { target(d)["expr"] = e } }
	for name, c := range map[string]struct {
		change func(d m)
		want   string
	}{
		"an id":                       {func(d m) { d["id"] = 7 }, "id is 7"},
		"a foreign uid":               {func(d m) { d["uid"] = "Xyz" }, `uid "Xyz"`},
		"a newer schema":              {func(d m) { d["schemaVersion"] = 42 }, "schemaVersion is 42"},
		"inputs":                      {func(d m) { d["__inputs"] = []any{} }, "__inputs"},
		"no description":              {func(d m) { d["description"] = "" }, "no description"},
		"no tag":                      {func(d m) { d["tags"] = []any{} }, "no tag vigie"},
		"a plugin":                    {func(d m) { first(d, "stat")["type"] = "grafana-polystat-panel" }, "type grafana-polystat-panel"},
		"an untold panel":             {func(d m) { first(d, "stat")["description"] = "" }, "the description must say"},
		"an untitled panel":           {func(d m) { first(d, "stat")["title"] = "" }, "no title"},
		"no unit":                     {func(d m) { first(d, "timeseries")["fieldConfig"].(m)["defaults"].(m)["unit"] = "" }, "no unit"},
		"a panel's id twice":          {func(d m) { first(d, "stat")["id"] = first(d, "timeseries")["id"] }, "is taken"},
		"a hard-coded panel source":   {func(d m) { first(d, "stat")["datasource"].(m)["uid"] = "P1809F7CD0C75ACF3" }, "the data source is no variable"},
		"a hard-coded target source":  {func(d m) { target(d)["datasource"] = m{"type": "prometheus", "uid": "abc"} }, "target A: the data source is no variable"},
		"a target without source":     {func(d m) { delete(target(d), "datasource") }, "target A: the data source is no variable"},
		"a target without refId":      {func(d m) { target(d)["refId"] = "" }, `refId "" is empty`},
		"no legend":                   {func(d m) { target(d)["legendFormat"] = "" }, "no legend"},
		"a legend without a label":    {func(d m) { target(d)["legendFormat"] = "{{pod}}" }, "legend {{pod}} is not in"},
		"a source variable too many":  {func(d m) { add(d, m{"name": "other", "type": "datasource", "query": "loki"}) }, "2 data source variables"},
		"a variable's hard source":    {func(d m) { variableNamed(d, "cluster")["datasource"].(m)["uid"] = "abc" }, "variable cluster has a data source"},
		"a variable of no metric":     {func(d m) { variableNamed(d, "cluster")["definition"] = "label_values(kube_node_role, cluster)" }, "variable cluster: kube_node_role is no metric"},
		"a variable of no label":      {func(d m) { variableNamed(d, "cluster")["definition"] = `label_values(up{cluster=~".*"}, zone)` }, "has no label zone"},
		"a variable of no form":       {func(d m) { variableNamed(d, "cluster")["definition"] = "query_result(up)" }, "is no label_values"},
		"an All that misses absence":  {func(d m) { variableNamed(d, "cluster")["allValue"] = "" }, "All must be .*"},
		"an annotation's hard source": {func(d m) { annotation(d)["datasource"].(m)["uid"] = "abc" }, "annotation Findings has a data source"},
		"an annotation of no metric":  {func(d m) { annotation(d)["expr"] = "ALERTS" }, "annotation Findings: ALERTS is no metric"},
		"an annotation of no label":   {func(d m) { annotation(d)["titleFormat"] = "{{alertname}}" }, "annotation Findings: {{alertname}}"},
		"panels that overlap":         {func(d m) { first(d, "timeseries")["gridPos"] = first(d, "stat")["gridPos"] }, "overlap"},
		"a panel outside":             {func(d m) { first(d, "stat")["gridPos"].(m)["x"] = 23 }, "outside of the grid"},
		"a dead link":                 {func(d m) { first(d, "stat")["links"] = []any{m{"title": "gone", "url": "/d/vigie-gone?x"}} }, "leads to vigie-gone"},

		"what does not parse":     {expr("sum("), "does not parse"},
		"no metric of ours":       {expr(`system_cpu_utilization_ratio{cluster=~"$cluster"}`), "system_cpu_utilization_ratio is no metric"},
		"a label that is not":     {expr(`up{cluster=~"$cluster", node="x"}`), "up has no label node"},
		"a grouping that is not":  {expr(`sum by (node) (up{cluster=~"$cluster"})`), "sum by node"},
		"every cluster":           {expr(`up`), "asked of all clusters"},
		"an undefined variable":   {expr(`up{cluster=~"$cluster", instance=~"$pod"}`), "$pod is no variable"},
		"a rate of a gauge":       {expr(`rate(vigie_attack_score_ratio{cluster=~"$cluster"}[$__rate_interval])`), "rate of vigie_attack_score_ratio, which is no counter"},
		"a delta of a counter":    {expr(`delta(vigie_traffic_requests_total{cluster=~"$cluster"}[5m])`), "which is a counter"},
		"a fixed rate":            {expr(`rate(vigie_traffic_requests_total{cluster=~"$cluster"}[5m])`), "a rate's window is $__rate_interval"},
		"sides that never match":  {expr(`sum by (job) (up{cluster=~"$cluster"}) / sum by (instance) (up{cluster=~"$cluster"})`), "can never match"},
		"on what is not on both":  {expr(`sum by (job) (up{cluster=~"$cluster"}) / on (instance) sum by (instance) (up{cluster=~"$cluster"})`), "not on both sides"},
		"a quantile without le":   {expr(`histogram_quantile(0.9, sum by (verb) (rate(apiserver_request_duration_seconds_bucket{cluster=~"$cluster"}[$__rate_interval])))`), "without le"},
		"le of what is no bucket": {expr(`sum by (le) (rate(apiserver_request_duration_seconds_count{cluster=~"$cluster"}[$__rate_interval]))`), "sum by le"},
	} {
		t.Run(name, func(t *testing.T) {
			var d m
			require.NoError(t, json.Unmarshal(room, &d))
			c.change(d)
			raw, err := json.Marshal(d)
			require.NoError(t, err)
			problems := Files(map[string][]byte{"vigie-war-room.json": raw})
			found := false
			for _, p := range problems {
				found = found || strings.Contains(p, c.want)
			}
			require.True(t, found, "want a problem with %q, got %q", c.want, problems)
		})
	}
}

func TestAUidIsTakenOnce(t *testing.T) {
	all := files(t)
	all["copy.json"] = all["vigie-nodes.json"]
	problems := strings.Join(Files(all), "\n")
	require.Contains(t, problems, `uid "vigie-nodes" is copy.json's`)
	require.Contains(t, problems, `title "Vigie / Nodes" is copy.json's`)
}

func TestLabelsFollowTheExpression(t *testing.T) {
	for expr, want := range map[string]string{
		`topk(3, sum by (instance) (up))`: "(instance)",
		`count by (node) (kube_pod_info) * on (node) group_left (os_image) max by (node, os_image) (kube_node_info)`: "(node, os_image)",
		`sum by (job) (up) or vector(0)`:                                                                     "(job)",
		`1 - sum without (job, cluster) (scrape_samples_scraped)`:                                            "(instance)",
		`histogram_quantile(0.5, sum by (le, to) (rate(coredns_proxy_request_duration_seconds_bucket[1m])))`: "(to)",
		`label_replace(sum by (job) (up), "who", "$1", "job", "(.*)")`:                                       "(job, who)",
		`sum by (job) (up) and on () vector(1)`:                                                              "(job)",
	} {
		has, problems := Expr(expr, false)
		require.Empty(t, problems, expr)
		require.Equal(t, want, set(has).String(), expr)
	}
}

func variableNamed(d map[string]any, name string) map[string]any {
	for _, v := range d["templating"].(map[string]any)["list"].([]any) {
		if v.(map[string]any)["name"] == name {
			return v.(map[string]any)
		}
	}
	return nil
}

func add(d, v map[string]any) {
	t := d["templating"].(map[string]any)
	t["list"] = append(t["list"].([]any), v)
}

func annotation(d map[string]any) map[string]any {
	return d["annotations"].(map[string]any)["list"].([]any)[1].(map[string]any)
}
