package detect

import "encoding/binary"

const (
	// summaryHosts in a summary's version byte: it carries marked addresses, which
	// those of nodes without an open finding do not.
	summaryHosts = 0x80
	// hostsTick is how many a summary carries: 6 KB. A node's whole table has
	// been told in half a minute.
	hostsTick = 512
)

// kindHost is a host of a finding of a kind.
type kindHost struct {
	kind byte
	host
}

// appendHosts appends the next marked addresses of the open findings, in turn:
// number, then kind byte, address (8 bytes, see place), marked and innocent
// requests since the finding opened, each. False when there are none.
func (s *service) appendHosts(dst []byte) ([]byte, bool) {
	var list []kindHost
	for i := range s.eps {
		ep := &s.eps[i]
		if !ep.open || ep.book == nil {
			continue
		}
		slots := ep.book.hosts.slots
		for range len(slots) {
			if len(list) == hostsTick {
				break
			}
			s.toldHosts = (s.toldHosts + 1) % len(slots)
			if h := &slots[s.toldHosts]; h.from != 0 && h.marked > 0 {
				list = append(list, kindHost{byte(i), *h})
			}
		}
	}
	if len(list) == 0 {
		return dst, false
	}
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for i := range list {
		h := &list[i]
		dst = append(dst, h.kind)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(h.from))
		dst = binary.AppendUvarint(dst, uint64(h.marked))
		dst = binary.AppendUvarint(dst, uint64(h.innocent()))
	}
	return dst, true
}

func (m *merging) readHosts(f *fields) {
	n := f.uvarint()
	if n > hostsTick {
		f.err = errSummary
	}
	for ; n > 0 && f.err == nil; n-- {
		var h kindHost
		if b := f.take(9); b != nil {
			h.kind, h.from = b[0], place(binary.LittleEndian.Uint64(b[1:]))
		}
		marked, other := f.uvarint(), f.uvarint()
		if h.kind >= episodes || h.from == 0 || marked == 0 || marked >= hostShared || other >= hostShared {
			f.err = errSummary
		}
		h.marked, h.other = uint32(marked), uint32(other)
		m.hosts = append(m.hosts, h)
	}
}

// accuseHosts takes over what a node marked, where the same kind of finding is open
// here. Counts are since the node's finding opened: the larger one stands, so it
// does not matter how often they are told.
func (s *service) accuseHosts(list []kindHost) {
	for i := range list {
		k := &list[i]
		ep := &s.eps[k.kind]
		if !ep.open {
			continue
		}
		b := s.bookOf(int(k.kind), ep)
		b.whole = true
		h := b.hosts.get(k.from)
		h.marked = max(h.marked, k.marked)
		h.other = max(h.innocent(), k.other) | h.other&(hostActor|hostShared)
	}
}
