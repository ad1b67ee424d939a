package score

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Mark is one line of a marks file: a request that a detector suspected.
type Mark struct {
	Line      int64 // from 1
	Suspicion float64
	Finding   string
}

// MarkReader reads marks: line number, suspicion and finding id, tab-separated,
// in the order of the lines.
type MarkReader struct {
	scan *bufio.Scanner
	row  int
	last int64
}

// NewMarkReader reads from r.
func NewMarkReader(r io.Reader) *MarkReader {
	return &MarkReader{scan: newScanner(r)}
}

// Next is the next mark, or io.EOF.
func (m *MarkReader) Next() (Mark, error) {
	for m.scan.Scan() {
		m.row++
		row := m.scan.Bytes()
		if len(row) == 0 {
			continue
		}
		number, rest, ok := bytes.Cut(row, []byte("\t"))
		line, err := strconv.ParseInt(string(number), 10, 64)
		if !ok || err != nil || line < 1 {
			return Mark{}, fmt.Errorf("marks row %d: want line number, suspicion and finding id, tab-separated (got %q)", m.row, row)
		}
		if line <= m.last {
			return Mark{}, fmt.Errorf("marks row %d: line %d comes after line %d; marks must be in the order of the lines", m.row, line, m.last)
		}
		m.last = line
		suspicion, id, _ := bytes.Cut(rest, []byte("\t"))
		value, err := strconv.ParseFloat(string(suspicion), 64)
		if err != nil || !(value >= 0 && value <= 1) {
			return Mark{}, fmt.Errorf("marks row %d: suspicion must be from 0 to 1 (got %q)", m.row, suspicion)
		}
		return Mark{Line: line, Suspicion: value, Finding: string(id)}, nil
	}
	if err := m.scan.Err(); err != nil {
		return Mark{}, fmt.Errorf("read marks: %w", err)
	}
	return Mark{}, io.EOF
}

// Label is the truth about one line.
type Label struct {
	Line   int64
	Attack bool
	Class  string
	ID     string // the attack's
}

// LabelReader reads labels: CSV with the header line,label,class,attack_id, of
// which label is attack or legit. Lines that are not listed are legitimate.
type LabelReader struct {
	scan *bufio.Scanner
	row  int
	last int64
	text map[string]string // classes and ids, few: read without allocating
}

// NewLabelReader reads from r.
func NewLabelReader(r io.Reader) *LabelReader {
	return &LabelReader{scan: newScanner(r), text: map[string]string{}}
}

// maxTexts bounds the classes and ids that are remembered.
const maxTexts = 1 << 16

func (l *LabelReader) intern(b []byte) string {
	if s, ok := l.text[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(l.text) < maxTexts {
		l.text[s] = s
	}
	return s
}

// Next is the next label, or io.EOF.
func (l *LabelReader) Next() (Label, error) {
	for l.scan.Scan() {
		l.row++
		row := l.scan.Bytes()
		if l.row == 1 {
			if !bytes.HasPrefix(row, []byte("line,label")) {
				return Label{}, fmt.Errorf("labels row 1: want the header line,label,class,attack_id (got %q)", row)
			}
			continue
		}
		number, rest, _ := bytes.Cut(row, []byte(","))
		label, rest, _ := bytes.Cut(rest, []byte(","))
		class, id, _ := bytes.Cut(rest, []byte(","))
		line, err := strconv.ParseInt(string(number), 10, 64)
		attack := string(label) == "attack"
		if err != nil || line <= l.last || !attack && string(label) != "legit" {
			return Label{}, fmt.Errorf("labels row %d: want a line number above %d and attack or legit (got %q)", l.row, l.last, row)
		}
		l.last = line
		return Label{Line: line, Attack: attack, Class: l.intern(class), ID: l.intern(bytes.TrimRight(id, "\r"))}, nil
	}
	if err := l.scan.Err(); err != nil {
		return Label{}, fmt.Errorf("read labels: %w", err)
	}
	if l.row == 0 {
		return Label{}, errors.New("labels: the file is empty")
	}
	return Label{}, io.EOF
}

func newScanner(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 1<<16), 1<<20)
	return s
}

// Decompress unwraps r by the name's ending: .gz, .zst, or nothing.
func Decompress(name string, r io.Reader) (io.Reader, error) {
	switch {
	case strings.HasSuffix(name, ".gz"):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		return z, nil
	case strings.HasSuffix(name, ".zst"):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		return z, nil
	}
	return r, nil
}
