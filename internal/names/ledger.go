package names

// Metrics of the ledger: what became of what was read, by signal and destination.
// read + queued_at_start + made = sent + removed + dropped + waiting + off.
const (
	LedgerItems   = "vigie.ledger.items"   // {item}, by signal, destination, account and reason
	LedgerOff     = "vigie.ledger.off"     // {item}, by signal and destination: what the accounts do not explain; 0 while it is right or moving
	LedgerKnown   = "vigie.ledger.known"   // {ledger}, by signal and destination: 0 where a part cannot be counted
	LedgerMade    = "vigie.ledger.made"    // {item}, monotonic, by component and otel.signal: a component's own, that nobody sent it
	LedgerRemoved = "vigie.ledger.removed" // {item}, monotonic, by component and otel.signal: used up by a component, on purpose
	LedgerLost    = "vigie.ledger.lost"    // {item}, monotonic, by component, otel.signal and reason: refused where nobody was left to try again
	LedgerSignal  = "vigie.ledger.signal"  // logs, metrics, traces
	LedgerTo      = "vigie.ledger.to"      // an exporter's ID
	LedgerAccount = "vigie.ledger.account" // read, queued_at_start, made, removed, pushed_back, sent, waiting, dropped
	LedgerReason  = "vigie.ledger.reason"  // of dropped
)
