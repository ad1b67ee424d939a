package kubeletpodsextension

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/vigie-otel/vigie/extensions/kubeletpodsextension/internal/metadata"
)

// NewFactory returns the factory of the extension, type kubelet_pods.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		metadata.Type,
		func() component.Config { return defaultConfig() },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return &pods{cfg: cfg.(*Config), set: set.TelemetrySettings}, nil
		},
		metadata.ExtensionStability,
	)
}
