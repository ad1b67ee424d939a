package enareceiver

import (
	"math"

	"github.com/vigie-otel/vigie/receivers/enareceiver/internal/metadata"
)

// The names are those of the driver (amzn-drivers, kernel/linux/ena/
// ena_ethtool.c: ena_stats_eni_strings up to 2.13, customer metrics since). A
// driver older than 2.2.10 has none of them.
const conntrackAvailable = "conntrack_allowance_available" // since 2.8.1, where the device reports it

// exceeded lists the counters in the order in which they are given out.
var exceeded = [...]struct {
	name      string
	allowance metadata.AttributeAwsEnaAllowance
}{
	{"bw_in_allowance_exceeded", metadata.AttributeAwsEnaAllowanceBwIn},
	{"bw_out_allowance_exceeded", metadata.AttributeAwsEnaAllowanceBwOut},
	{"pps_allowance_exceeded", metadata.AttributeAwsEnaAllowancePps},
	{"conntrack_allowance_exceeded", metadata.AttributeAwsEnaAllowanceConntrack},
	{"linklocal_allowance_exceeded", metadata.AttributeAwsEnaAllowanceLinklocal},
}

// allowances is what one read of one interface gave.
type allowances struct {
	exceeded  [len(exceeded)]uint64
	has       [len(exceeded)]bool // the driver has the counter
	available int64               // -1: the driver does not say
}

// decode picks the allowances out of a driver's statistics. ok is false where
// there are none, as in another driver or one that is too old.
func decode(stats map[string]uint64) (a allowances, ok bool) {
	for i, e := range exceeded {
		a.exceeded[i], a.has[i] = stats[e.name]
		ok = ok || a.has[i]
	}
	a.available = -1
	// All ones is what the driver gives for a statistic that it could not get.
	if v, has := stats[conntrackAvailable]; has && v <= math.MaxInt64 {
		a.available, ok = int64(v), true
	}
	return a, ok
}

// resetSince reports whether a counter went back: the driver was loaded anew or
// the device was reset.
func (a *allowances) resetSince(before *allowances) bool {
	for i := range a.exceeded {
		if a.has[i] && before.has[i] && a.exceeded[i] < before.exceeded[i] {
			return true
		}
	}
	return false
}
