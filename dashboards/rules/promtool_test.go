package rules_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/vigie-otel/vigie/dashboards/rules"
)

// promtool is the one of Debian's package prometheus, 2.42: what the oldest
// Prometheus that the rules are for would say.
func promtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: apt-get install prometheus, or make tools")
	}
	return path
}

// skipShort leaves out what promtool, another process, spends its time on: the
// race detector sees nothing of it.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs promtool for some 20 s; the full run has it")
	}
}

// written writes the rules into a directory of the test's own.
func written(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, rules.Write(dir))
	return filepath.Join(dir, "rules")
}

func TestPromtoolAcceptsTheRules(t *testing.T) {
	tool := promtool(t)
	files, err := filepath.Glob(filepath.Join(written(t), "*.yaml"))
	require.NoError(t, err)
	require.Len(t, files, len(rules.Files()))
	out, err := exec.CommandContext(t.Context(), tool, append([]string{"check", "rules", "--lint-fatal"}, files...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), "FAILED")
}

func TestEachAlertFiresWhenItShouldAndIsSilentElse(t *testing.T) {
	skipShort(t)
	tool, dir := promtool(t), written(t)
	all := examples()
	for _, f := range rules.Files() {
		t.Run(f.Name, func(t *testing.T) {
			mine := slices.DeleteFunc(slices.Clone(all), func(e example) bool { return !has(f, e.alert) })
			require.NotEmpty(t, mine)
			// Long examples are evaluated as often as they have samples.
			files := map[time.Duration]*unitTests{}
			for _, e := range mine {
				e.step = max(e.step, 30*time.Second)
				if files[e.step] == nil {
					files[e.step] = &unitTests{RuleFiles: []string{filepath.Join(dir, f.Name+".yaml")}, Interval: e.step.String()}
				}
				files[e.step].Tests = append(files[e.step].Tests, e.unitTest(t))
			}
			for _, file := range files {
				require.Empty(t, runPromtool(t, tool, *file))
			}
			t.Logf("%d examples of %d rules", len(mine), ruleCount(f))
		})
	}
}

// unitTests is promtool's file of tests.
type unitTests struct {
	RuleFiles []string   `yaml:"rule_files"`
	Interval  string     `yaml:"evaluation_interval"`
	Tests     []unitTest `yaml:"tests"`
}

type unitTest struct {
	Name     string        `yaml:"name"`
	Interval string        `yaml:"interval"`
	Series   []inputSeries `yaml:"input_series"`
	Queries  []exprTest    `yaml:"promql_expr_test"`
}

type inputSeries struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

type exprTest struct {
	Expr    string   `yaml:"expr"`
	At      string   `yaml:"eval_time"`
	Samples []sample `yaml:"exp_samples"`
}

type sample struct {
	Labels string  `yaml:"labels"`
	Value  float64 `yaml:"value"`
}

func (e example) unitTest(t *testing.T) unitTest {
	t.Helper()
	ut := unitTest{Name: e.alert + ": " + e.when, Interval: e.step.String()}
	for _, s := range e.series {
		cut := strings.LastIndex(s, "} ")
		require.Positive(t, cut, "series without labels: %s", s)
		ut.Series = append(ut.Series, inputSeries{s[:cut+1], s[cut+2:]})
	}
	q := exprTest{At: e.at.String()}
	if e.silent {
		q.Expr = fmt.Sprintf(`ALERTS{alertname=%q, alertstate="firing", %s}`, e.alert, e.labels)
		if !e.ended {
			q.Expr = fmt.Sprintf("count_over_time(%s[%s])", q.Expr, e.at)
		}
	} else {
		// Other windows of the same alert may fire as well.
		q.Expr = fmt.Sprintf(`ALERTS{alertname=%q, alertstate="firing", %s}`, e.alert, e.labels)
		want := fmt.Sprintf(`ALERTS{alertname=%q, alertstate="firing", severity=%q, kind=%q`, e.alert, severityOf(e.alert), kindOf(e.alert))
		if e.labels != "" {
			want += ", " + e.labels
		}
		q.Samples = []sample{{want + "}", 1}}
	}
	ut.Queries = []exprTest{q}
	if wait := ruleOf(e).For; wait > 0 && !e.silent {
		ut.Queries = append(ut.Queries, e.waited(int(wait/e.step)))
	}
	return ut
}

// waited asks for the evaluations at which the alert held and did not fire yet:
// those of its For.
func (e example) waited(evaluations int) exprTest {
	labels := fmt.Sprintf(`alertname=%q, alertstate="pending", severity=%q, kind=%q`, e.alert, severityOf(e.alert), kindOf(e.alert))
	if e.labels != "" {
		labels += ", " + e.labels
	}
	return exprTest{
		Expr:    fmt.Sprintf(`count_over_time(ALERTS{%s}[%s]) >= bool %d`, labels, e.at, evaluations),
		At:      e.at.String(),
		Samples: []sample{{"{" + labels + "}", 1}},
	}
}

// ruleOf is the alert that a firing example is about.
func ruleOf(e example) rules.Alert {
	for _, a := range rules.Alerts() {
		if a.Name == e.alert && subset(a.Labels, labelsOf(e.labels)) {
			return a
		}
	}
	return rules.Alert{}
}

// runPromtool gives what promtool complains about, empty when nothing.
func runPromtool(t *testing.T, tool string, file unitTests) string {
	t.Helper()
	body, err := yaml.Marshal(file)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "tests.yaml")
	require.NoError(t, os.WriteFile(path, body, 0o600))
	out, err := exec.CommandContext(t.Context(), tool, "test", "rules", path).CombinedOutput()
	if err == nil {
		return ""
	}
	return string(out)
}

func has(f rules.File, alert string) bool {
	for _, g := range f.Groups {
		for _, a := range g.Alerts {
			if a.Name == alert {
				return true
			}
		}
	}
	return false
}

func ruleCount(f rules.File) (n int) {
	for _, g := range f.Groups {
		n += len(g.Records) + len(g.Alerts)
	}
	return n
}

func severityOf(alert string) rules.Severity { return find(alert).Severity }
func kindOf(alert string) rules.Kind         { return find(alert).Kind }

func find(alert string) rules.Alert {
	for _, a := range rules.Alerts() {
		if a.Name == alert {
			return a
		}
	}
	return rules.Alert{}
}
