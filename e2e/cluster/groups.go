//go:build linux

package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const groupsDir = "/sys/fs/cgroup"

// groupRoot is the control group that all pods of a node are in.
func groupRoot(i int) string { return fmt.Sprintf("/vigie-e2e-%d", i) }

// hierarchies are the roots of the machine's control groups: one where only version
// 2 is there, one a controller where version 1 is.
func hierarchies() []string {
	if _, err := os.Stat(groupsDir + "/cgroup.controllers"); err == nil {
		return []string{groupsDir}
	}
	dirs, _ := filepath.Glob(groupsDir + "/*")
	return dirs
}

// makeGroups makes a group in each hierarchy, with all processors and memory nodes.
func makeGroups(group string) error {
	for _, h := range hierarchies() {
		if err := os.Mkdir(h+group, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		// Version 1: an empty set takes no process. Version 2 has neither file here.
		for _, set := range []string{"/cpuset.cpus", "/cpuset.mems"} {
			if all, err := os.ReadFile(h + set); err == nil {
				if err := os.WriteFile(h+group+set, all, 0o644); err != nil {
					return err
				}
			}
		}
		// Version 2: what a group's children may be limited in, from the root down.
		if controllers, err := os.ReadFile(h + group + "/cgroup.controllers"); err == nil {
			for c := range strings.FieldsSeq(string(controllers)) {
				_ = os.WriteFile(h+group+"/cgroup.subtree_control", []byte("+"+c), 0o644)
			}
		}
	}
	return nil
}

// removeGroups removes the groups of that name with all that are in them. Their
// processes have been killed and may take a moment to go.
func removeGroups(pattern string) error {
	var left error
	for range 50 {
		left = nil
		for _, h := range hierarchies() {
			roots, _ := filepath.Glob(h + pattern)
			for _, root := range roots {
				left = errors.Join(left, removeGroup(root))
			}
		}
		if left == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("remove control groups: %w", left)
}

// removeGroup removes one group, its children first.
func removeGroup(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil // what goes while we look is what we want
	})
	for _, dir := range slices.Backward(dirs) {
		if e := os.Remove(dir); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}
