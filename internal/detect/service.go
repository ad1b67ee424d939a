package detect

import (
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/sketch"
	"github.com/vigie-otel/vigie/internal/window"
)

const (
	ringTicks  = 64  // the longest window, in ticks
	tickRows   = 384 // sampled requests a tick, at most
	tickAuth   = 128 // sampled refused sign-ins a tick, at most
	lookRows   = 2048
	heavyTick  = 12 // requests of one client in a tick that make it heavy
	seenValues = 1 << 16
)

// service is all that is known of one service.
type service struct {
	name string
	d    *Detector
	v    vantage
	rnd  rng

	clients  clients
	seen     *sketch.Seen
	distinct *window.Ring[sketch.HLL]
	series   *window.Series
	paths    *sketch.TopK
	agents   *sketch.TopK

	general, auth outbox
	ring          [ringTicks]slot
	tick          uint64
	second        int64 // of the last tick
	newest        int64 // newest event time, ns

	ref, refAuth           reference // of requests, and of refused sign-ins
	authTries, authRefused float64   // of ordinary traffic, fading
	pace                   pace
	has                    carries
	eps                    [episodes]episode
	open                   int // episodes that are open
	sampler                sampler
	toldHosts              int // of the addresses that a summary carries, the last one
	clock                  int64

	// since the start
	requests, errors, suspected uint64
	// since the last tick
	now counts
	// for the next summary
	out         pending
	tickClients sketch.HLL
	hll         *sketch.HLL // of hllSecond; nil when that is too late
	hllSecond   int64

	verdict    finding.Verdict
	since      time.Time
	last       opinion
	surgeUntil int64
	surging    bool
	risen      int64 // second when the rate last rose
	surgeTicks int
	doubted    [2]int64 // seconds from when and until when looks saw half of what makes an attack
}

// slot is one past tick.
type slot struct {
	second     int64
	rows, auth []row
	counts
}

// counts are exact, whatever is sampled.
type counts struct {
	n, errs, lost    uint64
	static, refs, ua uint64
	tries, refused   uint64
	slow             uint64
	gaveUp           uint64 // requests that visitors did not wait for
	marked           [episodes]uint64
	offences         [episodes]uint64 // of those, what keeps the finding open
	lastMark         [episodes]int64
}

func (c *counts) add(e *event) {
	k := uint64(e.rep)
	c.n += k
	if e.status >= 400 {
		c.errs += k
		if e.status >= 500 {
			c.lost += k
		}
	}
	if e.class.static() {
		c.static += k
	}
	if e.flags&flagReferer != 0 {
		c.refs += k
	}
	if e.uax != 0 {
		c.ua += k
	}
	if e.tried() {
		c.tries += k
		if e.refused() {
			c.refused += k
		}
	}
	if e.slow() {
		c.slow += k
	}
}

// carries says which features the service's log has at all: what it cannot
// carry is missing, not evidence. Counts fade.
type carries struct{ n, static, refs, ua float64 }

func (h *carries) add(c *counts) {
	if h.n > 100_000 {
		h.n, h.static, h.refs, h.ua = h.n/2, h.static/2, h.refs/2, h.ua/2
	}
	h.n += float64(c.n)
	h.static += float64(c.static)
	h.refs += float64(c.refs)
	h.ua += float64(c.ua)
}

// but is the share of x among the requests that are not of c's.
func (h *carries) but(x float64, own, n uint32) float64 {
	rest := h.n - float64(n)
	if rest < 50 {
		return 0
	}
	return max(0, x-float64(own)) / rest
}

func newService(d *Detector, name string) *service {
	s := &service{
		name: name, d: d, rnd: rng(d.cfg.Seed), verdict: finding.Unknown,
		seen:     sketch.NewSeen(seenValues),
		distinct: window.NewRing(10, 1, (*sketch.HLL).Reset),
		series:   window.NewSeries(d.cfg.Lateness),
		paths:    sketch.NewTopK(512, maxTemplate+8),
		agents:   sketch.NewTopK(512, 160),
		general:  newOutbox(tickRows, false),
		auth:     newOutbox(tickAuth, true),
		ref:      reference{limit: baselineRows},
		refAuth:  reference{limit: baselineAuthRows},
	}
	return s
}

// observe takes one event. labels gives the text of its path template and user
// agent; it is called for few events.
func (s *service) observe(e *event, labels func(e *event) (path, agent []byte)) Mark {
	second := e.nano / 1e9
	if s.v.began == 0 {
		s.v.began = second
	}
	if e.nano%1e9 != 0 {
		s.v.subsecond = true
	}
	s.newest = max(s.newest, e.nano)
	if s.seen.Add(e.pq) {
		e.flags &^= flagNewPQ
	} else {
		e.flags |= flagNewPQ
	}
	if second != s.hllSecond {
		s.distinct.Advance(second)
		s.hllSecond, s.hll = second, s.distinct.At(second)
	}
	who := mix(e.key)
	if s.hll != nil {
		s.hll.Add(who)
	}
	s.tickClients.Add(who)
	s.requests += uint64(e.rep)
	if e.status >= 400 {
		s.errors += uint64(e.rep)
	}
	s.now.add(e)
	c := s.clients.get(e)
	if c == nil {
		due := s.sampler.due(e)
		if s.open == 0 && !due {
			return Mark{}
		}
		var r row
		r.fill(e, nil, &s.v)
		m := s.mark(e, &r, nil)
		if due {
			s.sample(e, &r, m)
		}
		return m
	}
	return s.session(e, c, labels)
}

// session takes an event whose client has a record.
func (s *service) session(e *event, c *client, labels func(*event) ([]byte, []byte)) Mark {
	return s.sessionOf(e, c, labels, true, e.tried() && e.refused())
}

// sessionOf is session for an event that may be of one sample only: general, or
// auth, the refused sign-ins.
func (s *service) sessionOf(e *event, c *client, labels func(*event) ([]byte, []byte), general, auth bool) (m Mark) {
	c.key = e.key
	want, wantAuth := wantNone, wantNone
	if general {
		want = s.general.wants(c, &s.clients)
	}
	if auth {
		wantAuth = s.auth.wants(c, &s.clients)
	}
	var r row
	due := general && s.sampler.due(e)
	if want == wantRow || wantAuth == wantRow || s.open > 0 || due {
		r.fill(e, c, &s.v)
		if s.open > 0 && general {
			m = s.mark(e, &r, c)
		}
		if due {
			s.sample(e, &r, m)
		}
	}
	if general {
		c.add(e)
		if e.aborted() && (c.static > 0 || c.monotone() < 2) {
			s.now.gaveUp += uint64(e.rep)
		}
		if c.tick >= heavyTick {
			c.heavy = true
		}
		if c.n%judgeEvery == 0 {
			s.judgeClient(c)
		}
	}
	switch want {
	case wantRow:
		s.general.add(e, &r, c, &s.clients)
		if labels != nil {
			path, agent := labels(e)
			s.paths.Add(uint64(e.tmpl), uint64(e.rep), path)
			if e.uax != 0 {
				s.agents.Add(uint64(e.uax), uint64(e.rep), agent)
			}
		}
	case wantWeight:
		s.general.weigh(c, e.rep)
	}
	if auth {
		c.tickAuth = uint16(min(uint32(c.tickAuth)+e.rep, 1<<15))
		switch wantAuth {
		case wantRow:
			// Among sign-ins, how early in its session a client comes to one is
			// itself a sign: people have loaded a page by then.
			r.stage = 0
			s.auth.add(e, &r, c, &s.clients)
		case wantWeight:
			s.auth.weigh(c, e.rep)
		}
	}
	return m
}
