package detect

import (
	"fmt"
	"slices"

	"github.com/vigie-otel/vigie/internal/finding"
)

// rules proposes what stops an open finding's attack, and says what it all does
// together: the least conjunctions of what a firewall can test — addresses and
// prefixes among it — that separate the marked requests from those that are
// legitimate now and from the ordinary traffic before. Addresses enter by what
// was marked and counted of each of them, never for their volume, so one that
// many people share is not proposed by itself.
func (s *service) rules(kind int, ep *episode) ([]finding.Rule, finding.Mitigation) {
	b := s.bookOf(kind, ep)
	if s.open > 0 && b.lessons > 0 && ep.open && s.second-b.learned < updateEvery*min(1+int64(b.lessons/6), 3) {
		return slices.Clone(b.rules), b.outcome
	}
	b.learned = s.second
	b.lessons++
	b.rules, b.outcome = s.lesson(ep, b)
	return slices.Clone(b.rules), b.outcome
}

// lesson learns the rules anew. In a finding's first minute that is done each time
// it is told, since ever more addresses become known; later up to 30 s apart.
func (s *service) lesson(ep *episode, b *casebook) ([]finding.Rule, finding.Mitigation) {
	b.measureMissed()
	l := s.prepare(b, ep.before())
	sets, shared := s.hostSets(ep)
	if len(l.att) < leastTexts || len(l.leg) < leastTexts {
		return addressRules(sets)
	}
	l.gatherAtoms()
	hosts := map[int]*hostSet{}
	add := func(set *hostSet) {
		a := atom{kind: atomHosts, hosts: set.values, counted: set.hit, att: newBitset(len(l.att)), leg: newBitset(len(l.leg))}
		for i, t := range l.att {
			if set.has(t) && (b.whole || t.flags&textSample == 0) { // of a sampled client's like, nobody knows the others
				a.att.set(i)
			}
		}
		for i, t := range l.leg {
			if set.has(t) {
				a.leg.set(i)
			}
		}
		hosts[len(l.atoms)] = set
		l.atoms = append(l.atoms, a)
	}
	for i := range sets {
		add(&sets[i])
	}
	if shared != nil {
		add(shared)
	}
	l.learn()
	return l.propose(hosts)
}

// prepare lays the texts of a book out. Of what was not marked, requests of
// addresses that were marked far more often are left out: nobody's to judge by.
func (s *service) prepare(b *casebook, from int64) *lesson {
	l := &lesson{}
	for i := range b.attack.texts {
		l.att = append(l.att, &b.attack.texts[i])
	}
	for i := range s.sampler.base {
		// An attack that came on slowly is in the baseline: who does nothing but
		// attack now is no visitor of then, and none at all since it began.
		t := &s.sampler.base[i]
		if h := b.hosts.find(t.from); h != nil && h.marked >= 8 && h.marked > 8*h.innocent() && (int64(t.second) >= from || !s.visitor(t.key)) {
			continue
		}
		l.leg = append(l.leg, t)
	}
	for i := range b.legit.texts {
		t := &b.legit.texts[i]
		if h := b.hosts.find(t.from); h != nil && h.marked >= 2 || !s.visits(t.key, from) {
			continue
		}
		l.leg = append(l.leg, t)
	}
	for _, t := range l.leg {
		l.has.referer = l.has.referer || len(t.part(partReferer)) > 0
		l.has.agent = l.has.agent || len(t.part(partAgent)) > 0
	}
	return l
}

// visits says that a client is surely legitimate: it was here before the attack, or
// behaves like people by now. An attack's requests that were not marked would
// speak against every rule otherwise.
func (s *service) visits(key uint64, from int64) bool {
	c := s.clients.find(key)
	return c != nil && (int64(c.first) < from || s.visitor(key) && (c.static > 0 || !s.v.statics))
}

// visitor says that a client was seen to behave like people.
func (s *service) visitor(key uint64) bool {
	c := s.clients.find(key)
	return c != nil && (c.rounded() || c.flags&clientVaried != 0)
}

// addressRules is what can be said where too few requests are known.
func addressRules(sets []hostSet) ([]finding.Rule, finding.Mitigation) {
	if len(sets) == 0 {
		return nil, finding.Mitigation{}
	}
	set := slices.MaxFunc(sets, func(a, b hostSet) int {
		if a.coverage < b.coverage {
			return -1
		}
		return 1
	})
	a := atom{kind: atomHosts, hosts: set.values}
	return []finding.Rule{{Kind: "ip_set", Action: finding.ActionBlock, Match: []finding.Condition{a.condition()}, Coverage: min(set.coverage, 1), LegitimateHit: set.hit}},
		finding.Mitigation{Coverage: min(set.coverage, 1), LegitimateHit: set.hit}
}

// propose writes the chosen conjunctions down, and what they do together.
func (l *lesson) propose(hosts map[int]*hostSet) (out []finding.Rule, m finding.Mitigation) {
	att, leg := newBitset(len(l.att)), newBitset(len(l.leg))
	counted := 0.0
	for i := range l.chosen {
		c := &l.chosen[i]
		r := l.rule(c, finding.ActionBlock)
		if set := hosts[c.tests[0][0]]; set != nil && len(c.tests) == 1 {
			r.LegitimateHit = max(r.LegitimateHit, set.hit)
			counted += set.hit
		}
		att.or(c.att)
		leg.or(c.leg)
		out = append(out, r)
	}
	m = finding.Mitigation{Coverage: weightShare(att, l.att), LegitimateHit: max(weightShare(leg, l.leg), counted)}
	if m.Coverage >= coverGoal {
		return out, m
	}
	l.price, l.budget = challengePrice, challengeBudget
	if c, ok := l.best(); ok {
		l.widen(&c)
		r := l.rule(&c, finding.ActionChallenge)
		out = append(out, r)
		m.Note = fmt.Sprintf("what is left cannot be told from people by what a firewall sees: the best further rule would stop %.1f %% more and hit %.2f %% of legitimate requests, so it is proposed as a challenge",
			100*float64(c.gain)/float64(len(l.att)), 100*float64(c.cost)/float64(len(l.leg)))
		return out, m
	}
	m.Note = fmt.Sprintf("the remaining %.1f %% cannot be told from people by what a firewall sees", 100*(1-m.Coverage))
	return out, m
}
