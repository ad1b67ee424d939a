package helm

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"
)

var tool = sync.OnceValues(Tool) //nolint:gochecknoglobals // looked for once

// vigieChart is the chart of this folder. Without helm a test is skipped with the
// reason, but never where CI runs.
func vigieChart(t *testing.T) Chart {
	t.Helper()
	helm, err := tool()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return Chart{Helm: helm, Dir: "vigie"}
}

// rendered is what helm made of arguments before: it is asked once for each.
var rendered = map[string][]byte{} //nolint:gochecknoglobals // tests here run one after another

func render(t *testing.T, args ...string) []runtime.Object {
	t.Helper()
	key := strings.Join(args, "\x00")
	if _, there := rendered[key]; !there {
		text, err := vigieChart(t).Text(args...)
		require.NoError(t, err)
		rendered[key] = text
	}
	objects, err := Parse(rendered[key])
	require.NoError(t, err)
	return objects
}

// presets are the values files of presets/, by name.
func presets(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("presets/*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(paths), 9)
	all := map[string]string{}
	for _, p := range paths {
		all[strings.TrimSuffix(filepath.Base(p), ".yaml")] = p
	}
	return all
}

// one is the only object of its kind that has the name.
func one[T interface {
	runtime.Object
	GetName() string
}](t *testing.T, objects []runtime.Object, name string,
) T {
	t.Helper()
	var found []T
	for _, o := range objects {
		if o, ok := o.(T); ok && o.GetName() == name {
			found = append(found, o)
		}
	}
	require.Len(t, found, 1, "%T %s", *new(T), name)
	return found[0]
}
