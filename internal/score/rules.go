package score

import (
	"context"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gaissmai/bart"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/request"
)

// proposal is a finding with rules, as it was told at a time (event time, ns).
type proposal struct {
	at      int64
	finding *finding.Finding
}

// applyRules plays the case once more and counts what the proposed rules would
// have stopped from the first opening on: the last ones of each finding, and
// those that stood when the request came. Challenges, which people pass, and rules
// that only count are left out; those that limit a rate are taken as matching all
// that they name.
func (c Case) applyRules(ctx context.Context, o *Outcome) error {
	trials := make([]ruleTrial, len(o.Attacks))
	any := false
	for i := range o.Attacks {
		a := &o.Attacks[i]
		if a.HasRules = len(a.proposals) > 0; a.HasRules {
			any = true
			rules, estimate := a.proposed(math.MaxInt64)
			trials[i].last = newMatcher(rules)
			a.EstCover, a.EstHit = estimate.Coverage, estimate.LegitimateHit
		}
	}
	if !any {
		return nil
	}
	g, err := c.generator()
	if err != nil {
		return err
	}
	p, err := newPlayer(g)
	if err != nil {
		return err
	}
	var end int64 // of the last attack that has rules: nothing after it counts
	for i := range o.Attacks {
		if o.Attacks[i].HasRules {
			end = max(end, o.Attacks[i].Truth.End.UnixNano())
		}
	}
	n := 0
	for p.next() && p.event.UnixNano <= end {
		if n++; n%65536 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for i := range trials {
			a := &o.Attacks[i]
			if trials[i].last == nil || p.event.UnixNano < a.opened.UnixNano() || p.event.UnixNano > a.Truth.End.UnixNano() {
				continue
			}
			if p.event.Attack == i || p.event.Attack < 0 {
				trials[i].take(a, p.event.UnixNano, p.event.Attack < 0, &p.request)
			}
		}
	}
	for i := range trials {
		a, t := &o.Attacks[i], &trials[i]
		a.Coverage, a.LiveCover = t.share(0, 1), t.share(0, 2)
		a.RuleHit, a.LiveHit = t.share(1, 1), t.share(1, 2)
	}
	return p.err
}

// ruleTrial counts what rules stop.
type ruleTrial struct {
	last, live *matcher
	known      int         // of what was told, is in live
	n          [2][3]int64 // of the attack, of people: all; stopped by last; by live
}

func (t *ruleTrial) take(a *AttackOutcome, now int64, person bool, r *request.Request) {
	for t.live == nil || t.known < len(a.proposals) && a.proposals[t.known].at <= now {
		for t.known < len(a.proposals) && a.proposals[t.known].at <= now {
			t.known++
		}
		rules, _ := a.proposed(now)
		t.live = newMatcher(rules)
	}
	n := &t.n[0]
	if person {
		n = &t.n[1]
	}
	n[0]++
	if t.last.match(r) {
		n[1]++
	}
	if t.live.match(r) {
		n[2]++
	}
}

func (t *ruleTrial) share(side, by int) float64 {
	return float64(t.n[side][by]) / float64(max(t.n[side][0], 1))
}

// proposed is what the findings about a proposed last, until a time, and what the
// largest of them estimates that its rules do.
func (a *AttackOutcome) proposed(until int64) (rules []finding.Rule, estimate finding.Mitigation) {
	last := map[string]*finding.Finding{}
	for _, t := range a.proposals {
		if t.at <= until {
			last[t.finding.ID] = t.finding
		}
	}
	var most uint64
	for _, id := range slices.Sorted(maps.Keys(last)) {
		f := last[id]
		rules = append(rules, f.Rules...)
		if f.Requests >= most {
			most, estimate = f.Requests, f.Mitigation
		}
	}
	return rules, estimate
}

// matcher applies rules as a web application firewall would: any rule, all of
// its conditions.
type matcher struct{ rules [][]test }

type test struct {
	field, op string
	values    []string
	nets      *bart.Lite
	above     float64
}

func newMatcher(rules []finding.Rule) *matcher {
	m := &matcher{}
	for _, r := range rules {
		if r.Action == finding.ActionCount || r.Action == finding.ActionChallenge || len(r.Match) == 0 {
			continue
		}
		var tests []test
		for _, c := range r.Match {
			t := test{field: c.Field, op: c.Op, values: c.Values}
			if c.Field == names.ClientAddress {
				t.nets = &bart.Lite{}
				for _, v := range c.Values {
					if p, err := netip.ParsePrefix(v); err == nil {
						t.nets.Insert(p)
					} else if a, err := netip.ParseAddr(v); err == nil {
						t.nets.Insert(netip.PrefixFrom(a, a.BitLen()))
					}
				}
			}
			if c.Op == finding.OpAbove && len(c.Values) > 0 {
				t.above, _ = strconv.ParseFloat(c.Values[0], 64)
			}
			tests = append(tests, t)
		}
		m.rules = append(m.rules, tests)
	}
	return m
}

func (m *matcher) match(r *request.Request) bool {
	for _, tests := range m.rules {
		all := true
		for i := range tests {
			if !tests[i].holds(r) {
				all = false
				break
			}
		}
		if all {
			return true
		}
	}
	return false
}

func (t *test) holds(r *request.Request) bool {
	var value []byte
	switch t.field {
	case names.ClientAddress:
		return t.nets.Contains(r.Client)
	case names.UserAgentOriginal:
		value = r.UserAgent
	case names.URLPath:
		value = r.Path
	case names.URLQuery:
		value = r.Query
	case names.HTTPRequestMethod:
		value = r.Method
	case names.ServerAddress:
		value = r.Host
	case names.HTTPResponseStatusCode:
		value = strconv.AppendInt(nil, int64(r.Status), 10)
	case names.HTTPRequestHeaderReferer:
		value = r.Referer
	case "client.request_rate":
		return true // a limit on what the other conditions name
	default:
		return false // what cannot be tried is not credited
	}
	switch t.op {
	case finding.OpPresent:
		return len(value) > 0
	case finding.OpAbsent:
		return len(value) == 0
	}
	for _, v := range t.values {
		switch t.op {
		case finding.OpEquals, finding.OpIn:
			if string(value) == v {
				return true
			}
		case finding.OpPrefix:
			if strings.HasPrefix(string(value), v) {
				return true
			}
		case finding.OpContains:
			if strings.Contains(string(value), v) {
				return true
			}
		case finding.OpAbove:
			return true
		}
	}
	return false
}
