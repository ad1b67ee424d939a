package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// Series are the rows behind the charts: Step apart, the first of From. NaN is
// what was not measured.
type Series struct {
	From                                   time.Time
	Step                                   time.Duration
	Rate, Expected, Clients, Share, Budget []float32
	P99                                    []float32 // seconds, of the slowest service
	Verdict                                []finding.Verdict
}

// measure asks for what is told by the second and by service.
func (r *Report) measure(a *asker) {
	w, rates := a.window(), a.rates()
	s := Series{From: a.from, Step: a.step}
	s.Rate = a.rangeOf("sum(last_over_time(vigie_traffic_rate_per_second[" + w + "]))")
	s.Expected = a.rangeOf("sum(last_over_time(vigie_traffic_expected_rate_per_second[" + w + "]))")
	s.Clients = a.rangeOf("sum(last_over_time(vigie_traffic_clients[" + w + "]))")
	s.Share = a.rangeOf("sum(rate(vigie_traffic_errors_total[" + rates + "])) / (sum(rate(vigie_traffic_requests_total[" + rates + "])) > 0)")
	s.P99 = a.rangeOf(`max(histogram_quantile(0.99, sum by (job, le) (rate(http_server_request_duration_seconds_bucket[` + fmt.Sprint(max(60, int(2*a.step.Seconds()))) + `s]))))`)

	states := r.states(a)
	s.Verdict = wholeOf(states, a.points())
	r.Course = spans(s.Verdict, a.from, a.to, a.step)
	r.Series = s
	r.services(a, states)
	r.impact()
	r.budget()
}

// states is each service's verdict at each step; empty where nothing was said.
func (r *Report) states(a *asker) map[string][]finding.Verdict {
	fn := "last_over_time"
	if a.step > 5*time.Second {
		fn = "max_over_time" // an attack of seconds is not lost between two steps
	}
	out := map[string][]finding.Verdict{}
	for _, v := range byGravity {
		expr := fmt.Sprintf(`max by (service_name) (%s(vigie_attack_verdict{vigie_attack_verdict_state=%q}[%s]))`, fn, v, a.window())
		for service, row := range a.rangeBy("service_name", expr) {
			if out[service] == nil {
				out[service] = make([]finding.Verdict, a.points())
			}
			for i, x := range row {
				if x == 1 && out[service][i] == "" {
					out[service][i] = v
				}
			}
		}
	}
	return out
}

// byGravity has what needs a hand first.
var byGravity = []finding.Verdict{finding.Attack, finding.Mixed, finding.Crowd, finding.Unknown, finding.Normal}

// wholeOf is the verdict over all services, as the page tells it: attack beside a
// crowd is mixed, and one service that is unknown keeps the whole from normal.
func wholeOf(states map[string][]finding.Verdict, n int) []finding.Verdict {
	out := make([]finding.Verdict, n)
	for i := range out {
		seen := map[finding.Verdict]bool{}
		for _, row := range states {
			seen[row[i]] = true
		}
		switch {
		case seen[finding.Mixed], seen[finding.Attack] && seen[finding.Crowd]:
			out[i] = finding.Mixed
		default:
			for _, v := range byGravity {
				if seen[v] {
					out[i] = v
					break
				}
			}
		}
	}
	return out
}

// spans joins steps of one verdict. A step stands for the time up to the next.
func spans(verdicts []finding.Verdict, from, to time.Time, step time.Duration) []Span {
	var out []Span
	for i, v := range verdicts {
		at := from.Add(time.Duration(i) * step)
		end := at.Add(step)
		if end.After(to) {
			end = to
		}
		if !at.Before(end) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Verdict == v {
			out[n-1].To = end
			continue
		}
		out = append(out, Span{at, end, v})
	}
	return out
}

func (r *Report) services(a *asker, states map[string][]finding.Verdict) {
	requests := a.lastBy("service_name", "sum by (service_name) (increase(vigie_traffic_requests_total["+a.whole()+"]))")
	errs := a.lastBy("service_name", "sum by (service_name) (increase(vigie_traffic_errors_total["+a.whole()+"]))")
	rates := a.rangeBy("service_name", "sum by (service_name) (last_over_time(vigie_traffic_rate_per_second["+a.window()+"]))")
	suspected := a.lastBy("service_name", "sum by (service_name) (increase(vigie_attack_suspected_requests_total["+a.whole()+"]))")
	r.Impact.Requests, r.Impact.Errors, r.Impact.Suspected = total(requests), total(errs), total(suspected)
	for name := range rates {
		s := Service{Name: finding.Clean(name), Requests: unknown, Errors: unknown, ErrorShare: unknown}
		if n, ok := requests[name]; ok {
			s.Requests = n
		}
		if n, ok := errs[name]; ok {
			s.Errors = n
		}
		s.ErrorShare = ratio(s.Errors, s.Requests)
		s.PeakRate, _ = peak(rates[name])
		for _, v := range states[name] {
			switch v {
			case finding.Attack, finding.Mixed:
				s.Attack += Seconds(a.step.Seconds())
			case finding.Crowd:
				s.Crowd += Seconds(a.step.Seconds())
			}
		}
		r.Services = append(r.Services, s)
	}
	slices.SortFunc(r.Services, func(x, y Service) int {
		return cmp.Or(cmp.Compare(y.Attack, x.Attack), -cmp.Compare(x.Requests, y.Requests), cmp.Compare(x.Name, y.Name))
	})
	if n := len(r.Services); n > MaxServices {
		r.Left["services"] = n - MaxServices
		r.Services = r.Services[:MaxServices]
	}
}

func (r *Report) impact() {
	s, m := &r.Series, &r.Impact
	var at int
	at64 := func() time.Time { return s.From.Add(time.Duration(at) * s.Step) }
	if m.PeakRate, at = peak(s.Rate); m.PeakRate.Known() {
		m.PeakRateAt = at64()
	}
	if m.Clients, at = peak(s.Clients); m.Clients.Known() {
		m.ClientsAt = at64()
	}
	m.WorstP99, _ = peak(s.P99)
	for _, c := range r.Course {
		d := Seconds(c.To.Sub(c.From).Seconds())
		switch c.Verdict {
		case finding.Attack:
			m.Attack += d
		case finding.Mixed:
			m.Attack, m.Mixed = m.Attack+d, m.Mixed+d
		case finding.Crowd:
			m.Crowd += d
		case finding.Normal:
			m.Normal += d
		default:
			m.Unknown += d
		}
	}
}

// budget is the share of the allowed errors that the range has used: all errors
// against what the objective allows of all requests.
func (r *Report) budget() {
	m := &r.Impact
	m.ErrorShare = ratio(m.Errors, m.Requests)
	m.BudgetUsed = m.ErrorShare / Num(1-r.SLO)
	if !m.Requests.Known() || m.Requests <= 0 {
		return
	}
	// As it was used up: errors so far, against what all requests allow.
	allowed := float64(m.Requests) * (1 - r.SLO)
	spent := 0.0
	s := &r.Series
	s.Budget = empty(len(s.Share))
	for i, share := range s.Share {
		if e := float64(share) * float64(s.Rate[i]) * s.Step.Seconds(); !math.IsNaN(e) {
			spent += e
			s.Budget[i] = float32(spent / allowed)
		}
	}
}

func peak(row []float32) (Num, int) {
	best, at := unknown, 0
	for i, v := range row {
		if x := Num(v); x.Known() && (!best.Known() || x > best) {
			best, at = x, i
		}
	}
	return best, at
}

func total(of map[string]Num) Num {
	sum := unknown
	for _, v := range of {
		if !sum.Known() {
			sum = 0
		}
		sum += v
	}
	return sum
}

func ratio(a, b Num) Num {
	if !a.Known() || !b.Known() || b <= 0 {
		return unknown
	}
	return min(a/b, 1)
}
