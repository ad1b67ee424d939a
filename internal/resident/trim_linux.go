package resident

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Trim unmaps the clean pages of the executable (madvise(2), MADV_DONTNEED on
// private file mappings that can't be written and never were: their content is the
// file's). A program that the dynamic linker starts has one that it wrote before it
// made it read-only, with the addresses of what was linked; without them the next
// call of such a function would end the process.
func Trim() error {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer smaps.Close()
	clean, err := cleanParts(smaps, exe)
	for _, p := range clean {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, p.start, p.end-p.start, unix.MADV_DONTNEED); errno != 0 {
			err = errors.Join(err, fmt.Errorf("madvise %x-%x: %w", p.start, p.end, errno))
		}
	}
	return err
}

type part struct{ start, end uintptr }

// cleanParts are the mappings of exe in an smaps file (proc_pid_smaps(5)) whose
// content is the file's: read-only, private, and without an anonymous page.
func cleanParts(smaps io.Reader, exe string) (clean []part, err error) {
	var at part
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		key, value, found := strings.Cut(lines.Text(), ":")
		if !found || strings.ContainsAny(key, " -") { // a mapping's first line
			at.start, at.end, _ = ownReadOnly(lines.Text(), exe)
			continue
		}
		if key == "Anonymous" && at.end > 0 && strings.TrimSpace(value) == "0 kB" {
			clean = append(clean, at)
			at = part{}
		}
	}
	return clean, lines.Err()
}

// ownReadOnly parses a mapping's line (proc_pid_maps(5)) and accepts
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
