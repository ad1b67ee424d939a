package detect

import "math/bits"

// client is what is remembered of one client: 208 bytes, no pointer. Counters
// are of its session; half of them fade every epoch, so that a session which
// lasts for days is judged by its last minutes.
type client struct {
	key   uint64 // 0: the slot is empty
	addr  [16]byte
	last  int64  // event time of its newest request, ns
	first uint32 // second of its first request
	epoch uint32 // second when its counters began

	tmpls uint64 // linear counters of 64 bits: distinct templates,
	paths uint64 // distinct paths with queries,
	errs  uint64 // distinct templates and queries that failed,
	accts uint64 // distinct accounts,
	uas   uint32 // distinct user agents (32 bits)
	wrong uint32 // of those, under which it did what it could be accused of

	n       uint32 // requests
	dyn     uint32 // of those, neither asset nor media nor meta
	static  uint32 // assets and media
	refs    uint32 // with a referer
	bad     uint32 // 4xx that are the client's own doing
	lost    uint32 // 5xx and 429
	good    uint32 // 2xx and 3xx
	tries   uint32 // sign-ins
	refused uint32
	probes  uint32
	slow    uint32
	newPQ   uint32 // asked for what nobody asked for lately

	major   uint32 // Boyer–Moore majority template
	majorN  uint32
	majorP  uint32 // the same for the exact path
	majorPN uint32
	uax     uint32 // last user agent
	size    uint8  // of the last try's answer
	sameSz  uint8  // tries in a row whose answer had that size
	flags   uint8
	majorC  class  // of the majority template
	retry   bool   // its last answer was 5xx or 429
	heavy   bool   // has a record for its volume, whatever its hash
	turns   uint16 // seconds in which it asked for something

	gap  float32 // mean seconds between requests, decayed
	dev  float32 // mean absolute deviation of it
	rate float32 // dynamic requests a second, decayed over rateSpan
	load float32 // all requests a second, decayed over loadSpan
	peak float32 // highest rate
	calm float32 // slow mean of the rate: what this client usually does
	tick uint32  // requests since the last tick
	out  int32   // index of its newest row in the outbox, if tick > 0
	// The same for sign-ins.
	outAuth  int32
	tickAuth uint16
	class    uint8  // bits: the episodes that it is an actor of
	lean     int8   // log odds, in quarters, that a signature gave to its requests together
	hits     uint16 // requests that a signature marked
	asked    uint16 // requests while a signature was in force
	pages    uint16 // requests for pages
	rush     uint16 // of those, in the second of the one before
	paged    uint32 // second of its last page
}

const (
	rateSpan  = 3.0 // s; a flood shows in its first seconds
	loadSpan  = 10.0
	calmSpan  = 600.0
	epochSpan = 600        // s; a password list takes minutes, a corporate NAT's typing errors take hours
	idleSpan  = 1800 * 1e9 // ns; after it a client is a new visitor
)

const (
	clientRobots  uint8 = 1 << iota // read robots.txt
	clientCrawler                   // says that it is a robot
	clientTool                      // its user agent is a library or a tool
	clientAborts                    // goes away before it has the answer; after how long is not known
	clientBusts                     // asks for one thing under queries that never repeat
	clientVaried                    // was a rounded visitor in an earlier epoch
)

func countBits(m uint64) int {
	// Linear counting (Whang et al. 1990): n = -m ln(empty/m).
	return int(linear64[bits.OnesCount64(m)])
}

var linear64 = func() (t [65]uint16) {
	// round(-64·ln(1-k/64)); 64 set bits stand for 300 and more.
	exact := [...]uint16{0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 15, 16, 17, 18, 20, 21, 23, 24, 25, 27, 29, 30, 32, 33, 35, 37, 39, 40, 42,
		44, 46, 49, 51, 53, 55, 58, 60, 63, 65, 68, 71, 74, 78, 81, 85, 89, 93, 97, 102, 107, 113, 119, 126, 133, 142, 151, 163, 177, 196, 222, 266, 300}
	copy(t[:], exact[:])
	return t
}()

func (c *client) distinctPaths() int  { return countBits(c.paths) }
func (c *client) distinctErrors() int { return countBits(c.errs) }
func (c *client) userAgents() int     { return bits.OnesCount32(c.uas) }

// rounded says that a client behaves like a visitor: several different things,
// none of which is nearly all.
func (c *client) rounded() bool {
	return c.n >= 5 && bits.OnesCount64(c.tmpls) >= 4 && c.majorN*10 < c.n*8
}

// visits says that a client behaves like somebody who opens pages: what belongs to
// them is only a part of it.
func (c *client) visits() bool { return c.rounded() && c.static > 0 && c.dyn > 0 }

// shared says that many people seem to be behind the client's address: several
// user agents, and all that people load. They ask for ever other things; one
// machine that changes its name does not.
func (c *client) shared() bool {
	return c.rounded() && c.static > 0 && c.userAgents() >= 4 && c.newPQ*2 < c.n &&
		(c.n < 100 || bits.OnesCount64(c.paths) >= 16)
}

func agentBit(e *event) uint32 { return 1 << (e.uax >> 27) }

// fewWrong is how many user agents may have done wrong for a further request under
// one of them to be held for the same machine's: more are made up, or people's.
const fewWrong = 8

// offended says that a request comes as those did which the client could be accused
// of, and not as a browser loads a page.
func (c *client) offended(e *event) bool {
	return c.wrong&agentBit(e) != 0 && bits.OnesCount32(c.wrong) <= fewWrong && !e.class.static() && e.flags&flagReferer == 0
}

// monotone says how much of what a client does is one thing: 0 little, 1 most,
// 2 nearly all. majorN is a lower bound of the majority's excess over the rest.
func (c *client) monotone() uint32 {
	switch {
	case c.n < 3:
		return 0
	case c.majorN*5 >= c.n*4:
		return 2
	case c.majorN*5 >= c.n*2:
		return 1
	}
	return 0
}

// add counts an event that stands for e.rep requests. The event's time may be
// before the last one's: shuffled logs are read as they come.
func (c *client) add(e *event) {
	second := e.nano / 1e9
	if e.class == classPage {
		if c.paged == uint32(second) {
			c.rush = min(c.rush, 1<<15) + 1
		}
		c.pages, c.paged = min(c.pages, 1<<15)+1, uint32(second)
	}
	if c.n == 0 || second != c.last/1e9 {
		c.turns = min(c.turns, 1<<15) + 1
	}
	if c.n == 0 {
		c.key, c.addr, c.first, c.epoch, c.last = e.key, e.addr, uint32(second), uint32(second), e.nano
	} else {
		c.timing(e)
		c.fade(e, second)
	}
	k := e.rep
	c.n += k
	c.tick += k
	c.load += float32(k) / loadSpan
	tb := uint64(1) << (e.tmpl >> 26)
	pb := uint64(1) << (e.pq >> 58)
	c.tmpls |= tb
	c.paths |= pb
	c.majority(e)
	if e.flags&flagReferer != 0 {
		c.refs += k
	}
	// An asset under queries that never repeat is no asset: it reaches the origin.
	busts := e.flags&flagQuery != 0 && e.flags&flagNewPQ != 0 && c.newPQ >= 8
	if busts {
		c.flags |= clientBusts
	}
	switch {
	case e.class.static() && !busts:
		c.static += k
	case e.class == classMeta:
		c.flags |= clientRobots
	default:
		c.dyn += k
		c.rate += float32(k) / rateSpan
		c.peak = max(c.peak, c.rate)
	}
	if e.flags&flagTool != 0 && e.uax != 0 {
		c.flags |= clientTool
	}
	if e.flags&flagCrawler != 0 {
		c.flags |= clientCrawler
	}
	if e.flags&flagProbe != 0 {
		c.probes += k
		c.wrong |= agentBit(e)
	}
	if e.flags&flagNewPQ != 0 {
		c.newPQ += k
	}
	if e.uax != 0 {
		c.uas |= agentBit(e)
	}
	c.uax = e.uax
	c.answer(e, tb|pb)
}

// timing folds the gap since the client's last request into its rhythm.
func (c *client) timing(e *event) {
	gap := float32(e.nano-c.last) / 1e9
	if gap < 0 {
		gap = -gap
	}
	if e.nano > c.last {
		c.last = e.nano
	}
	if gap > 0 {
		x := gap / rateSpan
		c.rate /= 1 + x + x*x/2 // e^-x, to the second order
		y := gap / loadSpan
		c.load /= 1 + y + y*y/2
		a := min(gap/calmSpan, 1)
		c.calm += a * (c.rate - c.calm)
	}
	off := gap - c.gap
	if off < 0 {
		off = -off
	}
	if c.n == 1 {
		c.gap, c.dev = gap, gap
		return
	}
	c.gap += (gap - c.gap) / 8
	c.dev += (off - c.dev) / 8
}

func (c *client) fade(e *event, second int64) {
	if second-int64(c.epoch) < epochSpan {
		return
	}
	if c.rounded() {
		c.flags |= clientVaried
	}
	for _, p := range [...]*uint32{&c.n, &c.dyn, &c.static, &c.refs, &c.good, &c.newPQ, &c.majorN, &c.majorPN} {
		*p /= 2
	}
	c.n, c.turns, c.pages, c.rush = max(c.n, 1), c.turns/2, c.pages/2, c.rush/2
	c.absolve()
	c.epoch = uint32(second)
}

// absolve forgets what a client could be accused of.
func (c *client) absolve() {
	c.bad, c.lost, c.tries, c.refused, c.probes, c.slow, c.sameSz = 0, 0, 0, 0, 0, 0, 0
	c.errs, c.accts, c.paths, c.uas, c.wrong, c.peak = 0, 0, 0, 0, 0, c.rate
}

func (c *client) majority(e *event) {
	if vote(&c.major, &c.majorN, e.tmpl, e.rep) {
		c.majorC = e.class
	}
	vote(&c.majorP, &c.majorPN, uint32(e.pq>>20), e.rep)
}

// vote is Boyer and Moore's majority vote (1981).
func vote(who, n *uint32, candidate, k uint32) (changed bool) {
	switch {
	case *who == candidate:
		*n += k
	case *n >= k:
		*n -= k
	default:
		*who, *n = candidate, k-*n
		return true
	}
	return false
}

func (c *client) answer(e *event, what uint64) {
	k := e.rep
	c.retry = e.status >= 500 || e.status == 429
	switch s := e.status; {
	case c.retry:
		c.lost += k
	case s >= 400 && s != 499 && s != 408 && s != 460:
		// A page that refers to an asset which is missing is the site's fault.
		if !(e.class.static() && e.flags&flagReferer != 0) {
			c.bad += k
			c.errs |= what
			c.wrong |= agentBit(e)
		}
	case s >= 200 && s < 400:
		c.good += k
	}
	if e.slow() {
		c.slow += k
		if e.aborted() {
			c.flags |= clientAborts
		}
	}
	if !e.tried() || c.retry {
		return
	}
	c.tries += k
	if e.refused() {
		c.refused += k
	}
	if e.acct != 0 {
		c.accts |= 1 << (e.acct >> 26)
	}
	if e.size == c.size && c.sameSz < 255 {
		c.sameSz++
	} else if e.size != c.size {
		c.size, c.sameSz = e.size, 1
	}
}
