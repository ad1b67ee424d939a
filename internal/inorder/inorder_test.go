package inorder

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"
)

// disk is a storage extension and its only client: what it holds outlives the
// queue.
type disk struct {
	component.StartFunc
	component.ShutdownFunc

	mu   sync.Mutex
	held map[string][]byte // guarded by mu
}

func (d *disk) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return d, nil
}

func (d *disk) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := d.Batch(ctx, op)
	return op.Value, err
}

func (d *disk) Set(ctx context.Context, key string, value []byte) error {
	return d.Batch(ctx, storage.SetOperation(key, value))
}

func (d *disk) Delete(ctx context.Context, key string) error {
	return d.Batch(ctx, storage.DeleteOperation(key))
}

func (d *disk) Batch(_ context.Context, ops ...*storage.Operation) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = d.held[op.Key]
		case storage.Set:
			d.held[op.Key] = op.Value
		case storage.Delete:
			delete(d.held, op.Key)
		}
	}
	return nil
}

func (d *disk) Close(context.Context) error { return nil }

// copied is what a process that was killed leaves behind.
func (d *disk) copied() *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &disk{held: maps.Clone(d.held)}
}

type extensions struct {
	component.Host
	all map[component.ID]component.Component
}

func (e extensions) GetExtensions() map[component.ID]component.Component { return e.all }

// open starts a queue of one consumer on d.
func open(t *testing.T, d *disk, push func(string) error) exporter.Logs {
	t.Helper()
	id := component.MustNewID("disk")
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.StorageID, queue.NumConsumers = &id, 1
	exp, err := exporterhelper.NewLogs(t.Context(), exportertest.NewNopSettings(component.MustNewType("ordered")), struct{}{},
		func(_ context.Context, ld plog.Logs) error {
			return push(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str())
		}, exporterhelper.WithQueue(configoptional.Some(queue)), exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}))
	require.NoError(t, err)
	host := extensions{componenttest.NewNopHost(), map[component.ID]component.Component{id: d}}
	require.NoError(t, exp.Start(t.Context(), Host(host)))
	return exp
}

func line(text string) plog.Logs {
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(text)
	return ld
}

func TestWhatWasUnderWayAtAKillIsSentFirstAfterwards(t *testing.T) {
	d := &disk{held: map[string][]byte{}}
	underway, never := make(chan string), make(chan struct{})
	killed := open(t, d, func(text string) error {
		underway <- text
		<-never
		return nil
	})
	for _, text := range []string{"first", "second", "third"} {
		require.NoError(t, killed.ConsumeLogs(t.Context(), line(text)))
	}
	require.Equal(t, "first", <-underway)
	left := d.copied()

	sent := make(chan string)
	again := open(t, left, func(text string) error { sent <- text; return nil })
	if diff := cmp.Diff([]string{"first", "second", "third"}, []string{<-sent, <-sent, <-sent}); diff != "" {
		t.Error(diff)
	}
	require.NoError(t, again.Shutdown(t.Context()))
	close(never)
	require.NoError(t, killed.Shutdown(context.WithoutCancel(t.Context())))
	for key := range left.held {
		if key != "qmv0" {
			t.Errorf("%s is left in a queue that is empty", key)
		}
	}
}

func TestMetadataThatIsNotUnderstoodIsLeftAlone(t *testing.T) {
	fixed := func(b []byte, field protowire.Number, v uint64) []byte {
		return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), v)
	}
	packed := func(b []byte, vs ...uint64) []byte {
		var in []byte
		for _, v := range vs {
			in = protowire.AppendFixed64(in, v)
		}
		return protowire.AppendBytes(protowire.AppendTag(b, fieldDispatched, protowire.BytesType), in)
	}
	begin := slices.Clip(fixed(fixed(nil, 1, 10), 4, 9))
	for what, c := range map[string]struct{ in, want []byte }{
		"two under way":         {packed(fixed(begin, 3, 7), 6, 5), fixed(begin, 3, 5)},
		"one, not packed":       {fixed(fixed(begin, 3, 7), 5, 6), fixed(begin, 3, 6)},
		"the very first":        {packed(fixed(begin, 3, 1), 0), fixed(begin, 3, 0)},
		"none under way":        {fixed(begin, 3, 7), fixed(begin, 3, 7)},
		"one that is to come":   {packed(fixed(begin, 3, 7), 8), packed(fixed(begin, 3, 7), 8)},
		"no read index":         {packed(begin, 1), packed(begin, 1)},
		"nothing":               {nil, nil},
		"no protobuf":           {[]byte{0xff}, []byte{0xff}},
		"a field that is newer": {packed(fixed(fixed(begin, 9, 1), 3, 7), 6), fixed(fixed(begin, 9, 1), 3, 6)},
	} {
		if diff := cmp.Diff(c.want, rewind(c.in)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}
