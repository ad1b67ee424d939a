package awssigv4extension

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/vigie-otel/vigie/extensions/awssigv4extension/internal/metadata"
	"github.com/vigie-otel/vigie/internal/awsclient"
)

// NewFactory returns the factory of the extension aws_sigv4.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, defaultConfig, create, metadata.ExtensionStability)
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	c := cfg.(*Config)
	return &signer{cfg: c, source: awsclient.New(c.Settings, set.Logger), log: set.Logger}, nil
}
