// Package ledgerextension keeps the ledger of the running collector: what became
// of everything that was read, by signal and destination (internal/ledger).
//
// Enter: the effective configuration, the process's own counters (by a tap on its
// meter provider), and the news of components that start. Leave: the metrics
// vigie.ledger.*, JSON at /ledger of whatever HTTP server has this extension among
// its middlewares, and "ledger" in what that server answers at /healthz. A ledger
// that is off changes no health: a restart would not bring back what is missing.
//
// It owns no goroutine. The counters are read when somebody asks.
package ledgerextension

//go:generate go tool mdatagen metadata.yaml
