package detect

import "math"

// limit is how much one dimension may add to or take from the log odds that a
// row belongs to the attack. What a crowd shares with an attack weighs less.
// Zero leaves the dimension out.
var limit = [dims]float32{
	dimPath: 2, dimKind: 1.5, dimExact: 4, dimNet24: 4, dimSession: 3.5, dimRhythm: 1, dimChurn: 3,
	dimQuery: 3, dimAge: 2, dimOutcome: 1.5, dimJA4: 4, dimHold: 4, dimLoad: 3, dimManner: 3.5,
}

// refine finds the attack's rows among x.rows, given who is suspected at first
// (suspect): expectation and maximization of a mixture of two products of
// categorical distributions, the legitimate of which is tied to the reference.
// In the end post holds each row's log odds. Three rounds are enough: later ones
// moved less than 0.1 % of the rows in the replays.
func (x *excess) refine(ref *reference, suspect func(i int) float32) (sig signature) {
	x.post = append(x.post[:0], make([]float32, len(x.rows))...)
	for i := range x.rows {
		x.post[i] = suspect(i)
	}
	for range 3 {
		if !x.fit(ref, &sig) {
			return signature{}
		}
		for i := range x.rows {
			x.post[i] = sig.odds(&x.rows[i])
		}
	}
	return sig
}

// fit estimates both distributions from post and makes the signature of it.
func (x *excess) fit(ref *reference, sig *signature) bool {
	x.att.reset(1 << 15)
	x.leg.reset(1 << 16)
	var a, l float32
	for i := range x.rows {
		r := &x.rows[i]
		p := 1 / (1 + float32(math.Exp(float64(-x.post[i]))))
		a += r.w * p
		l += r.w * (1 - p)
		if p > 0.05 {
			tallyRow(&x.att, r, r.w*p)
		}
		if p < 0.95 {
			tallyRow(&x.leg, r, r.w*(1-p))
		}
	}
	if a <= 0 {
		return false
	}
	// The reference counts as much as the window does: it says what is
	// legitimate even when the window holds little else than attack.
	x.tie = 0
	if n := len(ref.rows); n > 0 {
		x.tie = max(l, x.n/2) / float32(n)
		l += x.tie * float32(n)
	}
	sig.make(x, ref, a, l)
	return true
}

func tallyRow(t *tally, r *row, w float32) {
	for d := range dims {
		if limit[d] == 0 || r.val[d] == 0 {
			continue
		}
		for _, v := range [...]uint32{r.val[d], total} {
			if s := t.at(cell(d, 0, v)); s != nil {
				s.add(r.key, w)
			}
		}
	}
}

// signature tells an attack's requests from others: a naive Bayes classifier in
// a table of fixed size, so that judging a request takes a look-up a dimension.
type signature struct {
	prior  float32
	bar    float32 // log odds above which a request is marked
	rest   [dims]float32
	weight [sigSlots]sigWeight
	set    bool
}

const sigSlots = 2048

type sigWeight struct {
	key uint64
	w   float32
}

func (g *signature) make(x *excess, ref *reference, a, l float32) {
	legit := func(key uint64) float32 { return x.leg.get(key) + x.tie*ref.tally.get(key) }
	g.set = true
	g.weight = [sigSlots]sigWeight{}
	g.prior = min(max(float32(math.Log(float64(a/l))), -4), 2)
	used := 0
	var known [dims]struct{ a, l float32 }
	put := func(d dim, v uint32) {
		key := cell(d, 0, v)
		slot := g.slot(key)
		if slot.key == key || used >= sigSlots*3/4 {
			return
		}
		pa, pl := x.att.get(key), legit(key)
		ta, tl := x.att.get(cell(d, 0, total)), legit(cell(d, 0, total))
		used++
		known[d].a += pa
		known[d].l += pl
		// Half a row on each side keeps a value that one side never had finite.
		unitA, unitL := a/float32(len(x.rows)+1), l/float32(len(x.rows)+1)
		lr := math.Log(float64((pa + unitA/2) / (ta + unitA) / ((pl + unitL/2) / (tl + unitL))))
		*slot = sigWeight{key: key, w: min(max(float32(lr), -limit[d]), limit[d])}
	}
	for i := range x.rows {
		r := &x.rows[i]
		for d := range dims {
			if limit[d] == 0 || r.val[d] == 0 {
				continue
			}
			key := cell(d, 0, r.val[d])
			if x.att.common(key, a) || x.leg.common(key, l) || ref.tally.get(key) >= 3 {
				put(d, r.val[d])
			}
		}
	}
	for d := range dims {
		ta, tl := x.att.get(cell(d, 0, total)), legit(cell(d, 0, total))
		if limit[d] == 0 || ta == 0 || tl == 0 {
			g.rest[d] = 0
			continue
		}
		// What neither list names: as likely as the weight that each side has
		// left over.
		ra := max(ta-known[d].a, 0)/ta + 0.005
		rl := max(tl-known[d].l, 0)/tl + 0.005
		lr := float32(math.Log(float64(ra / rl)))
		g.rest[d] = min(max(lr, -limit[d]), limit[d])
	}
}

func (g *signature) slot(key uint64) *sigWeight {
	for i := mix(key); ; i++ {
		s := &g.weight[i%sigSlots]
		if s.key == key || s.key == 0 {
			return s
		}
	}
}

// odds is the log odds that r belongs to the attack.
func (g *signature) odds(r *row) float32 {
	sum := g.prior
	for d := range dims {
		if limit[d] == 0 || r.val[d] == 0 {
			continue
		}
		if s := g.slot(cell(d, 0, r.val[d])); s.key != 0 {
			sum += s.w
		} else {
			sum += g.rest[d]
		}
	}
	return sum
}
