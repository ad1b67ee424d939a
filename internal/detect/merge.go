package detect

import (
	"encoding/binary"
	"fmt"
)

// fields reads a summary; err sticks.
type fields struct {
	b   []byte
	err error
}

func (f *fields) take(n int) []byte {
	if f.err != nil || n < 0 || n > len(f.b) {
		f.err = errSummary
		return nil
	}
	out := f.b[:n]
	f.b = f.b[n:]
	return out
}

func (f *fields) uvarint() uint64 {
	v, w := binary.Uvarint(f.b)
	if f.err != nil || w <= 0 {
		f.err = errSummary
		return 0
	}
	f.b = f.b[w:]
	return v
}

func (f *fields) bytes(limit int) []byte {
	n := f.uvarint()
	if n > uint64(limit) {
		f.err = errSummary
		return nil
	}
	return f.take(int(n))
}

func (f *fields) event(e *event, seed uint64) {
	b := f.take(eventBytes)
	if b == nil {
		return
	}
	le := binary.LittleEndian
	*e = event{nano: int64(le.Uint64(b[16:])), pq: le.Uint64(b[24:]),
		tmpl: le.Uint32(b[32:]), uax: le.Uint32(b[36:]), fam: le.Uint32(b[40:]), ja4: le.Uint32(b[44:]), acct: le.Uint32(b[48:]),
		rep: le.Uint32(b[52:]), status: min(le.Uint16(b[56:]), 999), method: b[58], class: class(b[59]), flags: b[60], size: b[61], dur: b[62], kind: le.Uint16(b[63:]), path: le.Uint32(b[65:])}
	copy(e.addr[:], b)
	if e.class >= classes || e.method > methodPATCH || e.rep == 0 || e.rep > 1<<24 || e.nano <= 0 {
		f.err = errSummary
	}
	e.key = clientKey(seed, e.addr, e.ipv4())
}

// MergeSummary takes a summary that another Detector with the same seed made,
// as if its requests had been observed here; Tick judges them. Summaries of
// another version or seed are refused with ErrSummaryVersion or ErrSummarySeed,
// and none is taken in part.
func (d *Detector) MergeSummary(b []byte) error {
	if err := d.merge(b); err != nil {
		d.stats.BadSummaries++
		return fmt.Errorf("merge summary: %w", err)
	}
	d.stats.Summaries++
	return nil
}

func (d *Detector) merge(b []byte) error {
	f := fields{b: b}
	head := f.take(3)
	switch {
	case f.err != nil || head[0] != 'V' || head[1] != 'S':
		return errSummary
	case head[2]&^summaryHosts != summaryVersion:
		return ErrSummaryVersion
	}
	if seed := f.take(8); f.err == nil && binary.LittleEndian.Uint64(seed) != d.seedCheck() {
		return ErrSummarySeed
	}
	var epoch int64
	if e := f.take(8); f.err == nil {
		epoch = int64(binary.LittleEndian.Uint64(e))
	}
	m := merging{name: f.bytes(maxServiceName)}
	m.counts.each(func(n *uint64) {
		if *n = f.uvarint(); *n > 1<<40 {
			f.err = errSummary
		}
	})
	m.clients = f.bytes(1 << 13)
	m.labels(&f)
	for i := range m.events {
		m.sample(&f, i, d.reader.seed)
	}
	if f.err == nil && head[2]&summaryHosts != 0 {
		m.readHosts(&f)
	}
	if f.err != nil || len(f.b) != 0 || epoch <= 0 || len(m.name) == 0 && len(b) == 0 {
		return errSummary
	}
	if d.now != 0 && epoch > d.now+int64(maxAhead) {
		d.stats.Future++
		epoch = d.now
	}
	if err := d.hll.Decode(m.clients); err != nil {
		return err
	}
	d.service(m.name).absorb(&m, epoch)
	return nil
}

// merging is a decoded summary: nothing of it is used before all of it is known
// to be sound.
type merging struct {
	name, clients []byte
	counts        counts
	texts         []struct {
		kind byte
		key  uint32
		text []byte
	}
	events [2][]event
	levels [2]uint
	hosts  []kindHost
}

func (m *merging) labels(f *fields) {
	n := f.uvarint()
	if n > maxLabels {
		f.err = errSummary
	}
	for ; n > 0 && f.err == nil; n-- {
		h := f.take(6)
		if h == nil {
			return
		}
		m.texts = append(m.texts, struct {
			kind byte
			key  uint32
			text []byte
		}{h[0], binary.LittleEndian.Uint32(h[1:]), f.take(int(h[5]))})
	}
}

func (m *merging) sample(f *fields, i int, seed uint64) {
	if l := f.take(1); l != nil {
		m.levels[i] = uint(l[0])
	}
	n := f.uvarint()
	if n > 4*tickRows || m.levels[i] > 40 {
		f.err = errSummary
	}
	for ; n > 0 && f.err == nil; n-- {
		var e event
		f.event(&e, seed)
		m.events[i] = append(m.events[i], e)
	}
}

// absorb counts a summary for s. The sample's requests run through the same
// sessions as observed ones; the counts are exact, whatever was sampled.
func (s *service) absorb(m *merging, epoch int64) {
	h := &s.d.hll
	second := epoch / 1e9
	if s.v.began == 0 {
		s.v.began = second
	}
	s.newest = max(s.newest, epoch)
	s.distinct.Advance(second)
	if at := s.distinct.At(second); at != nil {
		at.Merge(h)
	}
	s.tickClients.Merge(h)
	s.requests += m.counts.n
	s.errors += m.counts.errs
	s.now.merge(&m.counts)
	for _, l := range m.texts {
		switch l.kind {
		case 'p':
			s.paths.Add(uint64(l.key), 1, l.text)
		case 'a':
			s.agents.Add(uint64(l.key), 1, l.text)
		}
	}
	s.general.raise(m.levels[0], &s.clients)
	s.auth.raise(m.levels[1], &s.clients)
	s.sampler.level = m.levels[0]
	s.accuseHosts(m.hosts)
	// Sign-ins are in both samples: only what they add is counted again.
	for i := range m.events[0] {
		s.replayed(&m.events[0][i], true)
	}
	for i := range m.events[1] {
		s.replayed(&m.events[1][i], false)
	}
}

// replayed takes one event of another detector's sample.
func (s *service) replayed(e *event, general bool) {
	if e.nano%1e9 != 0 {
		s.v.subsecond = true
	}
	heavy := e.flags&flagHeavy != 0
	e.flags &^= flagHeavy | flagNewPQ
	if !s.seen.Add(e.pq) || !general {
		e.flags |= flagNewPQ
	}
	c := s.clients.get(e)
	if c == nil {
		return
	}
	c.heavy = c.heavy || heavy
	s.sessionOf(e, c, nil, general, !general)
}
