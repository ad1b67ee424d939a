package resident

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Trim unmaps the clean pages of the executable (madvise(2), MADV_DONTNEED on
// private file mappings that can't be written: their content is the file's).
func Trim() error {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return err
	}
	defer maps.Close()
	var errs error
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		start, end, ok := ownReadOnly(lines.Text(), exe)
		if !ok {
			continue
		}
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTNEED); errno != 0 {
			errs = errors.Join(errs, fmt.Errorf("madvise %s: %w", lines.Text(), errno))
		}
	}
	return errors.Join(errs, lines.Err())
}

// ownReadOnly parses a line of /proc/self/maps (proc_pid_maps(5)) and accepts
// private mappings of exe that can't be written.
func ownReadOnly(line, exe string) (start, end uintptr, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 6 || fields[5] != exe || len(fields[1]) != 4 || fields[1][1] != '-' || fields[1][3] != 'p' {
		return 0, 0, false
	}
	from, to, found := strings.Cut(fields[0], "-")
	if !found {
		return 0, 0, false
	}
	s, err1 := strconv.ParseUint(from, 16, 64)
	e, err2 := strconv.ParseUint(to, 16, 64)
	return uintptr(s), uintptr(e), err1 == nil && err2 == nil && s < e
}
