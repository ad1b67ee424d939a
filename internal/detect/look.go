package detect

import (
	"math"
	"slices"

	"github.com/vigie-otel/vigie/internal/finding"
)

const (
	lookLeast = 60  // rows in a window that are worth a look
	refLeast  = 100 // rows in the reference before it can be compared with
	authLeast = 12
	authShare = 0.1 // of the refused sign-ins: less is not told apart
	riseBar   = 1.12
	holdBar   = 1.0  // the evidence that keeps an open finding's signature up to date
	widenBar  = 1.2  // and that lets it take in more
	keptRows  = 1024 // of an open finding's last look, to say what its requests have in common
)

// look judges the composition of the last 3, 10 and 60 ticks. How often depends
// on whether anything calls for it: the rate leaves its expectation, or the last
// look saw something. Without a surge an attack must still be found, later.
func (s *service) look() {
	ep := &s.eps[epFlood]
	if len(s.ref.rows) >= refLeast && s.age() >= 10 {
		alert := ep.looks&7 != 0
		fresh := !ep.open || s.clock-ep.found < 10e9
		// Rising by the last minute's measure, not by the baseline's: in a crowd
		// that lasts, every tick would be a rise.
		if s.rate(3) > riseBar*s.rateBefore(3, 13) {
			s.risen = s.second
		}
		rising := s.second-s.risen < 6
		leaning := s.second-ep.leant[0] <= 5
		looked, attack, sure, lasts := false, false, false, false
		for _, w := range [...]struct {
			ticks int
			due   bool
		}{
			{3, (rising || alert) && !ep.open},
			{10, alert && (fresh || s.tick%3 == 0) || ((rising || leaning) && s.tick%2 == 0) || s.tick%5 == 0},
			{60, s.tick%10 == 0 || (alert && fresh && s.tick%3 == 0)},
		} {
			if !w.due {
				continue
			}
			looked = true
			lean := false
			attack, sure, lean = s.lookFlood(ep, w.ticks)
			if lean && ep.leant[0] != s.second && ep.leans(s.second, &s.d.x, &s.last.sig) {
				s.last.attack, lasts = true, true
			}
			if attack || lasts {
				break
			}
		}
		if looked && !ep.open && (ep.look(attack, sure) || lasts) {
			s.openFlood(ep)
		}
	}
	s.lookAuth()
}

// lookFlood says whether a window shows an attack, and whether overwhelmingly, or
// leans towards one. What it saw stays in s.d.x and s.last.
func (s *service) lookFlood(ep *episode, ticks int) (attack, sure, lean bool) {
	if ep.open && ticks == 3 {
		return false, false, false
	}
	x := &s.d.x
	limit := lookRows
	if ep.looks == 0 && !ep.open {
		limit /= 2 // a routine look
	}
	x.rows, x.step = s.gather(x.rows, ticks, limit, false)
	x.ticks = ticks
	if len(x.rows) < lookLeast {
		return false, false, false
	}
	s.ref.build(s.second)
	x.measure(&s.ref)
	top := x.largest()
	x.known, x.expect = nil, s.pace.expected(s.second)
	if ep.open {
		x.known = ep.sig
	}
	op := x.judge(&s.ref, s.rate(ticks), float32(s.d.cfg.MinFloodShare), s.d.cfg.MinFloodRate)
	if ep.open {
		s.refresh(ep, x, &s.ref, &op)
		return true, false, false
	}
	if !op.attack && ticks == 10 && !s.suspicious() {
		s.ref.learnTop(top)
	}
	if op.marked >= 0.5 { // by a finding of another kind that is open already
		op.attack, op.lean = false, false
	}
	if s.eps[epStuffing].open { // its tries alone lean towards a flood
		op.lean = false
	}
	s.last = op
	if op.score >= scoreBar/2 {
		s.doubt()
	}
	return op.attack, op.score >= sureBar && op.share >= 0.15, op.lean
}

// openFlood opens a finding on what the last look saw.
func (s *service) openFlood(ep *episode) {
	op := s.last
	s.refresh(ep, &s.d.x, &s.ref, &op)
	ep.begin(s, floodClass(&op), s.startOf(ep.sig, false))
	ep.requests += s.soFar(ep.sig, false)
	s.takeOver()
}

// lookAuth judges the sign-ins that were refused, of which there are few: passwords
// that leak elsewhere rarely fit, so stuffing is a large share of them long
// before it is one of the sign-ins.
func (s *service) lookAuth() {
	ep := &s.eps[epStuffing]
	if len(s.refAuth.rows) < authLeast*2 || (s.tick%5 != 0 && ep.looks&7 == 0) {
		return
	}
	x := &s.d.x
	x.found, x.auth = s.eps[epFlood].sig, true
	defer func() { x.found, x.auth = nil, false }()
	looked, attack, sure := false, false, false
	for _, ticks := range [...]int{10, 60} {
		x.rows, x.step = s.gather(x.rows, ticks, lookRows, true)
		x.ticks = ticks
		if len(x.rows) < authLeast {
			continue
		}
		s.refAuth.build(s.second)
		x.measure(&s.refAuth)
		top := x.largest()
		var rate float64
		rate, x.refused = s.refusals(ticks)
		x.known, x.expect = nil, 0
		// Of few sign-ins, some have always something in common that fewer still lack.
		share := authShare * max(1, 2*refLeast/float32(len(s.refAuth.rows)))
		op := x.judge(&s.refAuth, rate, share, 0.05)
		x.refused = 0
		if !op.attack && ticks == 10 && ep.looks&7 == 0 {
			s.refAuth.learnTop(top)
		}
		if op.marked >= 0.5 && !ep.open {
			op.attack = false // of a finding that is open already
		}
		if !ep.open && s.failing() {
			op.attack = false // whom the site has failed tries again, and is refused
		}
		if ep.open {
			if ep.sig != nil && op.score >= holdBar || op.attack {
				s.refresh(ep, x, &s.refAuth, &op)
			}
			return
		}
		looked, attack, sure = true, op.attack, op.score >= sureBar
		if attack {
			s.last = op
			break
		}
	}
	if looked && ep.look(attack, sure) {
		op := s.last
		s.refresh(ep, x, &s.refAuth, &op)
		ep.begin(s, finding.CredentialStuffing, s.startOf(ep.sig, true))
		ep.requests += s.soFar(ep.sig, true)
	}
}

// failing says that the site itself failed a tenth of the last minute's requests.
func (s *service) failing() bool {
	var n, lost uint64
	for i := range min(60, int(s.tick)) {
		n += s.slot(i).n
		lost += s.slot(i).lost
	}
	return lost*10 >= n
}

// refusals is the rate of refused sign-ins, and how much of it is beyond what the
// baseline explains: 0 where chance may, up to 1.
func (s *service) refusals(ticks int) (rate float64, excess float32) {
	var tries, refused float64
	n := min(ticks, int(s.tick), ringTicks)
	for i := range n {
		tries += float64(s.slot(i).tries)
		refused += float64(s.slot(i).refused)
	}
	expect := tries * (s.authRefused + 1) / (s.authTries + 20) // one in twenty, until it is known
	if refused > expect+4*math.Sqrt(expect)+3 {
		excess = float32(min(2*(refused-expect)/refused, 1))
	}
	return refused / float64(max(n, 1)), excess
}

// refresh takes over what a look says of an attack, and keeps what was known
// when it says nothing.
func (s *service) refresh(ep *episode, x *excess, ref *reference, op *opinion) {
	if ep.sig == nil && !op.attack {
		return
	}
	same, wider := false, false
	if ep.sig != nil && op.score >= holdBar {
		same, wider = x.overlap(ep.sig)
		wider = wider && op.share >= baseBar*op.base && op.score >= widenBar
	}
	if ep.sig != nil && (op.score < holdBar || !(same || wider) || float64(op.rate) < ep.peak/4) {
		// Unless it has hold of a small part of something plainly larger.
		if !op.attack || ep != &s.eps[epFlood] || float64(op.rate) < 3*s.markedRate(epFlood, 3) {
			return
		}
	}
	if ep.sig == nil {
		ep.sig = new(signature)
	}
	*ep.sig = op.sig
	// A finding may open on a part of what it turns out to be. A window that it
	// fills in part would make its clients lighter than they are.
	if ep == &s.eps[epFlood] && (op.attack || op.lean) && ep.open && op.ticks <= 10 && float64(op.rate) >= ep.peak/2 {
		ep.class = floodClass(op)
	}
	ep.sig.bar, ep.noise = x.setBar(ref, &op.sig)
	ep.op = *op
	ep.op.sig = signature{}
	ep.conf = max(ep.conf, float64(min(0.5+op.score/8, 0.99)))
	ep.changed = true
	ep.keep(x)
}

// keep copies the rows that say what the attack's and others' requests have in
// common.
func (ep *episode) keep(x *excess) {
	step := 1 + len(x.rows)/(keptRows+1)
	ep.sample = slices.Grow(ep.sample[:0], min(len(x.rows), keptRows))
	for i := 0; i < len(x.rows); i += step {
		if x.post[i] > ep.sig.bar {
			ep.sample = append(ep.sample, x.rows[i])
		}
	}
	n := len(ep.sample)
	for i := 0; i < len(x.rows); i += step {
		if x.post[i] <= 0 && x.post[i] <= ep.sig.bar {
			ep.sample = append(ep.sample, x.rows[i])
		}
	}
	ep.attack, ep.legit = ep.sample[:n], ep.sample[n:]
}

// overlap says whether what the look accuses is what sig already accuses, for the
// better part, and whether it takes in nearly all that sig accuses: a finding is
// refined or widened, never led away to something else.
func (x *excess) overlap(sig *signature) (same, wider bool) {
	var both, all, had, kept float32
	for i := range x.rows {
		o, w := sig.odds(&x.rows[i]), x.rows[i].w
		if x.post[i] > 0 {
			all += w
			if o > 0 {
				both += w
			}
		}
		if o > sig.bar {
			had += w
			if x.post[i] > 0 {
				kept += w
			}
		}
	}
	return both*2 >= all, had > 0 && kept*4 >= had*3
}

// setBar chooses the log odds from which a request is marked: as low as ordinary
// traffic allows, at which less than one in a hundred marks would be of it.
func (x *excess) setBar(ref *reference, sig *signature) (bar float32, noise float64) {
	const bars = 21
	var wrong, right [bars]float32
	for i := range ref.rows {
		r := ref.rows[i]
		if r.val[dimAge] != 0 {
			r.val[dimAge] = 1 // while it lasts, everybody who comes is new
		}
		r.val[dimFollow] = 0 // not known yet when a request is marked
		o := sig.odds(&r)
		for b := range bars {
			if o > float32(b)/2 {
				wrong[b]++
			}
		}
	}
	for i := range x.rows {
		r := x.rows[i]
		r.val[dimFollow] = 0
		o := sig.odds(&r)
		for b := range bars {
			if o > float32(b)/2 {
				right[b] += x.rows[i].w
			}
		}
	}
	n := float32(max(len(ref.rows), 1))
	best, least := 2, float32(math.Inf(1))
	for b := 2; b < bars; b++ {
		falsely := wrong[b] / n * (x.n - right[0]) / max(right[b], 1)
		if falsely <= 0.004 {
			best = b
			break
		}
		if right[b] >= right[2]/2 && falsely < least {
			best, least = b, falsely
		}
	}
	return float32(best) / 2, float64(wrong[best] / n)
}

// floodClass names what a look saw by what tells it from others.
func floodClass(op *opinion) finding.Class {
	switch {
	case op.denied >= 0.8:
		return finding.CredentialStuffing
	case op.strange[groupQuery] >= 0.5 && op.newPQ >= 0.8 && op.queried >= 0.5:
		return finding.CacheBusting
	case op.strange[groupHold] >= 0.5:
		return finding.Slowloris
	case op.many >= manyClients && op.each <= max(2/float32(op.ticks), lightLoad):
		return finding.DistributedFlood
	}
	return finding.HTTPFlood
}

const (
	// A flood is distributed when it has as many clients as this in a window, none of
	// which a limit per client would stop: limits begin at a request a second or
	// two, and people themselves make so many within a page.
	manyClients = 100
	lightLoad   = 0.35 // requests a second and client
)

// startOf is the beginning of the first tick, of the unbroken run until now, in
// which the attack made a tenth of what it makes at most.
func (s *service) startOf(sig *signature, auth bool) int64 {
	var w [ringTicks]float32
	var peak float32
	n := min(int(s.tick), ringTicks)
	for i := range n {
		sl := s.slot(i)
		rows := sl.rows
		if auth {
			rows = sl.auth
		}
		for j := range rows {
			if sig.odds(&rows[j]) > sig.bar {
				w[i] += rows[j].w
			}
		}
		peak = max(peak, w[i])
	}
	first := 0
	for i := range n {
		if w[i] >= peak/10 {
			first = i
		} else if i > first+3 {
			break
		}
	}
	return s.slot(first).second*1e9 - 1e9
}

// soFar estimates how many requests the attack made in the last minute, before
// it was found.
func (s *service) soFar(sig *signature, auth bool) uint64 {
	var w float32
	for i := range min(int(s.tick), ringTicks) {
		sl := s.slot(i)
		rows := sl.rows
		if auth {
			rows = sl.auth
		}
		for j := range rows {
			if sig.odds(&rows[j]) > sig.bar {
				w += rows[j].w
			}
		}
	}
	return uint64(w)
}
