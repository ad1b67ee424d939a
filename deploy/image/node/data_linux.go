package main

import (
	"fmt"
	"os"
	"syscall"
)

// shared is the mode of the data directory: its owner, root, and the group root,
// in which the agent is.
const shared = 0o770

// prepareData makes dir writable for the group root. It runs as root without any
// capability: the owner of a directory may change its mode without one.
func prepareData(dir string) error {
	if err := os.MkdirAll(dir, shared); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 0 || owner.Gid != 0 {
		return fmt.Errorf("%s belongs to user %d and group %d: chown it to 0:0 on the node, or choose another directory", dir, owner.Uid, owner.Gid)
	}
	if info.Mode().Perm() == shared {
		return nil
	}
	return os.Chmod(dir, shared)
}
