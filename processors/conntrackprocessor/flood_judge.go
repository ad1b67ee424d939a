package conntrackprocessor

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// floodLife is a finding about one target, and its count of requests.
type floodLife struct {
	life
	counted  uint64    // connections of the dumps before counting
	dump     time.Time // that requests was last counted for
	requests uint64
}

// measured is one judgement's view of a target.
type measured struct {
	key       end
	half      float64 // half-open now: all of them, also those beyond the sample
	aged      float64 // of those, older than Age
	recent    float64 // of those, older than Age since the last few seconds
	young     float64 // half-open and new
	est       float64 // complete connections
	known     bool    // est is: there was a full dump
	normal    float64
	span      float64 // seconds in which they came
	sources   float64
	prefixes  float64
	unreplied float64 // share
	t         *target // nil: known by metrics alone
	scale     float64 // all over seen
}

// span is the age that 98 % of the entries have not passed, in seconds and one
// more: a few slow viewers are older than the flood.
func span(ages *[lifetimes]float64, all float64) float64 {
	sum := 0.0
	for age, n := range ages {
		if sum += n; sum >= 0.98*all {
			return float64(age + 1)
		}
	}
	return lifetimes
}

// sampled is from how many records of a target on there may be more than were
// sent.
const sampled = 500

func (s *floodState) measure(key end, t *target) measured {
	m := measured{key: key, t: t, known: s.knowsEst, half: float64(t.n), est: float64(max(s.est[key], s.rest.count[key])), normal: s.normal[key]}
	// The receiver counts under the backend where it knows it, else the service.
	all := s.fromMetrics[key]
	var behind owned
	for b := range t.backends {
		if o := s.fromMetrics[b]; b != key {
			behind.half, behind.est, behind.prefixes = behind.half+o.half, behind.est+o.est, max(behind.prefixes, o.prefixes)
			all.at = later(all.at, o.at)
		}
	}
	m.est = max(m.est, all.est, behind.est)
	// A small count is whole; only of a large one may records be a sample. A
	// target that left the receiver's list keeps its last count here: mind its age.
	if t.n >= sampled && s.half.at.Sub(all.at) < 30*time.Second {
		m.half, m.prefixes = max(m.half, all.half, behind.half), max(m.prefixes, all.prefixes, behind.prefixes)
	}
	m.scale = m.half / float64(t.seen)
	age := int(s.cfg.Age / time.Second)
	var ages [lifetimes]float64
	for state := range t.remaining {
		full := s.full[state].get()
		for left, n := range t.remaining[state] {
			if n == 0 {
				continue
			}
			old := max(full-left, 0)
			ages[old] += float64(n)
			// Both ends are whole seconds: 2 apart may be little more than 1.
			if age == 0 || old > age {
				m.aged += float64(n) * m.scale
				if old <= age+fresh {
					m.recent += float64(n) * m.scale
				}
			}
			if old < fresh {
				m.young += float64(n) * m.scale
			}
		}
	}
	m.span = span(&ages, float64(t.seen))
	m.sources = float64(t.sources.Estimate()) * m.scale
	m.prefixes = max(m.prefixes, float64(t.prefixes.Estimate()))
	m.unreplied = float64(t.unreplied) / float64(t.seen)
	return m
}

// fires is the upper bar. A target that nobody answers for and that few ask is
// a dead service with patient clients, not a flood. Before the first full dump
// nobody knows how many connections are complete: then there must be three times
// as many, most of them old, which is what no crowd has.
func (m *measured) fires(c *SYNFloodConfig) bool {
	dead := m.unreplied > 0.9 && m.sources <= 16
	if !m.known && (m.aged < 3*float64(c.MinHalfOpen) || m.aged < 0.6*m.half) {
		return false
	}
	return !dead && m.holds(c) && m.aged >= float64(c.MinHalfOpen) && m.half >= c.Ratio*(m.half+m.est) && m.half >= 4*m.normal
}

// holds is the lower bar: handshakes still grow old. At the pace of the last
// seconds they would fill a minute, an entry's life, with enough of them beside
// the complete ones; what is left of the flood itself says nothing, and neither
// do a crowd's own handshakes, which are young, or its slow ones, which are few.
func (m *measured) holds(c *SYNFloodConfig) bool {
	minute := m.recent * 60 / fresh
	return m.recent >= float64(c.MinHalfOpen)/4 && minute >= c.Ratio/2*(minute+m.est)
}

// judge looks at all targets of the current dump.
func (s *floodState) judge(now time.Time, to func(finding.Finding)) {
	if !s.cfg.Enabled {
		return
	}
	for key, t := range s.half.detail {
		m := s.measure(key, t)
		l := s.lives[key]
		if l == nil {
			if !m.fires(s.cfg) {
				continue
			}
			l = &floodLife{}
			s.lives[key] = l
		}
		fires := m.fires(s.cfg)
		l.count(&m, s.half.at)
		if l.judge(fires, m.holds(s.cfg), 1, now, s.half.at, func(f *finding.Finding) { m.fill(f, l) }) {
			l.tell(now, to)
		}
	}
}

// judgeMetrics looks at the targets that the receiver's metrics told of at that
// time, where no flow records come with ages and sources: none in the logs
// pipeline, or max_records is zero. Two readings in a row must agree, and many
// prefixes; and since old entries look like new ones, a flood is over only when
// they have expired, a minute after its end.
func (s *floodState) judgeMetrics(now, at time.Time, to func(finding.Finding)) {
	if !s.cfg.Enabled || now.Sub(s.recorded) < s.cfg.CloseAfter {
		return
	}
	for key, o := range s.fromMetrics {
		if !o.at.Equal(at) {
			continue
		}
		m := measured{
			key: key, known: s.knowsEst, half: o.half, aged: o.half, young: o.half, recent: o.half, est: o.est, normal: s.normal[key],
			span: fresh, sources: math.NaN(), prefixes: o.prefixes,
		}
		fires := m.fires(s.cfg) && m.prefixes >= 16
		l := s.lives[key]
		if l == nil {
			if !fires {
				if _, known := s.normal[key]; known || len(s.normal) < maxCounted {
					s.normal[key] += 0.03 * (o.half - s.normal[key])
				}
				continue
			}
			l = &floodLife{}
			s.lives[key] = l
		}
		l.requests = max(l.requests, uint64(m.half))
		if l.judge(fires, m.holds(s.cfg), 2, now, at, func(f *finding.Finding) { m.fill(f, l) }) {
			l.tell(now, to)
		}
	}
}

// count adds up the connections over the dumps: all of the first, then those
// that are newer than the dump before. A dump comes in parts, so that its part
// of the sum is made anew each time.
func (l *floodLife) count(m *measured, at time.Time) {
	if l.dump.IsZero() {
		l.dump = at
	}
	if at.After(l.dump) {
		l.counted, l.dump = l.requests, at
	}
	if l.counted == 0 {
		l.requests = uint64(m.half)
		return
	}
	l.requests = l.counted + uint64(m.young)
}

// expire closes floods that no dump confirms: an empty dump sends no record at
// all, so silence is an answer here.
func (s *floodState) expire(now time.Time, every time.Duration, to func(finding.Finding)) {
	for key, l := range s.lives {
		l.expire(now, s.cfg.CloseAfter, s.cfg.CloseAfter, every, to)
		if !l.open && now.Sub(l.judged) > s.cfg.CloseAfter {
			delete(s.lives, key)
		}
	}
}

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

// prefixes gives the sources of the target with the most half-open connections,
// for a finding about the whole table.
func (s *floodState) prefixes(n int) []finding.Actor {
	if len(s.half.detail) == 0 {
		return nil
	}
	keys := slices.Collect(maps.Keys(s.half.detail))
	worst := slices.MaxFunc(keys, func(a, b end) int { return cmp.Compare(s.half.detail[a].n, s.half.detail[b].n) })
	return s.half.detail[worst].actors(n)
}
