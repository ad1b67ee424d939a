package configs

import (
	"context"
	"embed"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// Scheme is the configuration scheme that this package serves: embedded:laptop.
const Scheme = "embedded"

//go:embed *.yaml with/*.yaml
var files embed.FS

// Names are the shapes that can be asked for.
var Names = []string{"laptop", "agent", "gateway"} //nolint:gochecknoglobals // a constant list

type provider struct{ env environment }

// NewFactory returns the provider of embedded configurations.
func NewFactory() confmap.ProviderFactory {
	return confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider {
		return &provider{env: processEnvironment()}
	})
}

func (*provider) Scheme() string { return Scheme }

func (*provider) Shutdown(context.Context) error { return nil }

// Retrieve returns the named shape with the fragments whose condition holds on
// this machine.
func (p *provider) Retrieve(_ context.Context, uri string, _ confmap.WatcherFunc) (*confmap.Retrieved, error) {
	name, ok := strings.CutPrefix(uri, Scheme+":")
	if !ok {
		return nil, fmt.Errorf("%q is not an %s: source", uri, Scheme)
	}
	conf, err := readYAML(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no embedded configuration %q; there are %s", name, strings.Join(Names, ", "))
	}
	if err := assemble(conf, name, p.env, fragments); err != nil {
		return nil, err
	}
	return confmap.NewRetrieved(conf.ToStringMap())
}

func readYAML(path string) (*confmap.Conf, error) {
	body, err := files.ReadFile(path)
	if err != nil {
		return nil, err
	}
	retrieved, err := confmap.NewRetrievedFromYAML(body)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return retrieved.AsConf()
}
