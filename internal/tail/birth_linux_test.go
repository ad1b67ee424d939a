package tail_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Between the start and the first scan a pod may begin to write: that file is new.
func TestAFileBornAfterTheStartIsNewEvenToTheFirstScan(t *testing.T) {
	f := follow(t, "*.log", false)
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, f.dir, 0, unix.STATX_BTIME, &st); err != nil || st.Mask&unix.STATX_BTIME == 0 {
		t.Skip("this file system does not tell when a file was made")
	}
	f.write("old.log", "before\n")
	f.opt.Started = time.Now().Add(300 * time.Millisecond) // births are known to 100 ms
	time.Sleep(time.Until(f.opt.Started))
	f.start(nil)
	f.write("new.log", "after\n")
	f.want(0, "after")
}
