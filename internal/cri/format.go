package cri

import "strings"

// Format is how the lines of a file are written.
type Format uint8

// Formats of a log file.
const (
	Unknown Format = iota
	CRI
	Docker
	Raw // each line is the application's own
)

// String gives the name that a configuration uses.
func (f Format) String() string {
	return [...]string{"auto", "cri", "docker", "raw"}[f]
}

// Recognise tells a file's format from its first line. A runtime writes all
// lines of a file alike, so one is enough.
func Recognise(line string) Format {
	if _, err := Split(line); err == nil {
		return CRI
	}
	if strings.HasPrefix(line, "{") {
		if _, err := SplitDocker(line); err == nil {
			return Docker
		}
	}
	return Raw
}
