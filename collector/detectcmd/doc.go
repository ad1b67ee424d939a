// Package detectcmd is the command "vigie detect": the detector over recorded
// access logs, in event time, as fast as it can.
//
// Files (plain, gzip or zstd) or standard input enter. On standard output leaves
// each finding, once, in its final state, as a JSON line; on standard error a
// progress bar, if that is a terminal, and a summary with the verdict's course;
// on request the marks, a line each, and the proposed rules.
//
// The marks are those that the streaming processor would have set: a line is
// judged with what was known before it, never with what came later.
//
// One goroutine reads and decompresses; the caller's parses and detects. A
// third draws the progress bar. All have ended when the command returns.
package detectcmd
