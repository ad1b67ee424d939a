// Package sketch holds the fixed-size summaries of a stream that the detector
// counts with: distinct values (HLL), frequent values (TopK), how often
// (CountMin), seen lately (Seen) and quantiles (LogHist).
//
// 64-bit hashes enter, which the caller makes with a secret seed so that nobody
// can craft keys that collide. Estimates leave, with the error that each type
// states. Nothing allocates after its New; all but Seen merge: merging the
// sketches of a split stream estimates what one sketch of the whole stream
// does, within the stated error. HLL, TopK and LogHist can be encoded; each
// decoder takes hostile bytes.
//
// The package does no I/O, has no clock and owns no goroutine.
package sketch
