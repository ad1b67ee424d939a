package detect

import (
	"encoding/binary"
	"errors"

	"github.com/zeebo/xxh3"
)

// The summary's form, all integers little endian or unsigned varints:
//
//	"VS", version byte, seed check (8 bytes), epoch (8 bytes, ns)
//	service: length, bytes
//	counts: see appendCounts
//	distinct clients: length, sketch.HLL
//	labels: number, then (kind byte, key 4 bytes, length byte, bytes) each
//	sample and sign-ins: level byte, number, then eventBytes each
//	with summaryHosts in the version byte, marked addresses: see appendHosts
const (
	summaryVersion = 1
	eventBytes     = 74
	maxLabels      = 256
	maxServiceName = 256
)

// Errors of MergeSummary that a caller may branch on.
var (
	ErrSummaryVersion = errors.New("summary has another version")
	ErrSummarySeed    = errors.New("summary was made under another seed")
	errSummary        = errors.New("summary is malformed")
)

// pending is what the next summary will hold.
type pending struct {
	counts  counts
	general []event
	auth    []event
	levels  [2]byte
	any     bool
}

// hold keeps the tick's sample for AppendSummary. Its events carry their client's
// heaviness in flagHeavy, and the weight of heavy clients in rep.
func (s *service) hold() {
	p := &s.out
	p.counts.merge(&s.now)
	p.any = p.any || s.now.n > 0
	p.general, p.levels[0] = s.general.export(p.general[:0])
	p.auth, p.levels[1] = s.auth.export(p.auth[:0])
}

func (o *outbox) export(dst []event) ([]event, byte) {
	for i := range o.events {
		e := o.events[i]
		if o.rows[i].flags&rowHeavy != 0 {
			e.flags |= flagHeavy
			e.rep <<= o.heavy
		}
		dst = append(dst, e)
	}
	return dst, byte(o.level)
}

// AppendSummary appends to dst what service received since the last call: one
// summary a second is the contract. Call it right after Tick; it is false, and
// dst unchanged, when there was nothing. A summary has at most some 60 KB.
func (d *Detector) AppendSummary(dst []byte, service string) ([]byte, bool) {
	s, ok := d.services[service]
	if !ok || !s.out.any {
		return dst, false
	}
	p, from := &s.out, len(dst)
	dst = append(dst, 'V', 'S', summaryVersion)
	dst = binary.LittleEndian.AppendUint64(dst, d.seedCheck())
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.newest))
	dst = appendBytes(dst, []byte(s.name[:min(len(s.name), maxServiceName)]))
	dst = appendCounts(dst, &p.counts)
	dst = appendBytes(dst, s.tickClients.Append(nil))
	dst = s.appendLabels(dst, p)
	for i, events := range [...][]event{p.general, p.auth} {
		dst = append(dst, p.levels[i])
		dst = binary.AppendUvarint(dst, uint64(len(events)))
		for j := range events {
			dst = appendEvent(dst, &events[j])
		}
	}
	if more, ok := s.appendHosts(dst); ok {
		dst = more
		dst[from+2] |= summaryHosts
	}
	p.counts, p.any = counts{}, false
	s.tickClients.Reset()
	return dst, true
}

func (d *Detector) seedCheck() uint64 { return xxh3.HashSeed([]byte("vigie summary"), d.cfg.Seed) }

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func (c *counts) each(f func(*uint64)) {
	for _, n := range [...]*uint64{&c.n, &c.errs, &c.lost, &c.static, &c.refs, &c.ua, &c.tries, &c.refused, &c.slow} {
		f(n)
	}
}

func appendCounts(dst []byte, c *counts) []byte {
	c.each(func(n *uint64) { dst = binary.AppendUvarint(dst, *n) })
	return dst
}

func (s *service) appendLabels(dst []byte, p *pending) []byte {
	type label struct {
		kind byte
		key  uint32
		text []byte
	}
	var list []label
	seen := map[uint64]bool{}
	for _, events := range [...][]event{p.general, p.auth} {
		for i := range events {
			e := &events[i]
			if k := uint64(e.tmpl); !seen[k] && len(list) < maxLabels {
				seen[k] = true
				if l, ok := s.paths.Get(k); ok {
					list = append(list, label{'p', e.tmpl, l.Label})
				}
			}
			if k := uint64(e.uax) | 1<<32; e.uax != 0 && !seen[k] && len(list) < maxLabels {
				seen[k] = true
				if l, ok := s.agents.Get(uint64(e.uax)); ok {
					list = append(list, label{'a', e.uax, l.Label})
				}
			}
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, l := range list {
		dst = append(dst, l.kind)
		dst = binary.LittleEndian.AppendUint32(dst, l.key)
		dst = append(append(dst, byte(len(l.text))), l.text...)
	}
	return dst
}

func appendEvent(dst []byte, e *event) []byte {
	le := binary.LittleEndian
	dst = append(dst, e.addr[:]...)
	dst = le.AppendUint64(dst, uint64(e.nano))
	dst = le.AppendUint64(dst, e.pq)
	for _, v := range [...]uint32{e.tmpl, e.uax, e.fam, e.ja4, e.acct, e.rep} {
		dst = le.AppendUint32(dst, v)
	}
	dst = le.AppendUint16(dst, e.status)
	dst = append(dst, e.method, byte(e.class), e.flags, e.size, e.dur)
	dst = le.AppendUint16(dst, e.kind)
	dst = le.AppendUint32(dst, e.path)
	return append(dst, make([]byte, eventBytes-69)...)
}
