package warroomexporter

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/headroom"
)

// pain is what viewers feel. null: not measured.
type pain struct {
	At       time.Time    `json:"at"`
	Share1m  number       `json:"share_1m"` // requests that failed
	Share5m  number       `json:"share_5m"`
	Burn1m   number       `json:"burn_1m"` // times the rate that uses the budget up exactly
	Burn5m   number       `json:"burn_5m"`
	Since    time.Time    `json:"since"` // of the budget
	Left     number       `json:"left"`  // of the budget; negative: overdrawn
	Requests number       `json:"requests"`
	Latency  []latencyRow `json:"latency"`
	Routes   []routeRow   `json:"routes,omitempty"` // the busiest, by the spans of servers
	SignIns  *routeRow    `json:"sign_ins,omitempty"`
	Missing  []string     `json:"missing,omitempty"`
}

// routeRow is what is asked for, a second, and how much of it failed (4xx, 5xx).
type routeRow struct {
	Route  string `json:"route"`
	Rate   number `json:"rate"`
	Failed number `json:"failed"` // share
}

// shownRoutes is how many routes are told.
const shownRoutes = 6

// signInRoutes finds the routes of signing in by their usual names.
const signInRoutes = `(?i).*(sign[-_]?in|log[-_]?in|/auth|/oauth|/token|/sessions?)(/.*)?$`

// latencyRow is a service's answer times, in seconds.
type latencyRow struct {
	Service string `json:"service"`
	P50     number `json:"p50"`
	P99     number `json:"p99"`
}

// failing is the share of requests that failed over a range.
const failing = `sum(increase(vigie_traffic_errors_total[%[1]s])) / sum(increase(vigie_traffic_requests_total[%[1]s]))`

// readPain asks the store. An error of 4xx or 5xx is a failed request, as the
// detector counts it: during an attack that is blocked the budget pays for it,
// and the page says so.
func readPain(ctx context.Context, store headroom.Store, at time.Time, slo float64, since time.Time) *pain {
	a := asker{ctx: ctx, store: store, at: at}
	whole := fmt.Sprintf("%ds", max(60, int64(at.Sub(since).Seconds())))
	p := &pain{
		At: at, Since: since, Latency: []latencyRow{},
		Share1m: a.one(fmt.Sprintf(failing, "1m")), Share5m: a.one(fmt.Sprintf(failing, "5m")),
		Requests: a.one(fmt.Sprintf("sum(increase(vigie_traffic_requests_total[%s]))", whole)),
	}
	allowed := number(1 - slo)
	p.Burn1m, p.Burn5m = p.Share1m/allowed, p.Share5m/allowed
	p.Left = 1 - a.one(fmt.Sprintf(failing, whole))/allowed
	fast := a.by("job", `histogram_quantile(0.5, sum by (job, le) (rate(http_server_request_duration_seconds_bucket[1m])))`)
	slow := a.by("job", `histogram_quantile(0.99, sum by (job, le) (rate(http_server_request_duration_seconds_bucket[1m])))`)
	for _, s := range slow {
		row := latencyRow{Service: s.label, P50: notANumber, P99: s.value}
		for _, f := range fast {
			if f.label == s.label {
				row.P50 = f.value
			}
		}
		if len(p.Latency) < 20 {
			p.Latency = append(p.Latency, row)
		}
	}
	p.readRoutes(&a)
	if isNaN(p.Share1m) {
		p.Missing = append(p.Missing, "errors: no request was judged in the last minute (vigie.traffic.requests, vigie.traffic.errors)")
	}
	if len(p.Latency) == 0 {
		p.Missing = append(p.Missing, "answer times: nothing sends http.server.request.duration as a histogram")
	}
	if a.err != nil {
		p.Missing = append(p.Missing, "the store: "+a.err.Error())
	}
	return p
}

// readRoutes reads what is asked for from the counts that the span_metrics
// connector makes of server spans. Without spans there are none.
func (p *pain) readRoutes(a *asker) {
	calls := func(more string) string {
		return fmt.Sprintf(`rate(traces_span_metrics_calls_total{span_kind="SPAN_KIND_SERVER", http_route!=""%s}[1m])`, more)
	}
	const failed = `, http_response_status_code=~"[45].."`
	by := "sum by (http_route) (%s)"
	bad := map[string]number{}
	for _, r := range a.by("http_route", fmt.Sprintf(by, calls(failed))) {
		bad[r.label] = r.value
	}
	for _, r := range a.by("http_route", fmt.Sprintf("topk(%d, "+by+") > 0", shownRoutes, calls(""))) {
		p.Routes = append(p.Routes, routeRow{r.label, r.value, bad[r.label] / r.value})
	}
	slices.SortFunc(p.Routes, func(x, y routeRow) int {
		return cmp.Or(cmp.Compare(y.Rate, x.Rate), cmp.Compare(x.Route, y.Route))
	})
	signIn := fmt.Sprintf(`, http_route=~%q`, signInRoutes)
	if rate := a.one("sum(" + calls(signIn) + ")"); rate > 0 {
		lost := a.one("sum(" + calls(signIn+failed) + ")")
		if isNaN(lost) {
			lost = 0
		}
		p.SignIns = &routeRow{"sign-ins", rate, lost / rate}
	}
}
