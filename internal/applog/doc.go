// Package applog reads what an application writes about one line of its log:
// its fields, and among them how severe it is, when it happened, what it says
// and to which trace it belongs.
//
// A line enters as a string without its newline: a JSON object, logfmt, or plain
// text. A Record leaves, whose strings are parts of the line, or copies where
// something was escaped, and which is valid until the parser's next line.
// Nested objects become fields with dotted names. Lines of access logs are told
// apart and left alone: internal/accesslog reads those.
//
// Nothing is lost by reading: a line that is not what it seemed to be comes back
// as it is, with Kind Broken, and where a bound kept a field out, Record.Whole is
// false, so that the caller keeps the line beside the fields.
//
// A Parser keeps a bounded table of the keys it has seen, so that a known key
// costs a comparison and no allocation. It belongs to one goroutine. The package
// has no clock and does no I/O.
package applog
