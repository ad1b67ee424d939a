package score

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gaissmai/bart"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/request"
)

// applyRules plays the case once more and counts what the last rules of each
// finding would have stopped from its opening on. Challenges, which people pass, and
// rules that only count are left
// out; those that limit a rate are taken as matching all that they name.
func (c Case) applyRules(ctx context.Context, o *Outcome) error {
	type count struct{ attack, hit, legit, legitHit int64 }
	matchers := make([]*matcher, len(o.Attacks))
	counts := make([]count, len(o.Attacks))
	any := false
	for i := range o.Attacks {
		a := &o.Attacks[i]
		if a.HasRules = len(a.last) > 0; a.HasRules {
			any = true
			rules, estimate := a.proposed()
			matchers[i] = newMatcher(rules)
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
	n := 0
	for p.next() {
		if n++; n%65536 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for i, m := range matchers {
			a := &o.Attacks[i]
			if m == nil || p.event.UnixNano < a.opened.UnixNano() || p.event.UnixNano > a.Truth.End.UnixNano() {
				continue
			}
			k := &counts[i]
			switch {
			case p.event.Attack == i:
				k.attack++
				if m.match(&p.request) {
					k.hit++
				}
			case p.event.Attack < 0:
				k.legit++
				if m.match(&p.request) {
					k.legitHit++
				}
			}
		}
	}
	for i, k := range counts {
		if k.attack > 0 {
			o.Attacks[i].Coverage = float64(k.hit) / float64(k.attack)
		}
		if k.legit > 0 {
			o.Attacks[i].RuleHit = float64(k.legitHit) / float64(k.legit)
		}
	}
	return p.err
}

// proposed is what the findings about a propose in the end, and what the largest
// of them estimates that its rules do.
func (a *AttackOutcome) proposed() (rules []finding.Rule, estimate finding.Mitigation) {
	var most uint64
	for _, id := range slices.Sorted(maps.Keys(a.last)) {
		f := a.last[id]
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
