package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// An image from scratch has no journalctl, and the journal's format is the host's
// own. So the host's journalctl reads it: started by the host's own dynamic linker,
// with the host's libraries, as this process's user and without leaving its
// container. Whoever starts Vigie under the name journalctl gets that.

const journalctl = "journalctl"

// becomeJournalctl replaces this process by the host's journalctl where it was
// started under that name; it returns where it was not, or could not.
func becomeJournalctl(args []string, root string) error {
	if root == "" || filepath.Base(args[0]) != journalctl {
		return nil
	}
	usr := filepath.Join(root, "usr")
	loaders := []string{
		usr + "/lib64/ld-linux-x86-64.so.2", usr + "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
		usr + "/lib/ld-linux-aarch64.so.1", usr + "/lib64/ld-linux-aarch64.so.1", usr + "/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
	}
	at := slices.IndexFunc(loaders, there)
	if at < 0 {
		return fmt.Errorf("start the host's journalctl: none of its dynamic linkers is there (%s)", strings.Join(loaders, ", "))
	}
	var libraries []string
	for _, dir := range []string{"/lib64", "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib"} {
		libraries = append(libraries, usr+dir, usr+dir+"/systemd")
	}
	all := append([]string{loaders[at], "--library-path", strings.Join(libraries, ":"), usr + "/bin/journalctl"}, args[1:]...)
	if err := syscall.Exec(loaders[at], all, os.Environ()); err != nil {
		return fmt.Errorf("start the host's journalctl: %w", err)
	}
	return nil
}

// borrowJournalctl names Vigie itself as journalctl where the journal is asked for,
// this file system has no journalctl, and the host's has.
func borrowJournalctl() error {
	root, units := os.Getenv("VIGIE_HOST_ROOT"), os.Getenv("VIGIE_JOURNALD")
	if root == "" || units == "" || units == "none" || os.Getenv("VIGIE_JOURNALCTL") != "" ||
		there("/usr/bin/"+journalctl) || there("/bin/"+journalctl) || !there(root+"/usr/bin/"+journalctl) {
		return nil
	}
	return linkJournalctl(filepath.Join(os.Getenv("VIGIE_DATA_DIR"), "bin"))
}

func linkJournalctl(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("borrow the host's journalctl: %w", err)
	}
	link := filepath.Join(dir, journalctl)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("borrow the host's journalctl: %w", err)
	}
	_ = os.Remove(link) // of an earlier version, elsewhere
	if err := os.Symlink(self, link); err != nil {
		return fmt.Errorf("borrow the host's journalctl: %w", err)
	}
	return os.Setenv("VIGIE_JOURNALCTL", link)
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
