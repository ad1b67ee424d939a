package timeline

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// Limits of a Log.
const (
	Limit = 2000
	// MaxFileBytes is where the file stops growing by what machines see; a person
	// may go on up to twice as far.
	MaxFileBytes = 64 << 20
	maxLine      = 64 << 10
)

// ErrFull is what Add answers when the file has reached its limit.
var ErrFull = errors.New("the timeline file is full: move it away to begin a new one")

// Log is an open log book.
type Log struct {
	// fileMu serialises writers, and is held while the disk is waited for; mu is
	// not, so that readers never wait. Lock order: fileMu, then mu.
	fileMu sync.Mutex
	file   *os.File // guarded by fileMu; nil after Close
	size   int64    // guarded by fileMu
	seq    uint64   // guarded by fileMu
	broken int      // lines that could not be read; constant after Open

	mu      sync.Mutex
	entries []Entry // guarded by mu; the newest, at most 2·Limit
	dropped uint64  // guarded by mu: entries that are in no file
}

// Open opens or makes the file at path and reads its newest entries.
func Open(path string) (*Log, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("open timeline: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open timeline: %w", err)
	}
	l := &Log{file: f}
	if err := l.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("read timeline %s: %w", path, err), f.Close())
	}
	return l, nil
}

func (l *Log) load() error {
	in := bufio.NewReaderSize(l.file, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		l.size += int64(len(line))
		switch {
		case errors.Is(err, bufio.ErrBufferFull): // a piece of a line that nobody here wrote
			l.broken++
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return err
		case len(line) == 0:
			return nil
		}
		var e Entry
		if json.Unmarshal(line, &e) == nil && e.Kind != "" {
			l.seq = max(l.seq, e.Seq)
			l.keep(e)
		} else if len(line) > 1 {
			l.broken++
		}
		if err != nil { // the last line was torn: the next one begins anew
			n, err := l.file.WriteString("\n")
			l.size += int64(n)
			return err
		}
	}
}

// keep holds e in memory.
func (l *Log) keep(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) == 2*Limit {
		n := copy(l.entries, l.entries[Limit:])
		clear(l.entries[n:])
		l.entries = l.entries[:n]
	}
	l.entries = append(l.entries, e)
}

// Add appends an entry and returns it as it was kept. For what a person wrote
// the disk has it when Add returns. An error that matches ErrInvalid is the
// writer's to mend; after any other the entry of a machine is kept in memory
// alone, that of a person not at all, so that nobody believes it to be safe.
func (l *Log) Add(e Entry) (Entry, error) {
	if err := e.check(); err != nil {
		return Entry{}, err
	}
	l.fileMu.Lock()
	defer l.fileMu.Unlock()
	e.Seq = l.seq + 1
	err := l.writeLocked(e)
	if err != nil && e.Kind.Human() {
		return Entry{}, err
	}
	if err != nil {
		l.mu.Lock()
		l.dropped++
		l.mu.Unlock()
	}
	l.seq = e.Seq
	l.keep(e)
	return e, err
}

func (l *Log) writeLocked(e Entry) error {
	if l.file == nil {
		return fmt.Errorf("write timeline: %w", os.ErrClosed)
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write timeline: %w", err)
	}
	limit := int64(MaxFileBytes)
	if e.Kind.Human() {
		limit *= 2
	}
	if l.size+int64(len(line)) >= limit {
		return ErrFull
	}
	n, err := l.file.Write(append(line, '\n'))
	l.size += int64(n)
	if err != nil {
		if n > 0 { // torn: the next entry must not join it
			m, _ := l.file.WriteString("\n")
			l.size += int64(m)
		}
		return fmt.Errorf("write timeline: %w", err)
	}
	if e.Kind.Human() {
		if err := l.file.Sync(); err != nil {
			return fmt.Errorf("sync timeline: %w", err)
		}
	}
	return nil
}

// Newest returns the last n entries, the oldest first.
func (l *Log) Newest(n int) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := max(0, len(l.entries)-min(n, Limit))
	return append([]Entry{}, l.entries[from:]...)
}

// Since returns the entries after seq, the oldest first.
func (l *Log) Since(seq uint64) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := len(l.entries)
	for i > 0 && l.entries[i-1].Seq > seq {
		i--
	}
	return append([]Entry{}, l.entries[i:]...)
}

// Broken counts lines that could not be read at Open, and dropped the entries
// that are in memory alone.
func (l *Log) Broken() (broken int, dropped uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken, l.dropped
}

// Close syncs and closes the file. It is safe twice.
func (l *Log) Close() error {
	l.fileMu.Lock()
	defer l.fileMu.Unlock()
	if l.file == nil {
		return nil
	}
	err := errors.Join(l.file.Sync(), l.file.Close())
	l.file = nil
	return err
}
