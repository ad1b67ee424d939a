// Package conntrackreceiver tells how full the kernel's connection-tracking
// table is, who fills it and what waits half-open.
//
// The kernel's table enters, through internal/conntrack; metrics leave, and on
// request flow records as logs (internal/flow, record.go) for the conntrack
// processor. It never writes to the table, computes no forecast and raises no
// finding: that is the processor's.
//
// One instance serves the metrics and the logs pipeline of a component ID. One
// goroutine, started by Start and awaited by Shutdown, owns all state and runs
// the tiers one after the other: stats (T0), half-open (T1), full (T2). A
// second one exists only while the events tier (T3) is on; it owns its socket
// and shares counters.
package conntrackreceiver

//go:generate go tool mdatagen metadata.yaml
