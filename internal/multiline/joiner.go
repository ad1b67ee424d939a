package multiline

import "strings"

// Joiner follows the lines of one stream. The zero value is ready.
type Joiner struct {
	in trace
}

// trace is what the record before is.
type trace uint8

const (
	closed    trace = iota // none, or a line that nothing can follow
	plain                  // an ordinary line; a trace may follow it
	exception              // the head or the frames of Java, .NET or Node.js
	python                 // inside a traceback, before its last line
	pythonEnd              // after a traceback's last line; another may be chained
	goPanic                // after "panic:", before the first goroutine
	goStack                // within the stacks of goroutines
)

// Verdict is what becomes of a line.
type Verdict uint8

// Verdicts. Continue is a bit on its own, beside whether to wait.
const (
	Alone    Verdict = 0 // a record of its own that nothing can follow
	Wait     Verdict = 1 // the next line may belong to this record
	Continue Verdict = 2 // belongs to the record before (which then waits on)
)

// Next judges a line of the stream.
func (j *Joiner) Next(line string) Verdict {
	if j.in != closed && j.continues(line) {
		return Continue | Wait
	}
	j.in = begin(line)
	if j.in == closed {
		return Alone
	}
	return Wait
}

// Reset forgets the record before: it has been given away.
func (j *Joiner) Reset() { j.in = closed }

// begin says what a line that continues nothing is the beginning of.
func begin(line string) trace {
	if line == "" {
		return closed
	}
	switch line[0] {
	case '{':
		if line[len(line)-1] == '}' {
			return closed // a JSON object is whole
		}
	case 'T':
		if strings.HasPrefix(line, "Traceback (most recent call last)") {
			return python
		}
	case 'p':
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "panic(") {
			return goPanic
		}
	case 'f':
		if strings.HasPrefix(line, "fatal error: ") {
			return goPanic
		}
	case 'g':
		if isGoroutine(line) {
			return goStack
		}
	case 'S':
		if strings.HasPrefix(line, "SIGSEGV: ") || strings.HasPrefix(line, "SIGABRT: ") || strings.HasPrefix(line, "SIGQUIT: ") {
			return goPanic
		}
	case 'U':
		if strings.HasPrefix(line, "Unhandled exception") {
			return exception
		}
	}
	if strings.HasSuffix(line, "Traceback (most recent call last):") {
		return python // "  + Exception Group Traceback …", or a logger's prefix
	}
	if isExceptionHead(line) {
		return exception
	}
	if isAccess(line) {
		return closed
	}
	return plain
}

// isAccess recognises a line of an access log by its request.
func isAccess(line string) bool {
	i := strings.Index(line, " HTTP/")
	return i >= 0 && i+6 < len(line) && line[i+6]-'0' <= 9
}
