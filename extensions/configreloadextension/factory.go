package configreloadextension

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/vigie-otel/vigie/extensions/configreloadextension/internal/metadata"
	"github.com/vigie-otel/vigie/internal/configstate"
)

// Config has no settings: which files are watched is the command line's.
type Config struct {
	_ struct{}
}

// NewFactory returns the factory of the extension, type config_reload, in a process
// that loads its configuration once.
func NewFactory() extension.Factory { return NewFactoryOf(configstate.New(nil)) }

// NewFactoryOf is the same for a process that tells state of its configurations.
func NewFactoryOf(state *configstate.State) extension.Factory {
	return extension.NewFactory(
		metadata.Type,
		func() component.Config { return &Config{} },
		func(_ context.Context, set extension.Settings, _ component.Config) (extension.Extension, error) {
			return &reporter{set: set.TelemetrySettings, state: state}, nil
		},
		metadata.ExtensionStability,
	)
}
