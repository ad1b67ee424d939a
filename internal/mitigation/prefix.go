package mitigation

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/vigie-otel/vigie/internal/clientip"
	"github.com/vigie-otel/vigie/internal/finding"
	"github.com/vigie-otel/vigie/internal/names"
)

// prefixes reads addresses and prefixes and returns the shortest list that
// covers the same addresses, IPv4 first. Values that are none are left out, as
// are the stand-ins for clients that a log knows by name only, which nobody
// could block, and a prefix of all addresses.
func prefixes(values []string) []netip.Prefix {
	var out []netip.Prefix
	for _, v := range values {
		p, err := netip.ParsePrefix(v)
		if err != nil {
			a, err := netip.ParseAddr(v)
			if err != nil {
				continue
			}
			a = a.Unmap().WithZone("")
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p.Bits() > 0 && !clientip.Names.Overlaps(p) {
			out = append(out, p.Masked())
		}
	}
	return aggregate(out)
}

// aggregate drops prefixes inside others and joins halves into their whole.
func aggregate(ps []netip.Prefix) []netip.Prefix {
	slices.SortFunc(ps, func(a, b netip.Prefix) int {
		if c := a.Addr().Compare(b.Addr()); c != 0 {
			return c
		}
		return cmp.Compare(a.Bits(), b.Bits())
	})
	out := ps[:0]
	for _, p := range ps {
		if n := len(out); n > 0 && out[n-1].Bits() <= p.Bits() && out[n-1].Contains(p.Addr()) {
			continue
		}
		out = append(out, p)
		for len(out) > 1 {
			a, b := out[len(out)-2], out[len(out)-1]
			whole := netip.PrefixFrom(a.Addr(), a.Bits()-1).Masked()
			if a.Bits() != b.Bits() || a.Bits() <= 1 || whole.Addr() != a.Addr() || !whole.Contains(b.Addr()) {
				break
			}
			out = append(out[:len(out)-2], whole)
		}
	}
	return out
}

func isAddress(c *finding.Condition) bool { return c.Field == names.ClientAddress }

// writeCIDR lists the prefixes of the rules that go by nothing but prefix.
func writeCIDR(w io.Writer, findings []finding.Finding) error {
	for i := range findings {
		f := &findings[i]
		for n := range f.Rules {
			r := &f.Rules[n]
			note := ""
			if len(r.Match) != 1 || !isAddress(&r.Match[0]) {
				note = "; not a matter of prefixes alone, left out"
			}
			if _, err := fmt.Fprintf(w, "# %s%s\n", about(f, n+1, r), note); err != nil {
				return err
			}
			if note != "" {
				continue
			}
			for _, p := range prefixes(r.Match[0].Values) {
				if _, err := fmt.Fprintln(w, p); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
