package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
)

var update = flag.Bool("update", false, "write testdata/components.txt anew")

// The list of what is compiled in is part of the product: it changes only on
// purpose. -update writes it anew.
func TestWhatIsCompiledIn(t *testing.T) {
	f, err := components()
	require.NoError(t, err)
	var b strings.Builder
	list(&b, "receivers", f.Receivers)
	list(&b, "processors", f.Processors)
	list(&b, "connectors", f.Connectors)
	list(&b, "exporters", f.Exporters)
	list(&b, "extensions", f.Extensions)
	const path = "testdata/components.txt"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Error(d)
	}
	t.Logf("compiled in:\n%s", b.String())
}

func list[F component.Factory](b *strings.Builder, kind string, factories map[component.Type]F) {
	fmt.Fprintf(b, "%s:\n", kind)
	var lines []string
	for t, f := range maps.All(factories) {
		if t == f.Type() { // deprecated aliases are the same component
			lines = append(lines, "  "+t.String())
		}
	}
	slices.Sort(lines)
	fmt.Fprintln(b, strings.Join(lines, "\n"))
}
