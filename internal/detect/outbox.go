package detect

import "math"

// outbox holds the tick's sample of requests: all of them while they are few,
// else the requests of a sample of clients, nested in the clients' own: keys
// ending in level zero bits. A client gives at most each rows, whose last stands
// for the rest; heavy clients are always in, until they alone are too many.
type outbox struct {
	rows   []row
	events []event
	limit  int
	level  uint // of sampled clients
	heavy  uint // of heavy clients
	each   uint32
	auth   bool
}

const eachClient = 16

func newOutbox(limit int, auth bool) outbox {
	return outbox{limit: limit, each: eachClient, auth: auth}
}

// verdicts of wants.
const (
	wantNone   = iota
	wantWeight // the client's newest row stands for this request too
	wantRow
)

// wants says what to do with the next request of c, which c has not counted.
func (o *outbox) wants(c *client, t *clients) int {
	if o.auth {
		return o.wantsAt(c, t, c.outAuth, uint32(c.tickAuth))
	}
	return o.wantsAt(c, t, c.out, c.tick)
}

func (o *outbox) wantsAt(c *client, t *clients, last int32, count uint32) int {
	level := o.level
	if c.heavy {
		level = o.heavy
	}
	switch {
	case !t.sampled(c.key, level):
		return wantNone
	case count > o.each && int(last) < len(o.rows) && o.rows[last].key == c.key:
		return wantWeight
	}
	return wantRow
}

// weigh lets the newest row of c stand for n requests more.
func (o *outbox) weigh(c *client, n uint32) {
	last := c.out
	if o.auth {
		last = c.outAuth
	}
	o.rows[last].w += float32(n)
	o.events[last].rep += n
}

// add puts a row in.
func (o *outbox) add(e *event, r *row, c *client, t *clients) {
	if o.auth {
		c.outAuth = int32(len(o.rows))
	} else {
		c.out = int32(len(o.rows))
	}
	o.rows = append(o.rows, *r)
	o.events = append(o.events, *e)
	if len(o.rows) >= o.limit {
		o.thin(t)
	}
}

// raise brings the sample to at least a level: that of a summary to be merged.
func (o *outbox) raise(level uint, t *clients) {
	if level > o.level {
		o.level = level
		o.filter(t)
	}
}

// thin halves what is kept: of sampled clients first, then rows a client, then
// of heavy clients.
func (o *outbox) thin(t *clients) {
	heavy := 0
	for i := range o.rows {
		if o.rows[i].flags&rowHeavy != 0 {
			heavy++
		}
	}
	switch {
	case heavy*2 < len(o.rows):
		o.level++
	case o.each > 2:
		o.each /= 2
	default:
		o.heavy++
	}
	o.filter(t)
}

// filter drops what is not in the sample any more.
func (o *outbox) filter(t *clients) {
	kept := 0
	for i := range o.rows {
		r, level := &o.rows[i], o.level
		if r.flags&rowHeavy != 0 {
			level = o.heavy
		}
		if !t.sampled(r.key, level) && level > 0 {
			continue
		}
		if first, n := o.firstOf(r.key, kept); n >= o.each {
			o.rows[first].w += r.w
			o.events[first].rep += o.events[i].rep
			continue
		}
		o.rows[kept], o.events[kept] = o.rows[i], o.events[i]
		if c := t.find(r.key); c != nil {
			if o.auth {
				c.outAuth = int32(kept)
			} else {
				c.out = int32(kept)
			}
		}
		kept++
	}
	o.rows, o.events = o.rows[:kept], o.events[:kept]
}

// firstOf finds a client's last kept row and how many it has. It is quadratic,
// on a few hundred rows, and only while each is below its start.
func (o *outbox) firstOf(key uint64, kept int) (last int, n uint32) {
	if o.each == eachClient {
		return 0, 0
	}
	for i := range kept {
		if o.rows[i].key == key {
			last, n = i, n+1
		}
	}
	return last, n
}

// close weighs the rows: a sampled client stands for 2^level clients.
func (o *outbox) close() []row {
	for i := range o.rows {
		r := &o.rows[i]
		if r.flags&rowHeavy != 0 {
			r.w *= float32(math.Ldexp(1, int(o.heavy)))
		} else {
			r.w *= float32(math.Ldexp(1, int(o.level)))
		}
	}
	return o.rows
}

// reset begins a tick, at the level that the last one ended with or one below.
func (o *outbox) reset(least uint) {
	if len(o.rows) < o.limit*2/5 {
		switch {
		case o.heavy > 0:
			o.heavy--
		case o.each < eachClient:
			o.each *= 2
		case o.level > 0:
			o.level--
		}
	}
	o.level = max(o.level, least)
	o.rows, o.events = o.rows[:0], o.events[:0]
}
