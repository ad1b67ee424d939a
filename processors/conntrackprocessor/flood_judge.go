package conntrackprocessor

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
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
