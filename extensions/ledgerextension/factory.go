package ledgerextension

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/vigie-otel/vigie/extensions/ledgerextension/internal/metadata"
	"github.com/vigie-otel/vigie/internal/ledger"
)

// NewFactory returns the factory of the extension ledger without counters to read:
// its books say so. It is for a configuration that is only looked at.
func NewFactory() extension.Factory { return New(&ledger.Tap{}) }

// New returns the factory of the extension ledger, which reads the process's
// counters through tap.
func New(tap *ledger.Tap) extension.Factory {
	return extension.NewFactory(metadata.Type,
		func() component.Config { return &Config{Path: "/ledger", HealthPath: "/healthz"} },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return &books{cfg: cfg.(*Config), set: set.TelemetrySettings, keeper: ledger.NewKeeper(tap)}, nil
		},
		metadata.ExtensionStability)
}
