package timeline

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// MaxRead bounds the entries that Read returns; the newest are kept.
const MaxRead = 20_000

// Read returns the entries up to a time from the file of a Log, the oldest first,
// without opening it for writing: those from a time on, and of those before it
// that say who leads, since they go on to hold. It may be called while a Log
// writes. broken counts lines that could not be read; the last one may be under
// way.
func Read(path string, from, to time.Time) (entries []Entry, broken int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("open timeline: %w", err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			broken++
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return entries, broken, fmt.Errorf("read timeline %s: %w", path, err)
		}
		var e Entry
		switch {
		case err == nil && json.Unmarshal(line, &e) == nil && e.Kind != "":
			if !e.At.After(to) && (!e.At.Before(from) || e.Kind.Human() && e.Kind != Note) {
				entries = append(entries, e)
			}
			if len(entries) >= 2*MaxRead {
				entries = append(entries[:0], entries[MaxRead:]...)
			}
		case len(line) > 1:
			broken++
		}
		if err != nil {
			return entries[max(0, len(entries)-MaxRead):], broken, nil
		}
	}
}
