package storeclient

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// host has these extensions.
type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// plain is an extension that keeps nothing.
type plain struct {
	component.StartFunc
	component.ShutdownFunc
}

// keeper is a storage that notes for whom it was opened.
type keeper struct {
	plain
	broken error
	opened []any
}

func (k *keeper) GetClient(_ context.Context, kind component.Kind, own component.ID, name string) (storage.Client, error) {
	k.opened = []any{kind, own, name}
	return storage.NewNopClient(), k.broken
}

func TestAStorageIsOpenedForTheComponentThatNamesIt(t *testing.T) {
	id, own := component.MustNewID("file_storage"), component.MustNewIDWithName("grafana", "two")
	k := &keeper{}
	client, err := Open(t.Context(), host{id: k}, &id, component.KindExporter, own)
	require.NoError(t, err)
	require.NotNil(t, client)
	require.Equal(t, []any{component.KindExporter, own, ""}, k.opened)
}

func TestWithoutAStorageThereIsNoClientAndNoError(t *testing.T) {
	client, err := Open(t.Context(), host{}, nil, component.KindReceiver, component.MustNewID("k8s_events"))
	require.NoError(t, err)
	require.Nil(t, client)
}

func TestAStorageThatCannotBeHadIsNamed(t *testing.T) {
	id, broken := component.MustNewID("file_storage"), errors.New("disk full")
	for text, h := range map[string]host{
		`no extension "file_storage" is configured`:      {component.MustNewID("other"): &keeper{}},
		`extension "file_storage" keeps nothing`:         {id: &plain{}},
		`open storage "file_storage": ` + broken.Error(): {id: &keeper{broken: broken}},
	} {
		client, err := Open(t.Context(), h, &id, component.KindReceiver, component.MustNewID("k8s_events"))
		require.ErrorContains(t, err, text)
		require.Nil(t, client, text)
	}
}
