package calendar

import (
	"fmt"
	"io"
	"os"
	"time"
)

// MaxFileBytes bounds a calendar file.
const MaxFileBytes = 4 << 20

// Load reads a calendar file once.
func Load(path string) (*Calendar, []Problem, error) {
	f := File{Path: path}
	_, problems, err := f.Reload()
	return f.calendar, problems, err
}

// File is a calendar file that is read again when it changes. Fill in Path; the
// rest begins empty. It is not safe for concurrent use; the Calendar that it
// hands out is.
type File struct {
	Path string

	calendar *Calendar
	modified time.Time
	size     int64
	read     bool
}

// Calendar is the last one that could be read; nil before.
func (f *File) Calendar() *Calendar { return f.calendar }

// Reload reads the file if its modification time or size differ from the last
// read. Call it every few seconds: without a change it costs one stat. Where the
// file is gone or is no calendar, the one from before stays in force and the
// error says why; the same bad content is reported once.
func (f *File) Reload() (changed bool, problems []Problem, err error) {
	file, err := os.Open(f.Path)
	if err != nil {
		f.read = false // when it comes back, read it, whatever its time says
		return false, nil, fmt.Errorf("open calendar: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return false, nil, fmt.Errorf("stat calendar: %w", err)
	}
	if f.read && info.ModTime().Equal(f.modified) && info.Size() == f.size {
		return false, nil, nil
	}
	text, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	if err != nil {
		return false, nil, fmt.Errorf("read calendar: %w", err)
	}
	f.modified, f.size, f.read = info.ModTime(), info.Size(), true
	if len(text) > MaxFileBytes {
		return false, nil, fmt.Errorf("calendar %s has more than %d bytes", f.Path, MaxFileBytes)
	}
	c, problems, err := Parse(text)
	if err != nil {
		return false, nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	f.calendar = c
	return true, problems, nil
}
