package tail

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// leaves are the directories in which files may match, each with the patterns
// for their names.
type leaves map[string][]string

// maxDepth bounds how deep "**" descends.
const maxDepth = 8

// expand finds the directories that patterns name today. watch is called with
// each directory whose entries decided: a new one there may match tomorrow.
func expand(patterns []string, watch func(dir string)) leaves {
	out := leaves{}
	for _, p := range patterns {
		dir, base := filepath.Split(p)
		root, parts := "/", strings.Split(strings.Trim(dir, "/"), "/")
		if !filepath.IsAbs(p) {
			root = "."
		}
		descend(root, parts, 0, watch, func(dir string) {
			if !slices.Contains(out[dir], base) {
				out[dir] = append(out[dir], base)
			}
		})
	}
	return out
}

func descend(dir string, parts []string, depth int, watch, leaf func(string)) {
	for len(parts) > 0 && !isMagic(parts[0]) {
		next := filepath.Join(dir, parts[0])
		if _, err := os.Stat(next); err != nil {
			watch(dir) // until it exists
			return
		}
		dir, parts = next, parts[1:]
	}
	if len(parts) == 0 {
		watch(dir)
		leaf(dir)
		return
	}
	watch(dir)
	rest := parts[1:]
	if parts[0] == "**" {
		descend(dir, rest, depth, watch, leaf)
		if depth == maxDepth {
			return
		}
		rest = parts
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if ok, _ := filepath.Match(strings.ReplaceAll(parts[0], "**", "*"), e.Name()); !ok {
			continue
		}
		next := filepath.Join(dir, e.Name())
		if e.IsDir() || e.Type()&os.ModeSymlink != 0 && parts[0] != "**" && isDir(next) {
			descend(next, rest, depth+1, watch, leaf)
		}
	}
}

func isMagic(s string) bool { return strings.ContainsAny(s, `*?[\`) }

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func matchesAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if ok, _ := filepath.Match(p, name); ok {
			return true
		}
	}
	return false
}

// isCompressed recognises files that hold logs no more as lines.
func isCompressed(name string) bool {
	switch filepath.Ext(name) {
	case ".gz", ".zst", ".bz2", ".xz", ".lz4":
		return true
	}
	return false
}

// isRotated tells whether name is what a rotation makes of base: base.1,
// base-20260711, 0.log.20260711-190000. Half-written copies (.tmp) are not.
func isRotated(name, base string) bool {
	return len(name) > len(base)+1 && strings.HasPrefix(name, base) &&
		(name[len(base)] == '.' || name[len(base)] == '-') && !strings.HasSuffix(name, ".tmp")
}

// baseOf is the name that a file had before it was rotated, if that matches.
func baseOf(name string, patterns []string) (base string, ok bool) {
	for i := len(name) - 1; i > 0; i-- {
		if (name[i] == '.' || name[i] == '-') && isRotated(name, name[:i]) && matchesAny(patterns, name[:i]) {
			return name[:i], true
		}
	}
	return "", false
}
