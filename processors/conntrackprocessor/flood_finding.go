package conntrackprocessor

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

func (m *measured) fill(f *finding.Finding, l *floodLife) {
	where := m.key.addrPort().String()
	if f.ID == "" {
		f.Class, f.Service = finding.SYNFlood, where
		// The first of them came as long ago as the oldest is old.
		if m.t != nil {
			f.StartedAt = f.DetectedAt.Add(-time.Duration(m.span-1) * time.Second)
		}
		f.ID = finding.NewID(f.Class, f.Service, f.StartedAt, 0)
	}
	f.Requests = max(f.Requests, l.requests)
	f.Confidence = m.confidence()
	f.Evidence = m.evidence()
	f.Actors = []finding.Actor{{Kind: finding.KindTarget, Value: where, Share: 1}}
	if m.t != nil {
		f.Actors = append(f.Actors, m.t.actors(8)...)
		f.Actors = append(f.Actors, m.t.behind(m.key, 4)...)
	}
	f.Rules = []finding.Rule{{
		// A SYN proxy answers in the target's place and lets only completed
		// handshakes into the table. Who completes is let through.
		Kind: "synproxy", Action: finding.ActionChallenge, Coverage: 1,
		Match: []finding.Condition{
			{Field: names.DestinationAddress, Op: finding.OpEquals, Values: []string{m.key.addrPort().Addr().String()}},
			{Field: names.DestinationPort, Op: finding.OpEquals, Values: []string{fmt.Sprint(m.key.port)}},
		},
	}}
}

func (m *measured) confidence() float64 {
	c := 0.6
	if m.half >= 0.9*(m.half+m.est) {
		c += 0.15
	}
	if m.prefixes >= 32 {
		c += 0.15
	}
	if m.aged >= 5*max(m.normal, 20) {
		c += 0.09
	}
	return c
}

func (m *measured) evidence() []finding.Evidence {
	ev := []finding.Evidence{
		{Dimension: "half_open", Value: m.half, Normal: m.normal, Unit: "{connection}", Points: finding.For,
			Note: fmt.Sprintf("%.0f handshakes to %s are not completed", m.half, m.key.addrPort())},
		{Dimension: "half_open_ratio", Value: m.half / (m.half + m.est), Points: finding.For, Note: "of the target's connections"},
		{Dimension: "source_prefixes", Value: m.prefixes, Unit: "{prefix}", Points: finding.For},
	}
	if m.t != nil {
		perSecond := m.young / min(m.span, fresh)
		ev[0].Note += fmt.Sprintf(", %.0f new ones a second", perSecond)
		ev = append(ev,
			finding.Evidence{Dimension: "half_open_age_share", Value: m.aged / m.half, Points: finding.For, Note: "older than a handshake takes"},
			finding.Evidence{Dimension: "new_half_open_per_second", Value: perSecond, Normal: m.normal / fresh, Unit: "{connection}/s", Points: finding.For},
			finding.Evidence{Dimension: "sources_per_second", Value: m.sources / m.span, Unit: "{address}/s", Points: finding.For})
	}
	if m.est > 0 {
		ev = append(ev, finding.Evidence{Dimension: "complete_connections", Value: m.est, Normal: m.est, Unit: "{connection}",
			Points: finding.Against, Note: "to the same target"})
	}
	return ev
}

// actors gives the source prefixes with the largest shares. Below 1 % a prefix
// is nobody: then source_prefixes in the evidence says how spread they are.
func (t *target) actors(n int) []finding.Actor {
	var out []finding.Actor
	for _, e := range t.top.Top(64) {
		// SpaceSaving's count less its error is what surely came from there.
		if share := float64(e.Count-e.Err) / float64(t.seen); share >= 0.01 {
			out = append(out, finding.Actor{Kind: finding.KindPrefix, Value: string(e.Label), Share: share})
		}
	}
	sortActors(out)
	return out[:min(n, len(out))]
}

// behind gives the backends that the service sent most of them to.
func (t *target) behind(service end, n int) []finding.Actor {
	var out []finding.Actor
	for b, c := range t.backends {
		if b != service {
			out = append(out, finding.Actor{Kind: "backend", Value: b.addrPort().String(), Share: float64(c) / float64(t.seen)})
		}
	}
	sortActors(out)
	return out[:min(n, len(out))]
}

func sortActors(a []finding.Actor) {
	slices.SortFunc(a, func(a, b finding.Actor) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Value, b.Value))
	})
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
