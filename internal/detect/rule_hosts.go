package detect

import (
	"net/netip"

	"github.com/vigie-otel/vigie/internal/finding"
)

const (
	hostWays = 8
	minHosts = 256
	// maxHosts × 40 B = 640 KiB an open finding: more than an IP set holds, so
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
	missed   float32 // requests of an attacking address that are not marked, for each that is
	learned  int64   // second; the rules as they were learned last
	lessons  int
	rules    []finding.Rule
	outcome  finding.Mitigation
}

// host is an address that sent marked requests: a client, as events have it.
type host struct {
	key    uint64
	addr   [16]byte
	marked uint32
	other  uint32 // requests meanwhile that look like people's
	since  uint32 // s after the finding's start
	flags  uint8
}

const (
	host4     uint8 = 1 << iota
	hostActor       // accused for what it did itself
)

// hosts is a set-associative table that grows to maxHosts. Of more addresses it
// keeps the busiest.
type hosts struct {
	slots []host
	used  int
	lost  uint64 // marked requests of hosts that gave way to others
}

func (t *hosts) set(key uint64) []host {
	return t.slots[(key>>20&uint64(len(t.slots)/hostWays-1))*hostWays:][:hostWays]
}

func (t *hosts) find(key uint64) *host {
	if len(t.slots) == 0 {
		return nil
	}
	set := t.set(key)
	for i := range set {
		if set[i].key == key {
			return &set[i]
		}
	}
	return nil
}

// get finds or makes the entry of key.
func (t *hosts) get(key uint64) *host {
	if h := t.find(key); h != nil {
		return h
	}
	if t.used*10 >= len(t.slots)*6 && len(t.slots) < maxHosts {
		old := t.slots
		t.slots, t.used = make([]host, max(minHosts, 2*len(old))), 0
		for i := range old {
			if old[i].key != 0 {
				*t.place(old[i].key) = old[i]
			}
		}
	}
	h := t.place(key)
	*h = host{key: key}
	return h
}

// place picks the slot for a new entry: an empty one, else the least busy.
func (t *hosts) place(key uint64) *host {
	set := t.set(key)
	least := &set[0]
	for i := range set {
		if set[i].key == 0 {
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

// prefix is the address, or the /64 that one IPv6 subscriber has.
func (h *host) prefix() netip.Prefix { return prefixOf(h.addr, h.flags&host4 != 0, 32, 64) }

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
			b.note(e, uint32((e.nano-ep.started)/1e9)).marked += e.rep
			continue
		}
		b.innocent += uint64(e.rep)
		if h := b.hosts.find(e.key); h != nil && best < 0 && ep.innocent(i, r, e.tried()) {
			h.other += e.rep
		}
	}
}

func (b *casebook) note(e *event, since uint32) *host {
	h := b.hosts.get(e.key)
	if h.marked == 0 {
		h.addr, h.since = e.addr, since
		if e.ipv4() {
			h.flags |= host4
		}
	}
	return h
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
	b := &casebook{}
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
		case accused && t.second >= from:
			*b.attack.place(&p.rnd) = *t
		case !accused && ep.innocent(kind, r, tried):
			*b.legit.place(&p.rnd) = *t
		}
	}
	b.sum(s, kind, ep, from)
	for i := range ep.actors {
		a := &ep.actors[i]
		if c := s.clients.find(a.key); c != nil {
			h := b.hosts.get(a.key)
			h.addr, h.marked = a.addr, max(h.marked, c.n)
			h.flags |= hostActor
			if is4(a.addr) {
				h.flags |= host4
			}
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
			h := b.hosts.get(c.key)
			h.addr = c.addr
			h.marked++
			if is4(c.addr) {
				h.flags |= host4
			}
		}
	}
}

func is4(a [16]byte) bool { return a[10] == 0xff && a[11] == 0xff && be64(a[:]) == 0 }
