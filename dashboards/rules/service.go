package rules

import (
	"fmt"
	"strconv"
	"time"

	"github.com/vigie-otel/vigie/dashboards/metrics"
)

// sli is a way to tell a good request from a bad one.
type sli struct {
	name      string
	objective float64 // share of good requests
	requests  string  // counter
	errors    string  // counter
}

// slis are the two ways. Server spans say what the service itself thinks failed
// (5xx), so three nines are a fair promise. The detector's counters come from
// access logs and count each 4xx as well, among them the 404s and 401s that
// every public site answers all day: their objective leaves room for those. A
// service that has neither has no alerts here.
//
// Other objectives: change them here and run make dashboards.
func slis() []sli {
	return []sli{
		{
			name: "spans", objective: 0.999,
			requests: sel(spanCalls, is("span_kind", metrics.SpanKindServer)),
			errors:   sel(spanCalls, is("span_kind", metrics.SpanKindServer), is("status_code", metrics.StatusError)),
		},
		{name: "traffic", objective: 0.98, requests: trafficRequests, errors: trafficErrors},
	}
}

// Recorded series: a rate over a short window from the counters, and longer
// windows from those, so that the ruler never reads three days of raw counters.
const (
	requestRate = "cluster_service:vigie_requests:rate"
	errorRate   = "cluster_service:vigie_errors:rate"
	errorShare  = "cluster_service:vigie_error_share:"
)

// burn is one pair of windows: the long one says that it matters, the short one
// that it still goes on.
type burn struct {
	long, short time.Duration
	rate        float64 // how many times faster than the objective allows
	spent       string  // of the budget, by the time that it fires
}

// The multi-window burn rates of the SRE workbook, chapter 5, for a budget of 30
// days: 14.4 × 1 h is 2 % of it, 6 × 6 h 5 %, 3 × 1 d 10 %, 1 × 3 d 10 %.
var (
	fastBurns = []burn{
		{time.Hour, 5 * time.Minute, 14.4, "2 % of a month's budget in an hour"},
		{6 * time.Hour, 30 * time.Minute, 6, "5 % of a month's budget in six hours"},
	}
	slowBurns = []burn{
		{24 * time.Hour, 2 * time.Hour, 3, "10 % of a month's budget in a day"},
		{72 * time.Hour, 6 * time.Hour, 1, "10 % of a month's budget in three days"},
	}
)

// A match has a budget of its own: a month's is no help to somebody who missed
// the penalty. It is what the objective leaves of an event of three hours, from
// the first viewers to the last. Spending 20 % of it in 5 minutes is 0.2 × 180 ÷
// 5 = 7.2 times the allowed rate, 30 % in 15 minutes 3.6 times.
const (
	eventLength = 3 * time.Hour
	// Below ten requests a second one client's retries are 20 % of the budget.
	eventFloor = 10
	// And below one a second a handful of failed checks at night are a month's.
	monthFloor = 1
)

var eventBurns = []burn{
	{5 * time.Minute, 2 * time.Minute, 0.20 * float64(eventLength/(5*time.Minute)), "20 % of the event's budget in 5 minutes"},
	{15 * time.Minute, 5 * time.Minute, 0.30 * float64(eventLength/(15*time.Minute)), "30 % of the event's budget in 15 minutes"},
}

// serviceFile: is the promise to viewers kept? Two groups, because windows of
// days need no look every 30 seconds.
func serviceFile() File {
	short := Group{Name: "vigie-service-budget", Interval: quick}
	for _, w := range []time.Duration{2 * time.Minute, 5 * time.Minute} {
		for _, s := range slis() {
			requests := sumRate(s.requests, w, serviceName)
			short.Records = append(short.Records,
				Record{requestRate + duration(w), requests, map[string]string{"sli": s.name}},
				// Without an error there is no series of errors: then it is 0.
				Record{errorRate + duration(w), lines(sumRate(s.errors, w, serviceName), "or", "0 * "+requests), map[string]string{"sli": s.name}},
			)
		}
		short.Records = append(short.Records, Record{Name: errorShare + duration(w), Expr: errorRate + duration(w) + " / " + requestRate + duration(w)})
	}
	for _, w := range []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour} {
		short.Records = append(short.Records, longShare(w))
	}
	long := Group{Name: "vigie-service-budget-days", Interval: 2 * time.Minute}
	for _, w := range []time.Duration{2 * time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour} {
		long.Records = append(long.Records, longShare(w))
	}
	alerts := Group{Name: "vigie-service", Interval: quick}
	for _, s := range slis() {
		for _, b := range eventBurns {
			alerts.Alerts = append(alerts.Alerts, matchBudget(s, b))
		}
		for _, b := range fastBurns {
			alerts.Alerts = append(alerts.Alerts, fastBurn(s, b))
		}
		for _, b := range slowBurns {
			long.Alerts = append(long.Alerts, slowBurn(s, b))
		}
	}
	return File{Name: "service", Groups: []Group{short, alerts, long}}
}

// longShare is the share of errors over a long window, each request counting
// once: sums over sums, never a mean of shares.
func longShare(w time.Duration) Record {
	return Record{
		Name: errorShare + duration(w),
		Expr: over("sum", errorRate+"5m", w) + " / " + over("sum", requestRate+"5m", w),
	}
}

// expr holds while both windows burn and there is enough traffic to say so.
func (b burn) expr(s sli, floor int) string {
	only := is("sli", s.name)
	limit := strconv.FormatFloat(b.rate*(1-s.objective), 'g', 4, 64)
	return lines(
		fmt.Sprintf("%s > %s", sel(errorShare+duration(b.long), only), limit),
		"and",
		fmt.Sprintf("%s > %s", sel(errorShare+duration(b.short), only), limit),
		"and",
		fmt.Sprintf("%s > %d", sel(requestRate+"5m", only), floor),
	)
}

func (b burn) alert(name string, s sli, floor int) Alert {
	return Alert{
		Name:    name,
		Expr:    b.expr(s, floor),
		Kind:    KindSymptom,
		Labels:  map[string]string{"window": duration(b.long), "sli": s.name}, // sli again, so that no two rules look alike
		Summary: "{{ $labels.service_name }} fails {{ $value | humanizePercentage }} of its requests",
		Description: fmt.Sprintf("%s of the requests of {{ $labels.service_name }} failed over %s, by {{ $labels.sli }}; the objective allows %s. That is %s or more.",
			"{{ $value | humanizePercentage }}", duration(b.long), percent(1-s.objective), b.spent),
		Dashboard: uidServices,
	}
}

// matchBudget has no For: its short window already asks for two minutes of it.
func matchBudget(s sli, b burn) Alert {
	a := b.alert("MatchBudget", s, eventFloor)
	a.Severity = Critical
	return a
}

// fastBurn waits for two minutes, four evaluations, beside its windows: a
// rolling restart that fails a second's worth of requests is over by then.
func fastBurn(s sli, b burn) Alert {
	a := b.alert("ErrorBudgetFast", s, monthFloor)
	a.Severity, a.For = Critical, 2*time.Minute
	return a
}

// slowBurn is not urgent: an hour tells it from the tail of an incident that is
// over.
func slowBurn(s sli, b burn) Alert {
	a := b.alert("ErrorBudgetSlow", s, monthFloor)
	a.Severity, a.For = Warning, time.Hour
	return a
}

func percent(share float64) string {
	return strconv.FormatFloat(100*share, 'g', 3, 64) + " %"
}
