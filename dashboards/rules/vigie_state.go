package rules

import "time"

// configRefused: what is configured does not work, and an earlier configuration
// runs. One alert a job, since the files are a fleet's. Five minutes: a ConfigMap
// takes one to reach all pods, and who mends a misspelling at once is left alone.
func configRefused() Alert {
	return Alert{
		Name:     "VigieConfigRefused",
		Expr:     by("count", configSuccessful+" == 0", job),
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Summary:     "The configuration of {{ $labels.job }} does not work: an earlier one runs",
		Description: "{{ $value }} instance(s) of {{ $labels.job }} have refused what is configured, and run the configuration before it. Nothing is lost; what was meant to change has not, and new pods wait in their init container.",
		Dashboard:   uidSelf,
	}
}

// configsDiffer: instances of one job that run different sources. The hash is of
// the files and their order, nothing expanded, so a node's own variables make no
// difference. An hour is longer than a rollout of a tenth of the nodes at a time.
func configsDiffer() Alert {
	return Alert{
		Name:     "VigieConfigsDiffer",
		Expr:     by("count", by(`count_values`, `"hash", `+configHash, job), job) + " > 1",
		For:      time.Hour,
		Severity: Warning, Kind: KindVigie,
		Summary:     "{{ $labels.job }} runs {{ $value }} different configurations",
		Description: "Instances of {{ $labels.job }} have run {{ $value }} different configurations for an hour, longer than a rollout takes: a rollout has stopped, or some of them refuse the new one.",
		Dashboard:   uidSelf,
	}
}

// ledgerOff: items that no account explains. The ledger itself waits until all
// has stood still, or for a minute, before it says so; two more are twelve reports
// that agree. Nobody is woken: it is a hole in telemetry and a mistake in Vigie,
// and what hurts viewers has alerts of its own.
func ledgerOff() Alert {
	return Alert{
		Name:     "VigieLedgerOff",
		Expr:     by("max", "abs("+ledgerOffItems+")", job, instance, ledgerSignal, ledgerTo) + " > 0",
		For:      2 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Summary:     "{{ $value | humanize }} {{ $labels.vigie_ledger_signal }} of {{ $labels.instance }} are unexplained",
		Description: "On {{ $labels.instance }} the ledger of {{ $labels.vigie_ledger_signal }} to {{ $labels.vigie_ledger_to }} is off by {{ $value | humanize }}: they were read and are neither sent, waiting, removed nor dropped for a reason, or the reverse.",
		Dashboard:   uidSelf,
	}
}

// noEventsLeader: gateways that could read the cluster's events say that they do
// not, all of them. Where none has the receiver there is no series and no alert;
// where all gateways are gone VigieAbsent says so. A Lease changes hands within a
// minute, a gateway's volume within five.
func noEventsLeader() Alert {
	return Alert{
		Name:     "VigieNoEventsLeader",
		Expr:     by("sum", over("last", eventsLeading, 2*time.Minute)) + " == 0",
		For:      5 * time.Minute,
		Severity: Warning, Kind: KindVigie,
		Summary:     "Nobody reads the events of {{ or $labels.cluster \"the cluster\" }}",
		Description: "{{ $value }} gateways hold the Lease for the events of {{ or $labels.cluster \"the cluster\" }}. Events are kept by the API server for an hour: until then they are read later, and after that they are lost.",
		Dashboard:   uidSelf,
	}
}
