package tail

import (
	"time"

	"golang.org/x/sys/unix"
)

// birth is when a file was made (statx, Linux 4.11; ext4, xfs, btrfs, and tmpfs
// since 6.6). ok is false where the file system doesn't tell.
func birth(path string) (at time.Time, ok bool) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BTIME, &st); err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}, false
	}
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec)), true
}
