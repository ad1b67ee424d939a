package detect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/sketch"
)

type mergedHLL struct{ all sketch.HLL }

func (m *mergedHLL) add(h *sketch.HLL) { m.all.Merge(h) }

// report writes an episode down as a finding.
func (s *service) report(kind int, status finding.Status) finding.Finding {
	ep := &s.eps[kind]
	f := finding.Finding{
		ID: ep.id, Class: ep.class, Service: s.name, Status: status, Confidence: ep.conf, Requests: ep.requests,
		StartedAt: stamp(ep.started), DetectedAt: stamp(ep.found), UpdatedAt: stamp(ep.last),
	}
	if status == finding.Closed {
		f.ClosedAt = stamp(ep.closed)
	}
	if ep.sig != nil {
		f.Evidence = s.evidenceOf(&ep.op)
		f.Actors = s.attribute(ep)
	}
	if len(ep.actors) > 0 {
		f.Evidence = append(f.Evidence, s.actorEvidence(kind, ep)...)
		f.Actors = append(f.Actors, s.actorPrefixes(ep)...)
	}
	f.Rules, f.Mitigation = s.rules(kind, ep)
	f.Bound()
	return f
}

func stamp(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

var groupNames = [groups]struct{ name, note string }{
	groupAgent:   {"user_agents", "share of its requests whose user agent, or change of it, the baseline does not know for these paths"},
	groupNetwork: {"networks", "share of its requests from prefixes or clients that are far busier than in the baseline"},
	groupSession: {"sessions", "share of its requests in sessions that run unlike the service's own of the same length"},
	groupRhythm:  {"rhythm", "share of its requests more regular, or less, than the service's own"},
	groupQuery:   {"novel_queries", "share of its requests whose path and query were not asked for lately, where the baseline repeats"},
	groupHold:    {"held_connections", "share of its requests that held their connection unlike the baseline"},
	groupLoad:    {"requests_per_client", "share of its requests from clients that ask faster than the baseline's do"},
	groupPath:    {"paths", "share of its requests on paths far more popular than in the baseline; a crowd does that too"},
	groupAge:     {"new_clients", "share of its requests from clients first seen in the last minute; a crowd does that too"},
	groupOutcome: {"outcomes", "share of its requests with answers that the baseline seldom gives for these paths"},
}

// evidenceOf lists what an opinion weighed, for and against, strongest first.
func (s *service) evidenceOf(op *opinion) []finding.Evidence {
	var ev []finding.Evidence
	expected := s.pace.expected(s.second)
	rate := s.rate(10)
	if expected > 0 {
		ev = append(ev, finding.Evidence{Dimension: "requests_per_second", Value: rate, Normal: expected, Unit: "{request}/s",
			Points: points(s.pace.surge(s.second, rate, 1)), Note: "rate of the service; alone it tells no attack from a crowd"})
	}
	if op.share == 0 {
		return ev
	}
	ev = append(ev, finding.Evidence{Dimension: "excess_share", Value: float64(op.share), Normal: float64(op.base),
		Points: finding.For, Note: "share of requests with its signature, now and in the baseline"})
	for g := range groups {
		n := groupNames[g]
		e := finding.Evidence{Dimension: n.name, Value: float64(op.strange[g]), Note: n.note, Points: points(op.strange[g] >= 0.3)}
		if g == groupAge {
			e.Value, e.Normal = float64(op.fresh[0]), float64(op.fresh[1])
		}
		ev = append(ev, e)
	}
	for _, a := range [...]struct {
		name, note string
		v          float32
		bar        float32
	}{
		{"known_clients", "share of its requests from clients that were here before; bots seldom are", op.known, 0.4},
		{"rounded_sessions", "share of its requests from clients that load pages with what belongs to them", op.rounded, 0.6},
		{"declared_robots", "share of its requests that say they are a robot, and whose", op.crawlers, 0.5},
	} {
		p := finding.For
		if a.v >= a.bar {
			p = finding.Against
		}
		ev = append(ev, finding.Evidence{Dimension: a.name, Value: float64(a.v), Points: p, Note: a.note})
	}
	slices.SortStableFunc(ev[1:], func(a, b finding.Evidence) int {
		if a.Points != b.Points {
			return strings.Compare(string(b.Points), string(a.Points)) // for before against
		}
		return cmp.Compare(b.Value, a.Value)
	})
	return ev
}

func points(isFor bool) finding.Points {
	if isFor {
		return finding.For
	}
	return finding.Against
}

// actorEvidence is what the busiest actor did.
func (s *service) actorEvidence(kind int, ep *episode) []finding.Evidence {
	var c *client
	for i := range ep.actors {
		if d := s.clients.find(ep.actors[i].key); d != nil && (c == nil || d.n > c.n) {
			c = d
		}
	}
	ev := []finding.Evidence{{Dimension: "actors", Value: float64(len(ep.actors)), Unit: "{client}", Points: finding.For,
		Note: "clients that were accused for what they did themselves"}}
	if c == nil {
		return ev
	}
	add := func(name string, v, normal float64, unit, note string) {
		ev = append(ev, finding.Evidence{Dimension: name, Value: v, Normal: normal, Unit: unit, Points: finding.For, Note: note})
	}
	n := float64(max(c.n, 1))
	switch kind {
	case epFlood:
		add("client_rate", float64(c.peak), hammerRate, "{request}/s", "dynamic requests a second of its busiest client, at most; normal is what no person reaches")
		add("repetition", float64(max(c.majorN, c.majorPN))/n, 0, "", "share by which one path outweighs all others of that client")
		add("novel_queries", float64(c.newPQ)/n, 0, "", "share of its requests that were not asked for lately")
	case epStuffing:
		add("refused_sign_ins", float64(c.refused), stuffRefused, "{request}", "refused sign-ins of its busiest client")
		add("accounts", float64(countBits(c.accts)), 1, "{account}", "different accounts that client tried, where the log has them")
		add("seconds_between_tries", float64(c.gap), 0, "s", "mean gap of that client")
	case epScanning:
		add("failed_paths", float64(c.distinctErrors()), scanErrors, "{path}", "different paths that failed for its busiest client")
		add("client_errors", float64(c.bad)/n, 0.3, "", "share of that client's requests that failed by its own doing")
		add("probes", float64(c.probes), scanProbes, "{request}", "requests for what only an intruder wants")
	case epSlow:
		add("held_connections", float64(c.slow)/n, 0, "", "share of its busiest client's requests that held a connection and moved little")
	}
	return ev
}

// attribute names what the attack's requests have in common: by lift over the
// legitimate ones, not by count alone.
func (s *service) attribute(ep *episode) []finding.Actor {
	var all []finding.Actor
	for _, a := range [...]struct {
		kind string
		d    dim
		name func(r *row) string
		n    int
	}{
		{finding.KindPrefix, dimNet24, s.prefixOf, 12},
		{finding.KindUserAgent, dimExact, s.agentOf, 8},
		{finding.KindPath, dimPath, s.pathOf, 8},
	} {
		all = append(all, s.common(ep, a.kind, a.d, a.name, a.n)...)
	}
	return all
}

func (s *service) common(ep *episode, kind string, d dim, name func(*row) string, limit int) []finding.Actor {
	att, leg := &s.d.x.att, &s.d.x.leg
	att.reset(1 << 14)
	leg.reset(1 << 14)
	total, errs := sumBy(att, ep.attack, d)
	lt, _ := sumBy(leg, ep.legit, d)
	_ = errs
	var list []finding.Actor
	for i := range ep.attack {
		r := &ep.attack[i]
		k := att.peek(cell(d, 0, r.val[d]))
		if k == nil || k.w == 0 || r.val[d] == 0 {
			continue
		}
		share := k.w / total
		k.w = 0 // listed
		if share < 0.01 {
			continue
		}
		base := (leg.get(cell(d, 0, r.val[d])) + 0.5) / (lt + 1)
		text := name(r)
		if text == "" {
			continue
		}
		list = append(list, finding.Actor{Kind: kind, Value: text, Share: float64(share), Lift: float64(share / base), Errors: float64(k.note / max(float32(k.n), 1))})
	}
	slices.SortStableFunc(list, func(a, b finding.Actor) int { return cmp.Compare(b.Share*min(b.Lift, 100), a.Share*min(a.Lift, 100)) })
	return list[:min(len(list), limit)]
}

func sumBy(t *tally, rows []row, d dim) (total, errs float32) {
	for i := range rows {
		r := &rows[i]
		total += r.w
		k := t.at(cell(d, 0, r.val[d]))
		if k == nil {
			continue
		}
		k.w += r.w
		k.n++
		if o := r.val[dimOutcome]; o >= 400 || o == 4 || o == 5 {
			k.note++
			errs++
		}
	}
	return max(total, 1), errs
}

func (s *service) actorPrefixes(ep *episode) []finding.Actor {
	var list []finding.Actor
	var sum float64
	for i := range ep.actors {
		a := &ep.actors[i]
		c := s.clients.find(a.key)
		if c == nil {
			continue
		}
		sum += float64(c.n)
		v4 := a.addr[10] == 0xff && a.addr[11] == 0xff && be64(a.addr[:]) == 0
		list = append(list, finding.Actor{
			Kind: finding.KindPrefix, Value: prefixOf(a.addr, v4, 32, 64).String(), Share: float64(c.n),
			Errors: float64(c.bad+c.lost) / float64(max(c.n, 1)), FirstSeen: time.Unix(a.first, 0).UTC(),
		})
	}
	for i := range list {
		list[i].Share /= max(sum, 1)
	}
	slices.SortStableFunc(list, func(a, b finding.Actor) int { return cmp.Compare(b.Share, a.Share) })
	return list[:min(len(list), 16)]
}

func (s *service) prefixOf(r *row) string {
	v := r.val[dimNet24]
	if v>>24 == 1 {
		return fmt.Sprintf("%d.%d.%d.0/24", v>>16&255, v>>8&255, v&255)
	}
	if c := s.clients.find(r.key); c != nil {
		return prefixOf(c.addr, false, 24, 48).String()
	}
	return ""
}

func (s *service) agentOf(r *row) string {
	if e, ok := s.agents.Get(uint64(r.val[dimExact])); ok {
		return string(e.Label)
	}
	return ""
}

func (s *service) pathOf(r *row) string {
	if e, ok := s.paths.Get(uint64(r.val[dimPath])); ok {
		return string(e.Label)
	}
	return ""
}
