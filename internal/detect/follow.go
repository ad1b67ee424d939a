package detect

import (
	"math"
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// follow moves the open findings on, and the verdict.
func (s *service) follow(out []finding.Finding) []finding.Finding {
	for i := range s.eps {
		ep := &s.eps[i]
		if !ep.open {
			continue
		}
		ep.requests += s.now.marked[i]
		ep.peak = max(ep.peak, s.markedRate(i, 3))
		if s.now.offences[i] > 0 && s.lasts(i) {
			ep.last = max(ep.last, s.now.lastMark[i])
			ep.changed = true
		}
		ep.last = min(ep.last, max(s.newest, s.clock))
		switch {
		case s.clock-ep.last >= int64(s.d.cfg.CloseAfter):
			out = append(out, s.finish(i))
		case ep.told == 0:
			ep.told = s.second
			ep.changed = false
			out = append(out, s.tell(i, finding.Open))
		case ep.changed && s.second-ep.told >= updateEvery:
			ep.told = s.second
			ep.changed = false
			out = append(out, s.tell(i, finding.Update))
		}
	}
	s.conclude()
	return out
}

// lasts says whether an open finding's attack goes on. A stray request that looks
// like it does not keep it open; a wave does.
func (s *service) lasts(kind int) bool {
	ep := &s.eps[kind]
	n := min(10, int(s.tick))
	var offences, all uint64
	for i := range n {
		sl := s.slot(i)
		offences += sl.offences[kind]
		if kind == epStuffing {
			all += sl.refused
		} else {
			all += sl.n
		}
	}
	rate := float64(offences) / float64(n)
	ep.busiest = max(ep.busiest, rate)
	others := float64(all-min(offences, all)) / float64(n)
	quiet := quietShare * ep.busiest
	if ep.sig == nil {
		quiet /= 4 // its actors are known by name
	}
	return rate >= quiet && rate >= 3*ep.noise*others
}

// tell reports a finding and keeps the report for Status.
func (s *service) tell(i int, status finding.Status) finding.Finding {
	f := s.report(i, status)
	s.eps[i].final = f
	return f
}

// finish closes a finding.
func (s *service) finish(i int) finding.Finding {
	ep := &s.eps[i]
	ep.end(s)
	f := s.report(i, finding.Closed)
	for j := range s.clients.slots {
		c := &s.clients.slots[j]
		if c.class&(1<<i) != 0 {
			c.absolve() // what it did is told; only what it does again counts
		}
		c.class &^= 1 << i
		c.hits, c.asked, c.lean = 0, 0, 0
	}
	ep.reset()
	return f
}

const (
	crowdTicks = 5  // with a surge, before the verdict is crowd
	crowdHold  = 60 // s after the rate came back that it stays so
)

// conclude sets the verdict.
func (s *service) conclude() {
	var marked float64
	attacked := false
	for i := range s.eps {
		if s.eps[i].open {
			attacked = true
			marked += s.markedRate(i, 10)
		}
	}
	at := time.Unix(0, s.clock).UTC()
	factor := s.d.cfg.Expect(s.name, at)
	if !(factor >= 1) || math.IsInf(factor, 0) {
		factor = 1
	}
	legit := max(s.rate(10)-marked, 0)
	if s.pace.surge(s.second, legit, factor) && !(s.eps[epFlood].open && s.clock-s.eps[epFlood].found < 3e9) {
		if s.surgeTicks++; s.surgeTicks >= crowdTicks {
			s.surging = true
			s.surgeUntil = s.second + crowdHold
		}
	} else {
		s.surgeTicks = 0
		s.surging = s.surging && s.second < s.surgeUntil
	}
	v := finding.Normal
	switch silent := s.clock - s.newest; {
	case silent >= int64(s.d.cfg.SilentAfter):
		v = finding.Unknown
	case attacked && s.surging:
		v = finding.Mixed
	case attacked:
		v = finding.Attack
	case s.surging || s.planned(factor, legit):
		v = finding.Crowd
	}
	if v != s.verdict {
		s.verdict, s.since = v, at
	}
}

// planned says that the rate is far above its baseline, but not above what the
// calendar announced: a crowd too, and no surprise.
func (s *service) planned(factor, rate float64) bool {
	return factor > 1 && s.pace.surge(s.second, rate, 1)
}

// status reports s.
func (s *service) status() Status {
	st := Status{
		Service: s.name, Verdict: s.verdict, Since: s.since,
		Requests: s.requests, Errors: s.errors, Suspected: s.suspected,
		Recent: [3]uint64{s.series.Last(10), s.series.LastTens(30), s.series.LastMinutes(60)},
		Rate:   s.rate(10), Expected: s.pace.expected(s.second),
	}
	if s.newest != 0 {
		st.LastSeen = time.Unix(0, s.newest).UTC()
	}
	var h mergedHLL
	s.distinct.Each(10, h.add)
	st.Clients = h.all.Estimate()
	st.Score = float64(ramp(s.last.score, 0, 2*scoreBar))
	st.Confidence = s.confidence()
	for i := range s.eps {
		if s.eps[i].open {
			f := s.eps[i].final
			st.Findings = append(st.Findings, f)
			st.Score = max(st.Score, f.Confidence)
			st.Evidence = append(st.Evidence, f.Evidence...)
		}
	}
	if len(st.Findings) == 0 {
		st.Evidence = s.evidenceOf(&s.last)
	}
	return st
}

// confidence in the verdict: how much is known, and how far the evidence is from
// turning it.
func (s *service) confidence() float64 {
	if s.verdict == finding.Unknown {
		return 0
	}
	known := float64(len(s.ref.rows)) / baselineRows
	if s.open > 0 {
		best := 0.0
		for i := range s.eps {
			if s.eps[i].open {
				best = max(best, s.eps[i].conf)
			}
		}
		return best
	}
	far := float64(1 - ramp(s.last.score, 0, scoreBar))
	return (0.5 + 0.5*min(known, 1)) * (0.3 + 0.7*far)
}
