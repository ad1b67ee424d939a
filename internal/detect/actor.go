package detect

import "github.com/vigie-otel/vigie/internal/finding"

// actorNote is one client that stands for itself: judged by what it did, with no
// need of a baseline.
type actorNote struct {
	key   uint64
	addr  [16]byte
	first int64 // second
	score float32
}

const (
	// hammerRate is what no person's clicks and no polling client reach for
	// seconds: dynamic requests a second from one client. The peer's crawl rule
	// begins at 2 a second, but for different pages and after 40; a page that
	// loads eight API calls is within it.
	hammerRate     = 12.0
	hammerRequests = 36
	// hammerShare is what one client must be of the service's usual rate: on a
	// big service a client at 12 a second harms nobody, and distributed floods
	// are found by their composition.
	hammerShare = 0.05

	scanErrors   = 8  // different paths that failed; the peer's rule has 10
	scanProbes   = 4  // requests for what only an intruder wants
	stuffRefused = 8  // refused sign-ins; people who forgot their password give up at 3 to 5
	stuffSame    = 20 // answers of one size to as many sign-ins: a form shown again
	slowRequests = 6
	slowAborts   = 8
)

// judgeClients looks at the clients that were active in the tick.
func (s *service) judgeClients() {
	for _, slot := range s.clients.active {
		s.judgeClient(&s.clients.slots[slot])
	}
}

// judgeClient accuses c of what it does, if anything. It is called at each tick
// and, between two, whenever c has made judgeEvery requests more: a list of
// passwords may be through within a second.
func (s *service) judgeClient(c *client) {
	if c.n < 3 || c.key == 0 {
		return
	}
	if c.class == 0 && c.dyn >= hammerRequests && c.rate >= 3*hammerRate {
		s.accuse(c, epFlood, s.hammers(c)) // at that rate it is no search, whatever fails
	}
	if c.class&(1<<epScanning|1<<epFlood) == 0 && c.n >= 5 && c.bad+c.probes >= 4 {
		s.accuse(c, epScanning, s.scans(c))
	}
	if c.class&(1<<epStuffing) == 0 && c.tries >= uint32(s.fewer(epStuffing, stuffRefused, 6)) {
		s.accuse(c, epStuffing, s.stuffs(c))
	}
	if c.class&(1<<epSlow) == 0 && c.slow >= uint32(s.fewer(epSlow, slowRequests, 3)) {
		s.accuse(c, epSlow, s.slows(c))
	}
	if c.class == 0 && (c.dyn >= hammerRequests && c.rate >= hammerRate || c.n >= 300 && c.load >= 2*hammerRate) {
		s.accuse(c, epFlood, s.hammers(c))
	}
	if c.class == 0 {
		s.accuse(c, epFlood, switches(c))
	}
}

// fewer is how many times suffice while a finding of the kind is open: who does
// the same then is probably part of it.
func (s *service) fewer(kind, n, open int) int {
	if s.eps[kind].open {
		return open
	}
	return n
}

const judgeEvery = 16

// switches: one client repeats one request, which fails, under ever other user
// agents. Many people behind one address do too, but succeed.
func switches(c *client) float32 {
	n := uint32(c.userAgents())
	if n < 7 || n*10 < min(c.n, 20)*6 || c.monotone() != 2 || c.static > 0 || c.slow*2 >= c.n || c.bad*2 < c.n {
		return 0
	}
	return 2
}

const (
	maxActorNotes = 256
	// quietActors is for how long (ns) after a finding's last request an accusation
	// by the lower bars of an open finding still prolongs it.
	quietActors = 20e9
)

func (s *service) accuse(c *client, kind int, score float32) {
	if score <= 0 {
		return
	}
	if flood := &s.eps[epFlood]; flood.open && !s.eps[kind].open && (c.rate >= 1 || flood.took&(1<<kind) != 0 || flood.class == episodeClass[kind] || c.hits >= 2 && uint32(c.hits)*2 >= c.bad) {
		kind = epFlood // a flood of sign-ins is one attack, not two
	}
	if kind == epFlood && !s.eps[epFlood].open { // and what hammers within an open finding of another kind is of that
		switch {
		case c.tries*2 >= c.n && (s.eps[epStuffing].open || c.refused*10 >= c.tries*8):
			kind = epStuffing
		case s.eps[epScanning].open && c.bad*2 >= c.n:
			kind = epScanning
		case s.eps[epSlow].open && c.slow*2 >= c.n:
			kind = epSlow
		}
	}
	c.class |= 1 << kind
	ep := &s.eps[kind]
	if !ep.open || s.clock-ep.last < quietActors {
		ep.last = max(ep.last, c.last)
	}
	ep.changed = true
	if len(ep.actors) < maxActorNotes {
		ep.actors = append(ep.actors, actorNote{key: c.key, addr: c.addr, first: int64(c.first), score: score})
	}
	if !ep.open {
		ep.conf = float64(min(0.99, 0.6+0.1*score))
		class := episodeClass[kind]
		if kind == epFlood && c.flags&clientBusts != 0 && c.newPQ*5 >= c.n*4 {
			class = finding.CacheBusting
		}
		ep.begin(s, class, int64(c.first)*1e9)
		ep.requests += uint64(c.n)
		if kind == epFlood {
			s.takeOver()
		}
	}
}

// hammers: one client asks faster than anybody can, and in a way that people
// do not.
func (s *service) hammers(c *client) float32 {
	expected := max(s.pace.expected(s.second), s.rate(10))
	rate := max(c.rate, c.load) // what it asks for may be assets
	switch {
	case float64(rate) < hammerShare*expected:
		return 0
	case c.lost*2 >= c.n && c.rate < 4*hammerRate: // what its library does when the site is down
		return 0
	case c.flags&clientVaried != 0 || float64(c.rate) < 3*float64(c.calm): // it always does
		return 0
	case c.shared(): // an address that many people share
		return 0
	}
	var score float32
	if rate >= 2*hammerRate {
		score++
	}
	if n := c.distinctPaths(); n < 100 && uint32(n)*10 <= c.n {
		score++ // few things, over and over
	} else if c.majorPN*5 >= c.n*4 || (c.majorN*5 >= c.n*4 && c.newPQ*5 < c.n) {
		score++ // one thing, over and over
	}
	if c.newPQ*5 >= c.dyn*4 && (c.majorN*5 >= c.n*3 || c.n >= 200) {
		score++ // queries that never repeat
	}
	if c.static == 0 && s.has.but(s.has.static, c.static, c.n) >= 0.15 {
		score++
	}
	if c.refs == 0 && s.has.but(s.has.refs, c.refs, c.n) >= 0.3 {
		score++
	}
	if n := c.userAgents(); n >= 4 && !c.rounded() {
		score++
	}
	if c.bad*2 >= c.n {
		score++
	}
	if score < 2 {
		return 0
	}
	return score
}

// scans: one client guesses at paths.
func (s *service) scans(c *client) float32 {
	var score float32
	least := s.fewer(epScanning, scanErrors, 5)
	if c.visits() {
		least += least / 2 // people find dead links too, and some share an address
	}
	failed := c.distinctErrors() >= least && c.bad*10 >= c.n*3
	if failed {
		score++
		if c.bad*10 >= c.dyn*6 {
			score++
		}
	}
	probes := c.probes >= uint32(s.fewer(epScanning, scanProbes, 3)) && c.probes*6 >= c.n
	if probes {
		score++
		if c.bad+c.lost >= 4 || c.probes >= 5*scanProbes {
			score++
		}
	}
	if many := c.distinctErrors() >= 3*scanErrors && c.userAgents() <= 3; many && !failed {
		// A scanner that crawls too fails in a smaller share: by number, then.
		switch {
		case c.probes >= 2*scanProbes:
			return 2
		case c.bad*10 >= c.n && (c.flags&clientTool != 0 || c.rate >= 2) && c.flags&clientCrawler == 0:
			return 2
		}
	}
	if !failed && !probes {
		return 0
	}
	if c.static == 0 && c.refs == 0 && c.n >= 10 {
		score += 0.5
	}
	if c.userAgents() >= 4 && !c.rounded() || c.uax == 0 {
		score += 0.5
	}
	if c.rate >= 2 || c.distinctErrors() >= 3*scanErrors {
		score += 0.5
	}
	if c.flags&clientCrawler != 0 && c.flags&clientRobots != 0 {
		score-- // robots follow dead and garbled links
	}
	if score < 2 {
		return 0
	}
	return score
}

// stuffs: one client tries passwords.
func (s *service) stuffs(c *client) float32 {
	succeeded := c.tries - min(c.refused, c.tries)
	switch {
	case c.refused >= uint32(s.fewer(epStuffing, stuffRefused, 6)) && c.refused*10 >= c.tries*8 && (c.tries*2 >= c.dyn || c.refused >= 3*stuffRefused):
	case uint32(c.sameSz) >= stuffSame && c.tries*10 >= c.dyn*6 && c.gap < 15 && c.refused == 0 && c.class&(1<<epStuffing) == 0 && s.formAnswers(c):
		succeeded = 0
	case countBits(c.accts) >= 8 && c.refused*2 >= c.tries && c.tries*2 >= c.dyn:
	default:
		return 0
	}
	if succeeded*5 > c.tries && c.userAgents() > 3 { // an address that many people share
		return 0
	}
	if c.good > 0 && c.class == 0 && c.major != 0 && c.rounded() && c.refused < 2*stuffRefused {
		return 0
	}
	score := float32(2)
	if countBits(c.accts) >= 4 {
		score++
	}
	if c.gap < 2 {
		score++
	}
	return score
}

// formAnswers says that answers without a refusal may be refusals: a form that
// is shown again with 200. A token endpoint answers 200 too, but to clients that
// go on to do something else.
func (s *service) formAnswers(c *client) bool { return c.dyn-min(c.dyn, c.tries) <= c.tries/2 }

// slows: one client holds connections with requests that never end. Where the log
// does not say how long they took, going away again and again counts, from a
// client that does one thing and nothing else, while others stay: people who lose
// patience, or their network, do other things too, or are many.
func (s *service) slows(c *client) float32 {
	if c.slow*10 < c.n*6 {
		return 0
	}
	if c.flags&clientAborts != 0 {
		if c.slow < slowAborts || c.static > 0 || c.monotone() != 2 {
			return 0
		}
		var n, gaveUp uint64
		for i := range min(20, int(s.tick)) {
			n += s.slot(i).n
			gaveUp += s.slot(i).gaveUp
		}
		if gaveUp*50 > n {
			return 0
		}
	}
	return 2
}
