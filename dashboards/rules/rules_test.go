package rules_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/dashboards/metrics"
	"github.com/vigie-otel/vigie/dashboards/rules"
	"github.com/vigie-otel/vigie/internal/promstore"
)

var update = flag.Bool("update", false, "write dashboards/out/rules, as make dashboards does")

func TestTheWrittenRulesAreFresh(t *testing.T) {
	if *update {
		require.NoError(t, rules.Write(filepath.Join("..", "out")))
	}
	fresh := written(t)
	committed := filepath.Join("..", "out", "rules")
	want, got := directory(t, fresh), directory(t, committed)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("dashboards/out/rules is stale: run make dashboards and commit (-now +committed)\n%s", d)
	}
}

func directory(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	all := map[string]string{}
	for _, path := range files {
		body, err := os.ReadFile(path)
		require.NoError(t, err)
		all[filepath.Base(path)] = string(body)
	}
	return all
}

func TestEachRuleHasExamplesOfBothKinds(t *testing.T) {
	firing, quiet := map[string]bool{}, map[string]bool{}
	for _, e := range examples() {
		require.NotEmpty(t, find(e.alert).Name, "an example is about %s, which is no alert", e.alert)
		if e.silent {
			quiet[e.alert] = true
			continue
		}
		for _, a := range rules.Alerts() {
			if a.Name == e.alert && subset(a.Labels, labelsOf(e.labels)) {
				firing[key(a)] = true
			}
		}
	}
	for _, a := range rules.Alerts() {
		if !firing[key(a)] {
			t.Errorf("%s has no example in which it fires", key(a))
		}
		if !quiet[a.Name] {
			t.Errorf("%s has no example in which it is silent", a.Name)
		}
	}
}

// key tells the rules of one alert apart.
func key(a rules.Alert) string {
	k := a.Name
	for _, l := range slices.Sorted(maps.Keys(a.Labels)) {
		k += " " + l + "=" + a.Labels[l]
	}
	return k
}

func subset(small, large map[string]string) bool {
	for k, v := range small {
		if large[k] != v {
			return false
		}
	}
	return true
}

// labelsOf reads `a="b", c="d"`.
func labelsOf(text string) map[string]string {
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`(\w+)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		out[m[1]] = m[2]
	}
	return out
}

func TestTheFilesFitAMP(t *testing.T) {
	groups := map[string]bool{}
	for _, f := range rules.Files() {
		body, err := f.YAML()
		require.NoError(t, err)
		require.Less(t, len(body), 1<<20, "%s: bytes of a file", f.Name)
		for _, g := range f.Groups {
			require.LessOrEqual(t, len(g.Records)+len(g.Alerts), 20, "%s: rules of a group", g.Name)
			require.GreaterOrEqual(t, g.Interval, 30*time.Second, "%s: interval", g.Name)
			require.False(t, groups[g.Name], "%s is there twice", g.Name)
			groups[g.Name] = true
		}
	}
}

func TestEachExpressionReadsMetricsThatAreEmittedWithLabelsThatTheyHave(t *testing.T) {
	recorded := map[string]bool{}
	for _, r := range records() {
		recorded[r.Name] = true
	}
	for name, text := range expressions() {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		require.NoError(t, err, name)
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			sel, ok := n.(*parser.VectorSelector)
			if !ok || recorded[sel.Name] {
				return nil
			}
			if !known(sel.Name) {
				t.Errorf("%s reads %q, which no configuration emits", name, sel.Name)
				return nil
			}
			for _, l := range sel.LabelMatchers {
				if l.Name != model.MetricNameLabel && !hasLabel(sel.Name, l.Name) {
					t.Errorf("%s matches %s of %s, which has no such label", name, l.Name, sel.Name)
				}
			}
			return nil
		})
	}
}

// known reports whether a series or a label is emitted by a configuration.
func known(name string) bool {
	return metrics.Find(name) != nil ||
		slices.ContainsFunc(metrics.All(), func(m *metrics.Metric) bool { return slices.Contains(m.Labels, name) })
}

func hasLabel(series, label string) bool {
	m := metrics.Find(series)
	return m != nil && m.HasLabel(series, label)
}

func TestEachExpressionRunsInTheEmbeddedStore(t *testing.T) {
	store, err := promstore.Open(promstore.Config{Dir: t.TempDir()}, nil, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	for name, text := range expressions() {
		_, err := store.Query(t.Context(), text, time.Now())
		require.NoError(t, err, name)
	}
	t.Logf("%d expressions", len(expressions()))
}

func records() (all []rules.Record) {
	for _, f := range rules.Files() {
		for _, g := range f.Groups {
			all = append(all, g.Records...)
		}
	}
	return all
}

// expressions are those of all rules, under a name to tell them by.
func expressions() map[string]string {
	all := map[string]string{}
	for _, r := range records() {
		all[r.Name+" "+r.Labels["sli"]] = r.Expr
	}
	for _, a := range rules.Alerts() {
		all[key(a)+" "+a.Expr] = a.Expr
	}
	return all
}

func TestEachAlertSaysWhatAPersonNeeds(t *testing.T) {
	name := regexp.MustCompile(`^[A-Z][A-Za-z]+$`)
	used := regexp.MustCompile(`\$labels\.(\w+)`)
	optional := regexp.MustCompile(`(?:or|if) \$labels\.(\w+)`)
	for _, a := range rules.Alerts() {
		require.Regexp(t, name, a.Name)
		require.Contains(t, []rules.Severity{rules.Critical, rules.Warning}, a.Severity, a.Name)
		require.NotEmpty(t, a.Kind, a.Name)
		require.FileExists(t, filepath.Join("..", "out", "grafana", a.Dashboard+".json"), "%s points to a dashboard that is not there", a.Name)
		require.Contains(t, a.Description+a.Summary, "{{", "%s has no value in its description", a.Name)
		require.True(t, strings.HasSuffix(a.Description, "."), "%s: a description is a sentence", a.Name)
		may := map[string]bool{"cluster": true}
		for _, m := range optional.FindAllStringSubmatch(a.Summary+a.Description, -1) {
			may[m[1]] = true
		}
		for _, m := range used.FindAllStringSubmatch(a.Summary+a.Description, -1) {
			for _, e := range examples() {
				if e.alert != a.Name || e.silent || may[m[1]] || !subset(a.Labels, labelsOf(e.labels)) {
					continue
				}
				require.Contains(t, labelsOf(e.labels), m[1], "%s speaks of a label that it does not have", a.Name)
			}
		}
	}
}
