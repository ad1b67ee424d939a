package attackmetricsconnector

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// service is what the summaries said of one service. Gauges are as the last
// summary had them; sums are over all detectors that report on it.
type service struct {
	requests, errors, suspected int64

	verdict  finding.Verdict
	score    float64
	clients  int64
	rate     float64
	expected float64 // 0: unknown
	open     map[finding.Class]int64
	stages   map[stage]int64 // 1: the calendar's event is there; 0: it was

	origins map[string]*origin
	last    time.Time // wall: the last summary
}

// origin is where a detector's counts stood. They are since its own start.
type origin struct {
	requests, errors, suspected int64
	last                        time.Time
}

// state is all services.
type state struct {
	cfg      *Config
	services map[string]*service
	order    []string // of appearance
	read     int64
	broken   int64
	dropped  int64
}

// outcome of taking a record.
type outcome uint8

const (
	ignored outcome = iota
	taken
	turned // taken, and the verdict changed
)

// take keeps what a summary says; any other record is ignored.
func (s *state) take(lr plog.LogRecord, now time.Time) outcome {
	a := lr.Attributes()
	if lr.EventName() != names.EventSummary {
		if v, ok := a.Get(names.EventName); !ok || v.Str() != names.EventSummary {
			return ignored
		}
	}
	name, ok := a.Get(names.ServiceName)
	verdict, okVerdict := a.Get(names.AttackVerdict)
	if !ok || name.Str() == "" || !okVerdict || !finding.Verdict(verdict.Str()).Valid() {
		s.broken++
		return ignored
	}
	sv := s.of(name.Str(), now)
	if sv == nil {
		s.dropped++
		return ignored
	}
	s.read++
	was := sv.current(now, s.cfg)
	sv.last = now
	sv.verdict = finding.Verdict(verdict.Str())
	sv.score = double(a, names.AttackScore)
	sv.clients = integer(a, names.TrafficClients)
	sv.rate = double(a, names.TrafficRate)
	sv.expected = double(a, names.TrafficExpected)
	for c := range sv.open { // a class that was seen once stays, at 0
		sv.open[c] = 0
	}
	if v, ok := a.Get(names.AttackFindings); ok && v.Type() == pcommon.ValueTypeMap {
		for class, n := range v.Map().All() {
			if c := finding.Class(class); c.Valid() {
				sv.open[c] = n.Int()
			}
		}
	}
	sv.stand(a)
	from := ""
	if v, ok := a.Get(names.SummaryOrigin); ok {
		from = v.Str()
	}
	sv.count(from, a, now, s.cfg.MaxOrigins)
	if sv.verdict != was {
		return turned
	}
	return taken
}

// stage is an event of the calendar and its phase.
type stage struct{ event, phase string }

// maxStages bounds what a service remembers: a match has six phases.
const maxStages = 24

// stand keeps where the calendar's event stands. A stage that was seen stays, at
// 0, so that its end is told.
func (sv *service) stand(a pcommon.Map) {
	for s := range sv.stages {
		sv.stages[s] = 0
	}
	event, ok := a.Get(names.CalendarEvent)
	phase, okPhase := a.Get(names.CalendarPhase)
	if !ok || !okPhase {
		return
	}
	s := stage{event.Str(), phase.Str()}
	if _, known := sv.stages[s]; !known && len(sv.stages) >= maxStages {
		clear(sv.stages) // of last week
	}
	sv.stages[s] = 1
}

// of finds a service or makes one; nil if there are too many.
func (s *state) of(name string, now time.Time) *service {
	if sv := s.services[name]; sv != nil {
		return sv
	}
	if len(s.services) >= s.cfg.MaxServices {
		s.forget(now)
	}
	if len(s.services) >= s.cfg.MaxServices {
		return nil
	}
	sv := &service{open: map[finding.Class]int64{}, stages: map[stage]int64{}, origins: map[string]*origin{}, last: now}
	s.services[name] = sv
	s.order = append(s.order, name)
	return sv
}

// forget drops services that were silent for long.
func (s *state) forget(now time.Time) {
	kept := s.order[:0]
	for _, name := range s.order {
		if now.Sub(s.services[name].last) > s.cfg.ForgetAfter {
			delete(s.services, name)
			continue
		}
		kept = append(kept, name)
	}
	s.order = kept
}

// current is the verdict, unknown when the service is silent.
func (sv *service) current(now time.Time, cfg *Config) finding.Verdict {
	if sv.verdict == "" || now.Sub(sv.last) > cfg.StaleAfter {
		return finding.Unknown
	}
	return sv.verdict
}

// count adds what a detector counted since its last summary. One whose counts
// went back has begun anew.
func (sv *service) count(from string, a pcommon.Map, now time.Time, limit int) {
	o := sv.origins[from]
	if o == nil {
		if len(sv.origins) >= limit {
			sv.evict()
		}
		o = &origin{}
		sv.origins[from] = o
	}
	o.last = now
	step(&sv.requests, &o.requests, integer(a, names.TrafficRequests))
	step(&sv.errors, &o.errors, integer(a, names.TrafficErrors))
	step(&sv.suspected, &o.suspected, integer(a, names.AttackSuspected))
}

func step(sum, last *int64, now int64) {
	if now < 0 {
		return
	}
	if now < *last {
		*last = 0
	}
	*sum += now - *last
	*last = now
}

// evict forgets the detector that was silent for longest.
func (sv *service) evict() {
	oldest := ""
	for name, o := range sv.origins {
		if oldest == "" || o.last.Before(sv.origins[oldest].last) {
			oldest = name
		}
	}
	delete(sv.origins, oldest)
}

func integer(a pcommon.Map, key string) int64 {
	v, ok := a.Get(key)
	switch {
	case ok && v.Type() == pcommon.ValueTypeInt:
		return v.Int()
	case ok && v.Type() == pcommon.ValueTypeDouble:
		return int64(v.Double())
	}
	return 0
}

// double accepts both number types: JSON on the way may have turned 1.0 into 1.
func double(a pcommon.Map, key string) float64 {
	v, ok := a.Get(key)
	switch {
	case ok && v.Type() == pcommon.ValueTypeDouble:
		return v.Double()
	case ok && v.Type() == pcommon.ValueTypeInt:
		return float64(v.Int())
	}
	return 0
}
