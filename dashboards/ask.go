package dashboards

import (
	"fmt"
	"strings"

	"github.com/vigie-otel/vigie/dashboards/metrics"
	p "github.com/vigie-otel/vigie/dashboards/panel"
)

// Matchers by the variables.
const (
	ofCluster   = `cluster=~"$cluster"`
	ofNamespace = `namespace=~"$namespace"`
	ofNode      = `instance=~"$node"`
)

var (
	ofService = metrics.ServiceName + `=~"$service"`
	ofSpace   = metrics.Namespace + `=~"$namespace"`
)

// sel is a selector of a series in the chosen cluster.
func sel(series any, matchers ...string) string {
	return fmt.Sprintf("%v{%s}", series, strings.Join(append([]string{ofCluster}, matchers...), ", "))
}

// rate is how fast a counter grows, a second.
func rate(series any, matchers ...string) string {
	return "rate(" + sel(series, matchers...) + "[$__rate_interval])"
}

// increase is by how much a counter grew within a window.
func increase(window string, series any, matchers ...string) string {
	return "increase(" + sel(series, matchers...) + "[" + window + "])"
}

// fresh is a gauge that ends when there is nothing to say: without it, Prometheus
// would go on telling the last value for five minutes, since what is pushed has no
// end that it could see.
func fresh(series any, matchers ...string) string {
	return "last_over_time(" + sel(series, matchers...) + "[1m])"
}

// sum, top and quantile take an expression apart by labels, which are
// separated by commas; "" is none.
func sum(by, expr string) string { return over("sum", by, expr) }

func over(op, by, expr string) string {
	if by == "" {
		return op + "(" + expr + ")"
	}
	return op + " by (" + by + ") (" + expr + ")"
}

func top(n int, expr string) string { return fmt.Sprintf("topk(%d, %s)", n, expr) }

func quantile(q float64, by string, m *metrics.Metric, matchers ...string) string {
	if by != "" {
		by = ", " + by
	}
	return fmt.Sprintf("histogram_quantile(%g, %s)", q, sum("le"+by, rate(m.Bucket(), matchers...)))
}

// share is a part of a whole, 0–1, and nothing where the whole is nothing.
func share(part, whole string) string { return part + " / (" + whole + " > 0)" }

// ask is a query over the range, now one at its end.
func ask(expr, legend string) p.Query { return p.Query{Expr: expr, Legend: legend} }

func now(expr, legend string) p.Query { return p.Query{Expr: expr, Legend: legend, Instant: true} }

// when says why a query may have no answer in good order.
func when(q p.Query, why string) p.Query {
	q.Conditional = why
	return q
}

// bad are thresholds: well, worth a look from warn on, wants a hand from act on.
func bad(warn, act float64) []p.Threshold {
	return []p.Threshold{{Color: p.Green}, {From: warn, Color: p.Orange}, {From: act, Color: p.Vermillion}}
}

// low are thresholds of what must not run out.
func low(act, warn float64) []p.Threshold {
	return []p.Threshold{{Color: p.Vermillion}, {From: act, Color: p.Orange}, {From: warn, Color: p.Green}}
}

func plain(color string) []p.Threshold { return []p.Threshold{{Color: color}} }
