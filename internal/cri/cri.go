package cri

import "errors"

// ErrNotCRI is returned for a line that does not have the CRI format.
var ErrNotCRI = errors.New("not a CRI log line")

// Stream is what the application wrote to.
type Stream uint8

// Streams of a container.
const (
	Stdout Stream = iota
	Stderr
)

// Streams is how many there are.
const Streams = 2

// String gives the value of the attribute log.iostream.
func (s Stream) String() string {
	if s == Stderr {
		return "stderr"
	}
	return "stdout"
}

// Line is one line of a container's log file.
type Line struct {
	Time    int64 // Unix time in ns, when the runtime read the line
	Stream  Stream
	Partial bool   // the application's line goes on in the stream's next line
	Text    string // what the application wrote, without its newline
}

// Split takes a line in CRI format apart. Its first tag decides whether the line
// is partial; tags that runtimes may add after a colon are ignored.
func Split(line string) (Line, error) {
	ns, n, ok := parseTime(line)
	// After the time: " stdout F " at the least.
	if !ok || len(line) < n+9 || line[n] != ' ' {
		return Line{}, ErrNotCRI
	}
	l := Line{Time: ns}
	switch line[n+1 : n+8] {
	case "stdout ":
	case "stderr ":
		l.Stream = Stderr
	default:
		return Line{}, ErrNotCRI
	}
	tag, rest := line[n+8], line[n+9:]
	switch tag {
	case 'F':
	case 'P':
		l.Partial = true
	default:
		return Line{}, ErrNotCRI
	}
	switch {
	case rest == "": // an empty line whose last space an editor cut off
		return l, nil
	case rest[0] == ' ':
		l.Text = rest[1:]
		return l, nil
	case rest[0] == ':':
		for i := 1; i < len(rest); i++ {
			if rest[i] == ' ' {
				l.Text = rest[i+1:]
				return l, nil
			}
		}
		return l, nil
	}
	return Line{}, ErrNotCRI
}
