package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/vigie-otel/vigie"

// pkg is a package of the module: its path below the module and what its
// non-test files import of the module.
type pkg struct {
	path    string
	imports []string
	files   []string
	tests   bool // holds nothing but tests
}

// packages reads the whole module's imports as text, so the rules hold for files
// that are not built on this system as well.
func packages(t *testing.T) map[string]*pkg {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	found := map[string]*pkg{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "bin" || name == "data") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		p := found[rel]
		if p == nil {
			p = &pkg{path: rel, tests: true}
			found[rel] = p
		}
		p.files = append(p.files, path)
		if strings.HasSuffix(path, "_test.go") {
			return nil
		}
		p.tests = false
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range file.Imports {
			if name, err := strconv.Unquote(imp.Path.Value); err == nil {
				p.imports = append(p.imports, name)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(found), 10, "the walk found no module")
	return found
}

// component is the component folder that a path lies in: receivers/x of
// receivers/x/internal/metadata; "" outside.
func component(path string) string {
	parts := strings.Split(path, "/")
	if len(parts) < 2 {
		return ""
	}
	switch parts[0] {
	case "receivers", "processors", "exporters", "extensions":
		return parts[0] + "/" + parts[1]
	}
	return ""
}

// Why: a component that imports another can't be understood, replaced or left
// out alone. What two share belongs in internal/.
func TestComponentsNeverImportEachOther(t *testing.T) {
	for _, p := range packages(t) {
		own := component(p.path)
		if own == "" {
			continue
		}
		for _, imp := range p.imports {
			if other := component(strings.TrimPrefix(imp, module+"/")); strings.HasPrefix(imp, module) && other != "" && other != own {
				t.Errorf("%s imports %s: what two components share belongs in internal/", p.path, other)
			}
			if strings.HasPrefix(imp, module+"/collector") {
				t.Errorf("%s imports %s: the binary knows the components, not the other way round", p.path, imp)
			}
		}
	}
}

// Why: internal/ is what components stand on. If it knew one of them, nothing
// would be at the bottom.
func TestInternalImportsNoComponent(t *testing.T) {
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.path, "internal/") {
			continue
		}
		for _, imp := range p.imports {
			rel := strings.TrimPrefix(imp, module+"/")
			if rel != imp && !strings.HasPrefix(rel, "internal/") {
				t.Errorf("%s imports %s: internal/ stands below everything", p.path, rel)
			}
		}
	}
}

// Why: the same detector runs on a node, in the gateway and over recorded files,
// and is tested by replay. That holds only while it has no clock and no I/O.
func TestTheDetectorIsPure(t *testing.T) {
	forbidden := map[string]bool{"net": true, "net/http": true, "os": true, "io": true, "bufio": true, "math/rand": true, "math/rand/v2": true, "context": true}
	for _, p := range packages(t) {
		switch p.path {
		case "internal/detect", "internal/sketch", "internal/window", "internal/forecast":
		default:
			continue
		}
		for _, imp := range p.imports {
			if forbidden[imp] {
				t.Errorf("%s imports %s: it is pure, so that a replay decides as the live stream does", p.path, imp)
			}
		}
		for _, file := range p.files {
			if body, err := os.ReadFile(file); err == nil && !strings.HasSuffix(file, "_test.go") {
				for _, call := range []string{"time.Now(", "time.Since(", "time.Sleep(", "\tgo func"} {
					if strings.Contains(string(body), call) {
						t.Errorf("%s calls %s: event time comes in with the data", file, call)
					}
				}
			}
		}
	}
}

// Why: a package that cannot say what it does in its first lines is two packages
// or none.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if p.tests || strings.Contains(p.path, "internal/metadata") {
			continue
		}
		documented := false
		for _, file := range p.files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
			require.NoError(t, err)
			documented = documented || (parsed.Doc != nil && len(parsed.Doc.Text()) > 80)
		}
		if !documented {
			t.Errorf("%s has no package doc: what enters, what leaves, what it does not do", p.path)
		}
	}
}

// Why: an init or a registry that fills itself makes start-up depend on import
// order, and tests on each other.
func TestNoPackageInitialisesItself(t *testing.T) {
	for _, p := range packages(t) {
		for _, file := range p.files {
			if strings.HasSuffix(file, "_test.go") || strings.Contains(filepath.Base(file), "generated_") {
				continue
			}
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			if strings.Contains(string(body), "\nfunc init()") {
				t.Errorf("%s has an init function", file)
			}
		}
	}
}
