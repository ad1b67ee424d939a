package detect

import "math"

// group is a dimension of evidence that is independent of the other groups: the
// features in one group say the same thing in several ways, and count once.
type group uint8

const (
	groupAgent   group = iota // who they say they are
	groupNetwork              // where they come from
	groupSession              // what their sessions look like
	groupRhythm               // how regular they are
	groupQuery                // what they ask for never repeats
	groupHold                 // they hold connections
	groupLoad                 // how much each of them asks for
	groupPath                 // weak: a crowd has a destination too
	groupAge                  // weak: a crowd is new too
	groupOutcome              // weak: errors may be the site's doing
	groups
)

var groupOf = [dims]group{
	dimPath: groupPath, dimKind: groups, dimAgent: groupAgent, dimExact: groups, dimNet16: groupNetwork,
	dimNet24: groupNetwork, dimClient: groupNetwork, dimSession: groupSession, dimRhythm: groupRhythm,
	dimChurn: groupAgent, dimQuery: groupQuery, dimAge: groups, dimOutcome: groupOutcome,
	dimJA4: groupAgent, dimHold: groupHold, dimManner: groupSession, dimLoad: groupLoad, dimFollow: groupSession,
}

const (
	// liftBar is how many times more often than in the baseline a value must
	// occur, among the requests for the same path, to be strange. Crowds move
	// weight between values that the baseline knows, by less than this.
	liftBar = 4.0
	// oddsBar is how many times better the odds of a session's shape must be.
	oddsBar = 8.0
	// foreignBar is the same for what ordinary traffic hardly has at all.
	foreignBar = 12.0
	// pathRows is how many sampled requests make a path a stratum of its own.
	pathRows = 20
)

// excess compares the rows of a window with the reference. Its memory is reused
// from one service to the next.
type excess struct {
	rows    []row
	n       float32 // weight of all rows
	ticks   int     // of the window
	mask    []uint16
	post    []float32  // log odds that the row is of the attack
	spare   []float32  // the same of the opinion before
	known   *signature // of what is found already; nil when nothing is
	found   *signature // of an open finding of another kind, likewise
	auth    bool       // rows are of refused sign-ins
	now     tally
	att     tally
	leg     tally
	own     bool    // the path of the row at hand is a stratum of its own
	tie     float32 // weight of one row of the reference in leg
	step    float32 // every how manieth of the window's rows is in rows
	alone   bool    // the attack's rows are measured by themselves: see sessions
	expect  float64 // requests a second that are no surge; 0 while that is unknown
	refused float32 // how much more sign-ins are refused than usual; 0 elsewhere
}

// measure marks, for each row, in which groups its value is strange: more than
// liftBar times its expected share, and too often for chance.
func (x *excess) measure(ref *reference) {
	x.now.reset(1 << 16)
	x.n = 0
	for i := range x.rows {
		r := &x.rows[i]
		x.n += r.w
		x.add(dimPath, 0, r.val[dimPath], r)
	}
	for i := range x.rows {
		r := &x.rows[i]
		x.place(r)
		for d := range dims {
			if d != dimPath && r.val[d] != 0 && groupOf[d] != groups {
				x.add(d, x.stratum(d, r), r.val[d], r)
			}
		}
	}
	rare := x.rareIsStrange(ref)
	x.mask = append(x.mask[:0], make([]uint16, len(x.rows))...)
	for i := range x.rows {
		r := &x.rows[i]
		x.place(r)
		for d := range dims {
			if r.val[d] == 0 || groupOf[d] == groups || (d == dimOutcome && theSites(r.val[d])) || (groupOf[d] == groupNetwork && r.flags&rowShared != 0) || (d == dimFollow && r.flags&rowFailed != 0) {
				continue
			}
			how := x.strange(d, r, ref)
			if how > 0 || (rare[d] && ref.isRare(d, r.val[d])) {
				x.mask[i] |= 1 << groupOf[d]
			}
			if how > 1 && groupOf[d] == groupSession && !r.class.static() && r.flags&rowRetry == 0 && !theSites(r.val[dimOutcome]) {
				x.mask[i] |= foreign
			}
		}
	}
	x.oddly(&ref.ways)
}

// rareIsStrange says, of each dimension, whether values that the reference hardly
// knows are together far more common than it leads to expect: a network from all
// over the world, or user agents that are made up, need not repeat a single
// value to be foreign. What to expect is Good and Turing's estimate (1953): what
// was seen of one client alone.
func (x *excess) rareIsStrange(ref *reference) (rare [dims]bool) {
	for d := range dims {
		if !poolsRare(d) || len(ref.rows) < refLeast {
			continue
		}
		var w, n float32
		var who [4]uint64
		for i := range x.rows {
			r := &x.rows[i]
			if r.val[d] == 0 || r.flags&rowShared != 0 {
				continue
			}
			n += r.w
			if ref.isRare(d, r.val[d]) {
				w += r.w
				who[r.key>>46&3] |= 1 << (r.key >> 40 & 63)
			}
		}
		clients := countBits(who[0]) + countBits(who[1]) + countBits(who[2]) + countBits(who[3])
		rare[d] = w >= liftBar*ref.rare[d]*n && w >= rareShare*n && clients >= rareClients
	}
	return rare
}

const (
	rareShare   = 0.03 // of the window's requests
	rareClients = 8
)

func poolsRare(d dim) bool { return d == dimAgent || d == dimNet16 || d == dimJA4 || d == dimPath }

// theSites says that an answer is the site's doing: what is overloaded fails for
// its crowd too, so it is never evidence of an attack.
func theSites(outcome uint32) bool { return outcome == 5 || outcome == 429 }

func (x *excess) add(d dim, stratum uint64, v uint32, r *row) {
	for _, v := range [...]uint32{v, total} {
		if s := x.now.at(cell(d, stratum, v)); s != nil {
			s.add(r.key, r.w)
			s.note = unjudged
		}
	}
}

// place finds out, once for all dimensions of a row, whether its path has rows
// enough to be a stratum of its own.
func (x *excess) place(r *row) {
	s := x.now.at(cell(dimPath, 0, r.val[dimPath]))
	x.own = s != nil && s.n >= pathRows
}

// stratum is that of the row which was placed last.
func (x *excess) stratum(d dim, r *row) uint64 {
	switch {
	case strata[d] == stratumNone:
		return 0
	case d == dimManner:
		return uint64(r.val[d]>>mannerBits) | 1<<40
	case x.own:
		return pathStratum(d, r)
	}
	return classStratum(d, r)
}

// strange judges a cell once and remembers the answer in its slot: 0 is ordinary,
// 1 strange, 2 hardly ever seen in ordinary traffic.
func (x *excess) strange(d dim, r *row, ref *reference) float32 {
	st := x.stratum(d, r)
	s := x.now.at(cell(d, st, r.val[d]))
	if s == nil {
		return 0
	}
	if s.note != unjudged {
		return s.note
	}
	s.note = 0
	p, ok := ref.share(d, r, r.val[d])
	of := x.now.at(cell(d, st, total))
	if !ok || of == nil || of.w == 0 {
		return 0
	}
	// What is common already cannot become four times as common: its odds can.
	now := s.w / of.w
	odds := now * (1 - p) / max(p*(1-now), 1e-6)
	if now < liftBar*p && !(x.alone && odds >= oddsBar) {
		return 0
	}
	if x.crowded(d, s, of, p) || x.concentrated(d, s, ref) {
		s.note = 1
		if now >= foreignBar*p {
			s.note = 2
		}
	}
	return s.note
}

const unjudged = -1

// foreign marks, in a row's mask, a session of a kind that ordinary traffic hardly
// has, in a request that is for no asset.
const foreign uint16 = 1 << 15

// crowded says that too many different clients share the value for it to be
// chance. Rows of one client are not independent: each counts at most twice.
func (x *excess) crowded(d dim, s, of *tallySlot, p float32) bool {
	if d == dimClient {
		return false
	}
	n := min(float64(s.n), 2*float64(s.clients()))
	expect := min(float64(of.n), 600) * float64(p)
	if s.clients() < 200 { // else the counter is near its end, and n far above chance
		expect = float64(of.n) * float64(p)
	}
	return n > expect+4*math.Sqrt(expect)+4
}

// concentrated says that one client or prefix has a share of all requests that
// none has in ordinary traffic.
func (x *excess) concentrated(d dim, s *tallySlot, ref *reference) bool {
	i, ok := concentrationOf(d)
	return ok && s.w >= x.bar(i, ref)*x.n
}

// The dimensions whose largest share is learned.
func concentrationOf(d dim) (int, bool) {
	switch d {
	case dimClient:
		return 0, true
	case dimNet24:
		return 1, true
	case dimNet16:
		return 2, true
	}
	return 0, false
}

const (
	// A client or prefix is concentrated from topRise times the largest share
	// that one had in ordinary traffic, and from topLeast of all requests.
	topRise  = 2.5
	topLeast = 0.03
	topCold  = 0.2 // the largest share before any is known
)

func (x *excess) bar(i int, ref *reference) float32 {
	top := float32(topCold)
	if ref.tops > 0 {
		top = ref.top[i]
	}
	if x.ticks < 10 {
		top *= 1.8 // a shorter window has fewer clients, each with a larger share
	}
	return max(topRise*top, topLeast)
}

// largest measures the largest shares of x.rows.
func (x *excess) largest() (top [3]float32) {
	for i := range x.rows {
		x.place(&x.rows[i])
		for d := range dims {
			if j, ok := concentrationOf(d); ok && x.rows[i].val[d] != 0 {
				// Strata keep prefixes apart by path: sum within the row's own.
				if s := x.now.peek(cell(d, x.stratum(d, &x.rows[i]), x.rows[i].val[d])); s != nil {
					top[j] = max(top[j], s.w/x.n)
				}
			}
		}
	}
	return top
}
