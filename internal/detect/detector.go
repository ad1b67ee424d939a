package detect

import (
	"fmt"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/request"
	"github.com/vigie-otel/vigie/internal/sketch"
)

// OverflowService is the name under which requests of services past
// Config.MaxServices are judged together.
const OverflowService = "(other)"

// Mark says what a request belongs to. The zero Mark is an innocent request.
type Mark struct {
	FindingID string  // of an open finding; empty when there is none
	Suspicion float64 // 0–1; above 0 exactly when FindingID is set
}

// Status is what is known of a service as of the last tick.
type Status struct {
	Service    string
	Verdict    finding.Verdict
	Score      float64   // 0–1: how much of an attack the traffic looks like
	Confidence float64   // 0–1: how sure the verdict is
	Since      time.Time // when the verdict became what it is
	LastSeen   time.Time // newest event time

	Requests  uint64 // since the start
	Errors    uint64 // of those, answered with 4xx or 5xx
	Suspected uint64 // of those, marked
	Clients   uint64 // distinct clients in the last 10 s, within 3 %

	Recent [3]uint64 // requests in the last 10 s, 5 min and hour

	Rate     float64 // requests a second, the last 10 s
	Expected float64 // what the baseline expects, requests a second; 0 while it is unknown

	Evidence []finding.Evidence // for and against, strongest first
	Findings []finding.Finding  // open now
}

// Stats counts what did not fit or could not be used.
type Stats struct {
	Services      int    // with a state of their own
	Overflowed    uint64 // requests judged under OverflowService
	Late          uint64 // requests later than Config.Lateness: counted, not in a rate
	Future        uint64 // requests more than 10 min ahead of their neighbours: clock jumps
	Timeless      uint64 // requests without a time: taken as now
	Summaries     uint64 // merged
	BadSummaries  uint64 // refused by MergeSummary
	ClientsPurged uint64 // client records given up for others
}

// Detector judges requests. See the package's documentation. It is not safe for
// concurrent use.
type Detector struct {
	cfg      Config
	stats    Stats
	services map[string]*service
	order    []*service
	last     *service // of the last request: requests come in runs
	reader   reader
	x        excess
	hll      sketch.HLL // of the summary at hand
	now      int64      // of the last tick, ns
	ev       event
	req      *request.Request // during Observe only, for label
	text     [256]byte
}

// New makes a Detector.
func New(cfg Config) (*Detector, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configure detector: %w", err)
	}
	d := &Detector{cfg: cfg.withDefaults(), services: map[string]*service{}}
	d.reader.seed = xxh3.Hash128Seed([]byte("vigie requests"), cfg.Seed).Lo
	return d, nil
}

// maxAhead is how far ahead of the last tick an event may be: beyond it a clock
// jumped, and the event is taken as now.
const maxAhead = 10 * time.Minute

// Observe takes one request and says whether it belongs to a finding that is
// open now; it never looks ahead. r.Service names the service (the caller has
// decided which field that is). r is read only during the call.
func (d *Detector) Observe(r *request.Request) Mark {
	e := &d.ev
	d.reader.read(e, r)
	if e.nano <= 0 {
		d.stats.Timeless++
		e.nano = max(d.now, 1)
	}
	if d.now != 0 {
		if e.nano > d.now+int64(maxAhead) {
			d.stats.Future++
			e.nano = d.now
		} else if e.nano < d.now-int64(d.cfg.Lateness)-1e9 {
			d.stats.Late++
		}
	}
	s := d.service(r.Service)
	d.req = r
	m := s.observe(e, d.labels)
	d.req = nil
	return m
}

// labels writes out the path template and user agent of the request at hand.
func (d *Detector) labels(*event) (path, agent []byte) {
	r := d.req
	b := append(d.text[:0], r.Method[:min(len(r.Method), 8)]...)
	b = append(b, ' ')
	return appendTemplate(b, r.Path), r.UserAgent
}

func (d *Detector) service(name []byte) *service {
	if d.last != nil && d.last.name == string(name) {
		return d.last
	}
	s, ok := d.services[string(name)]
	if !ok {
		if len(d.order) >= d.cfg.MaxServices {
			d.stats.Overflowed++
			if s, ok = d.services[OverflowService]; ok {
				return s
			}
			name = []byte(OverflowService)
		}
		s = newService(d, string(name))
		d.services[s.name] = s
		d.order = append(d.order, s)
	}
	d.last = s
	return s
}

// Tick closes the time until now, which is event time, and returns the findings
// that opened, changed or closed, oldest first. Call it once a second, live by
// the wall clock, offline whenever the event time enters a new second, before
// the request that does: a Detector never moves time by itself. A now that is
// not after the last one does nothing; a gap is stepped over, not through.
func (d *Detector) Tick(now time.Time) []finding.Finding {
	ns := now.UnixNano()
	if ns <= d.now {
		return nil
	}
	d.now = ns
	var out []finding.Finding
	for _, s := range d.order {
		out = s.close(ns, out)
	}
	return out
}

// Flush ends a recorded file: it judges what is pending and closes every open
// finding, at its last request.
func (d *Detector) Flush() []finding.Finding {
	end := d.now
	for _, s := range d.order {
		end = max(end, s.newest)
	}
	out := d.Tick(time.Unix(0, end).Add(time.Second))
	for _, s := range d.order {
		for i := range s.eps {
			if s.eps[i].open {
				s.clock = s.eps[i].last
				out = append(out, s.finish(i))
			}
		}
	}
	return out
}

// Services lists the services that have a state, in order of appearance.
func (d *Detector) Services() []string {
	out := make([]string, len(d.order))
	for i, s := range d.order {
		out[i] = s.name
	}
	return out
}

// Status says what is known of a service; false when it has none.
func (d *Detector) Status(service string) (Status, bool) {
	s, ok := d.services[service]
	if !ok {
		return Status{}, false
	}
	return s.status(), true
}

// Stats says what did not fit.
func (d *Detector) Stats() Stats {
	st := d.stats
	st.Services = len(d.order)
	for _, s := range d.order {
		st.ClientsPurged += s.clients.purged
	}
	return st
}
