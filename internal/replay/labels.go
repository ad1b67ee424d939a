package replay

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Labels writes the truth about each line as CSV, "line,label,class,attack_id":
// the line's number from 1, attack or legit, the class of Event, and the attack's
// id or nothing. A path that ends in .gz is compressed. Close also writes the
// Truth beside it, as path + TruthSuffix.
type Labels struct {
	path string
	file *os.File
	gz   *gzip.Writer
	w    *bufio.Writer
	line uint64
	rest [][]byte // ",attack,http_flood,a1\n" by attack
	calm [classes][]byte
	buf  []byte
}

// TruthSuffix follows the labels' path.
const TruthSuffix = ".truth.json"

const labelsHeader = "line,label,class,attack_id\n"

// CreateLabels begins a label file.
func CreateLabels(path string, truth *Truth) (*Labels, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create labels: %w", err)
	}
	l := &Labels{path: path, file: file}
	var to io.Writer = file
	if strings.HasSuffix(path, ".gz") {
		l.gz, _ = gzip.NewWriterLevel(file, gzip.BestSpeed) // the level is valid
		to = l.gz
	}
	l.w = bufio.NewWriterSize(to, 1<<18)
	for c := range classes {
		l.calm[c] = []byte(",legit," + c.String() + ",\n")
	}
	for _, a := range truth.Attacks {
		l.rest = append(l.rest, []byte(",attack,"+a.Class+","+a.ID+"\n"))
	}
	l.w.WriteString(labelsHeader) // bufio keeps the error for Close
	return l, nil
}

func (l *Labels) add(ev *Event) {
	l.line++
	rest := l.calm[ev.Class]
	if ev.Attack >= 0 {
		rest = l.rest[ev.Attack]
	}
	l.buf = strconv.AppendUint(l.buf[:0], l.line, 10)
	l.w.Write(l.buf)
	l.w.Write(rest)
}

// Flush hands what is written to the operating system.
func (l *Labels) Flush() error { return l.w.Flush() }

// Close finishes the labels and writes the truth beside them.
func (l *Labels) Close(truth *Truth) error {
	err := l.w.Flush()
	if l.gz != nil && err == nil {
		err = l.gz.Close()
	}
	if e := l.file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write labels: %w", err)
	}
	text, err := json.MarshalIndent(truth, "", "  ")
	if err != nil {
		return fmt.Errorf("encode truth: %w", err)
	}
	if err := os.WriteFile(l.path+TruthSuffix, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	return nil
}
