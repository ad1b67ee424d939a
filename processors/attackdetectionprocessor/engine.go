package attackdetectionprocessor

import (
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/vigie-otel/vigie/internal/accesslog"
	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/detect"
	"github.com/vigie-otel/vigie/internal/eventclock"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/request"
)

// judge is what the engine needs of a detect.Detector.
type judge interface {
	Observe(*request.Request) detect.Mark
	Tick(time.Time) []finding.Finding
	Flush() []finding.Finding
	Services() []string
	Status(string) (detect.Status, bool)
	Stats() detect.Stats
	AppendSummary([]byte, string) ([]byte, bool)
	MergeSummary([]byte) error
}

// engine is the detector and what feeds it, shared by all pipelines of an
// instance.
type engine struct {
	cfg     *Config
	newest  func(detect.Config) (judge, error)
	detect  detect.Config
	proxies *clientip.Resolver
	out     *outlet
	moment  func(service string, at time.Time) moment // nil: no calendar

	mu       sync.Mutex        // everything below; taken once a batch
	judge    judge             // guarded by mu
	parser   *accesslog.Parser // guarded by mu
	pace     pace              // guarded by mu
	req      request.Request   // guarded by mu
	logged   doubles           // guarded by mu
	open     map[string]string // guarded by mu; service → its newest open finding; as many as the detector has services
	toldAll  time.Time         // guarded by mu; event time: when idle services had a summary too
	counts   counts            // guarded by mu; since the start
	restarts int64             // guarded by mu
	past     detect.Stats      // guarded by mu; of detectors before a restart
}

// counts are what the engine has seen since the start.
type counts struct {
	lines, attributes, spans, doubled, marked, merged, refused, superseded int64
}

func newEngine(cfg *Config, dc detect.Config, newest func(detect.Config) (judge, error), out *outlet) (*engine, error) {
	e := &engine{cfg: cfg, newest: newest, detect: dc, out: out, pace: pace{mode: cfg.Clock}, open: map[string]string{}}
	prefixes, err := cfg.proxies()
	if err != nil {
		return nil, err
	}
	e.proxies = clientip.New(prefixes)
	format, err := accesslog.ParseFormat(cfg.Format)
	if err != nil {
		return nil, err
	}
	e.parser, err = accesslog.New(format, accesslog.Options{Client: e.proxies, Fields: cfg.Fields, NamedClients: cfg.NamedClients})
	if err != nil {
		return nil, err
	}
	e.logged.limit = cfg.MaxServices
	if e.logged.limit == 0 {
		e.logged.limit = 256
	}
	e.judge, err = newest(dc)
	return e, err
}

// logs judges a batch of log records and marks those of a finding. A gateway
// takes the agents' summaries and findings out: it merges the former and says
// itself what the cluster's findings are. What comes again has been judged.
func (e *engine) logs(ld plog.Logs, wall time.Time, again bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	gateway := e.cfg.Mode == modeGateway
	if again && !gateway {
		return
	}
	rls := ld.ResourceLogs()
	for i := range rls.Len() {
		rl := rls.At(i)
		resource := resourceService(rl.Resource())
		for j := range rl.ScopeLogs().Len() {
			records := rl.ScopeLogs().At(j).LogRecords()
			if gateway {
				records.RemoveIf(func(lr plog.LogRecord) bool {
					if again {
						return ofAgent(lr)
					}
					return e.mergeLocked(lr, wall) || e.supersedeLocked(lr)
				})
				continue
			}
			for k := range records.Len() {
				e.recordLocked(records.At(k), resource, wall)
			}
		}
	}
	if gateway {
		dropEmpty(ld)
	}
}

func dropEmpty(ld plog.Logs) {
	ld.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool { return sl.LogRecords().Len() == 0 })
		return rl.ScopeLogs().Len() == 0
	})
}

// recordLocked judges a record, if it is a request.
func (e *engine) recordLocked(lr plog.LogRecord, resource []byte, wall time.Time) {
	if name := lr.EventName(); name == names.EventSummary || name == names.EventFinding {
		return
	}
	r := &e.req
	if !e.readLocked(lr, r) {
		return
	}
	if r.UnixNano == 0 {
		r.UnixNano = recordTime(lr)
	}
	e.nameService(r, resource)
	e.logged.saw(r.Service, wall)
	if m := e.observeLocked(wall); m.FindingID != "" {
		e.counts.marked++
		put(lr.Attributes(), m)
	}
}

// readLocked reads a record's request: by the semantic conventions, else the
// raw line in the body, else by well-known names; false if there is none.
func (e *engine) readLocked(lr plog.LogRecord, r *request.Request) bool {
	attributes := lr.Attributes()
	if e.cfg.Read != "body" && attributes.Len() > 0 && semconv(attributes, e.proxies, r) {
		r.UnixNano = recordTime(lr)
		e.counts.attributes++
		return true
	}
	body := lr.Body()
	if e.cfg.Read != "attributes" && body.Type() == pcommon.ValueTypeStr && e.parser.Parse(view(body.Str()), r) == nil {
		e.counts.lines++
		return true // what could not be read was counted by the parser
	}
	if (e.cfg.Read != "attributes" && body.Type() == pcommon.ValueTypeMap && wellKnown(body.Map(), e.parser, r)) ||
		(e.cfg.Read != "body" && attributes.Len() >= leastFields && wellKnown(attributes, e.parser, r)) {
		e.counts.attributes++
		return true
	}
	return false
}

// leastFields is how many attributes a request has at least: a path, a status, a
// client.
const leastFields = 3

// traces judges a batch of spans and marks those of a finding. Every span of a
// service that has an open finding says so, whoever judged: that is what tail
// sampling keeps them by.
func (e *engine) traces(td ptrace.Traces, wall time.Time, again bool) {
	judged := e.cfg.Spans != "never" && e.cfg.Mode != modeGateway && !again
	e.mu.Lock()
	defer e.mu.Unlock()
	if !judged && len(e.open) == 0 {
		return
	}
	for i := range td.ResourceSpans().Len() {
		rs := td.ResourceSpans().At(i)
		resource := resourceService(rs.Resource())
		window := e.open[string(resource)]
		for j := range rs.ScopeSpans().Len() {
			spans := rs.ScopeSpans().At(j).Spans()
			for k := range spans.Len() {
				if judged {
					e.spanLocked(spans.At(k), resource, wall)
				}
				if window != "" {
					spans.At(k).Attributes().PutStr(names.FindingWindow, window)
				}
			}
		}
	}
}

// openLocked keeps which services have an open finding.
func (e *engine) openLocked(changed []finding.Finding) {
	for i := range changed {
		f := &changed[i]
		switch {
		case f.Status != finding.Closed:
			e.open[f.Service] = f.ID
		case e.open[f.Service] == f.ID:
			delete(e.open, f.Service)
		}
	}
}

func (e *engine) spanLocked(s ptrace.Span, resource []byte, wall time.Time) {
	if !spanRequest(s, e.proxies, &e.req) {
		return
	}
	e.nameService(&e.req, resource)
	if e.cfg.Spans == auto && e.logged.lately(e.req.Service, wall) {
		e.counts.doubled++
		return
	}
	e.counts.spans++
	e.logged.touch(e.req.Service)
	if m := e.observeLocked(wall); m.FindingID != "" {
		e.counts.marked++
		put(s.Attributes(), m)
	}
}

func put(a pcommon.Map, m detect.Mark) {
	a.PutStr(names.FindingID, m.FindingID)
	a.PutDouble(names.Suspicion, m.Suspicion)
}

// observeLocked judges e.req with what was known before it.
func (e *engine) observeLocked(wall time.Time) detect.Mark {
	var step eventclock.Step
	e.req.UnixNano, step = e.pace.see(e.req.UnixNano, wall)
	e.stepLocked(step)
	return e.judge.Observe(&e.req)
}

func (e *engine) stepLocked(step eventclock.Step) {
	switch step {
	case eventclock.NewSecond:
		e.tickLocked(e.pace.second())
	case eventclock.Rewound:
		e.restartLocked()
	}
}

// tick is called when the wall clock enters a new second.
func (e *engine) tick(wall time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now, ok := e.pace.due(wall); ok {
		e.tickLocked(now)
	}
}

// idleEvery is how often a service without requests has a summary.
const idleEvery = 5 * time.Second

func (e *engine) tickLocked(now time.Time) {
	changed := e.judge.Tick(now)
	e.openLocked(changed)
	e.out.findings(changed)
	all := now.Sub(e.toldAll).Abs() >= idleEvery
	if all {
		e.toldAll = now
	}
	for _, name := range e.judge.Services() {
		// A status costs something, and that of an idle service says what the
		// last one said.
		if e.logged.quiet(name) && !all && !slices.ContainsFunc(changed, func(f finding.Finding) bool { return f.Service == name }) {
			continue
		}
		st, ok := e.judge.Status(name)
		if !ok {
			continue
		}
		var on moment
		if e.moment != nil {
			on = e.moment(name, now)
		}
		e.out.summary(&st, on, now, func(dst []byte) ([]byte, bool) {
			if !e.cfg.Sketches || e.cfg.Mode == modeGateway {
				return dst, false
			}
			return e.judge.AppendSummary(dst, name)
		})
	}
}

// restartLocked begins anew: event time went back for good, and a detector never
// does. What is open is closed first.
func (e *engine) restartLocked() {
	e.out.findings(e.judge.Flush())
	clear(e.open)
	next, err := e.newest(e.detect)
	if err != nil {
		return // the configuration was good once
	}
	add(&e.past, e.judge.Stats())
	e.judge = next
	e.restarts++
}

// end closes what is open, when the last pipeline shuts down.
func (e *engine) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.findings(e.judge.Flush())
}

// nameService decides which service a request is of.
func (e *engine) nameService(r *request.Request, resource []byte) {
	name := r.Service
	switch e.cfg.ServiceFrom {
	case "resource":
		name = resource
	case "host":
		name = r.Host
	case "none":
		name = nil
	case auto:
		if name == nil {
			name = resource
		}
		if name == nil {
			name = r.Host
		}
	}
	if name == nil {
		name = view(e.cfg.Service)
	}
	r.Service = name
}

// resourceService is a resource's service.name; nil if it has none, or the one
// that SDKs make up.
func resourceService(r pcommon.Resource) []byte {
	v, ok := r.Attributes().Get(names.ServiceName)
	if !ok || v.Type() != pcommon.ValueTypeStr {
		return nil
	}
	name := v.Str()
	if len(name) >= len("unknown_service") && name[:len("unknown_service")] == "unknown_service" {
		return nil
	}
	return view(name)
}

func add(sum *detect.Stats, s detect.Stats) {
	sum.Overflowed += s.Overflowed
	sum.Late += s.Late
	sum.Future += s.Future
	sum.Timeless += s.Timeless
	sum.ClientsPurged += s.ClientsPurged
}
