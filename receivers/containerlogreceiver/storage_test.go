package containerlogreceiver

import (
	"context"
	"errors"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
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

// unreadable is a storage that opens and can't be read.
type unreadable struct {
	component.StartFunc
	component.ShutdownFunc
	storage.Client
	closed int
}

var errUnreadable = errors.New("input/output error")

func (u *unreadable) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return u, nil
}

func (u *unreadable) Get(context.Context, string) ([]byte, error) { return nil, errUnreadable }

func (u *unreadable) Close(context.Context) error {
	u.closed++
	return nil
}

func TestAStorageThatCannotBeReadIsSaidAndLetGo(t *testing.T) {
	s, u := newStage(t, true), &unreadable{}
	require.ErrorIs(t, s.Start(t.Context(), storageHost{*s.config.Storage: u}), errUnreadable)
	require.NoError(t, s.Shutdown(t.Context()))
	require.Equal(t, 1, u.closed)
}
