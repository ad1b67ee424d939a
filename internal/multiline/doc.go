// Package multiline joins the lines of a stack trace into one record.
//
// The lines of one stream enter in order; for each, Joiner.Next answers whether
// it belongs to the record before it, and whether a line after it may belong to
// it. Traces of Java and Kotlin, Python, Go, .NET and Node.js are known by what
// their runtimes print; there are no patterns to configure and no regular
// expressions.
//
// An ordinary line costs a look at its first bytes. A JSON object or a line of
// an access log never begins a trace, so it never waits for the next one. The
// package holds no text and has no clock: whoever calls it keeps the lines and
// bounds how long it waits, how many lines it joins and how many bytes.
package multiline
