// Package forecast says when a resource runs out: a connection-tracking table,
// an allowance, memory, a disk, file descriptors.
//
// What enters is a plain series of (time, value) and a limit; what leaves is a
// Prediction with an error band, or none when the series does not grow towards
// the limit. A Wall adds what a person reads: used, limit, minutes left, and
// whether something is being lost already. Sort puts the worst wall first.
//
// How: Theil–Sen lines over several windows, each on at most 32 medians. The
// longest window whose line still explains the newest points is believed: long,
// because it is precise and sees a sawtooth as one; explained, because after a
// step or the start of a flood only a short window is true. Where the slope
// itself follows the level (entries that expire make a fill level off, a crowd
// that doubles makes it steepen), the first-order law dv/dt = a + b·v takes the
// line's place. No window predicts farther than ten times its own length, so
// that the slope of a daily wave far from the limit is no alarm.
//
// The line that lost (2026): least squares, which one burst tilts; and one fixed
// window, which is either late for a flood or fooled by a sawtooth.
//
// The package is pure: no clock, no randomness, no goroutine, no I/O.
package forecast
