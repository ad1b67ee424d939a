package lint

import (
	"regexp"
	"slices"
	"strings"
)

func (p *Panel) judgeTargets(bad report, vars map[string]bool) {
	refs := map[string]bool{}
	for _, t := range p.Targets {
		if t.RefID == "" || refs[t.RefID] {
			bad("refId %q is empty or taken", t.RefID)
		}
		refs[t.RefID] = true
		if !ownSource(t.Datasource) {
			bad("target %s: the data source is no variable", t.RefID)
			continue
		}
		if t.Datasource.Type == "cloudwatch" {
			if t.MetricName == "" || t.Namespace == "" {
				bad("target %s: no metric of CloudWatch", t.RefID)
			}
			continue
		}
		here := func(format string, args ...any) { bad("target "+t.RefID+": "+format, args...) }
		for _, v := range variablesIn(t.Expr) {
			if !vars[v] && !strings.HasPrefix(v, "__") {
				here("$%s is no variable of the dashboard", v)
			}
		}
		if m := fixedRate.FindString(t.Expr); m != "" {
			here("%s: a rate's window is $__rate_interval", m)
		}
		has, problems := Expr(Substitute(t.Expr), true)
		for _, problem := range problems {
			here("%s", problem)
		}
		for _, l := range legendLabels(t.LegendFormat) {
			if len(problems) == 0 && !has[l] {
				here("legend {{%s}} is not in %s", l, set(has))
			}
		}
		if p.Type != "table" && t.LegendFormat == "" {
			here("no legend")
		}
	}
}

// fixedRate is a rate over a fixed window: it shows nothing where the scrape
// interval is longer than half of it.
var fixedRate = regexp.MustCompile(`\bi?rate\([^\[\]]*\[\d\w*\]`)

var (
	variable = regexp.MustCompile(`\$\{?(\w+)\}?`)
	legend   = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
)

func variablesIn(expr string) (names []string) {
	for _, m := range variable.FindAllStringSubmatch(expr, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

func legendLabels(format string) (names []string) {
	for _, m := range legend.FindAllStringSubmatch(format, -1) {
		names = append(names, m[1])
	}
	return names
}

// Substitute gives an expression's variables the values that Grafana would give
// them with All chosen: .* for a choice, and for Grafana's own what they are over
// half an hour of samples that come every ten seconds.
func Substitute(expr string) string {
	own := map[string]string{"__rate_interval": "1m", "__interval": "15s", "__range": "30m", "__range_s": "1800"}
	return variable.ReplaceAllStringFunc(expr, func(s string) string {
		if v, ok := own[strings.Trim(s, "${}")]; ok {
			return v
		}
		return ".*"
	})
}
