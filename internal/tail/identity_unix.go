//go:build unix

package tail

import (
	"os"
	"syscall"
)

func identify(info os.FileInfo) (ID, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ID{}, false
	}
	return ID{Dev: uint64(st.Dev), Ino: st.Ino}, true //nolint:unconvert // Dev is int32 on darwin
}
