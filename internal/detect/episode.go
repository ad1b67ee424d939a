package detect

import (
	"math"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// A service has at most one finding of each of these kinds at a time: one attack
// is one finding, however many paths, networks or waves it has.
const (
	epFlood = iota // http_flood, distributed_flood, cache_busting, as the evidence says
	epStuffing
	epScanning
	epSlow
	episodes
)

var episodeClass = [episodes]finding.Class{finding.HTTPFlood, finding.CredentialStuffing, finding.PathScanning, finding.Slowloris}

// episode is the life of a finding of one kind.
type episode struct {
	looks   uint8            // the last looks, newest in bit 0: 1 where it was an attack
	leant   [leanLooks]int64 // seconds of the last that leaned towards the same one, newest first
	towards *signature       // which
	took    uint8            // of a flood: the kinds that it took over, a bit each
	open    bool
	id      string
	class   finding.Class
	started int64 // ns
	found   int64
	last    int64 // ns: its newest request
	closed  int64

	sig      *signature // nil where only actors are known
	op       opinion
	requests uint64
	peak     float64 // requests a second, marked
	busiest  float64 // the same of its offences, over ten seconds
	noise    float64 // share of ordinary requests that sig marks
	conf     float64
	actors   []actorNote
	told     int64 // second of the last report
	changed  bool
	attack   []row           // rows of it, for attribution
	legit    []row           // and of others
	sample   []row           // both, in one piece of memory
	final    finding.Finding // as last told
	book     *casebook       // what its rules are learned from
}

const (
	updateEvery = 10   // s between updates of one finding
	awaitFlood  = 4e9  // ns: until a flood would be sure
	quietShare  = 0.08 // of its peak: less does not keep a finding open
)

// look remembers what one look said, and says whether to open: at three of five
// looks, or two when the evidence is overwhelming.
func (ep *episode) look(attack, sure bool) bool {
	ep.looks <<= 1
	if attack {
		ep.looks |= 1
	}
	n := popcount(uint16(ep.looks & 0x1f))
	return attack && (n >= 3 || (sure && n >= 2))
}

const (
	// A finding opens, too, when leanLooks looks within leanSpan seconds lean towards
	// an attack, whose evidence never is enough at one time.
	leanLooks = 8
	leanSpan  = 25
)

// leans notes that x leaned towards an attack, and says whether that is the last look
// of enough towards the same one.
func (ep *episode) leans(second int64, x *excess, sig *signature) bool {
	if ep.towards == nil {
		ep.towards = new(signature)
	} else if same, _ := x.overlap(ep.towards); !same {
		clear(ep.leant[:])
	}
	*ep.towards = *sig
	copy(ep.leant[1:], ep.leant[:])
	ep.leant[0] = second
	first := ep.leant[leanLooks-1]
	return first != 0 && second-first < leanSpan
}

func (ep *episode) begin(s *service, class finding.Class, started int64) {
	ep.open, ep.class, ep.changed = true, class, true
	ep.started, ep.found = started, max(s.clock, ep.last)
	ep.last = max(ep.last, min(s.newest, s.clock))
	ep.closed, ep.told, ep.took = 0, 0, 0
	ep.id = finding.NewID(class, s.name, time.Unix(0, started).UTC(), s.d.cfg.Seed)
	s.open++
	if ep == &s.eps[epFlood] {
		s.v.attacked = started / 1e9
	}
}

func (ep *episode) end(s *service) {
	ep.open = false
	ep.closed = s.clock
	s.open--
	if ep == &s.eps[epFlood] {
		s.v.attacked = 0
	}
}

// takeOver takes what was found of other kinds into the flood that it turns out
// to be part of: a flood of sign-ins, or of paths that do not exist, is one
// attack. What was told just before a flood is part of it; what is older, if the
// flood's signature accuses it. The flood keeps the first one's name and time, and
// what was told under that name goes on as an update, of another class, at once.
func (s *service) takeOver() {
	flood := &s.eps[epFlood]
	for i := epFlood + 1; i < episodes; i++ {
		ep := &s.eps[i]
		recent := ep.sig == nil && s.clock-ep.found <= awaitFlood
		if !ep.open || !recent && !s.within(i, flood.sig) {
			continue
		}
		if ep.found < flood.found {
			flood.id, flood.started, flood.found = ep.id, min(flood.started, ep.started), ep.found
			if ep.told != 0 {
				flood.told = max(flood.told, min(ep.told, s.second-updateEvery))
			}
		}
		flood.took |= 1 << i
		flood.requests = max(flood.requests, ep.requests)
		flood.actors = append(flood.actors, ep.actors...)
		for _, a := range ep.actors {
			if c := s.clients.find(a.key); c != nil {
				c.class = c.class&^(1<<i) | 1<<epFlood
			}
		}
		ep.reset()
		s.open--
	}
}

// within says whether the signature of a flood accuses what the open finding of
// another kind does.
func (s *service) within(kind int, sig *signature) bool {
	if sig == nil {
		return false
	}
	var all, both float32
	other := s.eps[kind].sig
	for i := range min(10, int(s.tick)) {
		sl := s.slot(i)
		rows := sl.rows
		if other != nil {
			rows = sl.auth
		}
		for j := range rows {
			r := &rows[j]
			own := false
			if c := s.clients.find(r.key); c != nil && c.class&(1<<kind) != 0 {
				own = true
			} else if other != nil {
				own = other.odds(r) > other.bar
			}
			if own {
				all += r.w
				if sig.odds(r) > 0 {
					both += r.w
				}
			}
		}
	}
	return all > 0 && both*2 >= all
}

// reset forgets a closed episode.
func (ep *episode) reset() {
	*ep = episode{sample: ep.sample[:0]}
}

// mark says which open finding the request belongs to, if any.
func (s *service) mark(e *event, r *row, c *client) (m Mark) {
	best := -1
	for i := range s.eps {
		ep := &s.eps[i]
		if !ep.open {
			continue
		}
		if p := ep.suspicion(i, e, r, c); p > m.Suspicion {
			m, best = Mark{FindingID: ep.id, Suspicion: p}, i
		}
	}
	s.witness(e, r, best)
	if best < 0 {
		return m
	}
	r.flags |= rowMarked
	s.suspected += uint64(e.rep)
	s.now.marked[best] += uint64(e.rep)
	if offends(best, e) {
		s.now.offences[best] += uint64(e.rep)
		s.now.lastMark[best] = max(s.now.lastMark[best], e.nano)
	}
	return m
}

const (
	actorSuspicion = 0.97
	innocentOdds   = -2.0
	// A client's requests speak for each other: what they lean to together, each by
	// at most leanMost beyond the one that chance allows, makes it an actor.
	leanMost, leanChance, leanActor = 4.0, 1.5, 10.0
	leanLeast                       = 3 // requests
)

func (ep *episode) suspicion(kind int, e *event, r *row, c *client) float64 {
	actor := c != nil && c.class&(1<<kind) != 0 && ownsRequest(kind, e, c)
	if ep.sig == nil {
		if actor {
			return actorSuspicion
		}
		return 0
	}
	// An address may be an attacker's proxy and people's way out at once: what
	// the signature holds for people's is theirs.
	if actor && (kind != epFlood || ep.sig.odds(r) > innocentOdds) {
		return actorSuspicion
	}
	// Its signature was learned among the sign-ins that were refused; people's
	// succeed, and it says nothing of those.
	if kind == epStuffing && !(e.tried() && e.denied()) {
		return 0
	}
	o := ep.sig.odds(r)
	hit := o > ep.sig.bar
	if c != nil {
		if c.asked >= 1000 {
			c.asked, c.hits = c.asked/2, c.hits/2
		}
		c.asked++
		if hit {
			c.hits++
		}
		lean := float64(c.lean)/4 + max(min(float64(o)-leanChance, leanMost), -leanMost)
		c.lean = int8(4 * max(min(lean, 2*leanActor), -leanMost))
		if lean >= leanActor && c.asked >= leanLeast && r.flags&rowKnown == 0 {
			c.class |= 1 << kind
		}
	}
	if !hit {
		return 0
	}
	return 1 / (1 + math.Exp(-float64(o)))
}

// offends says whether a marked request is of what the finding is about: an address
// that was an attacker's may be a visitor's afterwards, and what that one asks for
// does not keep the finding open.
func offends(kind int, e *event) bool {
	switch kind {
	case epStuffing:
		return e.tried()
	case epScanning:
		return e.status >= 400 && e.status < 500 || e.flags&flagProbe != 0
	case epSlow:
		return e.slow()
	}
	return true
}

// ownsRequest says which requests of an actor belong to its finding: what it is
// accused of, and whatever else it does while nobody but it is behind its address.
// Behind a proxy's or a carrier's there are people as well: what comes under a user
// agent that has done nothing wrong, or as a browser loads a page, is theirs.
func ownsRequest(kind int, e *event, c *client) bool {
	switch kind {
	case epScanning:
		return offends(kind, e) || c.static+c.refs == 0 || c.good*10 < c.n || c.userAgents() == 1 || c.offended(e)
	case epStuffing:
		own := c.offended(e) || (c.n-min(c.n, c.tries))*10 <= c.n
		if e.tried() {
			return own || e.denied() || c.refused*4 < c.tries
		}
		return own && c.tries*10 >= c.dyn*7
	case epSlow:
		return e.slow() || c.slow*10 >= c.n*8
	}
	return true
}
