// Package inorder keeps the order of a queue on disk over restarts.
//
// exporterhelper's persistent queue puts what was under way when the process ended
// at the queue's end at the next start. For logs that is untidy; samples of a
// Prometheus that come behind newer ones of their series are refused, so after an
// outage that is longer than the server's out-of-order window the batch is lost.
//
// What enters is the host that an exporter is started with; what leaves is the
// same host, whose storages answer the queue's first question, its metadata, with
// a read index that stands at the oldest item under way again. Nothing is written,
// and each item is still where it was: the queue deletes it when it is done.
package inorder

import (
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"google.golang.org/protobuf/encoding/protowire"
)

// Host wraps the host of an exporter whose queue must keep its order.
func Host(h component.Host) component.Host { return host{h} }

type host struct{ component.Host }

// Report passes a component's status on, as componentstatus.ReportStatus asks.
func (h host) Report(e *componentstatus.Event) {
	if r, ok := h.Host.(componentstatus.Reporter); ok {
		r.Report(e)
	}
}

// GetExtensions wraps those that are storages.
func (h host) GetExtensions() map[component.ID]component.Component {
	all := map[component.ID]component.Component{}
	for id, ext := range h.Host.GetExtensions() {
		if s, ok := ext.(storage.Extension); ok {
			ext = extension{s}
		}
		all[id] = ext
	}
	return all
}

type extension struct{ storage.Extension }

func (e extension) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	c, err := e.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, err
	}
	return client{c}, nil
}

type client struct{ storage.Client }

// metadataKey begins with this in exporterhelper's internal/queue; what follows is
// the format's version.
const metadataKey = "qmv0"

func (c client) Get(ctx context.Context, key string) ([]byte, error) {
	b, err := c.Client.Get(ctx, key)
	if err != nil || !strings.HasPrefix(key, metadataKey) {
		return b, err
	}
	return rewind(b), nil
}

// The fields of PersistentMetadata (exporterhelper/internal/queue/meta.proto).
const (
	fieldReadIndex  = 3
	fieldDispatched = 5
)

// rewind moves the read index back to the oldest item under way and forgets that
// any is. Items in between that are done are no longer stored, and the queue
// passes over what is not there. What it does not understand it leaves as it is:
// then the queue does as upstream's.
func rewind(b []byte) []byte {
	var rest []byte
	var dispatched []uint64
	read, found := uint64(0), false
	for in := b; len(in) > 0; {
		num, typ, n := protowire.ConsumeField(in)
		if n < 0 {
			return b
		}
		_, _, tag := protowire.ConsumeTag(in)
		value := in[tag:n]
		switch {
		case num == fieldReadIndex && typ == protowire.Fixed64Type:
			read, _ = protowire.ConsumeFixed64(value)
			found = true
		case num == fieldDispatched && typ == protowire.BytesType: // packed
			packed, _ := protowire.ConsumeBytes(value)
			for ; len(packed) >= 8; packed = packed[8:] {
				v, _ := protowire.ConsumeFixed64(packed)
				dispatched = append(dispatched, v)
			}
		case num == fieldDispatched && typ == protowire.Fixed64Type:
			v, _ := protowire.ConsumeFixed64(value)
			dispatched = append(dispatched, v)
		default:
			rest = append(rest, in[:n]...)
		}
		in = in[n:]
	}
	if len(dispatched) == 0 || !found || slices.Max(dispatched) >= read {
		return b
	}
	rest = protowire.AppendTag(rest, fieldReadIndex, protowire.Fixed64Type)
	return protowire.AppendFixed64(rest, slices.Min(dispatched))
}
