// Package flow holds the one shape in which every part of Vigie speaks of a
// connection-tracking entry.
//
// A Flow enters from internal/conntrack, which decodes the kernel's table into
// one reused struct, or from a log record (ReadRecord); it leaves as metrics
// of the receiver or as a log record (Record) for the processor. A Flow is a
// plain value without pointers to shared memory: copying it is keeping it.
//
// record.go is the contract between receiver and processor. The package does
// no I/O, has no clock and owns no goroutine.
package flow
