// Package report makes the record of an event: what it cost in numbers, what the
// verdict was when, the findings with their evidence, the walls that came near,
// what the room did, and what to mend before the next one.
//
// A Store (the embedded one, or a part of it) and what the room's files hold
// enter Make; a Report leaves, and with it one HTML page (WriteHTML) and the same
// as JSON lines (WriteNDJSON). The page is a single file: styles and charts are in
// it, no script runs, and nothing is asked of any host, so that it opens from a
// mail ten years from now and prints. Everything that an attacker may have written
// is shown as text.
//
// Nothing is invented: what was not measured stands as "not measured", a second
// without data is a gap and never normal. The package has no clock, owns no
// goroutine, and reads the store alone.
package report
