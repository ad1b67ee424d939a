package detect

import (
	"math"
	"math/bits"
)

// dim is a feature of a request that does not depend on how many there are.
type dim uint8

const (
	dimPath    dim = iota // method and path template
	dimKind               // method, class, whether there is a query and a referer
	dimAgent              // user agent with its versions folded
	dimExact              // user agent as it is: for telling apart, never evidence
	dimNet16              // /16 or /32
	dimNet24              // /24 or /48
	dimClient             // the client itself
	dimSession            // what the client did before: how varied, with assets, with referers
	dimRhythm             // how regular its gaps are
	dimChurn              // how many user agents it has
	dimQuery              // whether path and query were seen lately
	dimAge                // how long the client is known
	dimOutcome            // the kind of answer
	dimJA4
	dimFollow // the session, and whether the client came back within followTicks, for what
	dimLoad   // how many dynamic requests a second its client makes
	dimHold   // how long the request held its connection, and what for
	dimManner // how its client comes by, for one of its kind: see manner
	dims
)

// row is one sampled request as its features. 96 bytes, no pointer.
type row struct {
	key   uint64
	w     float32 // how many requests it stands for
	n     uint16  // requests that its client had made before, as far as they fit
	life  uint16  // s since its client's first request, likewise
	val   [dims]uint32
	path  uint16 // exact, hashed to tell a window's apart
	what  uint16 // path and query, likewise
	class class
	stage uint8 // how far into its session the client was
	flags uint8
	event uint8 // event.flags
}

const (
	rowHeavy   uint8 = 1 << iota // its client is kept for its volume, not sampled
	rowKnown                     // client known for knownAfter, as a visitor
	rowRounded                   // client behaves like a visitor
	rowMarked                    // belongs to an open finding
	rowShared                    // many people behind one address, by all that is seen
	rowRetry                     // repeats what a 5xx or 429 answered
	rowFailed                    // the site failed its client in this session: its course is the site's doing
	rowEarly                     // the log's beginning cut its session: it says nothing of the site's
)

const (
	knownAfter = 60 // s
	noAgent    = 2  // the value of a user agent that is missing, in a log that has them; hashes are odd
)

// stageOf is how far into its session a client is: at its first request, at the
// next two, until the tenth, later.
func stageOf(n uint32) uint8 {
	switch {
	case n == 0:
		return 0
	case n < 3:
		return 1
	case n < 10:
		return 2
	}
	return 3
}

// fill makes r the row of e, whose client c (nil when it is not in the sample)
// has not counted it yet. 0 as a value means that there is nothing to say.
func (r *row) fill(e *event, c *client, v *vantage) {
	*r = row{key: e.key, w: float32(e.rep), path: uint16(e.path), what: uint16(e.pq >> 20), class: e.class, event: e.flags}
	shape := uint32(e.flags & (flagQuery | flagReferer))
	r.val[dimPath] = e.tmpl
	r.val[dimKind] = 1 + uint32(e.method) + uint32(e.class)<<4 + shape<<8
	r.val[dimAgent], r.val[dimExact], r.val[dimJA4] = e.fam, e.uax, e.ja4
	if e.uax == 0 && v.agents {
		r.val[dimAgent], r.val[dimExact] = noAgent, noAgent
	}
	if e.ipv4() {
		ip := uint32(e.addr[12])<<16 | uint32(e.addr[13])<<8 | uint32(e.addr[14])
		r.val[dimNet24], r.val[dimNet16] = ip|1<<24, ip>>8|1<<25
	} else {
		r.val[dimNet16] = uint32(be64(e.addr[:])>>32)*0x9e3779b1 | 1<<31
		r.val[dimNet24] = uint32(be64(e.addr[:])>>16)*0x85ebca6b | 1<<31
	}
	r.val[dimClient] = uint32(e.key >> 32)
	r.val[dimQuery] = 1 + uint32(e.flags&flagQuery)
	r.val[dimOutcome] = outcome(e.status)
	if e.dur != noDur && e.status < 500 {
		r.val[dimHold] = 1 + uint32(e.dur)
		if e.dur >= durTen {
			r.val[dimHold] |= uint32(min(e.size, 16))<<4 | outcome(e.status)<<12
		}
	} else if e.status == 408 {
		r.val[dimHold] = 9
	}
	if c != nil {
		r.session(e, c, v)
	}
}

func outcome(status uint16) uint32 {
	switch {
	case status == 0:
		return 0
	case status == 401 || status == 403 || status == 404 || status == 408 || status == 429 || status == 499:
		return uint32(status)
	}
	return uint32(status) / 100
}

// session fills in what depends on the client's past.
func (r *row) session(e *event, c *client, v *vantage) {
	second := e.nano / 1e9
	r.stage, r.n = stageOf(c.n), uint16(min(c.n, math.MaxUint16))
	s := uint32(r.stage) + 1
	if c.visits() {
		r.flags |= rowRounded
	}
	if c.heavy {
		r.flags |= rowHeavy
	}
	// While an attack lasts, its clients are new that came with it, however long
	// it lasts.
	was := second
	if v.attacked != 0 {
		was = min(was, v.attacked)
	}
	if c.n > 0 {
		r.life = uint16(min(max(was-int64(c.first), 0), math.MaxUint16))
	}
	if c.n > 0 && was-int64(c.first) >= knownAfter {
		r.val[dimAge] = 2
		if (c.rounded() || c.flags&clientVaried != 0) && (c.static > 0 || !v.statics) {
			r.flags |= rowKnown
		}
	} else if second-v.began >= knownAfter { // before, nobody can be known
		r.val[dimAge] = 1
	}
	if c.retry {
		r.flags |= rowRetry
	}
	if c.lost > 0 {
		r.flags |= rowFailed
	}
	// What is new once is somebody's own page; what is new each time is not.
	if e.flags&flagNewPQ != 0 && c.newPQ >= 2 {
		r.val[dimQuery] |= uint32(flagNewPQ)
	}
	var static, refs uint32
	if c.static > 0 {
		static = 1
	}
	if c.refs > 0 || e.flags&flagReferer != 0 {
		refs = 1
	}
	at := uint32(e.class)<<16 + s<<12
	if second-v.began < knownAfter {
		r.flags |= rowEarly
	}
	r.val[dimSession] = 1 + at + static<<1 + refs<<2 + c.monotone()<<4
	if c.visits() {
		r.val[dimSession] = 1 + at + 15<<6
	}
	if c.shared() {
		r.flags |= rowShared // its load and its user agents are those of many people
		return
	}
	r.val[dimManner] = manner(e, c)
	r.val[dimLoad] = 1 + uint32(bits.Len32(uint32(c.load*c.load*4)))
	if v.subsecond && c.n >= 4 && c.gap > 0.05 {
		switch x := c.dev / c.gap; {
		case x < 0.05:
			r.val[dimRhythm] = 1
		case x < 0.3:
			r.val[dimRhythm] = 2
		default:
			r.val[dimRhythm] = 3
		}
	}
	if c.n >= 3 && c.uax != 0 {
		switch n := uint32(c.userAgents()); {
		case n <= 1:
			r.val[dimChurn] = 1
		case n*2 >= min(c.n, 12):
			r.val[dimChurn] = 4
		case n == 2:
			r.val[dimChurn] = 2
		default:
			r.val[dimChurn] = 3
		}
	}
}

// manner is what a client of a kind has been like by its request e, which it has
// not counted: whether it loads what belongs to pages, whether it says where it
// comes from, whether its requests come together as a page's do. The lower
// mannerBits are the shape; above them are the kind, and what is asked for at what
// stage, by which it is judged.
func manner(e *event, c *client) uint32 {
	if e.kind == 0 {
		return 0
	}
	part := func(k, n uint32) uint32 {
		switch {
		case k == 0:
			return 0
		case k*3 < n:
			return 1
		}
		return 2
	}
	n, turns := c.n+1, uint32(c.turns)
	ref := uint32(0)
	if e.flags&flagReferer != 0 {
		ref = 1
	}
	if c.n == 0 || e.nano/1e9 != c.last/1e9 {
		turns++
	}
	alone := uint32(0)
	switch {
	case turns*20 >= n*19:
		alone = 3
	case turns*4 >= n*3:
		alone = 2
	case turns*2 >= n:
		alone = 1
	}
	shape := ref | part(c.static, c.n)<<1 | part(c.refs, c.n)<<3 | alone<<5
	if bits.OnesCount64(c.tmpls) >= 4 {
		shape |= 1 << 7
	}
	if c.pages > 1 && c.rush*3 >= c.pages {
		shape |= 1 << 8
	}
	if c.lost > 0 {
		shape = spared(shape)
	}
	return shape | uint32(stageOf(c.n))<<mannerBits | uint32(e.class)<<(mannerBits+2) | uint32(e.kind)<<16
}

const (
	mannerBits   = 9
	mannerSpared = 1 << 15 // of a shape that leaves out what a failing site brings about
)

// spared is what of a shape does not hang on whether the site answered: what is
// loaded, and how fast, does.
func spared(manner uint32) uint32 {
	const shape, referers = 1<<mannerBits - 1, 0x19
	return manner&^(shape&^referers) | mannerSpared
}

// followed notes whether the row's client, which is c now, came back: not at all,
// for more of the same, or for what belongs to a page, which it had not loaded
// before.
func (r *row) followed(c *client) {
	if r.flags&rowEarly != 0 {
		return
	}
	if c.lost > 0 {
		r.val[dimFollow] = 0
		r.flags |= rowFailed
		return
	}
	how := uint32(1)
	if c.n > uint32(r.n)+uint32(max(r.w, 1)) || (c.heavy && r.flags&rowHeavy != 0) {
		how = 2
		if session := r.val[dimSession] - 1; c.static > 0 && session&2 == 0 && session>>6&15 == 0 {
			how = 3
		}
	}
	r.val[dimFollow] = how<<24 | r.val[dimSession]
}

// denied says that the request is a sign-in that was refused.
func (r *row) denied() bool {
	switch r.val[dimOutcome] {
	case 401:
		return true
	case 4, 403, 404:
		return r.class == classLogin
	}
	return false
}

// vantage is what a service's log is able to say: features that it cannot carry
// are missing, not evidence.
type vantage struct {
	began     int64 // second of the first request
	subsecond bool  // times are finer than a second
	statics   bool  // visitors load assets
	agents    bool  // requests carry user agents
	attacked  int64 // second when the open flood began; 0 when there is none
}
