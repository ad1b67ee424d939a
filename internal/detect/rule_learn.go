package detect

import (
	"cmp"
	"slices"

	"github.com/vigie-otel/vigie/internal/finding"
)

const (
	maxProposed = 8
	// hitPrice is how much of the attack a rule must stop for each share of the
	// legitimate requests that it hits: 0.1 % of these for 5 % of that.
	hitPrice = 50
	// challengePrice is the same for a challenge, which people pass.
	challengePrice = 6
	// hitBudget is the share of legitimate requests that all rules together may
	// hit, as far as it was measured. The target is 0.5 %; a sample of two
	// thousand is that uncertain.
	hitBudget = 0.003
	// challengeBudget is the same for a challenge.
	challengeBudget = 0.05
	ruleGain        = 0.02  // a rule that stops less of the attack is left out,
	valueGain       = 0.004 // so is a further value of one
	coverFull       = 0.985 // of the attack: further rules are not worth a reader's time
	coverGoal       = 0.9   // less is explained
	leastTexts      = 24    // of an attack: with fewer, only addresses are proposed
	beamWidth       = 40
	maxDepth        = 4
	maxValues       = 40 // of one condition; each costs a firewall capacity
	maxSearch       = 8  // the same where it searches within a string
)

// lesson is one learning of rules: the texts, the atoms that hold for them, and
// what is chosen so far.
//
// The rules are a greedy cover (Chvátal 1979) of the attack's texts by
// conjunctions, each found by a beam search from the general to the special as
// decision lists are (Clark and Niblett 1989, CN2).
type lesson struct {
	has      carried
	att, leg []*text
	agents   map[string]*spoken
	atoms    []atom
	left     bitset // texts of the attack that no rule stops yet
	hit      bitset // legitimate texts that a rule stops
	price    float64
	budget   float64 // share of legitimate texts that all rules together may hit
	chosen   []conjunction
}

// conjunction is a rule on trial: of each entry of tests, one atom must hold.
type conjunction struct {
	tests    [][]int
	att, leg bitset
	gain     int // texts of the attack that it adds
	cost     int // and legitimate ones
	score    float64
}

// learn chooses conjunctions until the attack is covered or what is left cannot
// be told from people's.
func (l *lesson) learn() {
	l.left, l.hit = newBitset(len(l.att)), newBitset(len(l.leg))
	for i := range l.att {
		l.left.set(i)
	}
	l.price, l.budget = hitPrice, hitBudget
	for range maxProposed {
		if float64(len(l.att)-l.left.count()) >= coverFull*float64(len(l.att)) {
			return
		}
		c, ok := l.best()
		if !ok {
			return
		}
		l.widen(&c)
		l.take(&c)
	}
}

func (l *lesson) take(c *conjunction) {
	l.hit.or(c.leg)
	for i := range l.left {
		l.left[i] &^= c.att[i]
	}
	l.chosen = append(l.chosen, *c)
}

// weigh scores c by what it adds.
func (l *lesson) weigh(c *conjunction) {
	c.gain = c.att.countAnd(l.left)
	c.cost = c.leg.count() - c.leg.countAnd(l.hit)
	cost := float64(c.cost)
	if a := &l.atoms[c.tests[0][0]]; len(c.tests) == 1 && a.kind == atomHosts {
		cost = max(cost, a.counted*float64(len(l.leg))) // of addresses, each request was counted
	} else {
		cost += 0.5 // what was hit never may be yet
	}
	c.score = float64(c.gain)/float64(len(l.att)) - l.price*cost/float64(len(l.leg)+1)
	if cost+float64(l.hit.count()) > l.budget*float64(len(l.leg))+0.5 {
		c.score = -1
	}
	for _, test := range c.tests {
		c.score -= 0.003
		for _, i := range test {
			c.score -= min(0.001*float64(len(l.atoms[i].hosts)), 0.02)
		}
	}
}

// promise orders what may yet become a rule by adding a test: hits weigh less,
// since each test sheds some.
func (l *lesson) promise(c *conjunction) float64 {
	return float64(c.gain)/float64(len(l.att)) - 2*float64(c.cost)/float64(len(l.leg)+1)
}

// best finds the conjunction that is worth most.
func (l *lesson) best() (best conjunction, ok bool) {
	least := max(int(ruleGain*float64(len(l.att))), 2)
	var beam []conjunction
	for i := range l.atoms {
		c := conjunction{tests: [][]int{{i}}, att: l.atoms[i].att, leg: l.atoms[i].leg}
		if l.weigh(&c); c.gain >= least {
			beam = append(beam, c)
		}
	}
	for depth := 1; ; depth++ {
		for i := range beam {
			if beam[i].score > best.score {
				best, ok = beam[i], true
			}
		}
		if depth == maxDepth || len(beam) == 0 {
			return best, ok
		}
		beam = l.deepen(beam, least, best.score)
	}
}

// deepen adds each atom to the most promising of beam.
func (l *lesson) deepen(beam []conjunction, least int, bar float64) (next []conjunction) {
	slices.SortStableFunc(beam, func(a, b conjunction) int { return cmp.Compare(l.promise(&b), l.promise(&a)) })
	seen := map[uint64]bool{}
	att, leg := newBitset(len(l.att)), newBitset(len(l.leg))
	for b := range beam[:min(len(beam), beamWidth)] {
		from := &beam[b]
		if from.cost == 0 || float64(from.gain)/float64(len(l.att)) <= bar {
			continue // a further test could only lose
		}
		for i := range l.atoms {
			if !l.adds(from, i) {
				continue
			}
			a := &l.atoms[i]
			if !att.and(from.att, a.att) || att.countAnd(l.left) < least {
				continue
			}
			leg.and(from.leg, a.leg)
			h := att.hash(0) ^ leg.hash(1)
			if seen[h] {
				continue
			}
			seen[h] = true
			c := conjunction{tests: append(slices.Clone(from.tests), []int{i}), att: slices.Clone(att), leg: slices.Clone(leg)}
			if l.weigh(&c); c.cost < from.cost {
				next = append(next, c)
			}
		}
	}
	return next
}

// adds says whether atom i tests something else than c does already. A user agent
// may contain two parts.
func (l *lesson) adds(c *conjunction, i int) bool {
	k := l.atoms[i].kind
	for _, test := range c.tests {
		o := l.atoms[test[0]].kind
		if o.field() == k.field() && (k != atomAgentPart || o != atomAgentPart || test[0] == i) {
			return false
		}
	}
	return true
}

// widen adds further values to the conditions of c, as long as they are worth it:
// a list of user agents is one rule, not forty.
func (l *lesson) widen(c *conjunction) {
	for n := range c.tests {
		kind := l.atoms[c.tests[n][0]].kind
		limit := maxValues
		switch kind {
		case atomAgentPart:
			limit = maxSearch
		case atomNoAgent, atomQuery, atomNoQuery, atomNoReferer, atomHosts:
			continue
		}
		att, leg := l.others(c, n)
		for len(c.tests[n]) < limit {
			better := -1
			var to conjunction
			for i := range l.atoms {
				if l.atoms[i].kind != kind || slices.Contains(c.tests[n], i) {
					continue
				}
				w := conjunction{tests: slices.Clone(c.tests), att: newBitset(len(l.att)), leg: newBitset(len(l.leg))}
				w.tests[n] = append(slices.Clone(c.tests[n]), i)
				w.att.and(att, l.atoms[i].att)
				w.leg.and(leg, l.atoms[i].leg)
				w.att.or(c.att)
				w.leg.or(c.leg)
				l.weigh(&w)
				if w.gain-c.gain > int(valueGain*float64(len(l.att))) && w.score > c.score && (better < 0 || w.score > to.score) {
					better, to = i, w
				}
			}
			if better < 0 {
				break
			}
			*c = to
		}
	}
}

// others is what the tests of c but the n-th hold for.
func (l *lesson) others(c *conjunction, n int) (att, leg bitset) {
	att, leg = newBitset(len(l.att)), newBitset(len(l.leg))
	for i := range att {
		att[i] = ^uint64(0)
	}
	for i := range leg {
		leg[i] = ^uint64(0)
	}
	for m, test := range c.tests {
		if m == n {
			continue
		}
		anyAtt, anyLeg := newBitset(len(l.att)), newBitset(len(l.leg))
		for _, i := range test {
			anyAtt.or(l.atoms[i].att)
			anyLeg.or(l.atoms[i].leg)
		}
		att.and(att, anyAtt)
		leg.and(leg, anyLeg)
	}
	return att, leg
}

// rule writes c down.
func (l *lesson) rule(c *conjunction, action string) finding.Rule {
	r := finding.Rule{Action: action, Coverage: weightShare(c.att, l.att), LegitimateHit: weightShare(c.leg, l.leg)}
	for _, test := range c.tests {
		cond := l.atoms[test[0]].condition()
		for _, i := range test[1:] {
			cond.Values = append(cond.Values, l.atoms[i].value)
		}
		r.Match = append(r.Match, cond)
	}
	r.Kind = "composite"
	if len(c.tests) == 1 {
		switch l.atoms[c.tests[0][0]].kind.field() {
		case fieldAgent:
			r.Kind = "user_agent"
		case fieldPath:
			r.Kind = "path"
		case fieldQuery:
			r.Kind = "query"
		case fieldHosts:
			r.Kind = "ip_set"
		}
	}
	return r
}

// weightShare is the share that the texts in b have of the weight of all.
func weightShare(b bitset, texts []*text) float64 {
	var in, all float64
	for i, t := range texts {
		all += float64(t.w)
		if b.has(i) {
			in += float64(t.w)
		}
	}
	if all == 0 {
		return 0
	}
	return in / all
}
