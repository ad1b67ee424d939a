package containerlogreceiver

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
)

// storageHost is a host with these extensions.
type storageHost map[component.ID]component.Component

func (h storageHost) GetExtensions() map[component.ID]component.Component { return h }

// startStorage gives a host that has file_storage in dir.
func startStorage(dir string) (storageHost, component.ID, error) {
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	cfg.CreateDirectory = true
	cfg.DirectoryPermissions = "0700"
	id := component.NewID(factory.Type())
	ext, err := factory.Create(context.Background(), extensiontest.NewNopSettings(factory.Type()), cfg)
	if err != nil {
		return nil, id, err
	}
	return storageHost{id: ext}, id, ext.Start(context.Background(), componenttest.NewNopHost())
}
