package detect

// opinion is what one look at a window makes of its excess.
type opinion struct {
	attack   bool
	lean     bool    // towards one, not far enough: see episode.leans
	score    float32 // evidence for, less evidence against; scoreBar opens
	ticks    int     // of the window
	share    float32 // of the window's requests
	base     float32 // share of ordinary requests with the same signature
	rate     float32 // requests a second
	strange  [groups]float32
	known    float32 // shares among the attack's requests: clients known before,
	rounded  float32 // that behave like visitors,
	crawlers float32 // that say they are robots,
	newPQ    float32
	foreign  float32    // in sessions that ordinary traffic hardly has
	breadth  [2]float32 // not for the few paths, and paths with their queries, that the attack asks for most
	marked   float32    // by an open finding
	fresh    [2]float32 // new clients: in the attack, in the baseline
	clients  float32    // distinct, in the sample
	many     float32    // distinct, in all, estimated
	each     float32    // requests a second of each
	queried  float32    // with a query
	denied   float32    // sign-ins that were refused
	alien    float32    // in sessions foreign to the site all over it, 0–1
	crowded  float32    // share of all that is a surge, where the rest surges without the attack
	sig      signature
}

const (
	// scoreBar is the evidence that opens a finding: one strong group and one
	// more, or two weak ones. Weak groups alone reach 1.5, so at least one strong
	// one must be evident: strongBar.
	scoreBar  = 2.0
	strongBar = 0.5
	// leanBar is for what goes on and on, from leanShare of the requests, and where who
	// they are is odd for leanWho of it: a crowd leans so for a moment, as it arrives,
	// and is the site's own audience, whatever new thing it does.
	leanBar   = 1.6
	leanShare = 0.08
	leanWho   = 0.15
	// sureBar opens at two ticks instead of three of five.
	sureBar = 2.5
	// seedShare of a finding's least share must be strange before the mixture is
	// estimated, which costs more than all else.
	seedShare = 0.6
	// baseBar is how many times more common a signature must be now than it was
	// in ordinary traffic.
	baseBar = 4
)

// judge forms an opinion on x.rows, sampled over a window in which there were
// rate requests a second.
func (x *excess) judge(ref *reference, rate float64, minShare float32, minRate float64) (op opinion) {
	const strongMask = 1<<groupPath - 1
	var two, one float32
	for i := range x.rows {
		m := x.mask[i]
		switch s := popcount(m & strongMask); {
		case s >= 2 || (s == 1 && m&(1<<groupPath) != 0):
			two += x.rows[i].w
		case s == 1:
			one += x.rows[i].w
		}
	}
	needed := x.n * minShare * seedShare
	if two+one < needed || x.n == 0 {
		return op
	}
	alone := two < needed // only one dimension stands out: it may yet agree with the clients' age
	op = x.opine(ref, rate, minShare, minRate, func(i int) bool {
		m := x.mask[i]
		s := popcount(m & strongMask)
		return s >= 2 || (s == 1 && (alone || m&(1<<groupPath) != 0))
	})
	if op.attack && x.known == nil {
		return op
	}
	// What stood out may be of several things. Sessions foreign to the site by
	// themselves may be one; so may what is known already.
	if x.foreign() >= needed {
		op = x.better(op, x.opine(ref, rate, minShare, minRate, func(i int) bool { return x.mask[i]&foreign != 0 }))
	}
	if x.known != nil {
		op = x.better(op, x.opine(ref, rate, minShare, minRate, func(i int) bool { return x.known.odds(&x.rows[i]) > 0 }))
	}
	return op
}

// better is the more telling of two opinions, of which the second is x's own now;
// x is left with the better one's rows.
func (x *excess) better(op, other opinion) opinion {
	better := other.score > op.score
	switch {
	case other.attack != op.attack:
		better = other.attack
	case op.attack:
		better = other.share-other.base > op.share-op.base // both are: the one that explains more
	}
	if better {
		return other
	}
	x.post, x.spare = x.spare, x.post
	return op
}

// foreign is the weight of the rows whose sessions ordinary traffic hardly has.
func (x *excess) foreign() (w float32) {
	for i := range x.rows {
		if x.mask[i]&foreign != 0 {
			w += x.rows[i].w
		}
	}
	return w
}

// opine separates what begins with the suspected rows, and judges it.
func (x *excess) opine(ref *reference, rate float64, minShare float32, minRate float64, suspected func(i int) bool) (op opinion) {
	x.post, x.spare = x.spare, x.post
	op.sig = x.refine(ref, func(i int) float32 {
		if suspected(i) {
			return 3
		}
		return -3
	})
	if !op.sig.set {
		return op
	}
	x.describe(&op, ref)
	op.rate = op.share * float32(rate)
	if rest := rate * float64(1-op.share); x.expect > 0 && rest > surgeBar*x.expect {
		op.crowded = float32(1 - x.expect/rate)
	}
	op.score = op.weigh()
	strong := false
	for g := range groupPath {
		strong = strong || op.strange[g] >= strongBar
	}
	more := strong && op.large(minShare) && float64(op.rate) >= minRate && op.share >= baseBar*op.base
	if more {
		op.decide(x.auth)
	}
	return op
}

// decide says by an opinion's score whether it is of an attack, or leans towards one;
// auth that it is about refused sign-ins.
func (op *opinion) decide(auth bool) {
	who := max(op.strange[groupAgent], op.strange[groupNetwork])
	if !auth && max(who, op.strange[groupQuery], op.strange[groupHold], op.strange[groupLoad], op.alien) < leanWho {
		// What is odd is what they do there, and nothing else: people who come for
		// something new begin so, until enough of them are known.
		op.lean = op.score >= scoreBar
		return
	}
	op.attack = op.score >= scoreBar
	op.lean = op.score >= leanBar && op.share >= leanShare && who >= leanWho
}

// large says that it is more of the requests than the few who, in a crowd, behave as
// nobody did.
func (op *opinion) large(minShare float32) bool {
	return op.share >= minShare*(1+2*op.crowded)
}

// describe measures the rows that the signature holds for the attack's.
func (x *excess) describe(op *opinion, ref *reference) {
	var a, aged, fresh, once float32
	x.now.reset(1 << 14) // from here on: distinct clients
	for i := range x.rows {
		if x.post[i] <= 0 {
			continue
		}
		r := &x.rows[i]
		a += r.w
		for g := range groups {
			if x.mask[i]&(1<<g) != 0 {
				op.strange[g] += r.w
			}
		}
		if r.flags&rowKnown != 0 || r.life > ref.span {
			op.known += r.w
		}
		switch { // what comes by as nobody does is no visitor for being varied
		case x.mask[i]&foreign != 0:
			op.foreign += r.w
		case r.flags&rowRounded != 0:
			op.rounded += r.w
		}
		if r.event&flagCrawler != 0 {
			op.crawlers += r.w
		}
		if r.event&flagNewPQ != 0 {
			op.newPQ += r.w
		}
		if r.event&flagQuery != 0 {
			op.queried += r.w
		}
		if r.denied() {
			op.denied += r.w
		}
		if r.flags&rowMarked != 0 || x.found != nil && x.found.odds(r) > x.found.bar {
			op.marked += r.w
		}
		switch r.val[dimAge] {
		case 1:
			fresh += r.w
			fallthrough
		case 2:
			aged += r.w
		}
		if s := x.now.at(r.key); s != nil {
			// Its lightest row says for how many clients it stands; others may stand
			// for more of its own. Kept for its volume, it stands for nobody else.
			stands := r.w
			if r.flags&rowHeavy != 0 {
				stands = 1
			}
			switch s.n++; {
			case s.n == 1:
				once++
				op.many, s.w = op.many+stands, stands
			case s.n == 2:
				once--
				fallthrough
			default:
				if stands < s.w {
					op.many, s.w = op.many+stands-s.w, stands
				}
			}
		}
	}
	if a == 0 {
		return
	}
	op.clients, op.ticks = float32(x.now.used), x.ticks
	// A client that the sample has once is one of as many as it was thinned by.
	op.many *= 1 + (max(x.step, 1)-1)*once/max(op.clients, 1)
	op.each = a * max(x.step, 1) / max(op.many, 1) / float32(max(x.ticks, 1))
	op.breadth[0] = x.breadth(a, func(r *row) uint16 { return r.path })
	op.breadth[1] = x.breadth(a, func(r *row) uint16 { return r.what })
	strange, alien := x.sessions(ref)
	for _, p := range [...]*float32{&op.known, &op.rounded, &op.crawlers, &op.newPQ, &op.marked, &op.foreign, &op.queried, &op.denied} {
		*p /= a
	}
	for g := range groups {
		op.strange[g] /= a
	}
	op.strange[groupSession] = max(op.strange[groupSession], strange/a)
	op.foreign = max(op.foreign, alien/a)
	op.strange[groupOutcome] = max(op.strange[groupOutcome], x.refused)
	op.share = a / x.n
	x.against(op, ref, fresh, aged)
}

// sessions judges the attack's sessions by themselves, where measure judged them
// among everybody's: given what they ask for, how much of the attack is strange,
// and how much is foreign to ordinary traffic. The separation did not need to know
// a request's path to find these rows, so what holds given the path is evidence.
func (x *excess) sessions(ref *reference) (strange, alien float32) {
	if ref.aged() < refLeast {
		return 0, 0 // too young a log: its beginning cut its sessions
	}
	dims := [...]dim{dimSession, dimFollow}
	x.alone = true
	defer func() { x.alone = false }()
	x.now.reset(1 << 14)
	for i := range x.rows {
		if x.post[i] > 0 {
			x.add(dimPath, 0, x.rows[i].val[dimPath], &x.rows[i])
		}
	}
	for i := range x.rows {
		r := &x.rows[i]
		if x.post[i] <= 0 {
			continue
		}
		x.place(r)
		for _, d := range dims {
			if r.val[d] != 0 {
				x.add(d, x.stratum(d, r), r.val[d], r)
			}
		}
	}
	for i := range x.rows {
		r := &x.rows[i]
		if x.post[i] <= 0 {
			continue
		}
		var how float32
		x.place(r)
		for _, d := range dims {
			if r.val[d] != 0 && r.flags&rowFailed == 0 {
				how = max(how, x.strange(d, r, ref))
			}
		}
		if x.mask[i]&oddly != 0 {
			how = 2
		}
		// A rounded session is a visit, whatever its course; one that the site itself
		// failed has the course that the failure gave it.
		if r.flags&rowRetry != 0 || r.flags&rowRounded != 0 && x.mask[i]&foreign == 0 || theSites(r.val[dimOutcome]) {
			continue
		}
		if how > 0 {
			strange += r.w
		}
		if how > 1 && (!r.class.static() || x.mask[i]&foreign != 0) {
			alien += r.w
		}
	}
	return strange, alien
}

// breadth is the share of the attack's requests, a in all, that are not for one of
// the few things which it asks for most.
func (x *excess) breadth(a float32, thing func(r *row) uint16) float32 {
	x.now.reset(1 << 14)
	for i := range x.rows {
		if x.post[i] > 0 {
			if s := x.now.at(uint64(thing(&x.rows[i]))); s != nil {
				s.w += x.rows[i].w
			}
		}
	}
	var broad float32
	for i := range x.rows {
		if x.post[i] > 0 && x.now.get(uint64(thing(&x.rows[i]))) < a/10 {
			broad += x.rows[i].w
		}
	}
	return broad / a
}

// against applies the signature to the reference: what of ordinary traffic it
// would accuse, and how many of its clients were new.
func (x *excess) against(op *opinion, ref *reference, fresh, aged float32) {
	if len(ref.rows) == 0 {
		return
	}
	var hit float32
	for i := range ref.rows {
		if op.sig.odds(&ref.rows[i]) > 0 {
			hit++
		}
	}
	baseFresh, baseAged := ref.ages[1], ref.aged()
	op.base = hit / float32(len(ref.rows))
	if aged > 0 && baseAged >= refLeast && baseAged*5 > float32(len(ref.rows)) {
		op.fresh = [2]float32{fresh / aged, baseFresh / baseAged}
		op.strange[groupAge] = max(0, (op.fresh[0]-op.fresh[1])/(1.001-op.fresh[1]))
	}
}

// weigh adds up what the groups say. A group counts in full when most of the
// attack's requests are strange in it.
func (op *opinion) weigh() float32 {
	var s float32
	for g := range groups {
		switch v := op.strange[g]; {
		case g == groupRhythm, g == groupPath, g == groupOutcome:
			s += ramp(v, 0.3, 0.7) / 2
		case g == groupAge:
			s += 0.75 * ramp(v, 0.3, 0.7)
		default:
			s += ramp(v, 0.25, 0.6)
		}
	}
	// A crowd or a new release that behaves as nobody did before does so in one
	// place. Sessions foreign to the site all over it are nobody's visit.
	alien := ramp(op.foreign, 0.3, 0.6) * max(ramp(op.breadth[0], 0.5, 0.8), ramp(op.breadth[1], 0.5, 0.8)*ramp(op.strange[groupAge], 0.2, 0.5)) * ramp(op.share, 0.06, 0.1)
	if op.fresh[1] == 0 {
		alien = 0 // too young a log
	}
	if op.crowded > 0 {
		// A crowd brings people of whom some behave as nobody did: a small part of it.
		alien *= ramp(op.share, 0.2*op.crowded, 0.4*op.crowded)
	}
	op.alien = alien
	s += 0.75 * alien
	// Nobody who hires machines hires this site's own audience: many clients with
	// the audience's own networks and devices are likely to be it.
	if op.clients >= 100 {
		s -= 0.5 * (1 - max(alien, ramp(max(op.strange[groupAgent], op.strange[groupNetwork]), 0.05, 0.2)))
	}
	s -= 1.5 * ramp(op.known, 0.4, 0.7)
	// Clients that were all here before, more so than the baseline's, are its own
	// as they grow older than it.
	if op.fresh[1] > 0 {
		s -= 0.75 * ramp(op.fresh[1]-op.fresh[0], 0.2, 0.4)
	}
	s -= 0.75 * ramp(op.rounded, 0.5, 0.8)
	s -= 1.5 * ramp(op.crawlers, 0.5, 0.8)
	return s
}

func ramp(x, from, to float32) float32 { return min(max((x-from)/(to-from), 0), 1) }

func popcount(m uint16) int {
	n := 0
	for ; m != 0; m &= m - 1 {
		n++
	}
	return n
}
