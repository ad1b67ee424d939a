package warroomexporter

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

const (
	// verdictSilent: a service of which nothing was heard for as long is unknown.
	// The connector speaks each second.
	verdictSilent = 5 * time.Second
	// verdictForget: a service silent for as long no longer counts for the whole.
	verdictForget = 10 * time.Minute
)

// verdicts holds what the detector last said of each service.
type verdicts struct {
	limit int

	mu       sync.Mutex
	services map[string]*judged // guarded by mu; at most limit
	dropped  uint64             // guarded by mu: data points of services beyond limit
}

// judged is one service.
type judged struct {
	verdict                        finding.Verdict
	since                          time.Time // that verdict holds, by our clock
	heard                          time.Time // the last word, by our clock
	score, rate, expected, clients float64   // NaN: not told
	errors, suspected              meter
	open                           map[string]int64 // findings by class
	shown                          finding.Verdict  // as of the last tick, with silence taken into account
}

func newVerdicts(limit int) *verdicts {
	return &verdicts{limit: limit, services: map[string]*judged{}}
}

// meter turns a cumulative count into a rate over the last ten readings.
type meter struct {
	at    [11]time.Time
	count [11]float64
	n     int
}

func (m *meter) add(at time.Time, v float64) {
	if m.n > 0 {
		switch last := (m.n - 1) % len(m.at); {
		case !at.After(m.at[last]):
			return
		case v < m.count[last]: // the counter began anew
			*m = meter{}
		}
	}
	m.at[m.n%len(m.at)], m.count[m.n%len(m.at)] = at, v
	m.n++
}

// rate is a second's average; NaN with fewer than two readings.
func (m *meter) rate() float64 {
	if m.n < 2 {
		return math.NaN()
	}
	last, first := (m.n-1)%len(m.at), 0
	if m.n > len(m.at) {
		first = m.n % len(m.at)
	}
	return (m.count[last] - m.count[first]) / m.at[last].Sub(m.at[first]).Seconds()
}

// take reads what the detector says in a batch.
func (v *verdicts) take(md pmetric.Metrics, now time.Time) {
	for _, rm := range md.ResourceMetrics().All() {
		resource := ""
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if !ofDetector(m.Name()) {
					continue
				}
				if resource == "" {
					resource = serviceOf(rm.Resource())
				}
				v.metric(m, resource, now)
			}
		}
	}
}

func ofDetector(name string) bool {
	switch name {
	case names.AttackVerdict, names.AttackScore, names.AttackSuspected, names.AttackFindings,
		names.TrafficClients, names.TrafficErrors, names.TrafficRate, names.TrafficExpected:
		return true
	}
	return false
}

func (v *verdicts) metric(m pmetric.Metric, resource string, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range numbers(m).All() {
		service := resource
		if a, ok := p.Attributes().Get(names.ServiceName); ok && a.Str() != "" {
			service = cut(a.Str(), 128)
		}
		j := v.of(service, now)
		if j == nil {
			continue
		}
		j.point(m.Name(), p, now)
	}
}

// of finds or makes a service; nil where there are too many. The caller holds mu.
func (v *verdicts) of(service string, now time.Time) *judged {
	j := v.services[service]
	if j != nil {
		return j
	}
	if len(v.services) >= v.limit {
		for name, old := range v.services {
			if now.Sub(old.heard) > verdictForget {
				delete(v.services, name)
			}
		}
		if len(v.services) >= v.limit {
			v.dropped++
			return nil
		}
	}
	nan := math.NaN()
	j = &judged{verdict: finding.Unknown, shown: finding.Unknown, since: now, heard: now, score: nan, rate: nan, expected: nan, clients: nan, open: map[string]int64{}}
	v.services[service] = j
	return j
}

func (j *judged) point(name string, p pmetric.NumberDataPoint, now time.Time) {
	value := p.DoubleValue()
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		value = float64(p.IntValue())
	}
	at := now
	if t := p.Timestamp(); t != 0 {
		at = t.AsTime()
	}
	switch name {
	case names.AttackVerdict:
		state, ok := p.Attributes().Get(names.AttackVerdictState)
		if to := finding.Verdict(state.Str()); ok && value == 1 && to.Valid() {
			j.heard = now
			j.verdict = to
			// The baseline may fall silent; what it last said is not now.
			if to == finding.Unknown {
				j.score, j.rate, j.expected, j.clients = math.NaN(), math.NaN(), math.NaN(), math.NaN()
			}
		}
	case names.AttackScore:
		j.score = value
	case names.TrafficClients:
		j.clients = value
	case names.TrafficRate:
		j.rate = value
	case names.TrafficExpected:
		j.expected = value
	case names.TrafficErrors:
		j.errors.add(at, value)
	case names.AttackSuspected:
		j.suspected.add(at, value)
	case names.AttackFindings:
		if class, ok := p.Attributes().Get(names.AttackClass); ok && finding.Class(class.Str()).Valid() {
			j.open[class.Str()] = int64(value)
		}
	}
}

// verdictRow is a service's verdict as the page shows it. null: not told.
type verdictRow struct {
	Service   string           `json:"service"`
	Verdict   finding.Verdict  `json:"verdict"`
	Since     time.Time        `json:"since"`
	Heard     time.Time        `json:"heard"`
	Score     number           `json:"score"`
	Rate      number           `json:"rate"`
	Expected  number           `json:"expected"`
	Clients   number           `json:"clients"`
	Errors    number           `json:"errors"`    // a second
	Suspected number           `json:"suspected"` // requests a second
	Findings  map[string]int64 `json:"findings,omitempty"`
}

// turn is a verdict that has changed.
type turn struct {
	service  string
	from, to finding.Verdict
}

// tick judges silence, returns each service's row and which verdicts turned
// since the last tick. Rows are by gravity, then by name.
func (v *verdicts) tick(now time.Time) (rows []verdictRow, turned []turn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	rows = make([]verdictRow, 0, len(v.services))
	for name, j := range v.services {
		silent := now.Sub(j.heard)
		if silent > verdictForget {
			delete(v.services, name)
			continue
		}
		shown := j.verdict
		if silent > verdictSilent {
			shown = finding.Unknown
		}
		if shown != j.shown {
			turned = append(turned, turn{name, j.shown, shown})
			j.shown, j.since = shown, now
		}
		row := verdictRow{
			Service: name, Verdict: shown, Since: j.since, Heard: j.heard,
			Score: number(j.score), Rate: number(j.rate), Expected: number(j.expected), Clients: number(j.clients),
			Errors: number(j.errors.rate()), Suspected: number(j.suspected.rate()),
		}
		if silent > verdictSilent {
			nan := number(math.NaN())
			row.Score, row.Rate, row.Expected, row.Clients, row.Errors, row.Suspected = nan, nan, nan, nan, nan, nan
		}
		for class, n := range j.open {
			if n > 0 && shown != finding.Unknown {
				if row.Findings == nil {
					row.Findings = map[string]int64{}
				}
				row.Findings[class] = n
			}
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, compareRows)
	slices.SortFunc(turned, func(a, b turn) int { return cmp.Compare(a.service, b.service) })
	return rows, turned
}

func compareRows(a, b verdictRow) int {
	return cmp.Or(cmp.Compare(gravity(b.Verdict), gravity(a.Verdict)), cmp.Compare(a.Service, b.Service))
}

// gravity orders verdicts for a reader: what needs a hand first.
func gravity(v finding.Verdict) int {
	switch v {
	case finding.Attack:
		return 4
	case finding.Mixed:
		return 3
	case finding.Crowd:
		return 2
	case finding.Normal:
		return 0
	}
	return 1 // unknown: never as good as normal
}

// whole is the verdict over all services: attack beside a crowd is mixed, and one
// service that is unknown keeps the whole from being normal. Without a service it
// is unknown.
func whole(rows []verdictRow) finding.Verdict {
	var seen [5]bool
	for _, r := range rows {
		seen[gravity(r.Verdict)] = true
	}
	switch {
	case seen[3], seen[4] && seen[2]:
		return finding.Mixed
	case seen[4]:
		return finding.Attack
	case seen[2]:
		return finding.Crowd
	case seen[1], !seen[0]:
		return finding.Unknown
	}
	return finding.Normal
}

// total sums the rows up. A client of two services counts twice; the score is the
// highest. What a service does not tell makes the expectation unknown, since a
// part of it would look like a surge.
func total(rows []verdictRow, now time.Time) verdictRow {
	nan := number(math.NaN())
	t := verdictRow{Service: "", Verdict: whole(rows), Heard: now, Score: nan, Rate: nan, Expected: nan, Clients: nan, Errors: nan, Suspected: nan}
	complete := true
	for _, r := range rows {
		if r.Verdict == finding.Unknown && math.IsNaN(float64(r.Rate)) {
			continue
		}
		add(&t.Rate, r.Rate)
		add(&t.Clients, r.Clients)
		add(&t.Errors, r.Errors)
		add(&t.Suspected, r.Suspected)
		add(&t.Expected, r.Expected)
		complete = complete && !math.IsNaN(float64(r.Expected))
		if math.IsNaN(float64(t.Score)) || r.Score > t.Score {
			t.Score = r.Score
		}
	}
	if !complete {
		t.Expected = nan
	}
	return t
}

func add(to *number, v number) {
	switch {
	case math.IsNaN(float64(v)):
	case math.IsNaN(float64(*to)):
		*to = v
	default:
		*to += v
	}
}

// overflow counts data points of services beyond the limit.
func (v *verdicts) overflow() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.dropped
}
