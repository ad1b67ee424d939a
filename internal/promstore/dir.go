package promstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/prometheus/prometheus/tsdb/fileutil"
)

// acquire makes the data directory and locks it: with the file that Prometheus
// itself locks, so that one cannot open the other's directory.
func acquire(dir string) (fileutil.Releaser, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, explainDir(dir, "make", err)
	}
	lock, _, err := fileutil.Flock(filepath.Join(dir, "lock"))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("data directory %s is %w: stop that one, or give this one another directory", dir, ErrLocked)
	}
	if err != nil {
		return nil, explainDir(dir, "lock", err)
	}
	// A read-only mount lets an existing file be locked; it does not let one be made.
	probe, err := os.CreateTemp(dir, "probe-*.tmp")
	if err != nil {
		return nil, errors.Join(explainDir(dir, "write to", err), lock.Release())
	}
	return lock, errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// explainDir says what a file system's error means for the person who chose the
// directory.
func explainDir(dir, act string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err // the path is in the message already
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %s data directory %s: %w", ErrDiskFull, act, dir, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("data directory %s is %w: %s it: %w", dir, ErrNotWritable, act, err)
	}
	return fmt.Errorf("%s data directory %s: %w", act, dir, err)
}

func (s *Store) explain(act string, err error) error { return explainDir(s.cfg.Dir, act, err) }

// full reports whether err says that the disk or the quota is used up.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
