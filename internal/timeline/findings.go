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
	"time"

	"github.com/vigie-otel/vigie/internal/finding"
)

// Limits of a Findings file.
const (
	// CompactBytes is the size from which the file is rewritten; it is then at
	// least four times what the findings that are still known take.
	CompactBytes = 4 << 20
	// maxFinding bounds a line. The largest finding that Bound leaves, with its
	// address sets unpacked, is a third of it.
	maxFinding = 8 << 20
	// updateEvery is how often an update of one finding is written: what opens or
	// closes is written at once.
	updateEvery = 5 * time.Second
)

// Findings is the file that brings findings over a restart: one JSON line for
// each word about a finding, appended, the last one of an ID counts. When it has
// grown it is replaced by what is still known. A line that cannot be read, torn
// by a kill or otherwise, is counted and costs nothing but itself.
//
// What is written is with the kernel when Put returns: it survives the process,
// and a power cut may take the last seconds. A Findings is safe for concurrent
// use and owns no goroutine.
type Findings struct {
	mu      sync.Mutex
	path    string
	file    *os.File // guarded by mu; nil after Close
	size    int64    // guarded by mu
	base    int64    // guarded by mu: size behind the last compaction
	written map[string]time.Time
	unsaved map[string]finding.Finding // guarded by mu: updates that wait for updateEvery
	broken  int                        // guarded by mu
	failed  uint64                     // guarded by mu: words that are in no file
}

// OpenFindings opens or makes the file at path and returns the last word about
// each finding, in the order in which they were first told; at most limit of
// them, the newest.
func OpenFindings(path string, limit int) (*Findings, []finding.Finding, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, nil, fmt.Errorf("open findings: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return nil, nil, fmt.Errorf("open findings: %w", err)
	}
	k := &Findings{path: path, file: f, written: map[string]time.Time{}, unsaved: map[string]finding.Finding{}}
	known, broken, size, err := readFindings(f)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read findings %s: %w", path, err), f.Close())
	}
	known = known[max(0, len(known)-limit):]
	k.broken, k.size = broken, size
	// A torn last line would swallow the next one, and an old file may hold a
	// season: begin with what is known.
	if broken > 0 || size > CompactBytes {
		if err := k.compactLocked(known); err != nil {
			return nil, nil, errors.Join(err, k.file.Close())
		}
	} else {
		k.base = size
	}
	return k, known, nil
}

// ReadFindings reads such a file without opening it for writing.
func ReadFindings(path string) (known []finding.Finding, broken int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("open findings: %w", err)
	}
	defer f.Close()
	known, broken, _, err = readFindings(f)
	if err != nil {
		return nil, broken, fmt.Errorf("read findings %s: %w", path, err)
	}
	return known, broken, nil
}

func readFindings(r io.Reader) (known []finding.Finding, broken int, size int64, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	place := map[string]int{}
	for {
		line, n, err := readLine(in)
		size += n
		switch {
		case len(line) == 0 && n > maxFinding:
			broken++
		case len(line) > 0:
			var f finding.Finding
			if errors.Is(err, io.EOF) || json.Unmarshal(line, &f) != nil || f.ID == "" || !f.Status.Valid() {
				broken++
				break
			}
			f.Bound()
			if i, ok := place[f.ID]; ok {
				known[i] = f
			} else {
				place[f.ID] = len(known)
				known = append(known, f)
			}
		}
		if errors.Is(err, io.EOF) {
			return known, broken, size, nil
		}
		if err != nil {
			return known, broken, size, err
		}
	}
}

// readLine reads one line of at most maxFinding bytes without its end; of a
// longer one nothing but its length.
func readLine(in *bufio.Reader) (line []byte, n int64, err error) {
	for {
		part, err := in.ReadSlice('\n')
		n += int64(len(part))
		if n <= maxFinding {
			line = append(line, part...)
		} else {
			line = nil
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err == nil && len(line) > 0 {
			line = line[:len(line)-1]
		}
		return line, n, err
	}
}

// Put writes the newest word about a finding. live gives all that are known, the
// new word included; it is asked when the file is rewritten. Updates of one
// finding that come within five seconds of another wait for the next word about
// any, for Flush or for Close.
func (k *Findings) Put(f finding.Finding, now time.Time, live func() []finding.Finding) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	last, before := k.written[f.ID]
	if f.Status == finding.Update && before && now.Sub(last) < updateEvery && !now.Before(last) {
		k.unsaved[f.ID] = f
		return k.flushLocked(now)
	}
	delete(k.unsaved, f.ID)
	err := k.writeLocked(f, now)
	if f.Status == finding.Closed {
		delete(k.written, f.ID)
	}
	if err == nil && k.size > max(CompactBytes, 4*k.base) {
		err = k.compactLocked(live())
	}
	return errors.Join(err, k.flushLocked(now))
}

// flushLocked writes the updates that have waited for long enough.
func (k *Findings) flushLocked(now time.Time) error {
	var errs []error
	for id, f := range k.unsaved {
		if now.Sub(k.written[id]) >= updateEvery {
			delete(k.unsaved, id)
			errs = append(errs, k.writeLocked(f, now))
		}
	}
	return errors.Join(errs...)
}

func (k *Findings) writeLocked(f finding.Finding, now time.Time) error {
	err := func() error {
		if k.file == nil {
			return fmt.Errorf("write finding: %w", os.ErrClosed)
		}
		line, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("write finding: %w", err)
		}
		n, err := k.file.Write(append(line, '\n'))
		k.size += int64(n)
		if err != nil {
			if n > 0 { // torn: the next must not join it
				m, _ := k.file.WriteString("\n")
				k.size += int64(m)
			}
			return fmt.Errorf("write finding: %w", err)
		}
		return nil
	}()
	if err != nil {
		k.failed++
		return err
	}
	k.written[f.ID] = now
	return nil
}

// Forget drops what is remembered about a finding that is known no longer.
func (k *Findings) Forget(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.written, id)
	delete(k.unsaved, id)
}

// compactLocked replaces the file by one that holds known alone. Either the old
// file or the new one is there whole, whenever the power goes.
func (k *Findings) compactLocked(known []finding.Finding) error {
	next, err := os.OpenFile(k.path+".new", os.O_CREATE|os.O_TRUNC|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("compact findings: %w", err)
	}
	out := bufio.NewWriterSize(next, 64<<10)
	enc := json.NewEncoder(out)
	for i := range known {
		if err = enc.Encode(&known[i]); err != nil {
			break
		}
	}
	err = errors.Join(err, out.Flush())
	if err == nil {
		err = next.Sync()
	}
	if err == nil {
		err = os.Rename(k.path+".new", k.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("compact findings: %w", err), next.Close(), os.Remove(k.path+".new"))
	}
	if dir, err := os.Open(filepath.Dir(k.path)); err == nil {
		_ = dir.Sync() // the rename itself; where a directory cannot be synced the file is whole all the same
		_ = dir.Close()
	}
	old := k.file
	k.file = next
	if info, err := next.Stat(); err == nil {
		k.size = info.Size()
	}
	k.base = k.size
	return old.Close()
}

// Counts tells the lines that could not be read at the opening, and the words
// that are in no file since.
func (k *Findings) Counts() (broken int, failed uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.broken, k.failed
}

// Close writes what waits, syncs and closes the file. It is safe twice.
func (k *Findings) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file == nil {
		return nil
	}
	var errs []error
	for _, f := range k.unsaved {
		errs = append(errs, k.writeLocked(f, time.Time{}))
	}
	clear(k.unsaved)
	errs = append(errs, k.file.Sync(), k.file.Close())
	k.file = nil
	return errors.Join(errs...)
}
