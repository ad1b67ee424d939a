package conntrack

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// CPU runs fn and returns the CPU time, user and system, that its thread spent:
// a dump is mostly work that the kernel does in our name.
func CPU(fn func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := threadTime()
	fn()
	return threadTime() - start
}

func threadTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
