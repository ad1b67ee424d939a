// Package tally sums a dump of the connection-tracking table up: how many
// entries in which state, whose they are, and what waits half-open for whom.
//
// Flows enter one by one, straight from a dump; sums leave once it is over. A
// Tally is meant to be reused: Reset keeps its memory. It holds no flow and no
// client address, only counts and, for each owner, a sketch of how many source
// prefixes it saw; what it holds is bounded by Limits, and what is over the
// bound is counted as "other".
//
// An owner is always one of ours: see Locals. The package does no I/O and owns
// no goroutine; a Tally belongs to one at a time.
package tally
