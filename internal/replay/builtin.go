package replay

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed scenarios/*.yaml
var builtin embed.FS

// Names lists the built-in scenarios.
func Names() []string {
	entries, _ := builtin.ReadDir("scenarios") // embedded: it is there
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return out
}

// Builtin is the built-in scenario of that name.
func Builtin(name string) (*Scenario, error) {
	text, err := Source(name)
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Source is the YAML of a built-in scenario, as an example to begin from.
func Source(name string) ([]byte, error) {
	text, err := builtin.ReadFile(path.Join("scenarios", path.Base(name)+".yaml"))
	if err != nil {
		return nil, fmt.Errorf("no built-in scenario %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return text, nil
}
