package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vigie-otel/vigie/dashboards/metrics"
)

// set is the labels that the series of a result have.
type set map[string]bool

func (s set) String() string {
	var names []string
	for n := range s {
		names = append(names, n)
	}
	slices.Sort(names)
	return "(" + strings.Join(names, ", ") + ")"
}

func (s set) equal(o set) bool {
	if len(s) != len(o) {
		return false
	}
	for n := range s {
		if !o[n] {
			return false
		}
	}
	return true
}

// judge walks one expression.
type judge struct {
	problems []string
	// scoped demands the matcher on cluster that every panel has.
	scoped bool
}

func (j *judge) bad(format string, args ...any) {
	j.problems = append(j.problems, fmt.Sprintf(format, args...))
}

// Expr judges an expression whose variables are substituted, and tells the labels
// of its result. scoped demands a matcher on cluster in every selector.
func Expr(expr string, scoped bool) (result map[string]bool, problems []string) {
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return nil, []string{fmt.Sprintf("does not parse: %v", err)}
	}
	j := &judge{scoped: scoped}
	result = j.expr(e)
	return result, j.problems
}

// expr is the labels of e's series; nil for a scalar or a string.
func (j *judge) expr(e parser.Expr) set {
	switch e := e.(type) {
	case *parser.ParenExpr:
		return j.expr(e.Expr)
	case *parser.UnaryExpr:
		return j.expr(e.Expr)
	case *parser.StepInvariantExpr:
		return j.expr(e.Expr)
	case *parser.SubqueryExpr:
		return j.expr(e.Expr)
	case *parser.MatrixSelector:
		return j.expr(e.VectorSelector)
	case *parser.VectorSelector:
		return j.selector(e)
	case *parser.AggregateExpr:
		return j.aggregate(e)
	case *parser.Call:
		return j.call(e)
	case *parser.BinaryExpr:
		return j.binary(e)
	}
	return nil
}

func (j *judge) selector(v *parser.VectorSelector) set {
	name := v.Name
	m := metrics.Find(name)
	if m == nil {
		j.bad("%s is no metric that Vigie's configurations emit (see dashboards/metrics)", name)
		return set{}
	}
	out := set{metrics.Cluster: true, metrics.Job: true, metrics.Instance: true}
	for _, l := range m.Labels {
		out[l] = true
	}
	if m.HasLabel(name, "le") {
		out["le"] = true
	}
	scoped := false
	for _, match := range v.LabelMatchers {
		if !m.HasLabel(name, match.Name) {
			j.bad("%s has no label %s; it has %s", name, match.Name, out)
		}
		scoped = scoped || match.Name == metrics.Cluster && match.Type == labels.MatchRegexp
	}
	if j.scoped && !scoped {
		j.bad(`%s is asked of all clusters: add cluster=~"$cluster"`, name)
	}
	return out
}

func (j *judge) aggregate(e *parser.AggregateExpr) set {
	inner := j.expr(e.Expr)
	switch e.Op {
	case parser.TOPK, parser.BOTTOMK, parser.LIMITK, parser.LIMIT_RATIO:
		return inner
	}
	out := set{}
	if e.Without {
		for l := range inner {
			out[l] = true
		}
	}
	for _, l := range e.Grouping {
		if !inner[l] {
			j.bad("%s by %s: there is no such label in %s", e.Op, l, inner)
		}
		if e.Without {
			delete(out, l)
		} else {
			out[l] = true
		}
	}
	return out
}

// counters are the functions that make sense of counters only; the others of
// their kind are for gauges.
var (
	counters = []string{"rate", "irate", "increase", "resets"}
	gauges   = []string{"delta", "idelta", "deriv", "predict_linear", "changes"}
)

func (j *judge) call(e *parser.Call) set {
	var out set
	for _, a := range e.Args {
		if got := j.expr(a); got != nil && out == nil {
			out = got
		}
	}
	switch name := e.Func.Name; {
	case slices.Contains(counters, name):
		j.kind(e, name, true)
	case slices.Contains(gauges, name):
		j.kind(e, name, false)
	case name == "histogram_quantile":
		if !out["le"] {
			j.bad("histogram_quantile of something without le")
		}
		out = without(out, "le")
	case name == "vector", name == "absent", name == "absent_over_time":
		out = set{}
	case name == "label_replace", name == "label_join":
		out = without(out, "")
		out[e.Args[1].(*parser.StringLiteral).Val] = true
	}
	return out
}

func without(s set, label string) set {
	out := set{}
	for l := range s {
		if l != label {
			out[l] = true
		}
	}
	return out
}

// kind objects to the rate of a gauge and to the delta of a counter.
func (j *judge) kind(e *parser.Call, function string, counter bool) {
	m, ok := e.Args[0].(*parser.MatrixSelector)
	if !ok {
		return
	}
	name := m.VectorSelector.(*parser.VectorSelector).Name
	known := metrics.Find(name)
	if known == nil {
		return
	}
	grows := known.Kind == metrics.Counter || known.Kind == metrics.Histogram || known.Kind == metrics.Totals
	if grows != counter {
		j.bad("%s of %s, which is %s", function, name, map[bool]string{true: "a counter", false: "no counter"}[grows])
	}
}

func (j *judge) binary(e *parser.BinaryExpr) set {
	l, r := j.expr(e.LHS), j.expr(e.RHS)
	switch {
	case l == nil:
		return r
	case r == nil:
		return l
	}
	vm := e.VectorMatching
	if e.Op == parser.LOR {
		out := set{}
		for _, s := range []set{l, r} {
			for n := range s {
				out[n] = true
			}
		}
		return out
	}
	left, right := l, r
	if vm.On {
		for _, n := range vm.MatchingLabels {
			if !l[n] || !r[n] {
				j.bad("%s on (%s): it is not on both sides, %s and %s", e.Op, n, l, r)
			}
		}
	} else {
		for _, n := range vm.MatchingLabels {
			left, right = without(left, n), without(right, n)
		}
		if vm.Card == parser.CardOneToOne && !left.equal(right) {
			j.bad("the two sides of %s can never match: %s and %s", e.Op, left, right)
		}
	}
	switch {
	case e.Op == parser.LAND || e.Op == parser.LUNLESS:
		return l
	case vm.Card == parser.CardManyToOne:
		return union(l, vm.Include)
	case vm.Card == parser.CardOneToMany:
		return union(r, vm.Include)
	case vm.On:
		return union(nil, vm.MatchingLabels)
	}
	return left
}

func union(s set, more []string) set {
	out := without(s, "")
	for _, n := range more {
		out[n] = true
	}
	return out
}
