package conntrackprocessor

import (
	"math"
	"net/netip"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/vigie-otel/vigie/internal/flow"
	"github.com/vigie-otel/vigie/internal/names"
	"github.com/vigie-otel/vigie/internal/sketch"
)

const (
	// maxCounted bounds the targets that are counted at all, 24 bytes each; a
	// target gets a detail of its own, some 10 KiB, at its eighth entry.
	maxCounted = 16_384
	detailFrom = 8
	// lifetimes are how many seconds of remaining timeout are told apart: the
	// kernel's defaults are 120 for SYN_SENT and 60 for SYN_RECV.
	lifetimes = 128
	// fresh is how young an entry is that counts as new, in seconds: about one
	// interval of the receiver's half-open dump.
	fresh = 10
)

// floodState counts the half-open connections of one node. A dump is all flow
// records with one timestamp; the receiver sends half-open ones in one dump and
// all others in another, so that each kind has a current dump of its own.
//
// How old a handshake is follows from its remaining timeout: the kernel sets it
// to a constant when the SYN (or SYN-ACK) comes, and the constant is the highest
// remaining time that was seen. So one dump tells a flood from a burst.
type floodState struct {
	cfg  *SYNFloodConfig
	seed uint64
	full [2]highest // SYN_SENT, SYN_RECV and their SCTP likes

	half     *halfDump
	rest     *restDump
	recorded time.Time      // by the clock: the last half-open record
	knowsEst bool           // there was a full dump, as records or as metrics
	est      map[end]uint32 // complete connections a target, as of the last full dump

	fromMetrics map[end]owned // exact, but without ages and sources
	normal      map[end]float64
	lives       map[end]*floodLife
}

// owned is what the receiver's metrics say of a target. They see every entry,
// records only a sample of them.
type owned struct {
	half, est float64
	prefixes  float64
	at        time.Time // of half
}

type halfDump struct {
	at      time.Time
	count   map[end]uint32
	detail  map[end]*target
	skipped int // targets that found no room
}

type restDump struct {
	at      time.Time
	assured bool // holds complete connections: a full dump
	count   map[end]uint32
}

// target is what is known of the half-open connections to one address and port.
type target struct {
	n         uint32 // all
	seen      uint32 // those that all below counts: all but the first few
	unreplied uint32
	remaining [2][lifetimes]uint32 // entries by seconds left
	sources   sketch.HLL
	prefixes  sketch.HLL
	top       *sketch.TopK   // prefixes
	backends  map[end]uint32 // behind the service: at most 16
}

func newFlood(cfg *SYNFloodConfig, seed uint64) *floodState {
	return &floodState{
		cfg: cfg, seed: seed,
		est: map[end]uint32{}, fromMetrics: map[end]owned{}, normal: map[end]float64{}, lives: map[end]*floodLife{},
		half: &halfDump{count: map[end]uint32{}, detail: map[end]*target{}},
		rest: &restDump{count: map[end]uint32{}},
	}
}

// add counts one record of the dump taken at. late reports one that belongs to
// a dump before the current one.
func (s *floodState) add(f *flow.Flow, at time.Time) (late bool) {
	if f.Proto != flow.TCP && f.Proto != flow.SCTP {
		return false
	}
	if !f.HalfOpen() {
		return s.addRest(f, at)
	}
	switch {
	case at.Before(s.half.at):
		return true
	case at.After(s.half.at):
		s.learn(at.Sub(s.half.at))
		s.half = &halfDump{at: at, count: map[end]uint32{}, detail: map[end]*target{}}
	}
	d, key := s.half, endOf(f.Service())
	n, known := d.count[key]
	if !known && len(d.count) >= maxCounted {
		d.skipped++
		return false
	}
	n++
	d.count[key] = n
	state, left := stage(f)
	s.full[state].see(left, at)
	t := d.detail[key]
	if t == nil {
		if n < detailFrom {
			return false
		}
		if len(d.detail) >= s.cfg.MaxTargets {
			d.skipped++
			return false
		}
		t = &target{top: sketch.NewTopK(128, 40), n: n - 1, backends: map[end]uint32{}}
		d.detail[key] = t
	}
	t.add(f, state, left, s.seed)
	return false
}

func (t *target) add(f *flow.Flow, state, left int, seed uint64) {
	t.n++
	t.seen++
	t.remaining[state][left]++
	if f.Unreplied() {
		t.unreplied++
	}
	if b := endOf(f.Backend()); len(t.backends) < 16 || t.backends[b] > 0 {
		t.backends[b]++
	}
	src := f.Client().Addr()
	raw := src.As16()
	t.sources.Add(xxh3.HashSeed(raw[:], seed))
	label := prefixOf(src).String()
	h := xxh3.HashStringSeed(label, seed)
	t.prefixes.Add(h)
	t.top.Add(h, 1, []byte(label))
}

func (s *floodState) addRest(f *flow.Flow, at time.Time) (late bool) {
	switch {
	case at.Before(s.rest.at):
		return true
	case at.After(s.rest.at):
		if s.rest.assured {
			s.est = s.rest.count
		}
		s.rest = &restDump{at: at, count: map[end]uint32{}}
	}
	if f.State < flow.StateEstablished {
		return false
	}
	s.rest.assured = s.rest.assured || f.Assured()
	s.knowsEst = s.knowsEst || f.Assured()
	key := endOf(f.Service())
	if _, ok := s.rest.count[key]; ok || len(s.rest.count) < maxCounted {
		s.rest.count[key]++
	}
	return false
}

// stage is 0 before the answer and 1 after it, and the seconds that are left.
func stage(f *flow.Flow) (state, left int) {
	if f.State == flow.StateSynReceived || f.State == flow.StateCookieEchoed {
		state = 1
	}
	return state, min(max(int(f.Timeout/time.Second), 0), lifetimes-1)
}

// learning is the time constant of what is normal. It goes by time and not by
// dumps: a receiver that dumps each second must not learn a flood in five.
const learning = 5 * time.Minute

// learn takes the finished dump, which stood for so long, as what is normal, but
// not what is under suspicion.
func (s *floodState) learn(stood time.Duration) {
	weight := 1 - math.Exp(-min(stood, learning).Seconds()/learning.Seconds())
	if len(s.normal) > maxCounted {
		s.normal = map[end]float64{}
	}
	for key, t := range s.half.detail {
		if l := s.lives[key]; l != nil && (l.open || l.hits > 0) {
			continue
		}
		s.normal[key] += weight * (float64(t.n) - s.normal[key])
	}
}

// prefixOf is the network that a source is told by: /24 or /64.
func prefixOf(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits)
	return p
}

// highest is the highest value of the last 10 to 20 minutes: a timeout that was
// lowered by sysctl is noticed.
type highest struct {
	now, before int
	since       time.Time
}

func (h *highest) see(v int, at time.Time) {
	if at.Sub(h.since) > 10*time.Minute {
		h.before, h.now, h.since = h.now, 0, at
	}
	h.now = max(h.now, v)
}

func (h *highest) get() int { return max(h.now, h.before) }

// observe takes what the receiver's metrics say of a target.
func (s *floodState) observe(metric string, key end, v float64, at time.Time) {
	o, ok := s.fromMetrics[key]
	if !ok && len(s.fromMetrics) >= 4*s.cfg.MaxTargets {
		clear(s.fromMetrics) // the receiver's own lists are top-K: these are left over
	}
	switch metric {
	case names.ConntrackHalfOpen:
		o.half, o.at = v, at
	case names.ConntrackHalfOpenSources:
		o.prefixes = v
	case names.ConntrackOwnerEntries:
		o.est, s.knowsEst = max(v-o.half, 0), true
	}
	s.fromMetrics[key] = o
}
