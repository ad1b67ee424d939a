package detect

import (
	"github.com/vigie-otel/vigie/internal/finding"
)

// close ends the tick at now (ns) and returns what changed.
func (s *service) close(now int64, out []finding.Finding) []finding.Finding {
	second := now / 1e9
	gap := int64(1)
	if s.second != 0 {
		gap = max(second-s.second, 1)
	}
	s.clock, s.second = now, second
	s.series.Advance(second)
	s.series.Add(second, s.now.n)
	s.distinct.Advance(second)
	s.hllSecond = 0
	s.push(second)
	for range min(gap-1, ringTicks-1) {
		s.tick++
		s.slot(0).reset(second)
	}
	s.has.add(&s.now)
	s.v.statics, s.v.agents = s.has.static*10 >= s.has.n, s.has.ua*2 >= s.has.n
	s.followUp()
	s.judgeClients()
	s.look()
	out = s.follow(out)
	s.learn()
	s.settle()
	return out
}

func (sl *slot) reset(second int64) {
	*sl = slot{second: second, rows: sl.rows[:0], auth: sl.auth[:0]}
}

// slot is the one of ago ticks ago.
func (s *service) slot(ago int) *slot { return &s.ring[(s.tick-uint64(ago))%ringTicks] }

func (s *service) push(second int64) {
	s.tick++
	sl := s.slot(0)
	s.thinOld(sl)
	sl.reset(second)
	sl.rows = refill(sl.rows, s.general.close())
	sl.auth = refill(sl.auth, s.auth.close())
	sl.counts = s.now
}

// What is older than the middle window, the long one looks at and the baselines
// learn from: both take fewer rows of each tick than these.
const (
	thinAfter = 12 // ticks
	thinRows  = 64
	thinAuth  = 32
)

// thinOld leaves of an old tick's rows every so manieth, each for several, and gives
// their memory to the tick that begins.
func (s *service) thinOld(begins *slot) {
	old := s.slot(thinAfter)
	begins.rows, old.rows = old.rows, thin(begins.rows, old.rows, thinRows)
	begins.auth, old.auth = old.auth, thin(begins.auth, old.auth, thinAuth)
}

func thin(dst, rows []row, limit int) []row {
	step := max((len(rows)+limit-1)/limit, 1)
	n := (len(rows) + step - 1) / step
	if dst = dst[:0]; cap(dst) < n || cap(dst) > limit {
		dst = make([]row, 0, n)
	}
	for i := 0; i < len(rows); i += step {
		dst = append(dst, rows[i])
		dst[len(dst)-1].w *= float32(step)
	}
	return dst
}

// refill copies rows into dst, growing it no further than they need: there are
// ringTicks of them.
func refill(dst, rows []row) []row {
	if cap(dst) < len(rows) {
		dst = make([]row, 0, len(rows))
	}
	return append(dst[:0], rows...)
}

// followTicks is after how long a client has come back if it is going to: people
// load what a page needs within it.
const followTicks = 4

// followUp notes which clients came back, in the tick of followTicks ago.
func (s *service) followUp() {
	if s.tick <= followTicks {
		return
	}
	sl := s.slot(followTicks)
	for _, rows := range [...][]row{sl.rows, sl.auth} {
		for i := range rows {
			r := &rows[i]
			if c := s.clients.find(r.key); c != nil {
				r.followed(c)
			}
		}
	}
}

// rate is the mean of the last ticks, requests a second.
func (s *service) rate(ticks int) float64 {
	var n uint64
	ticks = min(ticks, int(s.tick), ringTicks)
	if ticks == 0 {
		return 0
	}
	for i := range ticks {
		n += s.slot(i).n
	}
	return float64(n) / float64(ticks)
}

// rateBefore is the mean from ticks ago to, further back, ticks.
func (s *service) rateBefore(from, to int) float64 {
	var n uint64
	to = min(to, int(s.tick), ringTicks)
	for i := from; i < to; i++ {
		n += s.slot(i).n
	}
	return float64(n) / float64(max(to-from, 1))
}

func (s *service) markedRate(kind, ticks int) float64 {
	var n uint64
	ticks = min(ticks, int(s.tick), ringTicks)
	if ticks == 0 {
		return 0
	}
	for i := range ticks {
		n += s.slot(i).marked[kind]
	}
	return float64(n) / float64(ticks)
}

// gather fills dst with at most limit rows of the last ticks, evenly thinned, and
// says to every how manieth.
func (s *service) gather(dst []row, ticks, limit int, auth bool) ([]row, float32) {
	dst = dst[:0]
	ticks = min(ticks, int(s.tick), ringTicks)
	of := func(sl *slot) []row {
		if auth {
			return sl.auth
		}
		return sl.rows
	}
	n := 0
	for i := range ticks {
		n += len(of(s.slot(i)))
	}
	step := max((n+limit-1)/limit, 1)
	at := 0
	for i := range ticks {
		rows := of(s.slot(i))
		for ; at < len(rows); at += step {
			dst = append(dst, rows[at])
		}
		at -= len(rows)
	}
	return dst, float32(step)
}

// suspicious says that what is going on must not be learned.
func (s *service) suspicious() bool {
	return s.eps[epFlood].open || s.eps[epStuffing].open && s.eps[epStuffing].sig != nil || s.eps[epFlood].looks&7 != 0
}

// age is how many seconds the service is known.
func (s *service) age() int64 { return max(s.second-s.v.began, 0) }

// learn lets the tick of a while ago into the baselines: an attack that is found
// later than it begins has not been learned by then.
func (s *service) learn() {
	if s.suspicious() {
		return
	}
	delay := int(min(max(s.age()/4, 1), 30))
	if s.age() > 3*followTicks {
		delay = max(delay, followTicks+1)
	}
	if uint64(delay) < s.tick {
		sl := s.slot(delay)
		age := s.age()
		if s.surging {
			age = baselineMemory // a crowd teaches slowly
		}
		s.ref.learn(sl.rows, age, &s.rnd)
		if s.age() > knownAfter && !s.surging && s.surgeTicks == 0 && !s.doubtful() {
			s.ref.ways.learn(sl.rows)
		}
		s.refAuth.learn(sl.auth, age, &s.rnd)
		const fade = 1 - 1.0/baselineMemory
		s.authTries = s.authTries*fade + float64(sl.tries)
		s.authRefused = s.authRefused*fade + float64(sl.refused)
	}
	if s.age() >= 3 {
		s.pace.learn(s.second, s.rate(10), s.surging || s.surgeTicks > 0 || s.verdict == finding.Crowd)
	}
}

func (s *service) settle() {
	s.hold()
	s.sampler.pace(s.now.n, s.open > 0)
	s.general.reset(s.clients.level)
	s.auth.reset(s.clients.level)
	for _, i := range s.clients.active {
		c := &s.clients.slots[i]
		if c.tick < 4 && c.heavy && s.clients.sampled(c.key, s.clients.level) {
			c.heavy = false
		}
		c.tickAuth = 0
	}
	s.clients.settle(s.tick)
	if s.tick%30 == 0 {
		s.clients.relax(s.clock)
	}
	if s.tick%300 == 0 {
		s.paths.Halve()
		s.agents.Halve()
	}
	s.now = counts{}
}

func (c *counts) merge(o *counts) {
	c.n += o.n
	c.errs += o.errs
	c.lost += o.lost
	c.static += o.static
	c.refs += o.refs
	c.ua += o.ua
	c.tries += o.tries
	c.refused += o.refused
	c.slow += o.slow
}
