//go:build linux

package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// kernelSettings are those that a kubelet changes and no namespace holds.
var kernelSettings = []string{"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes"}

// Leftovers are what a cluster changes outside its namespaces. They are written
// down before it starts, so that the next run puts back what a power cut left.
type Leftovers struct{ path string }

// Remember writes down the kernel's settings in a file, once whatever an earlier
// cluster left has been put back.
func Remember(path string) (*Leftovers, error) {
	l := &Leftovers{path: path}
	if _, err := os.Stat(path); err == nil {
		if err := l.Restore(); err != nil {
			return nil, err
		}
	}
	if err := removeGroups("/vigie-e2e-*"); err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, name := range kernelSettings {
		if value, err := os.ReadFile("/proc/sys/" + name); err == nil {
			fmt.Fprintf(&b, "%s=%s\n", name, strings.TrimSpace(string(value)))
		}
	}
	return l, os.WriteFile(path, []byte(b.String()), 0o600)
}

// Check is an error where a process or a mount of a cluster in that folder is left.
func Check(dir string) error {
	var left error
	groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return err
	}
	for _, path := range groups {
		if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), "/vigie-e2e-") {
			left = errors.Join(left, fmt.Errorf("process %s is left", filepath.Base(filepath.Dir(path))))
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, dir+"/") {
			left = errors.Join(left, fmt.Errorf("a mount is left: %s", strings.TrimSpace(line)))
		}
	}
	return left
}

// Restore puts settings and control groups back. The cluster must have ended.
func (l *Leftovers) Restore() error {
	b, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if now, e := os.ReadFile("/proc/sys/" + name); e != nil || strings.TrimSpace(string(now)) == value {
			continue
		}
		err = errors.Join(err, os.WriteFile("/proc/sys/"+name, []byte(value), 0o644))
	}
	if err = errors.Join(err, removeGroups("/vigie-e2e-*")); err != nil {
		return err
	}
	return os.Remove(l.path)
}
