package filestorageextension

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
)

// disk is a file whose disk may be full: a batch that writes is done whole or not.
type disk struct {
	storage.Client
	full bool
	has  map[string]string
}

func (d *disk) Get(_ context.Context, key string) ([]byte, error) {
	if v, ok := d.has[key]; ok {
		return []byte(v), nil
	}
	return nil, nil
}

func (d *disk) Batch(ctx context.Context, ops ...*storage.Operation) error {
	if d.full {
		return fmt.Errorf("commit: %w", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Set:
			d.has[op.Key] = string(op.Value)
		case storage.Delete:
			delete(d.has, op.Key)
		case storage.Get:
			op.Value, _ = d.Get(ctx, op.Key)
		}
	}
	return nil
}

func TestAQueueOnAFullDiskSendsWhatItHasAndTakesNothingNew(t *testing.T) {
	d := &disk{has: map[string]string{"qmv0": "read 0", "0": "a", "1": "b"}}
	c := &client{Client: d}
	d.full = true

	// The queue takes item 0 to send it, and is done with it.
	get := storage.GetOperation("0")
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation("qmv0", []byte("read 1")), get))
	require.Equal(t, "a", string(get.Value))
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation("qmv0", []byte("sent 0")), storage.DeleteOperation("0")))
	gone, err := c.Get(t.Context(), "0")
	require.NoError(t, err)
	require.Nil(t, gone)
	// A new item is refused, and so is what somebody else stores beside a deletion.
	require.ErrorIs(t, c.Batch(t.Context(), storage.SetOperation("qmv0", nil), storage.SetOperation("2", []byte("c"))), syscall.ENOSPC)
	require.ErrorIs(t, c.Batch(t.Context(), storage.SetOperation("position", nil), storage.DeleteOperation("old")), syscall.ENOSPC)
	require.ErrorIs(t, c.Set(t.Context(), "position", nil), syscall.ENOSPC)
	require.NoError(t, c.Delete(t.Context(), "1"))

	// There is room again: what is owed is done, but what was stored anew stays.
	d.full = false
	require.NoError(t, c.Set(t.Context(), "1", []byte("anew")))
	if diff := cmp.Diff(map[string]string{"qmv0": "read 0", "1": "anew"}, d.has); diff != "" {
		t.Error(diff)
	}
	require.Empty(t, c.owing)
}

func TestOtherErrorsAreToldAsTheyAre(t *testing.T) {
	c := &client{Client: broken{}}
	require.ErrorIs(t, c.Batch(t.Context(), storage.GetOperation("0")), os.ErrClosed)
}

type broken struct{ storage.Client }

func (broken) Batch(context.Context, ...*storage.Operation) error { return os.ErrClosed }

func TestItIsContribsFileStorageOtherwise(t *testing.T) {
	f := NewFactory()
	cfg := f.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = t.TempDir()
	e, err := f.Create(t.Context(), extensiontest.NewNopSettings(f.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	c, err := e.(storage.Extension).GetClient(t.Context(), component.KindExporter, component.MustNewID("otlp_grpc"), "logs")
	require.NoError(t, err)
	require.NoError(t, c.Set(t.Context(), "k", []byte("v")))
	keys := map[string]bool{}
	require.NoError(t, c.(storage.Walker).Walk(t.Context(), func(key string, _ []byte) ([]*storage.Operation, error) {
		keys[key] = true
		return nil, nil
	}))
	require.Equal(t, []string{"k"}, slices.Sorted(maps.Keys(keys)))
	require.NoError(t, c.Close(t.Context()))
	require.NoError(t, e.Shutdown(t.Context()))
}
