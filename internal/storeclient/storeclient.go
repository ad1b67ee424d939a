// Package storeclient opens the storage that a component's configuration names, for
// those that keep a checkpoint, a position or a mark: an extension's ID goes in, its
// client or an error that names the extension comes out.
package storeclient

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Open gives the client of the storage extension with that ID, for the component
// kind/own; nil where id is nil, for a component that keeps nothing. The error says
// that there is no such extension, that it is no storage, or why it does not open.
// Who opens a client closes it.
func Open(ctx context.Context, host component.Host, id *component.ID, kind component.Kind, own component.ID) (storage.Client, error) {
	if id == nil {
		return nil, nil
	}
	ext, ok := host.GetExtensions()[*id]
	if !ok {
		return nil, fmt.Errorf("storage: no extension %q is configured", id)
	}
	keeper, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q keeps nothing; take e.g. file_storage", id)
	}
	client, err := keeper.GetClient(ctx, kind, own, "")
	if err != nil {
		return nil, fmt.Errorf("open storage %q: %w", id, err)
	}
	return client, nil
}
