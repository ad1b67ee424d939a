package conntrack

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// InNetNS runs fn on a thread inside the network namespace at path, or right
// here when path is empty. Sockets and files that fn opens belong to that
// namespace for good. A path that is not there gives ErrNamespaceGone.
//
// fn runs on a goroutine of its own, so that the caller's thread never changes
// its namespace; where going back does not work, the thread ends with it.
func InNetNS(path string, fn func() error) error {
	if path == "" {
		return fn()
	}
	done := make(chan error, 1)
	go func() { done <- inThread(path, fn) }()
	return <-done
}

func inThread(path string, fn func() error) error {
	there, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOTDIR) {
		return fmt.Errorf("%w: %s", ErrNamespaceGone, path)
	}
	if err != nil {
		return fmt.Errorf("open network namespace %s: %w", path, err)
	}
	defer unix.Close(there)

	runtime.LockOSThread()
	here, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open own network namespace: %w", err)
	}
	defer unix.Close(here)
	if same(there, here) { // needs no CAP_SYS_ADMIN
		defer runtime.UnlockOSThread()
		return fn()
	}
	if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		switch {
		case errors.Is(err, unix.EPERM):
			return fmt.Errorf("enter network namespace %s: %w: grant CAP_SYS_ADMIN", path, err)
		case errors.Is(err, unix.EINVAL):
			// An unmounted name in /run/netns is an empty file.
			return fmt.Errorf("%w: %s is no network namespace", ErrNamespaceGone, path)
		}
		return fmt.Errorf("enter network namespace %s: %w", path, err)
	}
	err = fn()
	if unix.Setns(here, unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
	return err
}

// same tells whether two descriptors are of one namespace.
func same(a, b int) bool {
	var x, y unix.Stat_t
	return unix.Fstat(a, &x) == nil && unix.Fstat(b, &y) == nil && x.Dev == y.Dev && x.Ino == y.Ino
}
