package replay

import (
	"fmt"
	"strconv"
	"time"

	"github.com/vigie-otel/vigie/internal/request"
)

// Options of one run.
type Options struct {
	Seed  uint64
	Scale float64   // of rates and numbers of people; 0 means 1
	Start time.Time // event time of the beginning; zero means 2026-07-14 at the scenario's clock, UTC
	// Duration cuts the scenario short; 0 means its own.
	Duration time.Duration
	// Intensity, when above 0, sets the rate of every attack to that multiple of
	// what it is relative to, whatever the scenario says.
	Intensity float64
	// WithoutAttacks leaves them out; the people are the same.
	WithoutAttacks bool
}

// maxSessions bounds the visits at one time: 72 bytes each.
const maxSessions = 16 << 20

// Generator makes a scenario's requests one by one. It is not safe for
// concurrent use.
type Generator struct {
	scenario *Scenario
	options  Options
	site     *site
	start    time.Time
	startNs  int64
	clock    float64 // second of the day at the beginning
	end      int64

	wheel    *wheel
	sources  []*source
	attacks  []*attacker
	outages  []outage
	failing  float64 // share of people's requests that fail now
	retrying bool
	order    rng

	slot    int64 // ns of the current slot
	due     int32 // list of sessions due in it
	people  int   // and their number
	total   int   // requests left in the slot, people's and attackers'
	stamp   int64
	spacing int64

	signIns, requests [64]uint32 // people's, a second each
	truth             Truth
}

type outage struct {
	from, to int64
	share    float64
	retry    bool
}

// New prepares a run. The scenario must be valid, as Parse and Builtin return it,
// and is not changed.
func New(scenario *Scenario, options Options) (*Generator, error) {
	if options.Scale == 0 {
		options.Scale = 1
	}
	if !(options.Scale > 0 && options.Scale <= 1000) {
		return nil, fmt.Errorf("scale must be above 0 and at most 1000 (got %g), e.g. 0.05", options.Scale)
	}
	if options.Intensity < 0 || options.Duration < 0 {
		return nil, fmt.Errorf("intensity and duration must not be negative (got %g, %s)", options.Intensity, options.Duration)
	}
	g := &Generator{scenario: scenario, options: options, wheel: newWheel(), due: none, order: newRNG(options.Seed, "order")}
	clock, err := time.Parse("15:04", scenario.Clock)
	if err != nil {
		return nil, fmt.Errorf("clock: %w", err)
	}
	g.clock = float64(clock.Hour()*3600 + clock.Minute()*60)
	g.start = options.Start
	if g.start.IsZero() {
		g.start = time.Date(2026, 7, 14, clock.Hour(), clock.Minute(), 0, 0, time.UTC)
	}
	g.startNs = g.start.UnixNano()
	g.end = int64(scenario.Duration)
	if d := int64(options.Duration); d > 0 && d < g.end {
		g.end = d
	}
	g.site = newSite(scenario.Site, options.Seed)
	g.truth = Truth{
		Scenario: scenario.Name, Site: scenario.Site, Expect: scenario.Expect,
		Seed: options.Seed, Scale: options.Scale, Start: g.start, End: g.at(g.end),
	}
	g.addBackground()
	for i := range scenario.Crowds {
		g.addCrowd(i, &scenario.Crowds[i])
	}
	if !options.WithoutAttacks {
		for i := range scenario.Attacks {
			g.addAttack(&scenario.Attacks[i])
		}
	}
	for _, src := range g.sources {
		if src.class == ClassViewer || src.from == 0 && (src.class == ClassCrawler || src.class == ClassMonitor || src.class == ClassNAT) {
			g.warm(src)
		}
		src.mean = -1
	}
	g.slot = -slotNanos
	return g, nil
}

// Start is the event time of the beginning.
func (g *Generator) Start() time.Time { return g.start }

// Service names the site's model; Host its main authority.
func (g *Generator) Service() string { return g.site.name }

// Host is the site's main authority.
func (g *Generator) Host() string { return g.site.host }

// Truth is what has been made so far, complete once Next has returned false.
func (g *Generator) Truth() *Truth {
	g.truth.SessionsDropped += int64(g.wheel.lost)
	g.wheel.lost = 0
	return &g.truth
}

func (g *Generator) at(ns int64) time.Time { return g.start.Add(time.Duration(ns)).UTC() }

// Next makes the next request; false after the last. It allocates nothing.
func (g *Generator) Next(ev *Event) bool {
	for g.total == 0 {
		if g.slot+slotNanos >= g.end {
			return false
		}
		g.slot += slotNanos
		g.fillSlot()
	}
	ev.Request = request.Request{Bytes: request.Unknown, Duration: request.Unknown}
	ev.UnixNano = g.startNs + g.stamp
	g.stamp += g.spacing

	g.truth.Lines++
	g.truth.Seconds[len(g.truth.Seconds)-1]++
	// Who is next, at random among what is left in the slot.
	at := 0
	if len(g.attacks) > 0 {
		at = g.order.below(g.total)
	}
	g.total--
	if at < g.people {
		g.people--
		i := g.due
		g.due = g.wheel.sessions[i].next
		g.visit(ev, i)
		return true
	}
	at -= g.people
	for n, a := range g.attacks {
		if at < a.left {
			a.left--
			g.attack(ev, n, a)
			break
		}
		at -= a.left
	}
	return true
}

// fillSlot finds out what happens in the next 10 ms.
func (g *Generator) fillSlot() {
	t := g.slot
	if t%1e9 == 0 {
		second := t / 1e9 % 64
		g.signIns[second], g.requests[second] = 0, 0
		g.truth.Seconds = append(g.truth.Seconds, 0)
	}
	if t%1e8 == 0 || t == 0 {
		g.failing, g.retrying = 0, false
		for _, o := range g.outages {
			if t >= o.from && t < o.to && o.share > g.failing {
				g.failing, g.retrying = o.share, o.retry
			}
		}
	}
	for _, src := range g.sources {
		g.arrive(src, t)
	}
	g.due = g.wheel.take()
	g.people = 0
	for i := g.due; i != none; i = g.wheel.sessions[i].next {
		g.people++
	}
	g.total = g.people
	for _, a := range g.attacks {
		a.left = g.requestsOf(a, t)
		g.total += a.left
	}
	g.stamp = t
	g.spacing = slotNanos / int64(max(1, g.total))
}

// background is the rate of people's requests, or of their sign-ins, in the last
// 30 s before t, by which attacks are measured.
func (g *Generator) background(t int64, signIns bool) float64 {
	second := t / 1e9
	n := min(second, 30)
	if n < 5 { // too early to measure: what the scenario says
		rate := g.scenario.Background.Rate * g.scenario.Background.level(t) * g.options.Scale
		if signIns {
			rate *= 0.03
		}
		return rate
	}
	sum := uint32(0)
	for i := second - n; i < second; i++ {
		if signIns {
			sum += g.signIns[i%64]
		} else {
			sum += g.requests[i%64]
		}
	}
	return float64(sum) / float64(n)
}

// visit makes the request that session i is due for and schedules its next.
func (g *Generator) visit(ev *Event, i int32) {
	s := &g.wheel.sessions[i]
	st := &g.site.programs[s.program].steps[s.step]
	rt := &g.site.routes[st.route]
	r := rng{s.rnd}
	x := r.next()

	ev.Class, ev.Attack = s.class, -1
	ev.Client = toAddr(s.hi, s.lo)
	ev.Host = rt.hostBytes
	ev.Service = g.site.service
	ev.UserAgent = g.site.agents.all[s.agent]
	ev.Proto = "HTTP/2.0"
	if device := deviceKind(s.device); device == deviceTV || device >= deviceCrawler || x>>60 == 0 {
		ev.Proto = "HTTP/1.1"
	}
	item := g.site.item(rt, x)
	g.fill(ev, rt, item, x, s.id)
	web := deviceKind(s.device) == deviceMobileWeb || deviceKind(s.device) == deviceDesktop
	if web {
		g.refer(ev, s, rt, x)
	}
	if rt.role <= roleLive {
		s.page, s.pageOf, s.seen = item, st.route, true
	}
	second := g.slot / 1e9 % 64
	g.requests[second]++
	again := false
	switch {
	case rt.role == roleSignIn:
		g.signIns[second]++
		again = ev.Status == int(g.site.signFail) && s.retries < 3 && x>>33&1 == 0 // mistyped: once more
	case g.failing > 0 && r.chance(g.failing):
		g.fail(ev, &r)
		again = g.retrying && st.retry && s.retries < s.patience()
	}
	if rt.role == roleSignIn && g.failing > 0 && r.chance(g.failing) {
		g.fail(ev, &r)
		again = g.retrying && s.retries < s.patience()
	}
	s.rnd = r.state
	if again {
		s.retries++
		wait := 1e9 * float64(int(1)<<min(s.retries, 5)) * r.between(0.4, 0.6) // an app's backoff: 1 s, 2 s, 4 s … 16 s
		if s.hasty() {
			wait = r.between(0.9e9, 1.1e9)
		}
		if rt.role == roleSignIn && ev.Status < 500 {
			wait = r.between(4e9, 15e9) // a person types
		}
		s.due = max(s.due, g.slot) + int64(wait)
		s.rnd = r.state
		g.wheel.put(i)
		return
	}
	if !g.advance(s) {
		g.wheel.release(i)
		return
	}
	g.wheel.put(i)
}

// hasty devices try again each second for half a minute instead of backing off;
// every fourth is: they make the storm.
func (s *session) hasty() bool { return s.id&3 == 0 }

func (s *session) patience() uint8 {
	if s.hasty() {
		return 30
	}
	return 6
}

// fail is what a proxy answers when what is behind it does not.
func (g *Generator) fail(ev *Event, r *rng) {
	x := r.next()
	ev.Status, ev.Bytes = [...]int{502, 503, 503, 504}[x&3], 560
	ev.Duration = time.Duration(1e6 + x>>40%30e6)
	if ev.Status == 504 {
		ev.Duration = 10 * time.Second
	}
}

// item is one of the route's paths by popularity.
func (s *site) item(rt *route, x uint64) uint16 {
	if rt.ranks == nil {
		return 0
	}
	return rt.ranks[x>>8&(zipfSize-1)]
}

// fill writes what the route says into the event.
func (g *Generator) fill(ev *Event, rt *route, item uint16, x, id uint64) {
	ev.Method = rt.methodBytes
	ev.Path = rt.paths[item]
	if rt.query != nil {
		ev.Query = g.site.appendQuery(ev.query[:0], rt.query, x, id, ev.UnixNano)
	}
	if rt.role == roleSignIn || rt.role == roleToken {
		ev.Account = appendAccount(ev.account[:0], id)
	}
	ev.Status = int(rt.status[x>>24&255])
	x = mix(x)
	ev.Duration = time.Duration(float32(rt.nanos) * g.site.sizes[x&1023])
	switch ev.Status {
	case 204, 304:
		ev.Bytes = 0
	default:
		// A page's size varies little between two requests, more between pages.
		size := float32(rt.bytes) * (0.97 + 0.06*float32(x>>54)/1024)
		if rt.ranks != nil {
			size *= g.site.sizes[mix(uint64(item))&1023]
		}
		ev.Bytes = int64(size)
	}
	if ev.Status >= 400 {
		ev.Bytes = 150 + int64(x>>50&127)
	}
}

// refer sets the page that a browser came from: for what a page loads, that
// page; for a page, now and then a search engine or the page before.
func (g *Generator) refer(ev *Event, s *session, rt *route, x uint64) {
	switch {
	case s.seen && (rt.role > roleLive || x>>50&3 != 0):
		b := append(ev.referer[:0], g.site.origin...)
		ev.Referer = append(b, g.site.routes[s.pageOf].paths[s.page]...)
	case rt.role > roleLive:
		ev.Referer = append(append(ev.referer[:0], g.site.origin...), '/')
	case x>>50&7 == 0:
		ev.Referer = append(ev.referer[:0], "https://www.google.com/"...)
	}
}

func (s *site) appendQuery(b []byte, query []piece, x, id uint64, now int64) []byte {
	for i := range query {
		p := &query[i]
		b = append(b, p.literal...)
		switch p.fill {
		case fillSession:
			b = appendHex(b, id)
		case fillRandom:
			x = mix(x + golden)
			b = strconv.AppendUint(b, 1e9+x%9e9, 10)
		case fillSmall:
			x = mix(x + golden)
			b = append(b, '1'+byte(min(x&7, x>>3&7, x>>6&7)))
		case fillTime:
			b = strconv.AppendInt(b, now/1e9, 10)
		case fillWord:
			x = mix(x + golden)
			n := float64(x>>11) * 0x1p-53
			b = append(b, s.words[int(n*n*float64(len(s.words)))]...)
		}
	}
	return b
}

func appendHex(b []byte, x uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, digits[x>>uint(shift)&15])
	}
	return b
}

func appendAccount(b []byte, id uint64) []byte {
	b = append(b, 'u')
	return strconv.AppendUint(b, id%1e9, 10)
}
