// Package timeline is the war room's log book: notes, roles, severity, verdicts
// that turned, findings that opened and closed, in the order in which they were
// entered.
//
// Entries enter by Log.Add. What leaves is the newest of them (All, Since), and
// a file: one JSON line an entry, appended and never rewritten. What a person
// wrote is on the disk (fsync) when Add returns; what a machine saw is with the
// kernel, so that a burst of findings waits for no disk, and may be lost in a
// power cut.
//
// A line that a crash tore is closed off at the next Open, kept as it is, and
// counted. In memory the newest Limit entries are kept; the file holds all, up to
// MaxFileBytes.
//
// Beside it stands the file of findings (Findings): the last state of each, so
// that a restart does not forget what was going on.
//
// A Log is safe for concurrent use and owns no goroutine.
package timeline
