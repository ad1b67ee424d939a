package filestorageextension

import (
	"context"
	"errors"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

var errNoStorage = errors.New("contrib's file_storage is no storage extension any more")

// NewFactory returns the factory of the extension, type file_storage, with the
// settings of contrib's.
func NewFactory() extension.Factory {
	contrib := filestorage.NewFactory()
	return extension.NewFactory(
		contrib.Type(),
		contrib.CreateDefaultConfig,
		func(ctx context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			inner, err := contrib.Create(ctx, set, cfg)
			if err != nil {
				return nil, err
			}
			files, ok := inner.(storage.Extension)
			if !ok {
				return nil, errNoStorage
			}
			return &diskFiles{files}, nil
		},
		contrib.Stability(),
	)
}

// diskFiles hands out clients that survive a full disk.
type diskFiles struct{ storage.Extension }

func (f *diskFiles) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	inner, err := f.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, err
	}
	return &client{Client: inner}, nil
}
