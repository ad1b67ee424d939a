package detect

import (
	"unsafe"

	"github.com/vigie-otel/vigie/internal/sketch"
)

const (
	clientWays    = 8
	minClients    = 512
	maxClients    = 1 << 14 // × 208 B = 3.3 MiB a service
	heavyRequests = 64      // in about 20 s; a client with as many has a record whatever its hash
)

// A record must stay small: a service has up to maxClients of them.
var _ [208 - unsafe.Sizeof(client{})]byte

// clients is the table of client records: set-associative, growing to
// maxClients. When more clients are alive than fit, it keeps a sample: those
// whose key ends in level zero bits, with their whole sessions, rather than a
// short memory of everybody; beside them whoever is heavy.
type clients struct {
	slots  []client
	mask   uint64
	level  uint
	used   int
	lost   int // live records that were evicted since the last tick
	purged uint64
	door   *sketch.CountMin // requests by client, of those without a record
	active []int32          // slots used since the last tick
}

func (t *clients) sampled(key uint64, level uint) bool { return key&(1<<level-1) == 0 }

// get finds or makes the record of e's client; nil when it is not in the
// sample.
func (t *clients) get(e *event) *client {
	if t.slots == nil {
		t.resize(minClients)
	}
	set := t.slots[(e.key>>20&t.mask)*clientWays:][:clientWays]
	for i := range set {
		if set[i].key == e.key {
			return t.touch(int(e.key>>20&t.mask)*clientWays+i, &set[i])
		}
	}
	// Refused sign-ins are few and each counts: their clients are never left out.
	heavy := t.level > 0 && e.tried() && e.refused()
	if !heavy && t.level > 0 && !t.sampled(e.key, t.level) {
		if t.door == nil {
			t.door = sketch.NewCountMin(1 << 13)
		}
		if t.door.Add(e.key, e.rep) < heavyRequests {
			return nil
		}
		heavy = true
	}
	if t.used*10 > len(t.slots)*6 && len(t.slots) < maxClients {
		t.resize(len(t.slots) * 2)
		set = t.slots[(e.key>>20&t.mask)*clientWays:][:clientWays]
	}
	i := t.victim(set, e.nano)
	set[i] = client{heavy: heavy}
	return t.touch(int(e.key>>20&t.mask)*clientWays+i, &set[i])
}

func (t *clients) touch(slot int, c *client) *client {
	if c.tick == 0 {
		t.active = append(t.active, int32(slot))
	}
	return c
}

// victim picks the slot for a new record: an empty one, else the one that was
// idle for longest, actors of findings and heavy clients last.
func (t *clients) victim(set []client, now int64) int {
	best, worth := 0, int64(1)<<62
	for i := range set {
		c := &set[i]
		if c.key == 0 {
			t.used++
			return i
		}
		if c.tick > 0 {
			continue // its row may be in the outbox
		}
		w := c.last
		if c.class != 0 {
			w += 300e9
		}
		if c.heavy {
			w += 30e9
		}
		if w < worth {
			best, worth = i, w
		}
	}
	if now-set[best].last < 60e9 {
		t.lost++
	}
	t.purged++
	return best
}

// find returns the record of key without making one.
func (t *clients) find(key uint64) *client {
	if t.slots == nil {
		return nil
	}
	set := t.slots[(key>>20&t.mask)*clientWays:][:clientWays]
	for i := range set {
		if set[i].key == key {
			return &set[i]
		}
	}
	return nil
}

func (t *clients) resize(n int) {
	old := t.slots
	t.slots, t.mask, t.used = make([]client, n), uint64(n/clientWays-1), 0
	t.active = t.active[:0]
	for i := range old {
		c := &old[i]
		if c.key == 0 {
			continue
		}
		base := int(c.key>>20&t.mask) * clientWays
		set := t.slots[base:][:clientWays]
		j := t.victim(set, c.last)
		set[j] = *c
		if c.tick > 0 {
			t.active = append(t.active, int32(base+j))
		}
	}
}

// settle ends a tick: it forgets who was active and, when too many live records
// were evicted, halves the sample.
func (t *clients) settle(tick uint64) {
	for _, i := range t.active {
		t.slots[i].tick = 0
	}
	t.active = t.active[:0]
	if t.door != nil && tick%10 == 0 {
		t.door.Halve()
	}
	if t.lost > len(t.slots)/64 && len(t.slots) == maxClients && t.level < 20 {
		t.level++
		for i := range t.slots {
			c := &t.slots[i]
			if c.key != 0 && !t.sampled(c.key, t.level) && !c.heavy && c.class == 0 {
				*c = client{}
				t.used--
				t.purged++
			}
		}
	}
	t.lost = 0
}

// relax doubles the sample when the table holds few live records.
func (t *clients) relax(now int64) {
	if t.level == 0 {
		return
	}
	live := 0
	for i := range t.slots {
		if t.slots[i].key != 0 && now-t.slots[i].last < 60e9 {
			live++
		}
	}
	if live < len(t.slots)/5 {
		t.level--
	}
}
