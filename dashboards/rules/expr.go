package rules

import (
	"fmt"
	"strings"
	"time"
)

// sel selects series of a metric by matchers such as `state="idle"`.
func sel(metric string, matchers ...string) string {
	if len(matchers) == 0 {
		return metric
	}
	return metric + "{" + strings.Join(matchers, ", ") + "}"
}

// is and like match a label by value and by regular expression.
func is(label, value string) string       { return fmt.Sprintf("%s=%q", label, value) }
func isNot(label, value string) string    { return fmt.Sprintf("%s!=%q", label, value) }
func like(label, regexp string) string    { return fmt.Sprintf("%s=~%q", label, regexp) }
func unlike(label, pattern string) string { return fmt.Sprintf("%s!~%q", label, pattern) }

// by aggregates, always keeping the cluster.
func by(op, expr string, labels ...string) string {
	return fmt.Sprintf("%s by (%s) (%s)", op, strings.Join(append([]string{cluster}, labels...), ", "), expr)
}

// sumRate is the increase a second of counters over a window, summed.
func sumRate(selector string, window time.Duration, labels ...string) string {
	return by("sum", fmt.Sprintf("rate(%s[%s])", selector, duration(window)), labels...)
}

// over applies one of the …_over_time functions.
func over(fn, selector string, window time.Duration) string {
	return fmt.Sprintf("%s_over_time(%s[%s])", fn, selector, duration(window))
}

// lines joins the parts of a long expression, a line each.
func lines(parts ...string) string { return strings.Join(parts, "\n") }
