package configs

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

var variable = regexp.MustCompile(`VIGIE_[A-Z0-9_]*[A-Z0-9]`)

// Whoever configures Vigie finds every variable in one table, and none that nothing
// reads.
func TestEveryVariableIsInTheTable(t *testing.T) {
	read := map[string]bool{}
	add := func(body []byte) {
		for _, name := range variable.FindAllString(string(body), -1) {
			read[name] = true
		}
	}
	require.NoError(t, fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := files.ReadFile(path)
		add(body)
		return err
	}))
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, path := range append(sources, "../environment.go", "../run.go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		body, err := os.ReadFile(path)
		require.NoError(t, err)
		add(body)
	}
	doc, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	told := map[string]bool{}
	for line := range strings.Lines(string(doc)) {
		if first, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " |"); ok && strings.HasPrefix(line, "| `VIGIE_") {
			for _, name := range variable.FindAllString(first, -1) {
				if told[name] {
					t.Errorf("%s is there twice", name)
				}
				told[name] = true
			}
		}
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(read)), slices.Sorted(maps.Keys(told))); d != "" {
		t.Errorf("read (-) and in docs/configuration.md (+): %s", d)
	}
}
