package multiline

import "strings"

// continues says whether a line goes on with the record before it, and keeps
// track of where in a trace that is.
func (j *Joiner) continues(line string) bool {
	switch j.in {
	case python:
		return j.inPython(line)
	case pythonEnd:
		return j.afterPython(line)
	case goPanic, goStack:
		return j.inGo(line)
	}
	rest := strings.TrimLeft(line, " \t")
	indented := len(rest) < len(line)
	switch {
	case isFrame(rest, indented), isGlue(line, rest):
		j.in = exception
		return true
	case isGoroutine(line): // net/http logs a panic, then its stack
		j.in = goStack
		return true
	case j.in == exception:
		// Within a trace: source lines, elided frames, Node's dump of an error's
		// fields, and the brace that ends it.
		return indented && rest != "" || line == "}"
	case strings.HasPrefix(line, "Traceback (most recent call last)"):
		// logging.exception writes its message on the line before.
		j.in = python
		return true
	}
	return false
}

// isFrame recognises "at pkg.Class.method(File.java:1)", indented, of Java, .NET
// and Node.js alike.
func isFrame(rest string, indented bool) bool {
	return indented && strings.HasPrefix(rest, "at ") && len(rest) > 3
}

// isGlue recognises what stands between the frames of chained exceptions.
func isGlue(line, rest string) bool {
	if rest == "" {
		return false
	}
	switch rest[0] {
	case 'C':
		return strings.HasPrefix(rest, "Caused by: ")
	case 'S':
		return strings.HasPrefix(rest, "Suppressed: ") && len(rest) < len(line)
	case '.':
		// "... 12 more", "... 3 common frames omitted"
		return strings.HasPrefix(rest, "... ") && len(rest) < len(line) &&
			(strings.HasSuffix(rest, " more") || strings.Contains(rest, "frames"))
	case '-':
		// .NET: " ---> System.X: …", "--- End of inner exception stack trace ---"
		return strings.HasPrefix(rest, "---> ") || strings.HasPrefix(rest, "--- End of ")
	}
	return false
}

// inPython: the frames of a traceback are indented; the first line that is not
// names the exception and ends it. Exception groups draw with "|" and "+-".
func (j *Joiner) inPython(line string) bool {
	if line == "" {
		return true // a source line may be empty
	}
	if line[0] == ' ' || line[0] == '\t' {
		return true
	}
	j.in = pythonEnd
	return isPythonException(line)
}

// isPythonException recognises "ValueError: …", "a.b.Custom", "KeyboardInterrupt".
func isPythonException(line string) bool {
	name, _, _ := strings.Cut(line, ":")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for i := 0; i < len(name); i++ {
		if !isWord(name[i]) && name[i] != '.' {
			return false
		}
	}
	return true
}

// afterPython: chained tracebacks are held together by a sentence between blank
// lines.
func (j *Joiner) afterPython(line string) bool {
	switch {
	case line == "":
		return true
	case strings.HasPrefix(line, "During handling of the above exception"),
		strings.HasPrefix(line, "The above exception was the direct cause"):
		return true
	case strings.HasPrefix(line, "Traceback (most recent call last)"):
		j.in = python
		return true
	}
	return strings.HasPrefix(line, "  |") || strings.HasPrefix(line, "  +")
}

func (j *Joiner) inGo(line string) bool {
	switch {
	case line == "", line[0] == '\t':
		return true
	case isGoroutine(line):
		j.in = goStack
		return true
	case strings.HasPrefix(line, "[signal "), strings.HasPrefix(line, "[recovered"), strings.HasPrefix(line, "PC="):
		return true
	case strings.HasPrefix(line, "exit status "), strings.HasPrefix(line, "created by "), strings.HasPrefix(line, "..."):
		return true
	case j.in == goPanic:
		return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "runtime")
	}
	return isGoCall(line)
}

// isGoroutine recognises "goroutine 1 [running]:".
func isGoroutine(line string) bool {
	return strings.HasPrefix(line, "goroutine ") && strings.HasSuffix(line, "]:") && strings.Contains(line, " [")
}

// isGoCall recognises "main.(*T).f(0x1, {0x2, 0x3})": a name with dots and
// slashes, no space before its bracket, and a bracket at the end.
func isGoCall(line string) bool {
	if line[len(line)-1] != ')' {
		return false
	}
	open := strings.IndexByte(line, '(')
	return open > 0 && strings.IndexByte(line[:open], ' ') < 0 && strings.IndexByte(line[:open], '.') >= 0
}

// isExceptionHead recognises the line above the frames: a dotted name that ends
// in Exception, Error or Throwable, alone or before a colon, after "Exception in
// thread …" or not; and Node's plain "TypeError: …".
func isExceptionHead(line string) bool {
	rest := line
	if strings.HasPrefix(rest, "Exception in thread ") {
		return true
	}
	rest = strings.TrimPrefix(rest, "Uncaught ")
	end := 0
	for end < len(rest) && (isWord(rest[end]) || rest[end] == '.' || rest[end] == '$') {
		end++
	}
	name := rest[:end]
	if !strings.HasSuffix(name, "Exception") && !strings.HasSuffix(name, "Error") && !strings.HasSuffix(name, "Throwable") {
		return false
	}
	return end == len(rest) || rest[end] == ':' || rest[end] == ' ' && strings.HasPrefix(rest[end:], " [")
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}
