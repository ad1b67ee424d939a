package replay

import (
	"math"
	"time"
)

// crowdDefaults are by kind: the shape of arrivals, the share of people that
// were not there before, the share that comes through carriers' NAT.
var crowdDefaults = map[string]struct {
	shape              string
	newcomers, carrier float64
}{
	"kickoff":       {"bell", 0.7, 0},
	"goal":          {"surge", 0.3, 0.1},
	"half_time_ads": {"surge", 0, 0},
	"push":          {"surge", 0.5, 0.4},
	"carrier_nat":   {"flat", 0.2, 1},
	"retry_storm":   {"surge", 0, 0},
	"cdn_purge":     {"surge", 0, 0},
	"buggy_release": {"ramp", 0, 0},
	"crawler":       {"flat", 1, 0},
	"monitor":       {"flat", 1, 0},
	"viral":         {"surge", 0.9, 0.1},
}

func (c *Crowd) defaults() {
	d := crowdDefaults[c.Kind]
	if c.Shape == "" {
		c.Shape = d.shape
	}
	if c.Newcomers == 0 {
		c.Newcomers = d.newcomers
	}
	if c.Carrier == 0 {
		c.Carrier = d.carrier
	}
	if c.Kind == "retry_storm" && c.Outage == 0 {
		c.Outage = Span(30 * time.Second)
	}
}

// source is a population whose members begin visits.
type source struct {
	class     Class
	rnd       rng
	from, to  int64   // ns; when visits begin
	base      float64 // visits/s at level 1
	shape     string
	programs  *[deviceKinds]uint16
	network   *network // nil: the site's operators
	agents    []uint16 // nil: the site's, by device
	device    deviceKind
	fixed     bool // all have that device
	known     uint64
	strangers uint64
	newcomers float64
	carrier   float64
	offset    uint64
	present   bool // those who are not newcomers are on the site already

	mean, floor float64 // visits a slot, exp(-mean); kept for a tenth of a second
}

// person is who a visitor is: one number gives the same device, network and user
// agent each time it comes.
func (g *Generator) person(src *source, s *session) {
	index := src.rnd.next() % src.known
	if src.newcomers > 0 && src.rnd.chance(src.newcomers) {
		index = src.offset + src.rnd.next()%src.strangers
	} else if src.present && g.someoneHere(src, s) {
		return
	}
	h := mix(g.site.nets.key ^ mix(index+golden))
	device := src.device
	if !src.fixed {
		device = deviceKind(g.site.devices[h%tableSize])
	}
	nets := g.site.nets.table
	if device == deviceTV || device == deviceDesktop {
		nets = g.site.nets.fixed
	} else if src.carrier > 0 && src.rnd.chance(src.carrier) {
		nets = g.site.nets.nat
	}
	n := &g.site.nets.nets[nets[h>>12%tableSize]]
	if src.network != nil {
		n = src.network
	}
	s.hi, s.lo = n.address(mix(h))
	s.device = uint8(device)
	if src.agents != nil {
		s.agent = src.agents[h>>40%uint64(len(src.agents))]
	} else {
		s.agent = g.site.agents.draw(device, h>>24)
	}
	s.program = src.programs[device]
	s.class = src.class
	s.id = mix(index ^ 0x5e551011)
	s.rnd = src.rnd.next()
}

// someoneHere makes the session one more of somebody who is on the site now.
func (g *Generator) someoneHere(src *source, s *session) bool {
	for range 16 {
		o := &g.wheel.sessions[src.rnd.below(len(g.wheel.sessions))]
		if o == s || !o.running || o.class != ClassViewer {
			continue
		}
		s.hi, s.lo, s.id, s.agent, s.device = o.hi, o.lo, o.id, o.agent, o.device
		s.program, s.class, s.rnd = src.programs[o.device], src.class, src.rnd.next()
		return true
	}
	return false
}

// requestsAVisit is the mean over the devices that the source has.
func (g *Generator) requestsAVisit(src *source) float64 {
	if src.fixed {
		return g.site.programs[src.programs[src.device]].mean
	}
	sum := 0.0
	for _, d := range g.site.devices {
		sum += g.site.programs[src.programs[d]].mean
	}
	return sum / float64(len(g.site.devices))
}

func (g *Generator) addBackground() {
	b := &g.scenario.Background
	src := &source{class: ClassViewer, rnd: newRNG(g.options.Seed, "background"), to: g.end, programs: &g.site.visit}
	src.base = b.Rate * g.options.Scale / g.requestsAVisit(src)
	src.known = uint64(max(500, src.base*3600))
	if b.Audience > 0 {
		src.known = uint64(max(1, float64(b.Audience)*g.options.Scale))
	}
	g.sources = append(g.sources, src)
}

func (g *Generator) addCrowd(number int, c *Crowd) {
	class, _ := classOf(c.Kind, ClassKickOff, ClassHTTPFlood)
	background := g.sources[0]
	src := &source{
		class: class, rnd: newRNG(g.options.Seed, "crowd"+string(rune('a'+number))+c.Kind),
		from: int64(c.At), to: min(g.end, int64(c.At+c.Duration)), shape: c.Shape,
		programs: &g.site.crowds[class], known: background.known,
		newcomers: c.Newcomers, carrier: c.Carrier, offset: uint64(number+1) << 40,
	}
	r := &src.rnd
	switch class {
	case ClassCrawler:
		n := network{kind: netHosting, shared: uint32(r.intn(4, 40))}
		n.base, n.mask = block(r, 24)
		src.network, src.device, src.fixed = &n, deviceCrawler, true
	case ClassMonitor:
		n := network{kind: netHosting, shared: uint32(r.intn(1, 6))}
		n.base, n.mask = block(r, 28)
		src.network, src.device, src.fixed = &n, deviceMonitor, true
	case ClassNAT: // one carrier's two to six addresses
		n := network{kind: netCarrier, shared: uint32(r.intn(2, 6))}
		n.base, n.mask = block(r, 24)
		src.network, src.device, src.fixed = &n, pick(r, []deviceKind{deviceAndroid, deviceIOS, deviceMobileWeb}), true
	case ClassAds, ClassGoal, ClassPurge: // the players that are running, the pages that are open
		src.present = true
	case ClassBuggyApp: // the release of one platform, days old
		src.device, src.fixed = pick(r, []deviceKind{deviceIOS, deviceAndroid}), true
		src.agents = g.site.agents.kinds[src.device][:3]
	case ClassRetry:
		src.from += int64(c.Outage)
		src.to = min(g.end, src.from+int64(c.Duration))
		g.outages = append(g.outages, outage{from: int64(c.At), to: int64(c.At + c.Outage), share: 0.85, retry: true})
	}
	seconds := time.Duration(c.Duration).Seconds()
	switch {
	case c.Sessions > 0:
		src.base = c.Sessions * g.options.Scale / seconds
	case c.Rate > 0:
		src.base = c.Rate * g.options.Scale / g.requestsAVisit(src)
	default:
		src.base = c.Intensity * g.scenario.Background.Rate * g.options.Scale / g.requestsAVisit(src)
	}
	src.strangers = uint64(max(1, src.base*seconds))
	g.sources = append(g.sources, src)
	g.truth.Crowds = append(g.truth.Crowds, CrowdTruth{Class: class.String(), Start: g.at(src.from), End: g.at(src.to)})
}

// visits is how many visits a second begin at t.
func (g *Generator) visits(src *source, t int64) float64 {
	if t < src.from || t >= src.to {
		return 0
	}
	if src.class != ClassViewer {
		return src.base * crowdShape(src.shape, float64(t-src.from)/float64(src.to-src.from))
	}
	b := &g.scenario.Background
	rate := src.base * b.level(t)
	if b.Diurnal {
		rate *= diurnal(g.clock+float64(t)/1e9) / diurnal(g.clock)
	}
	return rate
}

// arrive begins the visits of the slot at t.
func (g *Generator) arrive(src *source, t int64) {
	if t/slotNanos%10 == 0 || src.mean < 0 {
		src.mean = g.visits(src, t) * float64(slotNanos) / 1e9
		src.floor = math.Exp(-src.mean)
	}
	if src.mean == 0 {
		return
	}
	for range src.rnd.poisson(src.mean, src.floor) {
		g.begin(src, t)
	}
}

// begin puts one visit that began at t on the wheel; what it did before the
// scenario's beginning is skipped.
func (g *Generator) begin(src *source, t int64) {
	if g.wheel.live >= maxSessions {
		g.truth.SessionsDropped++
		return
	}
	i := g.wheel.alloc()
	s := &g.wheel.sessions[i]
	g.person(src, s)
	s.due = t
	alive := g.enter(s, 0)
	for alive && s.due < 0 {
		alive = g.advance(s)
	}
	if !alive {
		g.wheel.release(i)
		return
	}
	g.wheel.put(i)
}

// warm fills the site with the visits that are under way when the scenario
// begins: those of the last 20 minutes.
func (g *Generator) warm(src *source) {
	const back = 20 * 60
	mean := g.visits(src, 0) * back
	for range src.rnd.poisson(mean, math.Exp(-mean)) {
		g.begin(src, -int64(src.rnd.unit()*back*1e9))
	}
}

// enter finds the next step from i on that the session takes.
func (g *Generator) enter(s *session, i int) bool {
	steps := g.site.programs[s.program].steps
	r := rng{s.rnd}
	for ; i < len(steps); i++ {
		st := &steps[i]
		x := r.next()
		if x>>32 >= st.chance {
			continue
		}
		n := int(st.low) + int(uint64(uint32(x))*uint64(st.up-st.low+1)>>32)
		if n == 0 {
			continue
		}
		s.rnd, s.step, s.left, s.retries = r.state, uint8(i), uint8(n-1), 0
		g.pause(s, st)
		return true
	}
	return false
}

// advance moves the session to its next request; false when there is none.
func (g *Generator) advance(s *session) bool {
	if s.left > 0 {
		s.left--
		s.retries = 0
		g.pause(s, &g.site.programs[s.program].steps[s.step])
		return true
	}
	return g.enter(s, int(s.step)+1)
}

func (g *Generator) pause(s *session, st *step) {
	r := rng{s.rnd}
	x := r.next()
	s.rnd = r.state
	if st.rhythmic {
		s.due += st.gap - st.gap/32 + int64(x%uint64(st.gap/16+1))
		return
	}
	s.due += st.floor + int64(float64(st.gap-st.floor)*float64(g.site.pauses[x&1023]))
}
