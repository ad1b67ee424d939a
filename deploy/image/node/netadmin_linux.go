package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const netAdmin = 1 << unix.CAP_NET_ADMIN

// withNetAdmin becomes program. CAP_NET_ADMIN is permitted to this process by its
// file; the next program has no such file, so the capability travels in the
// ambient set, which wants it inheritable first. Where the container may not have
// it the program runs all the same: it says itself what it cannot see.
func withNetAdmin(program string, argv []string) error {
	runtime.LockOSThread() // capabilities belong to a thread; exec takes this one's
	if err := raise(); err != nil {
		fmt.Fprintln(os.Stderr, "vigie-node: going on without CAP_NET_ADMIN:", err)
	}
	if err := unix.Exec(program, argv, os.Environ()); err != nil {
		return fmt.Errorf("run %s: %w", program, err)
	}
	return nil
}

func raise() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	if sets[0].Permitted&netAdmin == 0 {
		return errors.New("it is not permitted; add NET_ADMIN to the container's capabilities, and keep the file's own (security.capability) in the image")
	}
	sets[0].Effective |= netAdmin
	sets[0].Inheritable |= netAdmin
	if err := unix.Capset(&header, &sets[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_NET_ADMIN, 0, 0); err != nil {
		return fmt.Errorf("raise it as ambient: %w", err)
	}
	return nil
}
