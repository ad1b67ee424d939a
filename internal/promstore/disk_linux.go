package promstore

import "syscall"

// freeBytes is the room that an unprivileged process has on dir's file system
// (statfs(2), f_bavail).
func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return st.Bavail * uint64(st.Bsize), nil
}
