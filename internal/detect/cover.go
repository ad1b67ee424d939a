package detect

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

const (
	coverEnough = 0.95  // of the attack: further rules are not worth a reader's time
	ruleGain    = 0.02  // a rule that adds less is left out
	ruleHit     = 0.005 // of legitimate requests: more, and a rule is not proposed
	maxProposed = 8
)

// candidate is a rule on trial: which rows of the attack, and how much of the
// legitimate traffic, it matches.
type candidate struct {
	rule  finding.Rule
	match func(r *row) bool
}

// rules is a greedy cover of the attack's sampled requests (Chvátal 1979): at
// each step the rule that stops the most of what is left, for the least
// legitimate traffic. Prefixes enter only with what the signature accused in
// them, never for their volume, so an address that many people share is not
// proposed.
func (s *service) rules(kind int, ep *episode) []finding.Rule {
	var out []finding.Rule
	if len(ep.actors) > 0 {
		out = append(out, s.actorRule(ep))
	}
	if ep.sig == nil || len(ep.attack) == 0 {
		return out
	}
	ref := &s.ref
	if kind == epStuffing {
		ref = &s.refAuth
	}
	left := make([]bool, len(ep.attack))
	var total float32
	for i := range left {
		left[i] = true
		total += ep.attack[i].w
	}
	cands := s.candidates(ep, ref)
	covered := float32(0)
	for len(out) < maxProposed && covered < coverEnough*total {
		best, gain, hit := -1, float32(0), float32(0)
		for i := range cands {
			g := float32(0)
			for j := range ep.attack {
				if left[j] && cands[i].match(&ep.attack[j]) {
					g += ep.attack[j].w
				}
			}
			if g <= gain || g < ruleGain*total {
				continue
			}
			if h := legitHit(&cands[i], ep, ref); h <= ruleHit {
				best, gain, hit = i, g, h
			}
		}
		if best < 0 {
			break
		}
		c := &cands[best]
		var all float32
		for j := range ep.attack {
			if c.match(&ep.attack[j]) {
				all += ep.attack[j].w
				left[j] = false
			}
		}
		covered += gain
		c.rule.Coverage, c.rule.LegitimateHit = float64(all/total), float64(hit)
		out = append(out, c.rule)
	}
	return out
}

// legitHit estimates the share of legitimate requests that c would stop, from
// the reference and from what is legitimate now, whichever is more.
func legitHit(c *candidate, ep *episode, ref *reference) float32 {
	share := func(rows []row) float32 {
		var hit, sum float32
		for i := range rows {
			sum += rows[i].w
			if c.match(&rows[i]) {
				hit += rows[i].w
			}
		}
		if sum == 0 {
			return 0
		}
		return hit / sum
	}
	return max(share(ep.legit), share(ref.rows))
}

// candidates proposes by user agent, by path, by both, and by the networks that
// hold nothing but attack.
func (s *service) candidates(ep *episode, ref *reference) []candidate {
	agents := s.top(ep, dimExact, 24)
	paths := s.top(ep, dimPath, 24)
	var out []candidate
	single := func(kind, field string, d dim, v uint32, conds ...finding.Condition) candidate {
		return candidate{rule: finding.Rule{Kind: kind, Match: conds, Action: finding.ActionBlock}, match: func(r *row) bool { return r.val[d] == v }}
	}
	for _, a := range agents {
		ua := finding.Condition{Field: names.UserAgentOriginal, Op: finding.OpEquals, Values: []string{s.agentOf(a)}}
		if a.val[dimExact] != 0 && ua.Values[0] == "" {
			continue
		}
		out = append(out, single("user_agent", names.UserAgentOriginal, dimExact, a.val[dimExact], ua))
		for _, p := range paths {
			conds, ok := s.pathConditions(p)
			if !ok {
				continue
			}
			av, pv := a.val[dimExact], p.val[dimPath]
			out = append(out, candidate{
				rule:  finding.Rule{Kind: "composite", Match: append(conds, ua), Action: finding.ActionBlock},
				match: func(r *row) bool { return r.val[dimExact] == av && r.val[dimPath] == pv },
			})
		}
	}
	for _, p := range paths {
		if conds, ok := s.pathConditions(p); ok {
			out = append(out, single("path", names.URLPath, dimPath, p.val[dimPath], conds...))
		}
	}
	if c, ok := s.networks(ep, ref); ok {
		out = append(out, c)
	}
	return out
}

func (s *service) pathConditions(r *row) ([]finding.Condition, bool) {
	label := s.pathOf(r)
	method, path, ok := strings.Cut(label, " ")
	if !ok || path == "" {
		return nil, false
	}
	op := finding.OpEquals
	if i := strings.IndexByte(path, '{'); i >= 0 {
		path, op = path[:i], finding.OpPrefix
		if len(path) < 3 {
			return nil, false // a prefix of "/" would be everything
		}
	}
	conds := []finding.Condition{{Field: names.URLPath, Op: op, Values: []string{path}}}
	if method != "" {
		conds = append(conds, finding.Condition{Field: names.HTTPRequestMethod, Op: finding.OpEquals, Values: []string{method}})
	}
	return conds, true
}

// top returns one row for each of the n values of d that the attack has most.
func (s *service) top(ep *episode, d dim, n int) []*row {
	t := &s.d.x.att
	t.reset(1 << 14)
	sumBy(t, ep.attack, d)
	type val struct {
		r *row
		w float32
	}
	var vals []val
	for i := range ep.attack {
		r := &ep.attack[i]
		if k := t.peek(cell(d, 0, r.val[d])); k != nil && k.w > 0 {
			vals = append(vals, val{r, k.w})
			k.w = 0
		}
	}
	slices.SortStableFunc(vals, func(a, b val) int { return cmp.Compare(b.w, a.w) })
	var out []*row
	for _, v := range vals[:min(len(vals), n)] {
		out = append(out, v.r)
	}
	return out
}

// networks is a set of addresses: whole prefixes where nothing else was seen,
// else single clients that the signature accused.
func (s *service) networks(ep *episode, ref *reference) (candidate, bool) {
	clean := map[uint32]bool{}
	for _, r := range s.top(ep, dimNet24, 1<<20) {
		clean[r.val[dimNet24]] = true
	}
	for _, rows := range [...][]row{ep.legit, ref.rows} {
		for i := range rows {
			delete(clean, rows[i].val[dimNet24])
		}
	}
	per := map[uint32]map[uint64]bool{}
	for i := range ep.attack {
		r := &ep.attack[i]
		m := per[r.val[dimNet24]]
		if m == nil {
			m = map[uint64]bool{}
			per[r.val[dimNet24]] = m
		}
		m[r.key] = true
	}
	var values []string
	whole, single := map[uint32]bool{}, map[uint64]bool{}
	for i := range ep.attack {
		r := &ep.attack[i]
		net := r.val[dimNet24]
		if len(values) >= finding.MaxValues || whole[net] || single[r.key] {
			continue
		}
		if clean[net] && len(per[net]) >= 2 {
			if p := s.prefixOf(r); p != "" {
				whole[net] = true
				values = append(values, p)
			}
			continue
		}
		if c := s.clients.find(r.key); c != nil {
			single[r.key] = true
			v4 := c.addr[10] == 0xff && c.addr[11] == 0xff && be64(c.addr[:]) == 0
			values = append(values, prefixOf(c.addr, v4, 32, 64).String())
		}
	}
	if len(values) == 0 {
		return candidate{}, false
	}
	return candidate{
		rule: finding.Rule{Kind: "ip_set", Action: finding.ActionBlock,
			Match: []finding.Condition{{Field: names.ClientAddress, Op: finding.OpIn, Values: values}}},
		match: func(r *row) bool { return whole[r.val[dimNet24]] || single[r.key] },
	}, true
}

// actorRule blocks the accused clients one by one.
func (s *service) actorRule(ep *episode) finding.Rule {
	var values []string
	for i := range ep.actors {
		a := &ep.actors[i]
		v4 := a.addr[10] == 0xff && a.addr[11] == 0xff && be64(a.addr[:]) == 0
		p := netip.PrefixFrom(netip.AddrFrom16(a.addr).Unmap(), 32)
		if !v4 {
			p = prefixOf(a.addr, false, 32, 64)
		}
		values = append(values, p.String())
	}
	cov := 1.0
	if ep.sig != nil { // what they are of the whole
		var hit, sum float32
		for i := range ep.attack {
			sum += ep.attack[i].w
			if slices.ContainsFunc(ep.actors, func(a actorNote) bool { return a.key == ep.attack[i].key }) {
				hit += ep.attack[i].w
			}
		}
		cov = float64(hit / max(sum, 1))
	}
	return finding.Rule{Kind: "ip_set", Action: finding.ActionBlock, Coverage: cov,
		Match: []finding.Condition{{Field: names.ClientAddress, Op: finding.OpIn, Values: values}}}
}
