package detectcmd

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vigie-otel/vigie/internal/clientip"
)

// parseProxies reads --trusted-proxies.
func parseProxies(values []string) (*clientip.Resolver, error) {
	var trusted []netip.Prefix
	var errs []error
	for _, v := range values {
		if v == "private" {
			trusted = append(trusted, private...)
			continue
		}
		p, err := netip.ParsePrefix(v)
		if err != nil {
			a, aErr := netip.ParseAddr(v)
			if aErr != nil {
				errs = append(errs, fmt.Errorf("--trusted-proxies must be addresses, prefixes or \"private\" (got %q)", v))
				continue
			}
			p = netip.PrefixFrom(a.WithZone(""), a.BitLen())
		}
		trusted = append(trusted, p)
	}
	return clientip.New(trusted), errors.Join(errs...)
}
