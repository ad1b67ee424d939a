package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// shared is the mode of the data directory: its owner, root, and the group root,
// in which the agent is.
const shared = 0o770

// prepareData makes dir writable for the group root. It runs as root without any
// capability: the owner of a directory may change its mode without one. A
// directory that the agent's user owns, as one made by hand, is left as it is.
func prepareData(dir string) error {
	if err := os.MkdirAll(dir, shared); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is %s, not a directory: move it away", dir, info.Mode().Type())
	}
	owner := info.Sys().(*syscall.Stat_t)
	if owner.Uid == 0 && owner.Gid == 0 {
		if info.Mode().Perm() == shared {
			return nil
		}
		return os.Chmod(dir, shared)
	}
	if int(owner.Uid) == os.Getuid() {
		return nil
	}
	err = fmt.Errorf("%s belongs to user %d and group %d", dir, owner.Uid, owner.Gid)
	return fmt.Errorf("%w: chown it to 0:0 on the node, or choose another directory", errors.Join(err, fs.ErrPermission))
}
