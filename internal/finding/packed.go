package finding

import (
	"net/netip"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/vigie-otel/vigie/internal/names"
)

const (
	// packedKey is where a condition of a record has its whole set of addresses,
	// beside the first values as text for readers that look no further.
	packedKey = "cidrs"
	// maxPacked is how many a record carries in all its rules: 50 to 170 KB, below
	// CloudWatch's limit for one event with everything else.
	maxPacked = MaxValues
	// six marks an IPv6 prefix in a packed set; the rest of the byte is its length.
	six = 0x80
)

// putPacked adds to the conditions in a the sets of addresses that were too long
// to be written as text: a byte of family and length each, then the bytes of the
// address that the length covers. A set that is not all addresses, or goes beyond
// what a record carries, stays cut.
func putPacked(a pcommon.Map, rules []Rule) {
	list, ok := a.Get(names.FindingRules)
	if !ok {
		return
	}
	left := maxPacked
	for i := range min(list.Slice().Len(), len(rules)) {
		match, ok := list.Slice().At(i).Map().Get("match")
		if !ok || match.Slice().Len() != len(rules[i].Match) {
			continue
		}
		for j := range rules[i].Match {
			c := &rules[i].Match[j]
			n := len(c.Values)
			if c.Field != names.ClientAddress || c.More > 0 || n <= MaxRecordValues || n > left {
				continue
			}
			if b, ok := pack(c.Values); ok {
				left -= n
				match.Slice().At(j).Map().PutEmptyBytes(packedKey).FromRaw(b)
			}
		}
	}
}

func pack(values []string) ([]byte, bool) {
	b := make([]byte, 0, 5*len(values))
	for _, v := range values {
		p, err := netip.ParsePrefix(v)
		if err != nil {
			a, err := netip.ParseAddr(v)
			if err != nil || a.Zone() != "" {
				return nil, false
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		p = p.Masked()
		family := byte(0)
		if p.Addr().Is6() {
			family = six
		}
		if p.Bits() >= six { // a single IPv6 address has one bit too many for the byte
			return nil, false
		}
		b = append(b, family|byte(p.Bits()))
		b = append(b, p.Addr().AsSlice()[:(p.Bits()+7)/8]...)
	}
	return b, true
}

// unpack reads what pack wrote, as far as it is sound and at most MaxValues.
func unpack(b []byte) (values []string) {
	for len(b) > 0 && len(values) < MaxValues {
		bits, width := int(b[0]&^six), 4
		if b[0]&six != 0 {
			width = 16
		}
		n := (bits + 7) / 8
		if n > width || len(b) < 1+n {
			return nil
		}
		var a [16]byte
		copy(a[:], b[1:1+n])
		b = b[1+n:]
		addr := netip.AddrFrom16(a)
		if width == 4 {
			addr = netip.AddrFrom4([4]byte(a[:4]))
		}
		values = append(values, netip.PrefixFrom(addr, bits).Masked().String())
	}
	return values
}
