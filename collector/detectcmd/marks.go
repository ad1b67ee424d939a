package detectcmd

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/vigie-otel/vigie/internal/detect"
)

// marks writes the marked lines: line number (from 1, over all input), suspicion
// and finding, tab-separated. A nil or pathless one only counts.
type marks struct {
	file *os.File
	w    *bufio.Writer
	buf  []byte
	n    uint64
	err  error
}

func newMarks(path string) (*marks, error) {
	m := &marks{}
	if path == "" {
		return m, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("write marks: %w", err)
	}
	m.file, m.w = f, bufio.NewWriterSize(f, 256<<10)
	return m, nil
}

func (m *marks) put(line uint64, mark detect.Mark) {
	m.n++
	if m.w == nil || m.err != nil {
		return
	}
	b := strconv.AppendUint(m.buf[:0], line, 10)
	b = append(b, '\t')
	b = strconv.AppendFloat(b, mark.Suspicion, 'f', 3, 64)
	b = append(b, '\t')
	b = append(append(b, mark.FindingID...), '\n')
	m.buf = b
	_, m.err = m.w.Write(b)
}

func (m *marks) close() error {
	if m.w == nil {
		return nil
	}
	if err := errors.Join(m.err, m.w.Flush(), m.file.Close()); err != nil {
		return fmt.Errorf("write marks: %w", err)
	}
	return nil
}
