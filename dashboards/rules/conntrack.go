package rules

import (
	"fmt"
	"time"
)

// conntrackFile: the walls that drop viewers without a log line.
func conntrackFile() File {
	return File{Name: "conntrack", Groups: []Group{{
		Name: "vigie-conntrack", Interval: quick,
		Alerts: []Alert{
			wallNear(), tableDropping(), insertFailing(),
			enaConntrackExceeded(), enaExceededOther(), synFlood(),
		},
	}}}
}

// wallNear: a wall less than a quarter of an hour away, which is what it takes
// to raise nf_conntrack_max on a fleet or to bring larger nodes.
//
// A kick-off climbs steeply and then levels; a forecast alone would cry for
// some minutes of each. So the kernel's table must be 60 % full as well, and the
// instance's allowance must have lost half of the most that it had in six hours
// (it has no limit metric). Nearer than five minutes nothing else is asked: at
// that slope nobody has the time to see whether it levels. A minute is two
// evaluations, over forecasts that already are robust slopes.
func wallNear() Alert {
	left := func(kind string) string {
		// Once growth ends the forecast is no longer sent; an instant selector
		// would go on seeing the last one for five minutes.
		return by("min", "last_over_time("+sel(conntrackTimeLeft, like(wall, kind))+"[1m])", instance, wall)
	}
	on := fmt.Sprintf("and on (%s, %s)", cluster, instance)
	return Alert{
		Name: "ConntrackWallNear",
		Expr: lines(
			"(", left("kernel")+" < 900", on, by("max", conntrackUtilization, instance)+" > 0.6", ")",
			"or",
			"(", left("ena")+" < 900", on,
			by("min", enaAvailable, instance)+" < 0.5 * "+by("max", over("max", enaAvailable, 6*time.Hour), instance), ")",
			"or",
			left("kernel|ena")+" < 300",
		),
		For:      time.Minute,
		Severity: Critical, Kind: KindWall,
		Summary:     "{{ $labels.instance }} runs out of tracked connections in {{ $value | humanizeDuration }}",
		Description: "At this rate the {{ $labels.vigie_conntrack_wall }} limit of {{ $labels.instance }} is hit in {{ $value | humanizeDuration }}. From then on new connections are dropped in silence; those that exist go on.",
		Dashboard:   uidConntrack,
	}
}

// tableDropping: more than one packet or entry a second. The odd one is lost
// while entries race; a full table loses hundreds. early_drop evicts entries of
// connections that are not assured: at a flood they are the flood's own, yet new
// viewers' are among them.
func tableDropping() Alert {
	lost := func(metric string) string { return sumRate(metric, 2*time.Minute, instance) + " > 1" }
	return Alert{
		Name:     "ConntrackDropping",
		Expr:     lines(lost(conntrackDropped), "or", lost(conntrackEarly)),
		For:      time.Minute,
		Severity: Critical, Kind: KindWall,
		Summary:     "{{ $labels.instance }} drops new connections: the connection-tracking table is full",
		Description: "{{ $value | humanize }} a second are dropped or evicted on {{ $labels.instance }}. Viewers see time-outs, services see nothing.",
		Dashboard:   uidConntrack,
	}
}

// insertFailing: entries that lost a race or found no free port for SNAT. A few
// are ordinary (two DNS queries from one socket); one a second for ten minutes
// is a pod that times out on look-ups or a NAT without ports.
func insertFailing() Alert {
	return Alert{
		Name:     "ConntrackInsertFailed",
		Expr:     sumRate(conntrackInsert, 5*time.Minute, instance) + " > 1",
		For:      10 * time.Minute,
		Severity: Warning, Kind: KindWall,
		Summary:     "{{ $labels.instance }} cannot insert connections: {{ $value | humanize }} a second",
		Description: "Insertions into the connection-tracking table of {{ $labels.instance }} fail at {{ $value | humanize }} a second: SNAT has no free port to a destination, or look-ups race. Clients retry after a time-out of seconds.",
		Dashboard:   uidConntrack,
	}
}

// enaConntrackExceeded: each packet is a connection that EC2 did not track and
// dropped. There is no harmless rate.
func enaConntrackExceeded() Alert {
	return Alert{
		Name:     "ENAConntrackExceeded",
		Expr:     sumRate(sel(enaExceeded, is(allowance, "conntrack")), 2*time.Minute, instance, interfaceName) + " > 0",
		For:      time.Minute,
		Severity: Critical, Kind: KindWall,
		Summary:     "EC2 drops connections of {{ $labels.instance }}: its tracking allowance is used up",
		Description: "{{ $value | humanize }} packets a second of {{ $labels.instance }} ({{ $labels.network_interface_name }}) exceed the instance's connection-tracking allowance. The kernel's own table may be half empty: raising nf_conntrack_max does not help.",
		Dashboard:   uidConntrack,
	}
}

// enaExceededOther: bandwidth and packet allowances queue before they drop, and
// bursts of seconds are their normal use, so five minutes at a packet a second;
// over a window of two, in which one burst of a minute is soon forgotten.
func enaExceededOther() Alert {
	return Alert{
		Name:     "ENAAllowanceExceeded",
		Expr:     sumRate(sel(enaExceeded, isNot(allowance, "conntrack")), 2*time.Minute, instance, interfaceName, allowance) + " > 1",
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindWall,
		Summary:     "{{ $labels.instance }} exceeds its {{ $labels.aws_ena_allowance }} allowance",
		Description: "{{ $value | humanize }} packets a second of {{ $labels.instance }} ({{ $labels.network_interface_name }}) are queued or dropped by the {{ $labels.aws_ena_allowance }} allowance: linklocal means DNS, instance metadata and time.",
		Dashboard:   uidConntrack,
	}
}

// synFlood: one target with a thousand connections half-open, and a fifth of
// the whole table. At a kick-off with 10,000 new connections a second and round
// trips of 100 ms a thousand wait at a time, out of a table of a hundred
// thousand: one percent. A minute, because a backend that hangs for a moment
// looks the same.
func synFlood() Alert {
	waiting := by("sum", sel(conntrackHalfOpen, is(ownerSide, "receive")), instance, owner)
	return Alert{
		Name: "SYNFlood",
		Expr: lines(
			waiting+" > 1000",
			"and",
			waiting+fmt.Sprintf(" > on (%s, %s) group_left () 0.2 * ", cluster, instance)+by("sum", conntrackUsage, instance),
		),
		For:      time.Minute,
		Severity: Critical, Kind: KindAttack,
		Summary:     "SYN flood on {{ $labels.vigie_conntrack_owner }} ({{ $labels.instance }})",
		Description: "{{ $value }} connections to {{ $labels.vigie_conntrack_owner }} on {{ $labels.instance }} wait half-open, over a fifth of the whole table. Either a flood, or a backend that no longer answers.",
		Dashboard:   uidConntrack,
	}
}
