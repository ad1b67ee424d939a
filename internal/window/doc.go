// Package window counts events by the second in which they happened, over the
// last ten seconds, five minutes and hour.
//
// Event times enter, in any order; sums over the last seconds leave. Time moves
// only when Advance says so: the package has no clock, does no I/O and owns no
// goroutine. Memory is fixed: three rings of 10 × 1 s, 30 × 10 s and
// 60 × 1 min. What is too late for a ring, or too far ahead of it, is counted
// and otherwise ignored, so neither a clock that jumps nor a gap of a year costs
// more than one pass over the rings.
package window
