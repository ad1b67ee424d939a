package detect

import (
	"encoding/binary"

	"github.com/vigie-otel/vigie/internal/finding"
)

const (
	hostWays = 8
	minHosts = 256
	// maxHosts × 16 B = 256 KiB an open finding: more than an IP set holds, so
	// that there is a choice, and prefixes can be told from single addresses.
	maxHosts = 1 << 14
)

// casebook is what the rules of an open finding are learned from.
type casebook struct {
	hosts    hosts
	attack   reservoir
	legit    reservoir // of what else was asked for meanwhile
	innocent uint64    // requests that were not marked meanwhile
	marked   uint64
	whole    bool    // nodes told which addresses they marked: not those of the sample alone
	missed   float32 // requests of an attacking address that are not marked, for each that is
	learned  int64   // second; the rules as they were learned last
	lessons  int
	rules    []finding.Rule
	outcome  finding.Mitigation
}

// host is an address that sent marked requests: a client, as events have it.
type host struct {
	from   place // 0: the slot is empty
	marked uint32
	other  uint32 // requests meanwhile that look like people's; with hostActor
}

// In other.
const (
	hostActor  = 1 << 31 // accused for what it did itself
	hostShared = 1 << 30 // people are behind it, by the judgement of a flood's finding
)

func (h *host) actor() bool      { return h.other&hostActor != 0 }
func (h *host) innocent() uint32 { return h.other &^ (hostActor | hostShared) }

// hosts is a set-associative table that grows to maxHosts. Of more addresses it
// keeps the busiest.
type hosts struct {
	slots []host
	seed  uint64 // nobody can craft addresses that share a set
	used  int
	lost  uint64 // marked requests of hosts that gave way to others
}

func (t *hosts) set(from place) []host {
	n := mix(uint64(from)^t.seed) * 0x9e3779b97f4a7c15 >> 40
	return t.slots[(n&uint64(len(t.slots)/hostWays-1))*hostWays:][:hostWays]
}

func (t *hosts) find(from place) *host {
	if len(t.slots) == 0 || from == 0 {
		return nil
	}
	set := t.set(from)
	for i := range set {
		if set[i].from == from {
			return &set[i]
		}
	}
	return nil
}

// get finds or makes the entry of an address.
func (t *hosts) get(from place) *host {
	if h := t.find(from); h != nil {
		return h
	}
	if t.used*10 >= len(t.slots)*6 && len(t.slots) < maxHosts {
		old := t.slots
		t.slots, t.used = make([]host, max(minHosts, 2*len(old))), 0
		for i := range old {
			if old[i].from != 0 {
				*t.place(old[i].from) = old[i]
			}
		}
	}
	h := t.place(from)
	*h = host{from: from}
	return h
}

// place picks the slot for a new entry: an empty one, else the least busy.
func (t *hosts) place(from place) *host {
	set := t.set(from)
	least := &set[0]
	for i := range set {
		if set[i].from == 0 {
			t.used++
			return &set[i]
		}
		if set[i].marked < least.marked {
			least = &set[i]
		}
	}
	t.lost += uint64(least.marked)
	return least
}

// witness notes whose request it was that s.mark has judged: best is the kind of
// finding that it belongs to, -1 for none.
func (s *service) witness(e *event, r *row, best int) {
	for i := range s.eps {
		ep := &s.eps[i]
		if !ep.open {
			continue
		}
		b := s.bookOf(i, ep)
		if i == best {
			b.marked += uint64(e.rep)
			b.hosts.get(placeOf(e.addr, e.ipv4())).marked += e.rep
			continue
		}
		b.innocent += uint64(e.rep)
		if h := b.hosts.find(placeOf(e.addr, e.ipv4())); h != nil && best < 0 && ep.innocent(i, r, e.tried()) {
			h.other += e.rep
		}
	}
}

// innocent says that a request which was not marked is not of the attack either:
// its odds are against it, rather than not high enough. Of stuffing only sign-ins
// are, tried says.
func (ep *episode) innocent(kind int, r *row, tried bool) bool {
	return ep.sig == nil || kind == epStuffing && !tried || ep.sig.odds(r) <= 0
}

// bookOf is the casebook of an open finding. A new one begins with what was seen
// of the attack before it was found.
func (s *service) bookOf(kind int, ep *episode) *casebook {
	if ep.book != nil {
		return ep.book
	}
	b := &casebook{attack: reservoir{limit: attackTexts}, legit: reservoir{limit: legitTexts}, hosts: hosts{seed: s.d.reader.seed}}
	ep.book = b
	p := &s.sampler
	from := ep.started / 1e9
	for i := range p.recent {
		t, r := &p.recent[i], &p.rows[i]
		tried := r.class == classLogin || r.val[dimOutcome] == 401
		accused := ep.sig != nil && ep.sig.odds(r) > ep.sig.bar && (kind != epStuffing || tried)
		if c := s.clients.find(t.key); ep.sig == nil && c != nil {
			accused = c.class&(1<<kind) != 0
		}
		switch {
		case accused && int64(t.second) >= from:
			*b.attack.place(&p.rnd) = *t
		case !accused && ep.innocent(kind, r, tried):
			*b.legit.place(&p.rnd) = *t
		}
	}
	p.recent, p.rows, p.next = nil, nil, 0 // made anew when it is over
	b.sum(s, kind, ep, from)
	for i := range ep.actors {
		a := &ep.actors[i]
		if c := s.clients.find(a.key); c != nil {
			h := b.hosts.get(placeOf(a.addr, is4(a.addr)))
			h.marked = max(h.marked, c.n)
			h.other |= hostActor
		}
	}
	return b
}

// sum notes the hosts of the rows that the attack's signature finds in the last
// ticks.
func (b *casebook) sum(s *service, kind int, ep *episode, from int64) {
	if ep.sig == nil {
		return
	}
	for ago := range min(int(s.tick), ringTicks) {
		sl := s.slot(ago)
		if sl.second < from {
			break
		}
		rows := sl.rows
		if kind == epStuffing {
			rows = sl.auth
		}
		for i := range rows {
			c := s.clients.find(rows[i].key)
			if c == nil || ep.sig.odds(&rows[i]) <= ep.sig.bar {
				continue
			}
			b.hosts.get(placeOf(c.addr, is4(c.addr))).marked++
		}
	}
}

// place is where a client is: its IPv4 address behind four, or the first half of its
// IPv6 address, which is what one subscriber has.
type place uint64

const four = 0xffff << 32 // no IPv6 prefix of subscribers begins so

func placeOf(addr [16]byte, v4 bool) place {
	if v4 {
		return place(be64(addr[8:])&(1<<32-1) | four)
	}
	return place(be64(addr[:8]))
}

// client is the key of the client that is there.
func (p place) client(seed uint64) uint64 {
	var a [16]byte
	x := p.point()
	if x.six {
		binary.BigEndian.PutUint64(a[:], x.at)
	} else {
		binary.BigEndian.PutUint64(a[8:], uint64(p))
	}
	return clientKey(seed, a, !x.six)
}

func (p place) point() point {
	if p>>32 == four>>32 {
		return point{at: uint64(p) << 32}
	}
	return point{at: uint64(p), six: true}
}

func is4(a [16]byte) bool { return a[10] == 0xff && a[11] == 0xff && be64(a[:]) == 0 }
