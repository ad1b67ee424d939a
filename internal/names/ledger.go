package names

// Metrics of the ledger: what became of what was read, by signal and destination.
const (
	LedgerItems   = "vigie.ledger.items"   // {item}, by signal, destination, account and reason
	LedgerOff     = "vigie.ledger.off"     // {item}, by signal and destination: what the accounts do not explain
	LedgerKnown   = "vigie.ledger.known"   // 1, by signal and destination: 0 where a part cannot be counted
	LedgerMade    = "vigie.ledger.made"    // {item}, monotonic, by processor and otel.signal: a component's own, that nobody sent it
	LedgerRemoved = "vigie.ledger.removed" // {item}, monotonic, by processor and otel.signal: used up by a component, on purpose
	LedgerSignal  = "vigie.ledger.signal"  // logs, metrics, traces
	LedgerTo      = "vigie.ledger.to"      // an exporter's ID
	LedgerAccount = "vigie.ledger.account" // read, made, pushed_back, sent, waiting, dropped
	LedgerReason  = "vigie.ledger.reason"  // of dropped
)
